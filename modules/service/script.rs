//! Services with SysV init scripts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Args;
use crate::kit::{Command, Failure, Result, System};
use crate::systemd::State;

pub(super) fn ensure(args: &Args, sys: &mut System<'_>) -> Result<()> {
    let script = Path::new("/etc/init.d").join(&args.name);
    if !sys.exists(&script)? {
        return Err(Failure::new(format!("Could not find the requested service {}: host", args.name)));
    }
    if let Some(enabled) = args.enabled {
        enable(args, enabled, sys)?;
    }
    let Some(state) = args.state else { return Ok(()) };
    let verb = |verb: &str| Command::new(&script).arg(verb).args(args.arguments.split_whitespace());
    let running = is_running(args, verb("status"), sys)?;
    match state {
        State::Started if !running => sys.exec(verb("start")).map(drop),
        State::Stopped if running => sys.exec(verb("stop")).map(drop),
        State::Restarted => {
            if running {
                sys.exec(verb("stop"))?;
                sys.sleep(Duration::from_secs(args.sleep.unwrap_or(0)))?;
            }
            sys.exec(verb("start")).map(drop)
        }
        State::Reloaded => sys.exec(verb(if running { "reload" } else { "start" })).map(drop),
        State::Started | State::Stopped => Ok(()),
    }
}

fn is_running(args: &Args, status: Command, sys: &mut System<'_>) -> Result<bool> {
    let Some(pattern) = &args.pattern else { return Ok(sys.query(status)?.ok()) };
    for name in sys.list(Path::new("/proc"))? {
        let path = PathBuf::from("/proc").join(name).join("cmdline");
        // Processes come and go.
        let Ok(cmdline) = sys.read(&path) else { continue };
        if String::from_utf8_lossy(&cmdline).replace('\0', " ").contains(pattern) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether links in `/etc/rc?.d` start it at boot, and the tool that sets them.
fn enable(args: &Args, enabled: bool, sys: &mut System<'_>) -> Result<()> {
    let mut is = false;
    for level in ["2", "3", "4", "5"] {
        let dir = PathBuf::from(format!("/etc/rc{level}.d"));
        if !sys.exists(&dir)? {
            continue;
        }
        is |= sys.list(&dir)?.iter().any(|name| {
            let name = name.to_string_lossy();
            name.starts_with('S') && name.get(3..) == Some(&args.name)
        });
    }
    if is == enabled {
        return Ok(());
    }
    let tool = |name: &str| -> Result<Option<PathBuf>> {
        for dir in ["/usr/sbin", "/sbin"] {
            let path = Path::new(dir).join(name);
            if sys.exists(&path)? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    };
    let command = if let Some(update) = tool("update-rc.d")? {
        let verb = match enabled {
            true if links(sys, &args.name)? => "enable",
            true => "defaults",
            false => "disable",
        };
        Command::new(update).arg(&args.name).arg(verb)
    } else if let Some(chkconfig) = tool("chkconfig")? {
        Command::new(chkconfig).arg(&args.name).arg(if enabled { "on" } else { "off" })
    } else {
        return Err(Failure::new("neither update-rc.d nor chkconfig is here to enable services"));
    };
    sys.exec(command).map(drop)
}

/// Whether there are links of any kind: `update-rc.d enable` needs some.
fn links(sys: &System<'_>, name: &str) -> Result<bool> {
    for level in ["0", "1", "2", "3", "4", "5", "6"] {
        let dir = PathBuf::from(format!("/etc/rc{level}.d"));
        if sys.exists(&dir)?
            && sys.list(&dir)?.iter().any(|link| link.to_string_lossy().get(3..) == Some(name))
        {
            return Ok(true);
        }
    }
    Ok(false)
}
