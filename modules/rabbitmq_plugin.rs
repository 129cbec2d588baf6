use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Result, System};

/// Manages plugins of RabbitMQ, with `rabbitmq-plugins`.
///
/// # Examples
///
/// ```yaml
/// - name: The management plugin, and no other
///   rabbitmq_plugin: {names: rabbitmq_management}
///
/// - name: One more
///   rabbitmq_plugin: {names: rabbitmq_shovel, new_only: true}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The plugins, with commas between them.
    #[schemars(extend("aliases" = ["name"]))]
    names: String,
    /// Leaves other plugins enabled.
    #[serde(default)]
    new_only: bool,
    /// Whether they are enabled; others are disabled then, but for `new_only`.
    #[serde(default)]
    state: State,
    /// Whether the broker takes part, or only its file changes.
    #[serde(default)]
    broker_state: Broker,
    /// Where RabbitMQ is installed.
    prefix: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    #[default]
    Enabled,
    Disabled,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Broker {
    #[default]
    Online,
    Offline,
}

#[derive(Serialize)]
pub struct Returns {
    /// The plugins that were enabled.
    enabled: Vec<String>,
    /// The plugins that were disabled.
    disabled: Vec<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let program = program(args.prefix.as_deref(), sys)?;
    let names: Vec<String> =
        args.names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let listed = sys.ask(Command::new(&program).args(["list", "-E", "-m"])).map_err(Failure::as_said)?;
    let text = listed.stdout();
    // Beside names it may print headings and hints.
    let is_name = |line: &&str| !line.is_empty() && !line.contains(char::is_whitespace);
    let has: Vec<String> = text.lines().map(str::trim).filter(is_name).map(str::to_owned).collect();
    let among = |all: &[String], name: &String| all.contains(name);
    let (enabled, disabled): (Vec<String>, Vec<String>) = match args.state {
        State::Enabled => (
            names.iter().filter(|name| !among(&has, name)).cloned().collect(),
            has.iter().filter(|name| !args.new_only && !among(&names, name)).cloned().collect(),
        ),
        State::Disabled => (Vec::new(), names.iter().filter(|name| among(&has, name)).cloned().collect()),
    };
    let broker = if args.broker_state == Broker::Online { "--online" } else { "--offline" };
    for (verb, names) in [("disable", &disabled), ("enable", &enabled)] {
        for name in names {
            sys.exec(Command::new(&program).args([verb, broker, name])).map_err(Failure::as_said)?;
        }
    }
    Ok(Returns { enabled, disabled })
}

fn program(prefix: Option<&str>, sys: &System<'_>) -> Result<PathBuf> {
    let Some(prefix) = prefix else { return sys.need("rabbitmq-plugins") };
    let places = ["bin", "sbin"].map(|dir| format!("{prefix}/{dir}/rabbitmq-plugins"));
    places
        .iter()
        .find_map(|place| sys.which(place))
        .ok_or_else(|| Failure::new(format!("No rabbitmq-plugins in {}", places.join(" or "))))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(program: &str, args: &Json, expected: &[&str]) -> Json {
        let trial = Trial::of("rabbitmq_plugin");
        trial.host.program(program).answer(program, 0, "");
        trial.host.answer(&format!("{program} list -E -m"), 0, "Listing plugins\nrabbitmq_a\nrabbitmq_b\n");
        let got = trial.foretold(args, !expected.is_empty());
        let ran = trial.host.ran();
        let lines = ran.iter().map(|line| line.strip_prefix(program).unwrap().trim());
        let made: Vec<&str> = lines.filter(|line| !line.starts_with("list")).collect();
        assert_eq!(made, expected, "{args}");
        got
    }

    #[test]
    fn plugins_come_and_go() {
        let usual = "/usr/sbin/rabbitmq-plugins";
        let got = check(
            usual,
            &json!({"names": "rabbitmq_a, rabbitmq_c"}),
            &["disable --online rabbitmq_b", "enable --online rabbitmq_c"],
        );
        assert_eq!((&got["enabled"], &got["disabled"]), (&json!(["rabbitmq_c"]), &json!(["rabbitmq_b"])));
        check(
            usual,
            &json!({"names": "rabbitmq_c", "new_only": true, "broker_state": "offline"}),
            &["enable --offline rabbitmq_c"],
        );
        check(
            usual,
            &json!({"names": "rabbitmq_a,x", "state": "disabled"}),
            &["disable --online rabbitmq_a"],
        );
        check(usual, &json!({"names": "rabbitmq_a,rabbitmq_b"}), &[]);
        check(
            "/opt/r/sbin/rabbitmq-plugins",
            &json!({"names": "rabbitmq_a", "prefix": "/opt/r"}),
            &["disable --online rabbitmq_b"],
        );
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = Trial::of("rabbitmq_plugin");
        let got = trial.run(&json!({"names": "a", "prefix": "/opt/r"}));
        assert_eq!(
            got["msg"],
            "No rabbitmq-plugins in /opt/r/bin/rabbitmq-plugins or /opt/r/sbin/rabbitmq-plugins"
        );
    }
}
