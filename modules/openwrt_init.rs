use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Result, System};
use crate::systemd::State;

/// Controls services of OpenWrt, whose init scripts procd runs.
///
/// # Examples
///
/// ```yaml
/// - name: The web server runs, and starts at boot
///   openwrt_init: {name: uhttpd, state: started, enabled: true}
///
/// - name: The network is set up anew
///   openwrt_init: {name: network, state: reloaded}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["state", "enabled"]]))]
pub struct Args {
    /// The service.
    #[schemars(extend("aliases" = ["service"]))]
    pub name: String,
    /// `started` and `stopped` do nothing when already so; `restarted` and `reloaded` are done each time.
    pub state: Option<State>,
    /// Whether the service starts at boot.
    pub enabled: Option<bool>,
    /// Text in the process list that means the service runs, for scripts without `running`.
    pub pattern: Option<String>,
}

#[derive(Serialize)]
pub struct Returns {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let script = Path::new("/etc/init.d").join(&args.name);
    if !sys.exists(&script)? {
        return Err(Failure::new(format!("service {} does not exist", args.name)));
    }
    if let Some(enabled) = args.enabled
        && sys.query(verb(&script, "enabled"))?.ok() != enabled
    {
        sys.attempt(verb(&script, if enabled { "enable" } else { "disable" }))?;
        // How these end says nothing.
        if !sys.is_check() && sys.query(verb(&script, "enabled"))?.ok() != enabled {
            let wanted = if enabled { "enable" } else { "disable" };
            return Err(Failure::new(format!("Unable to {wanted} service {}", args.name)));
        }
    }
    if let Some(state) = args.state {
        reach(&args, state, &script, sys)?;
    }
    Ok(Returns { name: args.name, state: args.state.map(State::reached), enabled: args.enabled })
}

fn verb(script: &Path, verb: &str) -> Command {
    Command::new(script).arg(verb)
}

fn reach(args: &Args, state: State, script: &Path, sys: &mut System<'_>) -> Result<()> {
    let runs = match &args.pattern {
        Some(pattern) => sys.has_process(pattern)?,
        None => sys.query(verb(script, "running"))?.ok(),
    };
    let word = match state {
        State::Started if !runs => "start",
        State::Stopped if runs => "stop",
        State::Restarted => "restart",
        State::Reloaded => "reload",
        State::Started | State::Stopped => return Ok(()),
    };
    sys.exec(verb(script, word))
        .map(drop)
        .map_err(|failure| failure.context(format!("Unable to {word} service {}", args.name)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(module: &str, on: bool, args: &Json, ran: &[&str]) -> Json {
        let trial = Trial::of(module);
        let code = i32::from(!on);
        trial.host.program("/etc/init.d/web").answer("/etc/init.d/web", 0, "");
        trial.host.answer("/etc/init.d/web enabled", code, "").answer("/etc/init.d/web running", code, "");
        trial.host.file("/proc/1/comm", "procd\n");
        let result = trial.foretold(args, !ran.is_empty());
        let lines = trial.host.ran();
        let acts = lines.iter().filter_map(|line| line.strip_prefix("/etc/init.d/web "));
        assert_eq!(
            acts.filter(|line| !matches!(*line, "enabled" | "running")).collect::<Vec<_>>(),
            ran,
            "{args}"
        );
        result
    }

    #[test]
    fn scripts_are_asked() {
        for module in ["openwrt_init", "service"] {
            let result = check(module, false, &json!({"name": "web", "state": "started"}), &["start"]);
            assert_eq!((&result["state"], result.get("enabled")), (&json!("started"), None));
            check(module, true, &json!({"name": "web", "state": "started", "enabled": true}), &[]);
            check(module, true, &json!({"name": "web", "state": "stopped"}), &["stop"]);
            check(module, true, &json!({"name": "web", "state": "reloaded"}), &["reload"]);
            check(module, false, &json!({"name": "web", "state": "restarted"}), &["restart"]);
        }
    }

    #[test]
    fn what_does_not_come_about_is_an_error() {
        let trial = Trial::of("openwrt_init");
        trial.host.program("/etc/init.d/web").answer("/etc/init.d/web", 1, "");
        let result = trial.run(&json!({"name": "web", "enabled": true}));
        assert_eq!(
            (&result["msg"], result["failed"].as_bool()),
            (&json!("Unable to enable service web"), Some(true))
        );
        let result = trial.run(&json!({"name": "web", "state": "started"}));
        assert!(result["msg"].as_str().unwrap().starts_with("Unable to start service web"), "{result}");
        let result = trial.run(&json!({"name": "none", "state": "started"}));
        assert_eq!(result["msg"], "service none does not exist");
    }
}
