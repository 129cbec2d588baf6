use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::kit::{Command, Failure, FileAttributes, Result, System, WriteOptions};

/// Sets the host's name, now and for the next boot.
///
/// `/etc/hosts` is left as it is.
///
/// # Examples
///
/// ```yaml
/// - name: The host has its name
///   hostname: {name: web01}
///
/// - name: By systemd
///   hostname: {name: web01, use: systemd}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The name.
    pub name: String,
    /// How the name is set. Found out when not given. The systems that are not Linux are not supported.
    pub r#use: Option<Way>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    Alpine,
    Debian,
    Freebsd,
    Generic,
    Macos,
    Macosx,
    Darwin,
    Openbsd,
    Openrc,
    Redhat,
    Sles,
    Solaris,
    Systemd,
}

#[derive(Serialize)]
pub struct Returns {
    name: String,
    ansible_facts: Map<String, Json>,
}

/// The longest name Linux takes.
const MAX: usize = 64;

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let name = args.name;
    if name.is_empty() || name.len() > MAX {
        return Err(Failure::new(format!(
            "name cannot be longer than {MAX} characters on systemd servers, try a shorter name"
        )));
    }
    let way = match args.r#use {
        Some(way) => way,
        None => detect(sys)?,
    };
    let before = match way {
        Way::Systemd => systemd(&name, sys)?,
        Way::Alpine | Way::Debian | Way::Generic | Way::Openrc | Way::Redhat | Way::Sles => {
            let network = Path::new("/etc/sysconfig/network");
            if way == Way::Redhat && !sys.exists(network)? {
                return Err(Failure::new("Unable to locate HOSTNAME entry in /etc/sysconfig/network"));
            }
            let now = current(sys)?;
            if now != name {
                // Only the kernel's name, which refuses a bad one; the file holds it for the next boot.
                sys.exec(Command::new("hostname").arg(&name))?;
            }
            let kept = keep(way, &name, sys)?;
            if kept == name { now } else { kept }
        }
        _ => {
            let way = serde_json::to_value(way).unwrap_or_default();
            return Err(Failure::new(format!("use: {way} is not supported: only Linux is")));
        }
    };
    if before != name {
        sys.tell_states("", format!("hostname = {before}\n"), format!("hostname = {name}\n"));
    }
    let fqdn = crate::setup::identity::fqdn(sys, &name);
    let facts = json!({
        "ansible_hostname": name.split('.').next().unwrap_or_default(),
        "ansible_nodename": name,
        "ansible_fqdn": fqdn,
        "ansible_domain": fqdn.split_once('.').map_or("", |(_, domain)| domain),
    });
    Ok(Returns { name, ansible_facts: facts.as_object().cloned().unwrap_or_default() })
}

fn detect(sys: &System<'_>) -> Result<Way> {
    Ok(if sys.exists(Path::new("/run/systemd/system"))? && sys.which("hostnamectl").is_some() {
        Way::Systemd
    } else if sys.exists(Path::new("/etc/conf.d/hostname"))? && sys.which("rc-service").is_some() {
        Way::Openrc
    } else if sys.exists(Path::new("/etc/sysconfig/network"))? && !sys.exists(Path::new("/etc/hostname"))? {
        Way::Redhat
    } else {
        Way::Generic
    })
}

/// The kernel's name.
fn current(sys: &System<'_>) -> Result<String> {
    let text = sys.read_text_if_there(Path::new("/proc/sys/kernel/hostname"))?.unwrap_or_default();
    Ok(text.trim().to_owned())
}

/// Both names systemd knows; the one it shows to people is the lasting one, too.
fn systemd(name: &str, sys: &mut System<'_>) -> Result<String> {
    let mut before = name.to_owned();
    for which in ["--transient", "--static"] {
        let asked = sys.query(Command::new("hostnamectl").arg(which).arg("status"))?;
        if !asked.ok() {
            let (code, out, err) = (asked.code, asked.stdout(), asked.stderr());
            return Err(Failure::new(format!("Command failed rc={code}, out={out}, err={err}")));
        }
        let old = asked.stdout().trim().to_owned();
        if old != name {
            if which == "--static" {
                sys.exec(Command::new("hostnamectl").args(["--pretty", "set-hostname", name]))?;
            }
            sys.exec(Command::new("hostnamectl").arg(which).arg("set-hostname").arg(name))?;
            before = old;
        }
    }
    Ok(before)
}

