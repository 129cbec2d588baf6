mod unit;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use self::unit::Unit;
use crate::kit::{Command, Failure, Result, System};

/// Controls systemd units.
///
/// # Examples
///
/// ```yaml
/// - name: The service runs
///   systemd:
///     name: httpd
///     state: started
///
/// - name: It is restarted, after systemd has read the unit files anew
///   systemd:
///     name: crond
///     state: restarted
///     daemon_reload: true
///
/// - name: It starts at boot, and cannot be stopped by accident
///   systemd:
///     name: nginx
///     enabled: true
///     masked: no
/// ```
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(extend(
    "required_by" = {"state": ["name"], "enabled": ["name"], "masked": ["name"]}
))]
pub struct Args {
    /// The unit; without an ending it is a service.
    #[schemars(extend("aliases" = ["service", "unit"]))]
    pub name: Option<String>,
    /// `started` and `stopped` do nothing when already so; `restarted` always restarts; `reloaded` starts what
    /// does not run.
    pub state: Option<State>,
    /// Whether the unit starts at boot.
    pub enabled: Option<bool>,
    #[serde(flatten)]
    pub special: Special,
}

/// What systemd knows of units and other service managers do not.
#[derive(Default, Deserialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of Ansible's")]
pub struct Special {
    /// Whether systemd has the unit masked: it cannot be started then.
    pub masked: Option<bool>,
    /// Has systemd read its unit files anew first.
    #[serde(default)]
    #[schemars(extend("aliases" = ["daemon-reload"]))]
    pub daemon_reload: bool,
    /// Has systemd start itself anew first.
    #[serde(default)]
    #[schemars(extend("aliases" = ["daemon-reexec"]))]
    pub daemon_reexec: bool,
    /// Has systemd override existing symbolic links.
    #[serde(default)]
    pub force: bool,
    /// Does not wait for systemd's job to finish.
    #[serde(default)]
    pub no_block: bool,
    /// Whose systemd: the machine's, the user's, or all users'.
    #[serde(default)]
    pub scope: Scope,
}

impl Special {
    /// The first of them that is asked for, by name.
    pub fn asked(&self) -> Option<&'static str> {
        let given = [
            ("daemon_reexec", self.daemon_reexec),
            ("daemon_reload", self.daemon_reload),
            ("force", self.force),
            ("masked", self.masked.is_some()),
            ("no_block", self.no_block),
            ("scope", self.scope != Scope::System),
        ];
        given.into_iter().find_map(|(option, given)| given.then_some(option))
    }

    /// Whether there is something to do without a state.
    pub fn has_work(&self) -> bool {
        self.daemon_reload || self.daemon_reexec || self.masked.is_some()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Reloaded,
    Restarted,
    Started,
    Stopped,
}

