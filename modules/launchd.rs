use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Result, System};
use crate::systemd;

/// Controls services of macOS, with `launchctl`.
///
/// A service is described by a property list below `LaunchDaemons` or `LaunchAgents`, of the system or the user. It is
/// unloaded while launchd does not know it.
///
/// # Examples
///
/// ```yaml
/// - name: A service runs
///   launchd: {name: org.memcached, state: started}
///
/// - name: It stops, though launchd is to keep it alive
///   launchd: {name: org.memcached, state: stopped, force_stop: true}
///
/// - name: One whose description has another name
///   launchd: {name: com.openssh.sshd, plist: ssh.plist, state: restarted}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["state", "enabled"]]))]
pub struct Args {
    /// The service, by its label.
    pub name: String,
    /// `started` and `stopped` do nothing when already so; `restarted` and `reloaded` unload and load it, so that its
    /// description is read anew, and `restarted` starts it.
    pub state: Option<State>,
    /// Whether it starts when it is loaded, as at boot: `RunAtLoad` in its description.
    pub enabled: Option<bool>,
    /// The file of its description; else its name and `.plist`.
    pub plist: Option<String>,
    /// Takes `KeepAlive` from the description of what is to stop, so that launchd does not start it again.
    #[serde(default)]
    pub force_stop: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Reloaded,
    Restarted,
    Started,
    Stopped,
    /// launchd does not know it.
    Unloaded,
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
    status: Status,
}

#[derive(Serialize)]
struct Status {
    current_state: Now,
    current_pid: String,
    previous_state: Now,
    previous_pid: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Now {
    Started,
    Stopped,
    Unloaded,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let service = Service {
        launchctl: Command::new(sys.need("launchctl")?),
        plutil: Command::new(sys.need("plutil")?),
        plist: plist(&args, sys)?,
        name: args.name,
    };
    let (before, previous_pid) = service.now(sys)?;
    if let Some(enabled) = args.enabled
        && service.is_set("RunAtLoad", sys)? != enabled
    {
        service.set("RunAtLoad", enabled, sys)?;
    }
    match args.state {
        None => {}
        Some(State::Started) if before == Now::Started => {}
        Some(State::Started) => {
            if before == Now::Unloaded {
                service.load(true, sys)?;
            }
            service.control("start", sys)?;
        }
        Some(State::Stopped) => {
            if args.force_stop && service.is_set("KeepAlive", sys)? {
                service.set("KeepAlive", false, sys)?;
                if before != Now::Unloaded {
                    // launchd goes by what it read.
                    service.load(false, sys)?;
                    service.load(true, sys)?;
                }
            }
            if service.now(sys)?.0 == Now::Started {
                service.control("stop", sys)?;
            }
        }
        Some(State::Unloaded) if before == Now::Unloaded => {}
        Some(State::Unloaded) => service.load(false, sys)?,
        Some(State::Reloaded | State::Restarted) => {
            if before != Now::Unloaded {
                service.load(false, sys)?;
            }
            service.load(true, sys)?;
            if args.state == Some(State::Restarted) {
                service.control("start", sys)?;
            }
        }
    }
    let (current_state, current_pid) = service.now(sys)?;
    Ok(Returns { status: Status { current_state, current_pid, previous_state: before, previous_pid } })
}

struct Service {
    launchctl: Command,
    plutil: Command,
    plist: PathBuf,
    name: String,
}

impl Service {
    /// What launchd tells of it: `PID Status Label`, with `-` for the process of what does not run.
    fn now(&self, sys: &mut System<'_>) -> Result<(Now, String)> {
        let said = sys.ask(self.launchctl.clone().arg("list"))?;
        let text = said.stdout();
        let pid = text.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            let pid = words.next()?;
            (words.nth(1) == Some(&self.name)).then(|| pid.to_owned())
        });
        Ok(match pid {
            None => (Now::Unloaded, "-".to_owned()),
            Some(pid) if pid == "-" => (Now::Stopped, pid),
            Some(pid) => (Now::Started, pid),
        })
    }

    fn control(&self, verb: &str, sys: &mut System<'_>) -> Result<()> {
        self.act(verb, self.launchctl.clone().arg(verb).arg(&self.name), sys)
    }

    fn load(&self, loaded: bool, sys: &mut System<'_>) -> Result<()> {
        let verb = if loaded { "load" } else { "unload" };
        self.act(verb, self.launchctl.clone().arg(verb).arg(&self.plist), sys)
    }

    fn act(&self, verb: &str, command: Command, sys: &mut System<'_>) -> Result<()> {
        let Some(output) = sys.exec(command)? else { return Ok(()) };
        // It ends well in any case, and says otherwise.
        if output.stderr.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let said = output.stderr();
        Err(Failure::new(format!("Unable to {verb} '{}': {}", self.name, said.trim())).with_output(&output))
    }

    /// A switch of the description. What is not there, or is no plain switch, is off.
    fn is_set(&self, key: &str, sys: &mut System<'_>) -> Result<bool> {
        let said =
            sys.query(self.plutil.clone().args(["-extract", key, "xml1", "-o", "-"]).arg(&self.plist))?;
        Ok(said.ok() && said.stdout().contains("<true/>"))
    }

    fn set(&self, key: &str, on: bool, sys: &mut System<'_>) -> Result<()> {
        let value = if on { "true" } else { "false" };
        sys.exec(self.plutil.clone().args(["-replace", key, "-bool", value]).arg(&self.plist)).map(drop)
    }
}

