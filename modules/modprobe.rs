use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Result, System};
use crate::lineinfile::State;

/// Loads and unloads modules of the kernel.
///
/// # Examples
///
/// ```yaml
/// - name: The 802.1q module
///   modprobe: {name: 8021q, state: present}
///
/// - name: With parameters, also after a boot
///   modprobe: {name: dummy, params: numdummies=2, persistent: present}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The module.
    pub name: String,
    /// Whether it is loaded.
    #[serde(default)]
    pub state: State,
    /// Its parameters.
    #[serde(default)]
    pub params: String,
    /// Whether it is loaded at boot.
    #[serde(default)]
    pub persistent: Persistent,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Persistent {
    #[default]
    Disabled,
    Present,
    Absent,
}

#[derive(Serialize)]
pub struct Returns {
    name: String,
    params: String,
    state: State,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let returns = Returns { name: args.name.clone(), params: args.params.clone(), state: args.state };
    match ensure(&args, sys) {
        Ok(()) => Ok(returns),
        Err(failure) => Err(failure.as_said().with_all(returns)),
    }
}

fn ensure(args: &Args, sys: &mut System<'_>) -> Result<()> {
    let loaded = is_loaded(&args.name, sys)?;
    match args.state {
        State::Present if !loaded => {
            let command =
                Command::new(sys.need("modprobe")?).arg(&args.name).args(args.params.split_whitespace());
            sys.exec(command)?;
        }
        State::Absent if loaded => {
            let command = Command::new(sys.need("modprobe")?).arg("-r").arg(&args.name);
            sys.exec(command)?;
        }
        State::Present | State::Absent => {}
    }
    keep(args, sys)
}

const LOADED: &str = "/etc/modules-load.d";
const OPTIONS: &str = "/etc/modprobe.d";

/// Ensures what happens at boot. What is not to happen is commented out, in whichever file it is.
fn keep(args: &Args, sys: &mut System<'_>) -> Result<()> {
    let name = args.name.as_str();
    let loads = |line: &str| line.split(['#', ';']).next().unwrap_or_default().trim() == name;
    let sets = |line: &str| {
        let mut words = line.split_whitespace();
        words.next() == Some("options") && words.next() == Some(name)
    };
    let file = |dir: &str| Path::new(dir).join(format!("{name}.conf"));
    match args.persistent {
        Persistent::Disabled => {}
        Persistent::Present => {
            if lines(LOADED, loads, sys)?.is_empty() {
                sys.make_dirs(Path::new(LOADED), None)?;
                sys.write(&file(LOADED), format!("{name}\n"))?;
            }
            let wanted: BTreeSet<&str> = args.params.split_whitespace().collect();
            let set = lines(OPTIONS, sets, sys)?;
            let set: BTreeSet<&str> = set.iter().flat_map(|line| line.split_whitespace().skip(2)).collect();
            if set != wanted {
                comment_out(OPTIONS, sets, sys)?;
                sys.make_dirs(Path::new(OPTIONS), None)?;
                let lines = args.params.split_whitespace().map(|param| format!("options {name} {param}\n"));
                sys.write(&file(OPTIONS), lines.collect::<String>())?;
            }
        }
        Persistent::Absent => {
            comment_out(LOADED, loads, sys)?;
            comment_out(OPTIONS, sets, sys)?;
        }
    }
    Ok(())
}

/// The files of a directory, in order.
fn files(dir: &str, sys: &System<'_>) -> Result<Vec<PathBuf>> {
    let dir = Path::new(dir);
    let names = if sys.exists(dir)? { sys.list(dir)? } else { Vec::new() };
    Ok(names.into_iter().map(|name| dir.join(name)).collect())
}

fn lines(dir: &str, is_it: impl Fn(&str) -> bool, sys: &System<'_>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in files(dir, sys)? {
        let text = sys.read_text_if_there(&file)?.unwrap_or_default();
        found.extend(text.lines().filter(|line| is_it(line)).map(str::to_owned));
    }
    Ok(found)
}

fn comment_out(dir: &str, is_it: impl Fn(&str) -> bool, sys: &mut System<'_>) -> Result<()> {
    for file in files(dir, sys)? {
        let text = sys.read_text_if_there(&file)?.unwrap_or_default();
        if text.lines().any(&is_it) {
            let lines = text.lines().flat_map(|line| [if is_it(line) { "#" } else { "" }, line, "\n"]);
            sys.write(&file, lines.collect::<String>())?;
        }
    }
    Ok(())
}

