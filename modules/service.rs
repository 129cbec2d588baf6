mod bsd;
mod openrc;
mod script;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::kit::{Failure, Result, System};
use crate::setup::service_manager;
use crate::systemd::{self, Special, State};
use crate::{launchd, openwrt_init, runit, sysvinit};

/// Controls services, by whatever manages them on the host.
///
/// systemd, OpenRC, runit, procd, launchd, FreeBSD's rc and SysV init scripts are known; `systemd`, `runit`,
/// `openwrt_init`, `launchd` and `sysvinit` tell what only these can do. A service that runit has no directory of is
/// controlled by its init script.
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
    /// Arguments for the init script; of FreeBSD's `service`, what comes before the name. systemd takes none.
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
    #[serde(flatten)]
    pub special: Special,
}

fn auto() -> String {
    "auto".to_owned()
}

fn default_runlevel() -> String {
    "default".to_owned()
}

#[derive(Serialize)]
struct Returns {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    /// What systemd says of the unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Map<String, Json>>,
}

/// Each service manager has the results of Ansible's module of that name.
pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Json> {
    let manager = manager(&args, sys)?;
    require(&args, manager)?;
    // What the service is in the end.
    let (state, enabled) = (args.state.map(State::reached), args.enabled);
    let status = match manager {
        Manager::Systemd | Manager::Any(Tool::Systemd) => {
            ignore(&args, sys);
            let unit = systemd::Args {
                name: Some(args.name.clone()),
                state: args.state,
                enabled,
                special: args.special,
            };
            Some(systemd::run(unit, sys)?.status).filter(|_| manager == Manager::Systemd)
        }
        Manager::Openrc | Manager::Any(Tool::Openrc) => openrc::ensure(&args, sys).map(|()| None)?,
        Manager::Any(Tool::Script) => script::ensure(&args, sys).map(|()| None)?,
        Manager::Any(Tool::Bsd) => bsd::ensure(&args, sys).map(|()| None)?,
        Manager::Sysvinit => {
            let script = sysvinit::Args {
                name: args.name.clone(),
                state: args.state,
                enabled,
                sleep: args.sleep.unwrap_or(1),
                pattern: args.pattern,
                runlevels: None,
                arguments: Some(args.arguments),
                daemonize: false,
            };
            return told(sysvinit::run(script, sys)?);
        }
        Manager::Runit => {
            let (service_dir, service_src) = runit::directories(sys)?;
            let state = args.state.map(Into::into);
            let service = runit::Args { name: args.name, state, enabled, service_dir, service_src };
            return told(runit::run(service, sys)?);
        }
        Manager::Launchd => {
            let (name, state) = (args.name, args.state.map(Into::into));
            let service = launchd::Args { name, state, enabled, plist: None, force_stop: false };
            return told(launchd::run(service, sys)?);
        }
        Manager::Procd => {
            let Args { name, state, pattern, .. } = args;
            return told(openwrt_init::run(openwrt_init::Args { name, state, enabled, pattern }, sys)?);
        }
    };
    told(Returns { name: args.name, state, enabled, status })
}

fn told(returns: impl Serialize) -> Result<Json> {
    serde_json::to_value(returns).map_err(|error| Failure::new(error.to_string()))
}

/// Refuses what the host's service manager does not know, and a task that asks for nothing.
fn require(args: &Args, manager: Manager) -> Result<()> {
    let module = match manager {
        Manager::Systemd => "systemd",
        Manager::Openrc => "openrc",
        Manager::Sysvinit => "sysvinit",
        Manager::Runit => "runit",
        Manager::Launchd => "launchd",
        Manager::Procd => "openwrt_init",
        Manager::Any(_) => "service",
    };
    if module != "systemd"
        && let Some(option) = args.special.asked()
    {
        return Err(Failure::new(format!("Unsupported parameters for ({module}) module: {option}.")));
    }
    let own = matches!(manager, Manager::Runit | Manager::Launchd | Manager::Procd);
    let unknown = [
        ("runlevel", args.runlevel != default_runlevel() && (own || manager == Manager::Sysvinit)),
        ("arguments", !args.arguments.is_empty() && own),
        ("sleep", args.sleep.is_some() && own),
        ("pattern", args.pattern.is_some() && own && manager != Manager::Procd),
    ];
    if let Some((option, _)) = unknown.iter().find(|(_, given)| *given) {
        return Err(Failure::new(format!("Unsupported parameters for ({module}) module: {option}.")));
    }
    if !args.special.has_work() && args.state.is_none() && args.enabled.is_none() {
        return Err(Failure::new("one of the following is required: state, enabled"));
    }
    Ok(())
}