/// Ensures the name in the file it is read from at boot. Gives the one that was there.
fn keep(way: Way, name: &str, sys: &mut System<'_>) -> Result<String> {
    let (path, key) = match way {
        Way::Redhat => ("/etc/sysconfig/network", "HOSTNAME="),
        Way::Openrc => ("/etc/conf.d/hostname", "hostname="),
        Way::Sles => ("/etc/HOSTNAME", ""),
        _ => ("/etc/hostname", ""),
    };
    let path = Path::new(path);
    let text = sys.read_text_if_there(path)?.unwrap_or_default();
    let is_it = |line: &&str| !line.starts_with('#') && line.trim_start().starts_with(key);
    let old = text.lines().find(is_it).map(|line| line.trim_start().trim_start_matches(key));
    let old = old.map(|old| old.trim().trim_matches('"').to_owned()).unwrap_or_default();
    if old != name {
        let line = if way == Way::Openrc { format!("{key}\"{name}\"\n") } else { format!("{key}{name}\n") };
        let new = if key.is_empty() {
            line
        } else {
            let others = text.lines().filter(|line| !is_it(line)).flat_map(|line| [line, "\n"]);
            others.collect::<String>() + &line
        };
        // In containers the file is a mount of its own.
        let attributes = FileAttributes { unsafe_writes: Some(true), ..FileAttributes::default() };
        let options = WriteOptions { attributes: Some(&attributes), hidden: true, ..WriteOptions::default() };
        sys.write_with(path, new, &options)?;
    }
    Ok(old)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::Output;
    use crate::kit::host::Placement;
    use crate::kit::trial::Trial;

    #[test]
    fn files_and_the_kernel_get_the_name() {
        let trial = Trial::of("hostname");
        trial.host.file("/etc/hostname", "old\n").file("/proc/sys/kernel/hostname", "old\n");
        trial.host.script("hostname", |command, host| {
            let name = format!("{}\n", command.argv.last().unwrap().to_string_lossy());
            host.place("/proc/sys/kernel/hostname".as_ref(), &mut name.as_bytes(), &Placement::default())
                .unwrap();
            Output::default()
        });
        let result = trial.lawful(&json!({"name": "web.example.org"}));
        assert_eq!(result["ansible_facts"]["ansible_hostname"], "web");
        assert_eq!(
            result["diff"],
            json!({"before": "hostname = old\n", "after": "hostname = web.example.org\n"})
        );
        assert_eq!(trial.host.read("/etc/hostname").unwrap(), "web.example.org\n");
        assert_eq!(trial.host.ran(), ["hostname web.example.org"]);
    }

    #[test]
    fn openrc_and_redhat_have_a_line() {
        for (way, path, line) in [
            ("openrc", "/etc/conf.d/hostname", "hostname=\"b\"\n"),
            ("redhat", "/etc/sysconfig/network", "HOSTNAME=b\n"),
        ] {
            let trial = Trial::of("hostname");
            trial.host.file(path, "# x\n").file("/proc/sys/kernel/hostname", "b\n");
            trial.lawful(&json!({"name": "b", "use": way}));
            assert_eq!(trial.host.read(path).unwrap(), format!("# x\n{line}"));
        }
    }

    #[test]
    fn systemd_is_told() {
        let trial = Trial::of("hostname");
        trial.host.dir("/run/systemd/system").program("/usr/bin/hostnamectl").answer(
            "hostnamectl",
            0,
            "old\n",
        );
        assert_eq!(trial.run(&json!({"name": "b"}))["changed"], true);
        let ran = trial.host.ran();
        assert!(ran.contains(&"hostnamectl --static set-hostname b".to_owned()), "{ran:?}");
        assert!(ran.contains(&"hostnamectl --pretty set-hostname b".to_owned()), "{ran:?}");
        let result = trial.run(&json!({"name": "b", "use": "redhat"}));
        assert_eq!(result["msg"], "Unable to locate HOSTNAME entry in /etc/sysconfig/network");
        assert!(!trial.host.ran().contains(&"hostname b".to_owned()));
        let result = trial.run(&json!({"name": "b", "use": "freebsd"}));
        assert_eq!(result["msg"], "use: \"freebsd\" is not supported: only Linux is");
    }
}