impl State {
    /// What the unit is once that is done.
    pub fn reached(self) -> Self {
        if self == Self::Stopped { self } else { Self::Started }
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    #[default]
    System,
    User,
    Global,
}

#[derive(Serialize)]
pub struct Returns {
    name: Option<String>,
    pub(crate) status: Map<String, Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if let Some(name) = &args.name
        && let Some(sign) = name.chars().find(|c| "*?[".contains(*c))
    {
        let msg = "This module does not currently support using glob patterns, found";
        return Err(Failure::new(format!("{msg} '{sign}' in service name: {name}")));
    }
    let Special { masked, daemon_reload, daemon_reexec, force, no_block, scope } = args.special;
    let systemctl = Systemctl { scope, no_block, force };
    if daemon_reexec {
        systemctl.told(sys, "daemon-reexec")?;
    }
    if daemon_reload {
        systemctl.told(sys, "daemon-reload")?;
    }
    let mut returns = Returns {
        name: args.name.clone(),
        status: Map::new(),
        state: args.state.map(State::reached),
        enabled: args.enabled,
    };
    let Some(name) = &args.name else { return Ok(returns) };
    // Where each item changes something, what was seen before that is worth nothing.
    let only_looks =
        !matches!(args.state, Some(State::Restarted | State::Reloaded)) && scope == Scope::System;
    let mut unit = if only_looks {
        Unit::show_among_all(sys, &systemctl, name)?
    } else {
        Unit::show(sys, &systemctl, name)?
    };
    if let Some(masked) = masked
        && masked != unit.is_masked()
    {
        systemctl.change(sys, if masked { "mask" } else { "unmask" }, name)?;
    }
    let wanted = args.enabled.is_some() || args.state.is_some();
    if wanted && !unit.is_known(sys, &systemctl)? {
        if !sys.comes_with_package(&format!("The service {name}")) {
            return Err(Failure::new(format!("Could not find the requested service {name}: host")));
        }
        unit.comes_with_package(sys.packages_come_stopped());
    }
    if let Some(enabled) = args.enabled
        && enabled != unit.is_enabled(sys, &systemctl)?
    {
        systemctl.change(sys, if enabled { "enable" } else { "disable" }, name)?;
    }
    if let Some(state) = args.state {
        let verb = match state {
            State::Started if !unit.is_running() => Some("start"),
            State::Stopped if unit.is_running() || unit.is_stopping() => Some("stop"),
            State::Restarted => Some(if unit.is_running() { "restart" } else { "start" }),
            State::Reloaded => Some(if unit.is_running() { "reload" } else { "start" }),
            State::Started | State::Stopped => None,
        };
        if let Some(verb) = verb {
            unit.must_be_manageable()?;
            if verb == "start" && unit.has_failed() {
                systemctl.forget_failures(sys, name)?;
            }
            systemctl.change(sys, verb, name)?;
        }
    }
    returns.status = unit.status;
    Ok(returns)
}

/// How `systemctl` is called.
pub(crate) struct Systemctl {
    scope: Scope,
    no_block: bool,
    force: bool,
}

impl Systemctl {
    fn command(&self, sys: &System<'_>) -> Command {
        // A session of its own a worker behind sudo has not.
        let runtime = (self.scope != Scope::System && sys.env("XDG_RUNTIME_DIR").is_none())
            .then(|| format!("/run/user/{}", sys.identity().0));
        let scope = match self.scope {
            Scope::System => None,
            Scope::User => Some("--user"),
            Scope::Global => Some("--global"),
        };
        let command = Command::new("systemctl");
        let command = match runtime {
            Some(dir) => command.env("XDG_RUNTIME_DIR", dir),
            None => command,
        };
        command.args(scope).flag("--no-block", self.no_block).flag("--force", self.force).env("LC_ALL", "C")
    }

    /// Something that is no change of a unit.
    fn told(&self, sys: &mut System<'_>, verb: &str) -> Result<()> {
        match sys.housekeep(self.command(sys).arg(verb))? {
            Some(output) if !output.ok() => Err(Failure::new(format!(
                "failure {} during {verb}: {}",
                output.code,
                output.stderr().trim()
            ))),
            _ => Ok(()),
        }
    }

    /// systemd starts nothing that was started five times within ten seconds, and tasks may come that fast: what failed
    /// before it was set right does not count against a start that is asked for.
    fn forget_failures(&self, sys: &mut System<'_>, name: &str) -> Result<()> {
        // Where it cannot, the start tells why.
        sys.housekeep(self.command(sys).arg("reset-failed").arg(name)).map(drop)
    }

