use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::kit::{Command, Result, System};

/// Tells which services there are and whether they run, as the fact `services`.
///
/// systemd, OpenRC and SysV init scripts are asked.
///
/// # Examples
///
/// ```yaml
/// - name: The services
///   service_facts:
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {}

#[derive(Serialize)]
pub struct Returns {
    ansible_facts: Facts,
}

#[derive(Serialize)]
struct Facts {
    services: Map<String, Json>,
}

pub(crate) fn run(_: Args, sys: &mut System<'_>) -> Result<Returns> {
    let mut services = Map::new();
    scripts(sys, &mut services)?;
    openrc(sys, &mut services)?;
    if sys.exists(Path::new("/run/systemd/system"))? {
        systemd(sys, &mut services)?;
    }
    if services.is_empty() {
        sys.warn(
            "Failed to find any services. This can be due to privileges or some other configuration issue.",
        );
    }
    Ok(Returns { ansible_facts: Facts { services } })
}

fn scripts(sys: &mut System<'_>, services: &mut Map<String, Json>) -> Result<()> {
    let service = crate::sysvinit::service(sys)?;
    if let Some(service) = service.filter(|_| sys.which("chkconfig").is_none()) {
        let told = sys.query(Command::new(service).arg("--status-all").env("LC_ALL", "C"))?;
        for line in told.stdout().lines() {
            let line = line.trim_start();
            let state = match line.get(..5) {
                Some("[ + ]") => "running",
                Some("[ - ]") => "stopped",
                _ => continue,
            };
            let name = line.get(5..).unwrap_or_default().trim();
            services.insert(name.to_owned(), json!({"name": name, "state": state, "source": "sysv"}));
        }
    }
    if let Some(chkconfig) = sys.which("chkconfig") {
        let told = sys.query(Command::new(chkconfig).arg("--list").env("LC_ALL", "C"))?;
        for line in told.stdout().lines() {
            let mut words = line.split_whitespace();
            let Some(name) = words.next() else { continue };
            let levels: Vec<&str> = words.collect();
            if !levels.iter().any(|level| level.starts_with("3:")) {
                continue;
            }
            let status = if levels.contains(&"3:on") { "enabled" } else { "disabled" };
            let asked = sys.query(Command::new(sys.need("service")?).arg(name).arg("status"))?;
            let state = match asked.code {
                0 => "running",
                3 => "stopped",
                _ => "unknown",
            };
            let service = json!({"name": name, "state": state, "status": status, "source": "sysv"});
            services.insert(name.to_owned(), service);
        }
    }
    Ok(())
}

fn openrc(sys: &mut System<'_>, services: &mut Map<String, Json>) -> Result<()> {
    let (Some(status), Some(update)) = (sys.which("rc-status"), sys.which("rc-update")) else {
        return Ok(());
    };
    let told = sys.query(Command::new(update).args(["show", "-v"]))?;
    let levels: Vec<(String, Vec<String>)> = told
        .stdout()
        .lines()
        .filter_map(|line| {
            let (name, levels) = line.split_once('|')?;
            Some((name.trim().to_owned(), levels.split_whitespace().map(str::to_owned).collect()))
        })
        .collect();
    let told = sys.query(Command::new(status).args(["-a", "-s", "-m"]))?;
    for line in told.stdout().lines() {
        let Some((name, rest)) = line.split_once('[') else { continue };
        let (name, state) = (name.trim(), rest.trim().trim_end_matches(']'));
        let state = state.split_whitespace().next().unwrap_or_default();
        let runlevels = levels.iter().find(|(known, _)| known == name).map(|(_, levels)| levels);
        let service = json!({"name": name, "runlevels": runlevels, "state": state, "source": "openrc"});
        services.insert(name.to_owned(), service);
    }
    Ok(())
}

/// What keeps a unit from being simply enabled or not.
const BAD: [&str; 3] = ["not-found", "masked", "failed"];

fn systemd(sys: &mut System<'_>, services: &mut Map<String, Json>) -> Result<()> {
    let systemctl = |verb: &str| {
        let command = Command::new("systemctl").arg(verb).args(["--no-pager", "--type", "service", "--all"]);
        command.env("LC_ALL", "C")
    };
    let told = sys.query(systemctl("list-units").arg("--plain"))?;
    for line in told.stdout().lines().filter(|line| line.contains(".service")) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let Some(name) = fields.first().filter(|name| name.ends_with(".service")) else { continue };
        let bad = BAD.iter().find(|bad| fields.contains(*bad));
        let runs = bad.is_none() && fields.get(3) == Some(&"running");
        let service = json!({
            "name": name, "state": if runs { "running" } else { "stopped" },
            "status": bad.unwrap_or(&"unknown"), "source": "systemd",
        });
        services.insert((*name).to_owned(), service);
    }
    let told = sys.query(systemctl("list-unit-files"))?;
    for line in told.stdout().lines() {
        let mut fields = line.split_whitespace();
        let (Some(name), Some(status)) = (fields.next(), fields.next()) else { continue };
        if !name.ends_with(".service") {
            continue;
        }
        if let Some(service) = services.get_mut(name).and_then(Json::as_object_mut) {
            let bad = service.get("status").and_then(Json::as_str).is_some_and(|known| BAD.contains(&known));
            if !bad {
                service.insert("status".to_owned(), status.into());
            }
            continue;
        }
        // Templates and what is not loaded: systemd knows their state alone.
        let shown = sys.query(Command::new("systemctl").args(["show", name, "--property=ActiveState"]))?;
        let state =
            if shown.ok() { shown.stdout().trim().replace("ActiveState=", "") } else { "unknown".to_owned() };
        let service = json!({"name": name, "state": state, "status": status, "source": "systemd"});
        services.insert(name.to_owned(), service);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    #[test]
    fn scripts() {
        let trial = Trial::of("service_facts");
        let said = " [ + ]  ssh\n [ - ]  dbus\n [ ? ]  hwclock.sh\n";
        trial.host.program("/usr/sbin/service").answer("/usr/sbin/service", 0, said);
        let result = trial.run(&json!({}));
        assert_eq!(
            result["ansible_facts"]["services"],
            json!({"ssh": {"name": "ssh", "state": "running", "source": "sysv"},
                   "dbus": {"name": "dbus", "state": "stopped", "source": "sysv"}})
        );
    }

    #[test]
    fn systemd() {
        let trial = Trial::of("service_facts");
        trial.host.dir("/run/systemd/system");
        trial.host.answer(
            "systemctl list-units",
            0,
            "ssh.service loaded active running SSH\nx.service not-found inactive dead x\n",
        );
        trial.host.answer(
            "systemctl list-unit-files",
            0,
            "UNIT FILE STATE\nssh.service enabled enabled\ngetty@.service enabled\n",
        );
        trial.host.answer("systemctl show", 0, "ActiveState=inactive\n");
        let services = trial.run(&json!({}))["ansible_facts"]["services"].clone();
        let service = |name: &str, state: &str, status: &str| {
            assert_eq!(
                services[name],
                json!({"name": name, "state": state, "status": status, "source": "systemd"})
            );
        };
        service("ssh.service", "running", "enabled");
        service("x.service", "stopped", "not-found");
        service("getty@.service", "inactive", "enabled");
    }
}
