//! Services with init scripts, where no service manager of a known name rules.

use std::path::Path;
use std::time::Duration;

use super::Args;
use crate::kit::{Command, Failure, Result, System};
use crate::systemd::State;
use crate::sysvinit;

pub(super) fn ensure(args: &Args, sys: &mut System<'_>) -> Result<()> {
    let script = Path::new("/etc/init.d").join(&args.name);
    if !sys.exists(&script)? {
        return Err(Failure::new(format!("Could not find the requested service {}: host", args.name)));
    }
    if let Some(enabled) = args.enabled
        && let Some(command) = sysvinit::enabling(&args.name, None, enabled, sys)?
    {
        run(command, sys)?;
    }
    let Some(state) = args.state else { return Ok(()) };
    let verb = |verb: &str| Command::new(&script).arg(verb).args(args.arguments.split_whitespace());
    let running = match &args.pattern {
        Some(pattern) => sys.has_process(pattern)?,
        None => sys.query(verb("status"))?.ok(),
    };
    match state {
        State::Started if !running => run(verb("start"), sys),
        State::Stopped if running => run(verb("stop"), sys),
        State::Restarted => {
            if running {
                run(verb("stop"), sys)?;
                sys.sleep(Duration::from_secs(args.sleep.unwrap_or(0)))?;
            }
            run(verb("start"), sys)
        }
        State::Reloaded => run(verb(if running { "reload" } else { "start" }), sys),
        State::Started | State::Stopped => Ok(()),
    }
}

fn run(command: Command, sys: &mut System<'_>) -> Result<()> {
    sys.exec(command).map(drop).map_err(|failure| failure.without("cmd"))
}
