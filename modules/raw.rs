use schemars::JsonSchema;
use serde::Deserialize;

use crate::kit::{Result, System, fail};

/// Runs a line on the host as it is, without the worker.
///
/// For hosts on which nothing can be put or run yet, and for devices. The login shell of the account reads the
/// line. It always counts as changed, and does not run in check mode. Prefer `command` or `shell`.
///
/// # Examples
///
/// ```yaml
/// - name: Python for those who need it
///   raw: dnf install -y python3
///
/// - name: With another shell
///   raw: cat < /tmp/*txt
///   args:
///     executable: /bin/bash
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("free_form" = "cmd"))]
pub struct Args {
    /// The line.
    pub cmd: String,
    /// The shell to use instead of the account's, as an absolute path.
    pub executable: Option<String>,
}

pub(crate) fn run(args: Args, _sys: &mut System<'_>) -> Result<()> {
    // The control node runs this without a worker, so that a worker asked to do it is a mistake to be told.
    let Args { cmd, executable } = args;
    let shell = executable.as_deref().unwrap_or("the account's shell");
    fail!("raw needs no worker: {cmd} is for {shell} on the connection itself")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    #[test]
    fn the_worker_refuses() {
        assert_eq!(Trial::of("raw").run(&json!({"_raw_params": "true"}))["failed"], true);
    }
}
