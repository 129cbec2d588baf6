mod openrc;
mod script;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::kit::{Failure, Result, System};
use crate::systemd::{self, State};

/// Controls services, by whatever manages them on the host.
///
/// systemd, OpenRC and SysV init scripts are known; see `systemd` for what only that can do.
///
/// # Examples
///
/// ```yaml
/// - name: The service runs, and starts at boot
///   service:
///     name: httpd
///     state: started
///     enabled: yes
///
/// - name: It reads its configuration anew
///   service:
///     name: httpd
///     state: reloaded
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["state", "enabled"]]))]
pub struct Args {
    /// Name of the service.
    pub name: String,
    /// `started` and `stopped` do nothing when already so; `restarted` always restarts; `reloaded` starts what
    /// does not run.
    pub state: Option<State>,
    /// Whether the service starts at boot.
    pub enabled: Option<bool>,
    /// What manages services: `auto` finds out.
    #[serde(default = "auto")]
    pub r#use: String,
    /// Arguments for the init script. systemd takes none.
    #[serde(default)]
    #[schemars(extend("aliases" = ["args"]))]
    pub arguments: String,
    /// Text in the process list that means the service runs, for init scripts without `status`.
    pub pattern: Option<String>,
    /// The runlevel for OpenRC.
    #[serde(default = "default_runlevel")]
    pub runlevel: String,
    /// Seconds between stop and start of a restart, for init scripts.
    pub sleep: Option<u64>,
}

fn auto() -> String {
    "auto".to_owned()
}

fn default_runlevel() -> String {
    "default".to_owned()
}

#[derive(Serialize)]
pub struct Returns {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    status: Map<String, Json>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let mut status = Map::new();
    match manager(&args, sys)? {
        Manager::Systemd => {
            if !args.arguments.is_empty() {
                sys.warn("Ignoring \"args\" as it is not used in \"systemd\"");
            }
            let unit = systemd::Args {
                name: Some(args.name.clone()),
                state: args.state,
                enabled: args.enabled,
                ..systemd::Args::default()
            };
            status = systemd::run(unit, sys)?.status;
        }
        Manager::Openrc => openrc::ensure(&args, sys)?,
        Manager::Script => script::ensure(&args, sys)?,
    }
    // What the service is in the end.
    let state = args.state.map(State::reached);
    Ok(Returns { name: args.name, state, enabled: args.enabled, status })
}

enum Manager {
    Systemd,
    Openrc,
    Script,
}

fn manager(args: &Args, sys: &System<'_>) -> Result<Manager> {
    match args.r#use.rsplit('.').next().unwrap_or_default() {
        "systemd" => return Ok(Manager::Systemd),
        "openrc" => return Ok(Manager::Openrc),
        "sysvinit" => return Ok(Manager::Script),
        // Ansible's own module of that name: whatever is there, scripts first.
        "service" if sys.exists(&Path::new("/etc/init.d").join(&args.name))? => return Ok(Manager::Script),
        "auto" | "service" => {}
        other => return Err(Failure::new(format!("use: '{other}' is not supported yet"))),
    }
    if sys.exists(Path::new("/run/systemd/system"))? {
        Ok(Manager::Systemd)
    } else if sys.which("rc-service").is_some() {
        Ok(Manager::Openrc)
    } else if sys.exists(&Path::new("/etc/init.d").join(&args.name))? || sys.which("service").is_some() {
        Ok(Manager::Script)
    } else if sys.which("systemctl").is_some() {
        Ok(Manager::Systemd)
    } else {
        Err(Failure::new(format!(
            "cannot find out what manages the service {}: neither systemd, OpenRC nor init scripts are here",
            args.name
        )))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(prepare: impl Fn(&Trial), args: &Json, expected: &[&str]) {
        let trial = Trial::of("service");
        prepare(&trial);
        let result = trial.run(args);
        assert_eq!(result["failed"], Json::Null, "{args} {result}");
        assert_eq!(trial.host.ran(), expected, "{args}");
    }

    #[test]
    fn scripts() {
        let script = |code: i32| {
            move |trial: &Trial| {
                trial.host.program("/etc/init.d/web").program("/usr/sbin/update-rc.d");
                trial.host.answer("/etc/init.d/web", 0, "").answer("/etc/init.d/web status", code, "");
                trial.host.answer("/usr/sbin/update-rc.d", 0, "");
            }
        };
        check(script(0), &json!({"name": "web", "state": "started"}), &["/etc/init.d/web status"]);
        check(
            script(3),
            &json!({"name": "web", "state": "started"}),
            &["/etc/init.d/web status", "/etc/init.d/web start"],
        );
        check(
            script(0),
            &json!({"name": "web", "state": "restarted"}),
            &["/etc/init.d/web status", "/etc/init.d/web stop", "/etc/init.d/web start"],
        );
        check(script(0), &json!({"name": "web", "enabled": true}), &["/usr/sbin/update-rc.d web defaults"]);
    }

    #[test]
    fn systemd_where_it_runs() {
        let shown = "LoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\n";
        let prepare = |trial: &Trial| {
            trial.host.dir("/run/systemd/system").answer("systemctl", 0, "").answer(
                "systemctl show",
                0,
                shown,
            );
        };
        check(
            prepare,
            &json!({"name": "web", "state": "started"}),
            &["systemctl show web", "systemctl start web"],
        );
    }
}
