use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Failure, FilePath, Result, System};
use crate::lineinfile::State;
use crate::rabbitmq::{self, Management, NODE};

/// Manages virtual hosts of RabbitMQ, with `rabbitmqctl`.
///
/// # Examples
///
/// ```yaml
/// - name: A virtual host
///   rabbitmq_vhost: {name: /app}
///
/// - name: It is there no more
///   rabbitmq_vhost: {name: /app, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The name of the virtual host.
    #[schemars(extend("aliases" = ["vhost"]))]
    name: String,
    /// The node of the broker.
    #[serde(default = "node")]
    node: String,
    /// Whether messages are traced.
    #[schemars(extend("aliases" = ["trace"]))]
    #[serde(default)]
    tracing: bool,
    /// Whether it is there.
    #[serde(default)]
    state: State,
    #[serde(flatten)]
    management: Management,
    /// Not supported: `rabbitmqctl` is used.
    ca_cert: Option<FilePath>,
    /// Not supported: `rabbitmqctl` is used.
    client_cert: Option<FilePath>,
    /// Not supported: `rabbitmqctl` is used.
    client_key: Option<FilePath>,
}

fn node() -> String {
    NODE.into()
}

#[derive(Serialize)]
pub struct Returns {
    name: String,
    state: State,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    args.management.refuse()?;
    rabbitmq::refuse(&[
        ("ca_cert", args.ca_cert.is_some()),
        ("client_cert", args.client_cert.is_some()),
        ("client_key", args.client_key.is_some()),
    ])?;
    let control = |words: &[&str], sys: &System<'_>| rabbitmq::control(&args.node, words, sys);
    let listed = sys.ask(control(&["list_vhosts", "name", "tracing"], sys)?).map_err(Failure::as_said)?;
    let rows = rabbitmq::rows(&listed);
    let there = rows.iter().find(|row| row.first() == Some(&args.name));
    let change = |words: &[&str], sys: &mut System<'_>| -> Result<()> {
        sys.exec(control(words, sys)?).map(drop).map_err(Failure::as_said)
    };
    match (args.state, there) {
        (State::Absent, None) => {}
        (State::Absent, Some(_)) => change(&["delete_vhost", &args.name], sys)?,
        (State::Present, there) => {
            if there.is_none() {
                change(&["add_vhost", &args.name], sys)?;
            }
            let traced = there.and_then(|row| row.get(1)).is_some_and(|word| word == "true");
            if traced != args.tracing {
                let verb = if args.tracing { "trace_on" } else { "trace_off" };
                change(&[verb, "-p", &args.name], sys)?;
            }
        }
    }
    Ok(Returns { name: args.name.clone(), state: args.state })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("rabbitmq_vhost");
        trial.host.program("/usr/sbin/rabbitmqctl").answer("/usr/sbin/rabbitmqctl", 0, "");
        let list = "/usr/sbin/rabbitmqctl -q -n rabbit list_vhosts";
        trial.host.answer(list, 0, "name\ttracing\n/\tfalse\n/t\ttrue\n");
        trial
    }

    fn check(args: &Json, expected: &[&str]) {
        let trial = trial();
        trial.foretold(args, !expected.is_empty());
        let ran = trial.host.ran();
        let lines = ran.iter().map(|line| line.trim_start_matches("/usr/sbin/rabbitmqctl -q -n rabbit "));
        let made: Vec<&str> = lines.filter(|line| !line.starts_with("list_")).collect();
        assert_eq!(made, expected, "{args}");
    }

    #[test]
    fn hosts_come_and_go() {
        check(&json!({"name": "/new"}), &["add_vhost /new"]);
        check(&json!({"name": "/new", "tracing": true}), &["add_vhost /new", "trace_on -p /new"]);
        check(&json!({"name": "/"}), &[]);
        check(&json!({"name": "/t", "tracing": true}), &[]);
        check(&json!({"name": "/t"}), &["trace_off -p /t"]);
        check(&json!({"name": "/t", "state": "absent"}), &["delete_vhost /t"]);
        check(&json!({"name": "/new", "state": "absent"}), &[]);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let got = trial().run(&json!({"name": "/", "login_user": "u"}));
        assert_eq!(got["msg"], "login_user: not supported: rabbitmqctl is used, on the host of the node");
        let trial = trial();
        trial.host.answer("/usr/sbin/rabbitmqctl", 69, "Error: unable to connect to node\n");
        let got = trial.run(&json!({"name": "/", "state": "absent"}));
        assert_eq!(got["msg"], "Error: unable to connect to node");
    }
}
