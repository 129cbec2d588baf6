use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Output, Result, System};

/// Manages what Monit watches over.
///
/// A task waits until Monit has done what it was told, and fails where that takes longer than `timeout`. Monit 5.19 or newer
/// is needed.
///
/// # Examples
///
/// ```yaml
/// - name: The web server runs
///   monit: {name: nginx, state: started}
///
/// - name: Nobody watches over it while it is upgraded
///   monit: {name: nginx, state: unmonitored}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The service, as Monit's own configuration calls it.
    pub name: String,
    /// What becomes of it; `reloaded` has Monit read its configuration, `present` does where the service is not known.
    pub state: State,
    /// For how many seconds it waits.
    #[serde(default = "five_minutes")]
    pub timeout: u64,
}

fn five_minutes() -> u64 {
    300
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Present,
    Started,
    Stopped,
    Restarted,
    Monitored,
    Unmonitored,
    Reloaded,
}

#[derive(Default, Serialize)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    monit_version: Option<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let program = Command::new(sys.need("monit")?);
    let mut monit = Monit { program, args, version: String::new(), sys };
    monit.version = monit.version()?;
    if monit.args.state == State::Reloaded {
        return monit.reload();
    }
    let is_known = monit.is_known()?;
    match monit.args.state {
        State::Present if is_known => Ok(monit.as_it_is()),
        State::Present => monit.make_known(),
        _ if is_known => monit.ensure(),
        _ => {
            let msg = format!("{} process not presently configured with monit", monit.args.name);
            Err(Failure::new(msg).with("name", &monit.args.name))
        }
    }
}

/// How a service is.
#[derive(Debug, PartialEq, Eq)]
struct Status {
    text: String,
    /// Whether Monit is at work on it.
    is_pending: bool,
    is_watched: bool,
    is_well: bool,
}

impl Status {
    fn of(text: &str) -> Option<Self> {
        let row = |key: &str| {
            text.lines().map(str::trim).find_map(|line| {
                let value = line.strip_prefix(key)?;
                value.starts_with(char::is_whitespace).then(|| value.trim().to_lowercase())
            })
        };
        let status = row("status")?;
        let watched = row("monitoring status").unwrap_or_default();
        let either =
            |words: &[&str]| words.iter().any(|word| status.contains(word) || watched.contains(word));
        Some(Self {
            is_pending: either(&["pending", "initializing", "waiting"]),
            is_watched: !either(&["not monitored"]),
            is_well: ["ok", "running", "accessible", "online with all services"]
                .iter()
                .any(|well| status.starts_with(well)),
            text: status,
        })
    }

    fn is(&self, wanted: State) -> bool {
        match wanted {
            State::Started | State::Restarted => self.is_well && self.is_watched,
            State::Stopped | State::Unmonitored => !self.is_watched,
            State::Monitored => self.is_watched,
            State::Present | State::Reloaded => true,
        }
    }
}

struct Monit<'a, 's> {
    program: Command,
    args: Args,
    version: String,
    sys: &'a mut System<'s>,
}

impl Monit<'_, '_> {
    fn ask(&mut self, words: &[&str]) -> Result<Output> {
        self.sys.ask(self.program.clone().args(words.iter().copied())).map_err(Failure::as_said)
    }

    fn version(&mut self) -> Result<String> {
        let output = self.ask(&["-V"])?;
        let text = output.stdout();
        let version =
            text.lines().next().and_then(|line| line.split_whitespace().next_back()).unwrap_or_default();
        let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
        match (parts.next().flatten(), parts.next().flatten()) {
            (Some(major), Some(minor)) if (major, minor) > (5, 18) => Ok(version.to_owned()),
            _ => Err(Failure::new(format!(
                "Monit is too old, or says no version: {:?}; 5.19 is needed",
                text.trim()
            ))),
        }
    }

    fn as_it_is(&self) -> Returns {
        Returns { name: Some(self.args.name.clone()), state: Some(self.args.state), monit_version: None }
    }