fn plist(args: &Args, sys: &System<'_>) -> Result<PathBuf> {
    let file = args.plist.clone().unwrap_or_else(|| format!("{}.plist", args.name));
    let dirs = [
        sys.expand("~/Library/LaunchAgents")?,
        "/Library/LaunchAgents".to_owned(),
        "/Library/LaunchDaemons".to_owned(),
        "/System/Library/LaunchAgents".to_owned(),
        "/System/Library/LaunchDaemons".to_owned(),
    ];
    for dir in dirs {
        let path = Path::new(&dir).join(&file);
        if sys.exists(&path)? {
            return Ok(path);
        }
    }
    Err(Failure::new(format!("Unable to find the property list {file} of the service {}", args.name)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;
    use crate::kit::{Command, Output};

    fn trial(module: &str) -> Trial {
        let trial = Trial::of(module);
        trial.host.dir("/System/Library/LaunchDaemons");
        for name in ["web", "idle", "new"] {
            trial.host.file(format!("/Library/LaunchDaemons/org.{name}.plist"), "");
        }
        trial.host.program("/bin/launchctl").program("/usr/bin/plutil");
        let list = "PID\tStatus\tLabel\n345\t0\torg.web\n-\t0\torg.idle\n";
        trial.host.answer("/bin/launchctl", 0, "").answer("/bin/launchctl list", 0, list);
        trial.host.answer("/usr/bin/plutil", 0, "");
        trial.host.answer("/usr/bin/plutil -extract RunAtLoad", 1, "");
        trial.host.answer("/usr/bin/plutil -extract KeepAlive", 0, "<plist>\n<true/>\n</plist>\n");
        trial
    }

    fn check(module: &str, args: &Json, ran: &[&str]) -> Json {
        let trial = trial(module);
        let result = trial.foretold(args, !ran.is_empty());
        let lines = trial.host.ran();
        let acts = lines.iter().map(|line| {
            let line = line.replace("/Library/LaunchDaemons/", "");
            line.trim_start_matches("/bin/launchctl ").trim_start_matches("/usr/bin/").to_owned()
        });
        let acts: Vec<String> = acts.filter(|line| line != "list" && !line.contains("-extract")).collect();
        assert_eq!(acts, ran, "{args}");
        result
    }

    #[test]
    fn services_of_macos() {
        for module in ["launchd", "service"] {
            let result = check(module, &json!({"name": "org.web", "state": "started"}), &[]);
            assert_eq!(result["status"]["current_pid"], "345");
            let result = check(module, &json!({"name": "org.idle", "state": "started"}), &["start org.idle"]);
            assert_eq!(result["status"]["previous_state"], "stopped");
            let load = ["load org.new.plist", "start org.new"];
            check(module, &json!({"name": "org.new", "state": "started"}), &load);
            check(module, &json!({"name": "org.web", "state": "stopped"}), &["stop org.web"]);
            check(module, &json!({"name": "org.idle", "state": "stopped"}), &[]);
            let again = ["unload org.web.plist", "load org.web.plist", "start org.web"];
            check(module, &json!({"name": "org.web", "state": "restarted"}), &again);
            check(module, &json!({"name": "org.web", "state": "reloaded"}), &again[..2]);
            let enable = ["plutil -replace RunAtLoad -bool true org.idle.plist"];
            check(module, &json!({"name": "org.idle", "enabled": true}), &enable);
            check(module, &json!({"name": "org.idle", "enabled": false}), &[]);
        }
        check("launchd", &json!({"name": "org.web", "state": "unloaded"}), &["unload org.web.plist"]);
        check("launchd", &json!({"name": "org.new", "state": "unloaded"}), &[]);
        let stop = [
            "plutil -replace KeepAlive -bool false org.web.plist",
            "unload org.web.plist",
            "load org.web.plist",
            "stop org.web",
        ];
        check("launchd", &json!({"name": "org.web", "state": "stopped", "force_stop": true}), &stop);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let result = trial("launchd").run(&json!({"name": "org.none", "state": "started"}));
        let msg = "Unable to find the property list org.none.plist of the service org.none";
        assert_eq!(result["msg"], msg);
        let trial = trial("launchd");
        trial.host.script("/bin/launchctl load", |_: &Command, _| Output {
            stderr: "Load failed: 5: Input/output error\n".into(),
            ..Output::default()
        });
        let result = trial.run(&json!({"name": "org.new", "state": "started"}));
        assert_eq!(result["msg"], "Unable to load 'org.new': Load failed: 5: Input/output error");
    }
}