    fn change(&self, sys: &mut System<'_>, verb: &str, name: &str) -> Result<()> {
        let mut done = sys.attempt(self.command(sys).arg(verb).arg(name))?;
        if done.as_ref().is_some_and(|output| output.stderr().contains("attempted too often")) {
            self.forget_failures(sys, name)?;
            done = sys.attempt(self.command(sys).arg(verb).arg(name))?;
        }
        match done {
            Some(output) if !output.ok() => {
                let what = match verb {
                    "mask" | "unmask" => format!("Failed to {verb} the service ({name})"),
                    _ => format!("Unable to {verb} service {name}"),
                };
                Err(Failure::new(format!("{what}: {}", output.stderr())))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::host::Host;
    use crate::kit::trial::Trial;
    use crate::kit::{Command, Output};

    const RUNNING: &str = "Id=nginx.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n";
    const STOPPED: &str =
        "Id=nginx.service\nLoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\n";

    fn check(shown: &str, args: &Json, expected: &[&str]) {
        let trial = Trial::of("systemd");
        trial.host.answer("systemctl", 0, "").answer("systemctl show", 0, shown);
        let result = trial.run(args);
        assert_eq!(result["failed"], Json::Null, "{args} {result}");
        let ran: Vec<String> = trial.host.ran().into_iter().filter(|line| !line.contains(" show ")).collect();
        assert_eq!(ran, expected, "{args}");
    }

    #[test]
    fn units_are_changed_only_where_they_differ() {
        check(RUNNING, &json!({"name": "nginx", "state": "started", "enabled": true}), &[]);
        check(STOPPED, &json!({"name": "nginx", "state": "started"}), &["systemctl start nginx"]);
        check(STOPPED, &json!({"name": "nginx", "enabled": true}), &["systemctl enable nginx"]);
        check(RUNNING, &json!({"name": "nginx", "state": "stopped"}), &["systemctl stop nginx"]);
        check(RUNNING, &json!({"name": "nginx", "state": "restarted"}), &["systemctl restart nginx"]);
        check(RUNNING, &json!({"name": "nginx", "state": "reloaded"}), &["systemctl reload nginx"]);
        check(RUNNING, &json!({"name": "nginx", "masked": true}), &["systemctl mask nginx"]);
        check(RUNNING, &json!({"daemon_reload": true}), &["systemctl daemon-reload"]);
    }

    #[test]
    fn failures_of_before_hinder_no_start() {
        const FAILED: &str =
            "Id=nginx.service\nLoadState=loaded\nActiveState=failed\nUnitFileState=enabled\n";
        let start = ["systemctl reset-failed nginx", "systemctl start nginx"];
        check(FAILED, &json!({"name": "nginx", "state": "started"}), &start);
        check(FAILED, &json!({"name": "nginx", "state": "restarted"}), &start);
        let trial = Trial::of("systemd");
        let often = b"Job for nginx.service failed because start of the service was attempted too often.\n";
        trial.host.answer("systemctl", 0, "").answer("systemctl show", 0, RUNNING);
        let refused =
            |_: &Command, _: &dyn Host| Output { code: 1, stderr: often.to_vec(), ..Output::default() };
        trial.host.script("systemctl restart", refused);
        let result = trial.run(&json!({"name": "nginx", "state": "restarted"}));
        assert_eq!(result["failed"], true, "it is tried once more, and no further");
        let ran: Vec<String> = trial.host.ran().into_iter().filter(|line| !line.contains(" show ")).collect();
        assert_eq!(
            ran,
            ["systemctl restart nginx", "systemctl reset-failed nginx", "systemctl restart nginx"]
        );
    }

    #[test]
    fn what_is_enabled_until_the_next_boot_is_not_enabled() {
        const RUNTIME: &str = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled-runtime\n";
        check(RUNTIME, &json!({"name": "db@main", "enabled": true}), &["systemctl enable db@main"]);
        check(RUNTIME, &json!({"name": "db@main", "enabled": false}), &[]);
    }

    #[test]
    fn an_indirect_unit_is_enabled_where_others_are_for_it() {
        for (said, changed) in [("indirect\n", true), ("indirect\n  /etc/systemd/system/a.wants/b\n", false)]
        {
            let trial = Trial::of("systemd");
            trial.host.answer("systemctl", 0, "");
            trial.host.answer("systemctl show", 0, "LoadState=loaded\nUnitFileState=indirect\n");
            trial.host.answer("systemctl is-enabled", 0, said);
            assert_eq!(trial.run(&json!({"name": "i", "enabled": true}))["changed"], changed, "{said}");
        }
    }

    #[test]
    fn a_template_has_no_status_and_can_be_enabled() {
        let trial = Trial::of("systemd");
        trial.host.answer("systemctl", 0, "").answer("systemctl show", 1, "");
        trial.host.answer("systemctl is-enabled", 1, "disabled\n");
        let result = trial.run(&json!({"name": "t@", "enabled": true}));
        assert_eq!((&result["changed"], &result["status"]), (&json!(true), &json!({})));
        let result = trial.run(&json!({"name": "t@", "state": "started"}));
        assert_eq!((&result["failed"], &result["status"]), (&json!(true), &json!({})));
    }

    #[test]
    fn an_unknown_unit_is_an_error() {
        let trial = Trial::of("systemd");
        trial.host.answer("systemctl show", 0, "LoadState=not-found\nActiveState=inactive\n");
        let result = trial.run(&json!({"name": "nope", "state": "started"}));
        assert_eq!(result["msg"], "Could not find the requested service nope: host");
    }
}