fn is_loaded(name: &str, sys: &System<'_>) -> Result<bool> {
    let name = name.replace('-', "_");
    let Some(text) = sys.read_text_if_there(Path::new("/proc/modules"))? else {
        return Err(Failure::new("[Errno 2] No such file or directory: '/proc/modules'"));
    };
    if text.lines().any(|line| line.split(' ').next() == Some(&name)) {
        return Ok(true);
    }
    let release = sys.read_text_if_there(Path::new("/proc/sys/kernel/osrelease"))?.unwrap_or_default();
    let built_in = format!("/lib/modules/{}/modules.builtin", release.trim());
    let text = sys.read_text_if_there(Path::new(&built_in))?.unwrap_or_default();
    let is_it = |line: &str| {
        let file = line.rsplit('/').next().unwrap_or_default();
        file.split(".ko").next().unwrap_or_default().replace('-', "_") == name
    };
    Ok(text.lines().any(is_it))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(args: &Json, ran: &[&str]) -> Trial {
        let trial = Trial::of("modprobe");
        trial.host.file("/proc/modules", "br_netfilter 1 0\n").file("/proc/sys/kernel/osrelease", "6\n");
        trial
            .host
            .file("/lib/modules/6/modules.builtin", "kernel/fs/ext4/ext4.ko\n")
            .program("/usr/sbin/modprobe")
            .answer("/usr/sbin/modprobe", 0, "");
        let result = trial.run(args);
        assert_eq!(result["failed"], Json::Null, "{result}");
        assert_eq!(trial.host.ran(), ran, "{args}");
        trial
    }

    #[test]
    fn modules_are_loaded_where_they_are_not() {
        check(&json!({"name": "br-netfilter"}), &[]);
        check(&json!({"name": "ext4"}), &[]);
        check(&json!({"name": "br_netfilter", "state": "absent"}), &["/usr/sbin/modprobe -r br_netfilter"]);
        let trial = check(
            &json!({"name": "dummy", "params": "a=1 b=2", "persistent": "present"}),
            &["/usr/sbin/modprobe dummy a=1 b=2"],
        );
        assert_eq!(trial.host.read("/etc/modules-load.d/dummy.conf").unwrap(), "dummy\n");
        let options = "options dummy a=1\noptions dummy b=2\n";
        assert_eq!(trial.host.read("/etc/modprobe.d/dummy.conf").unwrap(), options);
    }

    #[test]
    fn what_happens_at_boot() {
        let stage = || {
            let trial = Trial::of("modprobe");
            trial
                .host
                .file("/proc/modules", "dummy 1 0\n")
                .file("/etc/modules-load.d/o.conf", "x\ndummy # y\n");
            trial.host.file("/etc/modprobe.d/o.conf", "options dummy a=1\noptions other a=1\n");
            trial
        };
        let read = |trial: &Trial, path: &str| trial.host.read(path).unwrap();
        let trial = stage();
        trial.lawful(&json!({"name": "dummy", "persistent": "absent"}));
        assert_eq!(read(&trial, "/etc/modules-load.d/o.conf"), "x\n#dummy # y\n");
        assert_eq!(read(&trial, "/etc/modprobe.d/o.conf"), "#options dummy a=1\noptions other a=1\n");
        let trial = stage();
        trial.lawful(&json!({"name": "dummy", "persistent": "present", "params": "a=2"}));
        assert_eq!(trial.host.read("/etc/modules-load.d/dummy.conf"), None);
        assert_eq!(read(&trial, "/etc/modprobe.d/o.conf"), "#options dummy a=1\noptions other a=1\n");
        assert_eq!(read(&trial, "/etc/modprobe.d/dummy.conf"), "options dummy a=2\n");
        let trial = stage();
        let result = trial.run(&json!({"name": "dummy", "persistent": "present", "params": "a=1"}));
        assert_eq!(result["changed"], false);
        let none = Trial::of("modprobe").run(&json!({"name": "dummy", "state": "absent"}));
        assert_eq!(none["msg"], "[Errno 2] No such file or directory: '/proc/modules'");
        assert_eq!(
            (&none["name"], &none["state"], &none["params"]),
            (&json!("dummy"), &json!("absent"), &json!(""))
        );
    }
}
