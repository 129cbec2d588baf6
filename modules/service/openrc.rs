//! Services under OpenRC.

use super::Args;
use crate::kit::{Command, Result, System};
use crate::systemd::State;

pub(super) fn ensure(args: &Args, sys: &mut System<'_>) -> Result<()> {
    if let Some(enabled) = args.enabled {
        let output = sys.query(Command::new("rc-update").arg("show").arg(&args.runlevel))?;
        let is = output.stdout().lines().any(|line| line.split_whitespace().next() == Some(&args.name));
        if is != enabled {
            let verb = if enabled { "add" } else { "delete" };
            sys.exec(Command::new("rc-update").args([verb, &args.name, &args.runlevel]))?;
        }
    }
    let Some(state) = args.state else { return Ok(()) };
    let rc = |verb: &str| Command::new("rc-service").args(["--", &args.name, verb]);
    let running = sys.query(rc("status"))?.ok();
    let verb = match state {
        State::Started if !running => "start",
        State::Stopped if running => "stop",
        State::Restarted => "restart",
        State::Reloaded => {
            if running {
                "reload"
            } else {
                "start"
            }
        }
        State::Started | State::Stopped => return Ok(()),
    };
    sys.exec(rc(verb)).map(drop)
}
