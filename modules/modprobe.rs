use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Result, System};
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
    let loaded = is_loaded(&args.name, sys)?;
    match args.state {
        State::Present if !loaded => {
            let command = Command::new("modprobe").arg(&args.name).args(args.params.split_whitespace());
            sys.exec(command)?;
        }
        State::Absent if loaded => {
            sys.exec(Command::new("modprobe").arg("-r").arg(&args.name))?;
        }
        State::Present | State::Absent => {}
    }
    let load = format!("/etc/modules-load.d/{}.conf", args.name);
    let options = format!("/etc/modprobe.d/{}.conf", args.name);
    match args.persistent {
        Persistent::Disabled => {}
        Persistent::Present => {
            for path in [&load, &options] {
                if let Some(dir) = Path::new(path).parent() {
                    sys.make_dirs(dir, None)?;
                }
            }
            sys.write(Path::new(&load), format!("{}\n", args.name))?;
            if !args.params.is_empty() {
                let lines =
                    args.params.split_whitespace().map(|param| format!("options {} {param}\n", args.name));
                sys.write(Path::new(&options), lines.collect::<String>())?;
            }
        }
        Persistent::Absent => {
            sys.remove(Path::new(&load))?;
            sys.remove(Path::new(&options))?;
        }
    }
    Ok(Returns { name: args.name, params: args.params, state: args.state })
}

fn is_loaded(name: &str, sys: &System<'_>) -> Result<bool> {
    let name = name.replace('-', "_");
    let text = sys.read_text_if_there(Path::new("/proc/modules"))?.unwrap_or_default();
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
            .answer("modprobe", 0, "");
        let result = trial.run(args);
        assert_eq!(result["failed"], Json::Null, "{result}");
        assert_eq!(trial.host.ran(), ran, "{args}");
        trial
    }

    #[test]
    fn modules_are_loaded_where_they_are_not() {
        check(&json!({"name": "br-netfilter"}), &[]);
        check(&json!({"name": "ext4"}), &[]);
        check(&json!({"name": "br_netfilter", "state": "absent"}), &["modprobe -r br_netfilter"]);
        let trial = check(
            &json!({"name": "dummy", "params": "a=1 b=2", "persistent": "present"}),
            &["modprobe dummy a=1 b=2"],
        );
        assert_eq!(trial.host.read("/etc/modules-load.d/dummy.conf").unwrap(), "dummy\n");
        let options = "options dummy a=1\noptions dummy b=2\n";
        assert_eq!(trial.host.read("/etc/modprobe.d/dummy.conf").unwrap(), options);
    }
}
