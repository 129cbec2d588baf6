use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, FilePath, Result, System};
use crate::systemd;

/// Controls services of runit.
///
/// A service is on when it stands among those that runit watches, as a link to where it is defined.
///
/// # Examples
///
/// ```yaml
/// - name: A service runs, and will
///   runit: {name: dnscache, state: started, enabled: true}
///
/// - name: It reads its configuration anew
///   runit: {name: dnscache, state: reloaded}
///
/// - name: Of other directories
///   runit: {name: dnscache, state: stopped, service_dir: /run/service, service_src: /usr/share/sv}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The service.
    pub name: String,
    /// What becomes of it. `restarted`, `killed`, `reloaded` and `once` are done each time.
    pub state: Option<State>,
    /// Whether runit watches it. What it does not watch does not run, either.
    pub enabled: Option<bool>,
    /// The directory that runit watches.
    #[serde(default = "watched")]
    pub service_dir: FilePath,
    /// Where services are defined.
    #[serde(default = "defined")]
    pub service_src: FilePath,
}

fn watched() -> FilePath {
    FilePath::from("/var/service")
}

fn defined() -> FilePath {
    FilePath::from("/etc/sv")
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Ended by force, and not started again.
    Killed,
    /// Started, but not again when it ends.
    Once,
    /// Told to read its configuration anew.
    Reloaded,
    Restarted,
    Started,
    Stopped,
}

impl From<systemd::State> for State {
    fn from(state: systemd::State) -> Self {
        match state {
            systemd::State::Reloaded => Self::Reloaded,
            systemd::State::Restarted => Self::Restarted,
            systemd::State::Started => Self::Started,
            systemd::State::Stopped => Self::Stopped,
        }
    }
}

#[derive(Serialize)]
pub struct Returns {
    sv: Status,
}

/// What `sv status` tells, in the end.
#[derive(Serialize)]
struct Status {
    state: &'static str,
    enabled: bool,
    pid: Option<String>,
    /// In seconds.
    duration: Option<String>,
    full_state: String,
    svc_full: String,
    src_full: String,
}

/// Where runit of this host watches services, and where they are defined.
pub(crate) fn directories(sys: &System<'_>) -> Result<(FilePath, FilePath)> {
    for dir in ["/var/service", "/etc/service", "/service"] {
        if sys.is_dir(Path::new(dir))? {
            return Ok((FilePath::from(dir), defined()));
        }
    }
    Ok((watched(), defined()))
}

/// Whether the service is one of runit's, watched or not.
pub(crate) fn knows(name: &str, sys: &System<'_>) -> Result<bool> {
    let (watched, defined) = directories(sys)?;
    Ok(sys.stat(&watched.0.join(name))?.is_some() || sys.exists(&defined.0.join(name))?)
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let runit = Runit {
        sv: Command::new(sys.need("sv")?),
        watched: args.service_dir.0.join(&args.name),
        defined: args.service_src.0.join(&args.name),
    };
    let before = runit.status(sys)?;
    if let Some(enabled) = args.enabled
        && enabled != before.enabled
    {
        runit.enable(enabled, sys)?;
    }
    if let Some(state) = args.state
        && (state != State::Stopped || before.enabled)
        && args.enabled != Some(false)
    {
        if !before.enabled && args.enabled != Some(true) {
            return Err(Failure::new(format!(
                "runit does not watch {}: {}; give enabled: true",
                args.name,
                before.full_state.trim()
            )));
        }
        let verb = match state {
            State::Started if before.state == "started" => None,
            State::Stopped if before.state == "stopped" => None,
            State::Started => Some("start"),
            State::Stopped => Some("stop"),
            State::Killed => Some("force-stop"),
            State::Once => Some("once"),
            State::Reloaded => Some("reload"),
            State::Restarted => Some("restart"),
        };
        if let Some(verb) = verb {
            if !before.enabled {
                runit.await_watch(sys)?;
            }
            sys.exec(runit.command(verb, &runit.watched)).map_err(Failure::as_said)?;
        }
    }
    let after = if sys.is_check() || sys.changes().is_empty() { before } else { runit.status(sys)? };
    Ok(Returns { sv: after })
}

struct Runit {
    sv: Command,
    watched: PathBuf,
    defined: PathBuf,
}

impl Runit {
    fn command(&self, verb: &str, path: &Path) -> Command {
        self.sv.clone().arg(verb).arg(path)
    }

    fn enable(&self, enabled: bool, sys: &mut System<'_>) -> Result<()> {
        if enabled {
            if !sys.exists(&self.defined)? {
                let path = self.defined.display();
                return Err(Failure::new(format!("Could not find source for service to enable ({path}).")));
            }
            return sys.symlink(&self.defined, &self.watched).map(drop);
        }
        // Nobody can stop it once nobody watches.
        sys.exec(self.command("force-stop", &self.watched)).map_err(Failure::as_said)?;
        sys.remove_file(&self.watched).map(drop)
    }

