use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Result, System, fail};

/// Checks that a host can be reached and used.
///
/// Needs nothing on the target but an account. Returns `pong`. This is no ICMP ping.
///
/// # Examples
///
/// ```yaml
/// - name: The host answers
///   ping:
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// What to return. `crash` makes the module fail.
    #[serde(default = "pong")]
    pub data: String,
}

fn pong() -> String {
    "pong".to_owned()
}

#[derive(Serialize)]
pub struct Returns {
    /// The `data` given.
    ping: String,
}

pub(crate) fn run(args: Args, _sys: &mut System<'_>) -> Result<Returns> {
    if args.data == "crash" {
        fail!("Task failed: Module failed: boom");
    }
    Ok(Returns { ping: args.data })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    #[test]
    fn answers_what_it_was_given() {
        let trial = Trial::of("ping");
        assert_eq!(trial.run(&json!({})), json!({"ping": "pong", "changed": false}));
        assert_eq!(trial.run(&json!({"data": 5})), json!({"ping": "5", "changed": false}));
        assert_eq!(trial.run(&json!({"data": "crash"}))["msg"], "Task failed: Module failed: boom");
    }
}