    fn changed(&self) -> Returns {
        Returns { monit_version: Some(self.version.clone()), ..self.as_it_is() }
    }

    fn is_known(&mut self) -> Result<bool> {
        let output = self.ask(&["summary", "-B"])?;
        let is_row = |line: &str| {
            line.trim_start()
                .strip_prefix(self.args.name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
        };
        // The first two lines are Monit's own, and a heading.
        Ok(output.stdout().lines().skip(2).any(is_row))
    }

    fn status(&mut self) -> Result<Status> {
        let name = self.args.name.clone();
        let output = self.ask(&["status", "-B", &name])?;
        let text = output.stdout();
        Status::of(&text).ok_or_else(|| {
            Failure::new(format!("monit says nothing of {name}: {:?}", text.trim())).with("name", name)
        })
    }

    /// Tells Monit something. `None` in a check.
    fn tell(&mut self, words: &[&str], failed: &str) -> Result<Option<()>> {
        let Some(output) = self.sys.attempt(self.program.clone().args(words.iter().copied()))? else {
            return Ok(None);
        };
        if output.ok() {
            return Ok(Some(()));
        }
        Err(Failure::new(failed).with_output(&output).with("name", &self.args.name))
    }

    fn reload(&mut self) -> Result<Returns> {
        match self.tell(&["reload"], "monit reload failed")? {
            Some(()) => Ok(self.changed()),
            None => Ok(Returns::default()),
        }
    }

    fn make_known(&mut self) -> Result<Returns> {
        if self.tell(&["reload"], "monit reload failed")?.is_none() {
            return Ok(Returns::default());
        }
        for _ in 0..=self.args.timeout {
            if self.is_known()? {
                return Ok(self.changed());
            }
            self.sys.sleep(Duration::from_secs(1))?;
        }
        let msg = format!("{} process not configured with monit after its reload", self.args.name);
        Err(Failure::new(msg).with("name", &self.args.name))
    }

    fn ensure(&mut self) -> Result<Returns> {
        let mut status = self.status()?;
        // Until Monit is at rest nobody knows what it will come to.
        let mut waited = 0;
        while status.is_pending {
            if waited >= self.args.timeout {
                let msg = "waited too long for \"pending\", or \"initializing\" status to go away";
                return Err(self.late(msg, &status));
            }
            self.sys.sleep(Duration::from_secs(1))?;
            waited += 1;
            status = self.status()?;
        }
        let state = self.args.state;
        if state != State::Restarted && status.is(state) {
            return Ok(self.as_it_is());
        }
        let (verb, failed) = match state {
            State::Stopped => ("stop", "stopping failed"),
            State::Restarted => ("restart", "restarting failed"),
            State::Monitored => ("monitor", "monitoring failed"),
            State::Unmonitored => ("unmonitor", "unmonitoring failed"),
            _ => ("start", "starting failed"),
        };
        let name = self.args.name.clone();
        if self.tell(&[verb, &name], &format!("{name}: {failed}"))?.is_none() {
            return Ok(Returns::default());
        }
        for _ in 0..=self.args.timeout {
            status = self.status()?;
            if !status.is_pending && status.is(state) {
                return Ok(self.changed());
            }
            self.sys.sleep(Duration::from_secs(1))?;
        }
        Err(self.late("waited too long for monit to change state", &status))
    }

    fn late(&self, msg: &str, status: &Status) -> Failure {
        Failure::new(msg).with("process_status", &status.text).with("monit_version", &self.version)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value as Json, json};

    use super::{State, Status};
    use crate::kit::Output;
    use crate::kit::host::{Host, Placement};
    use crate::kit::trial::Trial;

    const STATUS: &str = "/etc/status";

    fn write(host: &dyn Host, text: &str) {
        host.place(Path::new(STATUS), &mut text.as_bytes(), &Placement::default()).unwrap();
    }

    /// Monit watches over `web`.
    fn trial(status: &str, obeys: bool) -> Trial {
        let trial = Trial::of("monit");
        let monit = "/usr/bin/monit";
        trial.host.program(monit).file(STATUS, status);
        trial.host.answer("/usr/bin/monit -V", 0, "This is Monit version 5.33.0\nBuilt with ssl\n");
        let summary = "Monit 5.33.0 uptime: 0m\n Service Name  Status  Type\n web  OK  Process\n";
        trial.host.answer("/usr/bin/monit summary -B", 0, summary);
        trial.host.script("/usr/bin/monit status -B web", |_, host| {
            let status = std::io::read_to_string(host.open(Path::new(STATUS)).unwrap()).unwrap();
            let stdout = format!("Monit 5.33.0 uptime: 0m\n\nProcess 'web'\n  status     {status}\n");
            Output { stdout: stdout.into_bytes(), ..Output::default() }
        });
        for (verb, becomes) in [
            ("start", "OK"),
            ("stop", "Not monitored"),
            ("restart", "OK"),
            ("monitor", "OK"),
            ("unmonitor", "Not monitored"),
        ] {
            trial.host.script(&format!("{monit} {verb} web"), move |_, host| {
                if obeys {
                    write(host, becomes);
                }
                Output::default()
            });
        }
        trial
    }

    fn check(status: &str, state: &str, expected: Option<&str>) {
        let trial = trial(status, true);
        let got = trial.foretold(&json!({"name": "web", "state": state}), expected.is_some());
        let ran = trial.host.ran();
        let looks = ["-V", "-B"];
        let told = ran.iter().find(|line| !looks.iter().any(|look| line.contains(look)));
        assert_eq!(told.map(|line| line.trim_start_matches("/usr/bin/monit ")), expected, "{status} {state}");
        assert_eq!(got["state"], state);
    }

    #[test]
    fn services_become_what_is_wanted() {
        for (status, state, expected) in [
            ("OK", "started", None),
            ("Not monitored", "started", Some("start web")),
            ("Does not exist", "started", Some("start web")),
            ("Execution failed", "started", Some("start web")),
            ("OK", "stopped", Some("stop web")),
            ("Not monitored", "stopped", None),
            ("OK", "restarted", Some("restart web")),
            ("OK", "monitored", None),
            ("Not monitored", "monitored", Some("monitor web")),
            ("OK", "unmonitored", Some("unmonitor web")),
            ("Not monitored", "unmonitored", None),
            ("OK", "present", None),
        ] {
            check(status, state, expected);
        }
    }

    #[test]
    fn what_does_not_come_about_is_an_error() {
        let run = |status: &str, args: Json| trial(status, false).run(&args);
        let args = |name: &str| json!({"name": name, "state": "started", "timeout": 3});
        let got = run("Not monitored", args("web"));
        assert_eq!(got["msg"], "waited too long for monit to change state");
        assert_eq!(got["process_status"], "not monitored");
        let got = run("OK - restart pending", args("web"));
        assert!(got["msg"].as_str().unwrap().starts_with("waited too long for \"pending\""), "{got}");
        assert_eq!(run("OK", args("nope"))["msg"], "nope process not presently configured with monit");
        let old = trial("OK", true);
        old.host.answer("/usr/bin/monit -V", 0, "This is Monit version 5.18\n");
        assert!(old.run(&args("web"))["msg"].as_str().unwrap().contains("5.19 is needed"));
    }

    #[test]
    fn statuses_are_read() {
        let status = |text: &str| Status::of(text).unwrap();
        let well = status("Process 'web'\n  status          OK\n  monitoring status    Monitored\n");
        assert!(well.is(State::Started) && !well.is_pending, "{well:?}");
        let new = status("  status    Initializing\n  monitoring status    Initializing\n");
        assert!(new.is_pending && !new.is(State::Started), "{new:?}");
        let idle = status("  status    OK\n  monitoring status    Not monitored\n");
        assert!(idle.is(State::Stopped) && !idle.is(State::Started), "{idle:?}");
        assert_eq!(Status::of("Monit 5.33.0\n"), None);
    }
}