    /// runit looks every few seconds for what it has to watch, and takes no orders before.
    fn await_watch(&self, sys: &mut System<'_>) -> Result<()> {
        for _ in 0..10 {
            if sys.is_check() || sys.query(self.command("status", &self.watched))?.ok() {
                break;
            }
            sys.sleep(Duration::from_secs(1))?;
        }
        Ok(())
    }

    fn status(&self, sys: &mut System<'_>) -> Result<Status> {
        // It ends badly for a service that is not watched.
        let said = sys.query(self.command("status", &self.watched))?;
        let text = said.stdout().into_owned();
        let state = match text.split(':').next() {
            Some("run") => "started",
            Some("down") => "stopped",
            _ => "unknown",
        };
        // `run: /var/service/x: (pid 10) 5s; run: log: (pid 9) 7s`
        let own = text.split(';').next().unwrap_or_default();
        let after = |text: &str, mark: char| text.rsplit_once(mark).map(|(_, rest)| rest.trim().to_owned());
        let pid = own.split_once("(pid ").and_then(|(_, rest)| Some(rest.split_once(')')?.0.to_owned()));
        let rest = if pid.is_some() { after(own, ')') } else { after(own, ':') };
        let duration = rest.and_then(|rest| {
            let (seconds, _) = rest.split_once('s')?;
            seconds.parse::<u64>().is_ok().then(|| seconds.to_owned())
        });
        Ok(Status {
            state,
            enabled: sys.stat(&self.watched)?.is_some(),
            pid,
            duration,
            full_state: text,
            svc_full: self.watched.to_string_lossy().into_owned(),
            src_full: self.defined.to_string_lossy().into_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("runit");
        trial.host.program("/usr/bin/sv").answer("/usr/bin/sv", 0, "ok\n").dir("/var/service");
        for name in ["web", "idle", "new"] {
            trial.host.dir(format!("/etc/sv/{name}"));
        }
        trial.host.link("/var/service/web", "/etc/sv/web").link("/var/service/idle", "/etc/sv/idle");
        let run = "run: /var/service/web: (pid 10) 5s; run: log: (pid 9) 7s\n";
        trial.host.answer("/usr/bin/sv status /var/service/web", 0, run);
        let down = "down: /var/service/idle: 3s, normally up; run: log: (pid 9) 7s\n";
        trial.host.answer("/usr/bin/sv status /var/service/idle", 0, down);
        trial.host.answer("/usr/bin/sv status /var/service/new", 1, "fail: /var/service/new: no such file\n");
        trial
    }

    /// The commands that were run besides questions.
    fn check(args: &Json, ran: &[&str]) -> Json {
        let trial = trial();
        let changes = !ran.is_empty() || args["enabled"] == true;
        let result = trial.foretold(args, changes);
        let lines = trial.host.ran();
        let acts = lines.iter().filter_map(|line| line.strip_prefix("/usr/bin/sv "));
        assert_eq!(acts.filter(|line| !line.starts_with("status")).collect::<Vec<_>>(), ran, "{args}");
        result
    }

    #[test]
    fn services_start_and_stop() {
        let result = check(&json!({"name": "web", "state": "started"}), &[]);
        assert_eq!((&result["sv"]["pid"], &result["sv"]["duration"]), (&json!("10"), &json!("5")));
        let result = check(&json!({"name": "idle", "state": "stopped"}), &[]);
        assert_eq!((&result["sv"]["pid"], &result["sv"]["duration"]), (&json!(null), &json!("3")));
        check(&json!({"name": "idle", "state": "started"}), &["start /var/service/idle"]);
        check(&json!({"name": "web", "state": "stopped"}), &["stop /var/service/web"]);
        check(&json!({"name": "web", "state": "killed"}), &["force-stop /var/service/web"]);
        check(&json!({"name": "web", "state": "once"}), &["once /var/service/web"]);
        check(&json!({"name": "web", "enabled": false}), &["force-stop /var/service/web"]);
        check(&json!({"name": "new", "enabled": true}), &[]);
        check(&json!({"name": "new", "enabled": true, "state": "started"}), &["start /var/service/new"]);
    }

    #[test]
    fn what_is_not_watched_does_not_start() {
        let result = trial().run(&json!({"name": "new", "state": "started"}));
        assert!(result["msg"].as_str().unwrap().starts_with("runit does not watch new"), "{result}");
        let result = trial().run(&json!({"name": "none", "enabled": true}));
        assert_eq!(result["msg"], "Could not find source for service to enable (/etc/sv/none).");
    }
}
