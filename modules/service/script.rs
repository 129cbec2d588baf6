//! Services with SysV init scripts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::Args;
use crate::kit::{Command, Failure, Output, Result, System};
use crate::systemd::State;

/// What was done, as Ansible's `sysvinit` tells it: of being enabled, and of the state that was asked for.
pub(super) fn ensure(args: &Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    let script = Path::new("/etc/init.d").join(&args.name);
    if !sys.exists(&script)? {
        return Err(Failure::new(format!("Could not find the requested service {}: host", args.name)));
    }
    let enabled = match args.enabled {
        Some(enabled) => enable(args, enabled, sys)?,
        None => Step::default(),
    };
    let reached = match args.state {
        Some(state) => reach(args, state, &script, sys)?,
        None => Step::default(),
    };
    let name = serde_json::to_value(args.state).ok().and_then(|name| name.as_str().map(str::to_owned));
    let mut done = Map::new();
    done.insert("enabled".to_owned(), enabled.told());
    done.insert(name.unwrap_or_else(|| "null".to_owned()), reached.told());
    Ok(done)
}

/// A command that ran, would run, or was not needed.
#[derive(Default)]
struct Step {
    needed: bool,
    output: Option<Output>,
}

impl Step {
    fn by(command: Command, sys: &mut System<'_>) -> Result<Self> {
        let output = sys.exec(command).map_err(|failure| failure.without("cmd"))?;
        Ok(Self { needed: true, output })
    }

    fn told(&self) -> Json {
        let output = self.output.as_ref();
        json!({
            "changed": self.needed,
            "rc": output.map(|output| output.code),
            "stdout": output.map(Output::stdout),
            "stderr": output.map(Output::stderr),
        })
    }
}

fn reach(args: &Args, state: State, script: &Path, sys: &mut System<'_>) -> Result<Step> {
    let verb = |verb: &str| Command::new(script).arg(verb).args(args.arguments.split_whitespace());
    let running = is_running(args, verb("status"), sys)?;
    match state {
        State::Started if !running => Step::by(verb("start"), sys),
        State::Stopped if running => Step::by(verb("stop"), sys),
        State::Restarted => {
            if running {
                Step::by(verb("stop"), sys)?;
                sys.sleep(Duration::from_secs(args.sleep.unwrap_or(0)))?;
            }
            Step::by(verb("start"), sys)
        }
        State::Reloaded => Step::by(verb(if running { "reload" } else { "start" }), sys),
        State::Started | State::Stopped => Ok(Step::default()),
    }
}

fn is_running(args: &Args, status: Command, sys: &mut System<'_>) -> Result<bool> {
    let Some(pattern) = &args.pattern else { return Ok(sys.query(status)?.ok()) };
    sys.has_process(pattern)
}

/// Whether links in `/etc/rc?.d` start it at boot, and the tool that sets them.
fn enable(args: &Args, enabled: bool, sys: &mut System<'_>) -> Result<Step> {
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
        return Ok(Step::default());
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
    Step::by(command, sys)
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