/// Says which options mean nothing to systemd.
fn ignore(args: &Args, sys: &mut System<'_>) {
    let given = [
        ("pattern", args.pattern.is_some()),
        ("runlevel", args.runlevel != default_runlevel()),
        ("sleep", args.sleep.is_some()),
        ("arguments", !args.arguments.is_empty()),
    ];
    for (option, _) in given.into_iter().filter(|(_, given)| *given) {
        sys.warn(format!("Ignoring \"{option}\" as it is not used in \"systemd\""));
    }
}

/// Which of Ansible's modules `service` stands for: its own works with any tool.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manager {
    Systemd,
    Openrc,
    Sysvinit,
    Runit,
    Launchd,
    /// OpenWrt's.
    Procd,
    Any(Tool),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tool {
    Systemd,
    Openrc,
    Bsd,
    Script,
}

fn manager(args: &Args, sys: &mut System<'_>) -> Result<Manager> {
    match args.r#use.rsplit('.').next().unwrap_or_default() {
        "systemd" | "systemd_service" => Ok(Manager::Systemd),
        "openrc" => Ok(Manager::Openrc),
        "sysvinit" => Ok(Manager::Sysvinit),
        "runit" => Ok(Manager::Runit),
        "launchd" => Ok(Manager::Launchd),
        "openwrt_init" => Ok(Manager::Procd),
        "bsdinit" => Ok(Manager::Any(Tool::Bsd)),
        "service" => tool(args, sys).map(Manager::Any),
        "auto" => Ok(match service_manager::name(sys)?.as_str() {
            "launchd" => Manager::Launchd,
            "openwrt_init" => Manager::Procd,
            "runit" if runit::knows(&args.name, sys)? => Manager::Runit,
            known => match tool(args, sys)? {
                Tool::Systemd => Manager::Systemd,
                Tool::Openrc => Manager::Openrc,
                Tool::Script if known == "sysvinit" => Manager::Sysvinit,
                tool => Manager::Any(tool),
            },
        }),
        other => Err(Failure::new(format!("use: '{other}' is not supported yet"))),
    }
}

fn tool(args: &Args, sys: &System<'_>) -> Result<Tool> {
    if sys.exists(Path::new("/run/systemd/system"))? {
        Ok(Tool::Systemd)
    } else if sys.which("rc-service").is_some() {
        Ok(Tool::Openrc)
    } else if service_manager::name(sys)? == "bsdinit" {
        Ok(Tool::Bsd)
    } else if sys.exists(&Path::new("/etc/init.d").join(&args.name))? || sys.which("service").is_some() {
        Ok(Tool::Script)
    } else if sys.which("systemctl").is_some() {
        Ok(Tool::Systemd)
    } else {
        Err(Failure::new(format!(
            "cannot find out what manages the service {}: neither systemd, OpenRC, runit, procd, launchd, FreeBSD's rc nor init scripts are here",
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
    fn only_systemd_knows_its_options() {
        let script = Trial::of("service");
        script.host.program("/etc/init.d/web");
        let got = script.run(&json!({"name": "web", "state": "started", "daemon_reload": true}));
        assert!(got["msg"].as_str().unwrap().contains("daemon_reload"), "{got}");
        let nothing = script.run(&json!({"name": "web"}));
        assert_eq!(nothing["msg"], "one of the following is required: state, enabled");
        let shown = "LoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\n";
        check(
            |trial| {
                let host = trial.host.dir("/run/systemd/system").answer("systemctl", 0, "");
                host.answer("systemctl show", 0, shown);
            },
            &json!({"name": "web", "state": "started", "daemon_reload": true}),
            &["systemctl daemon-reload", "systemctl show web", "systemctl start web"],
        );
    }

    #[test]
    fn runit_where_it_rules_and_knows_the_service() {
        let prepare = |trial: &Trial| {
            trial.host.file("/proc/1/comm", "runit\n").program("/etc/init.d/old").dir("/etc/sv/web");
            trial.host.answer("/etc/init.d/old", 0, "").answer("/etc/init.d/old status", 3, "");
            trial.host.dir("/etc/service").link("/etc/service/web", "/etc/sv/web");
            trial.host.program("/usr/bin/sv").answer("/usr/bin/sv", 0, "down: /etc/service/web: 3s\n");
        };
        let status = "/usr/bin/sv status /etc/service/web";
        let start = "/usr/bin/sv start /etc/service/web";
        check(prepare, &json!({"name": "web", "state": "started"}), &[status, start, status]);
        let script = ["/etc/init.d/old status", "/etc/init.d/old start"];
        check(prepare, &json!({"name": "old", "state": "started"}), &script);
        let trial = Trial::of("service");
        prepare(&trial);
        let refused = trial.run(&json!({"name": "web", "state": "started", "sleep": 3}));
        assert_eq!(refused["msg"], "Unsupported parameters for (runit) module: sleep.");
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
