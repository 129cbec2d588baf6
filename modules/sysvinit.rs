use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::kit::{Command, Failure, Output, Result, System};
use crate::systemd::State;

/// Controls services that have an init script of System V.
///
/// # Examples
///
/// ```yaml
/// - name: The service runs, and starts at boot
///   sysvinit: {name: apache2, state: started, enabled: yes}
///
/// - name: In two runlevels
///   sysvinit: {name: apache2, enabled: yes, runlevels: [3, 5]}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["state", "enabled"]]))]
pub struct Args {
    /// The service.
    #[schemars(extend("aliases" = ["service"]))]
    pub name: String,
    /// `started` and `stopped` do nothing when already so; `restarted` stops and starts; `reloaded` has the script read
    /// its configuration anew.
    pub state: Option<State>,
    /// Whether the service starts at boot.
    pub enabled: Option<bool>,
    /// Seconds between stop and start of a restart.
    #[serde(default = "one")]
    pub sleep: u64,
    /// Text in the process list that means the service runs, for scripts without `status`.
    pub pattern: Option<String>,
    /// The runlevels `enabled` is about; else those of the script itself.
    pub runlevels: Option<Vec<String>>,
    /// Further arguments for the script.
    #[schemars(extend("aliases" = ["args"]))]
    pub arguments: Option<String>,
    /// For scripts that do not let go of the terminal. None is left to a script here, so that it changes nothing.
    #[serde(default)]
    #[expect(dead_code, reason = "it asks for what is so in any case")]
    pub daemonize: bool,
}

fn one() -> u64 {
    1
}

#[derive(Serialize)]
pub struct Returns {
    name: String,
    pub(crate) status: Map<String, Json>,
}

/// What became of one of the two wishes.
#[derive(Default, Serialize)]
struct Step {
    changed: bool,
    rc: Option<i32>,
    stdout: Option<String>,
    stderr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runlevels: Option<Vec<String>>,
}

impl Step {
    /// A command that ran, or would in check mode.
    fn of(output: Option<Output>) -> Self {
        let Some(output) = output else { return Self { changed: true, ..Self::default() } };
        Self {
            changed: true,
            rc: Some(output.code),
            stdout: Some(output.stdout().into_owned()),
            stderr: Some(output.stderr().into_owned()),
            runlevels: None,
        }
    }
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let script = Path::new("/etc/init.d").join(&args.name);
    if !sys.exists(&script)? {
        return Err(Failure::new(format!("Could not find the requested service {}: ", args.name)));
    }
    let asked = match args.enabled {
        Some(enabled) => enabling(&args.name, args.runlevels.as_deref(), enabled, sys)?,
        None => None,
    };
    let mut enabled = match asked {
        Some(command) => sys.exec(command).map(Step::of)?,
        None => Step::default(),
    };
    enabled.runlevels = args.runlevels.clone().filter(|_| args.enabled.is_some());
    let reached = match args.state {
        Some(state) => reach(&args, state, &script, sys)?,
        None => Step::default(),
    };
    let state = serde_json::to_value(args.state).ok().and_then(|name| name.as_str().map(str::to_owned));
    let steps = [("enabled".to_owned(), enabled), (state.unwrap_or_else(|| "null".to_owned()), reached)];
    let status = steps.into_iter().map(|(name, step)| (name, serde_json::to_value(step).unwrap_or_default()));
    Ok(Returns { name: args.name, status: status.collect() })
}

fn reach(args: &Args, state: State, script: &Path, sys: &mut System<'_>) -> Result<Step> {
    let words = args.arguments.as_deref().unwrap_or_default().split_whitespace();
    let verb = |verb: &str| Command::new(script).arg(verb).args(words.clone());
    // Where systemd runs, `service` asks that, which may know more of the service than its script.
    let status = match service(sys)? {
        Some(service) => Command::new(service).arg(&args.name),
        None => Command::new(script),
    };
    let running = is_running(args, status.arg("status"), sys)?;
    let mut ask = |name: &str, command: Command| {
        sys.exec(command).map(Step::of).map_err(|failure| {
            let failed = failure.fields.contains_key("rc") && !failure.fields.contains_key("timedout");
            if !failed {
                return failure;
            }
            Failure { msg: format!("Failed to {name} service: {}", args.name), ..failure }.without("cmd")
        })
    };
    match state {
        State::Started if !running => ask("start", verb("start")),
        State::Stopped if running => ask("stop", verb("stop")),
        State::Restarted => {
            ask("restart", verb("stop"))?;
            if !sys.is_check() {
                sys.sleep(Duration::from_secs(args.sleep))?;
            }
            let mut again = |command| sys.exec(command).map(Step::of);
            again(verb("start"))
                .map_err(|failure| failure.context(format!("Failed to restart service: {}", args.name)))
        }
        State::Reloaded => ask("reload", verb("reload")),
        State::Started | State::Stopped => Ok(Step::default()),
    }
}

/// The program `service`: the system's own before what is first in `PATH`.
pub(crate) fn service(sys: &System<'_>) -> Result<Option<PathBuf>> {
    let own = Path::new("/usr/sbin/service");
    Ok(if sys.exists(own)? { Some(own.to_owned()) } else { sys.which("service") })
}

fn is_running(args: &Args, status: Command, sys: &mut System<'_>) -> Result<bool> {
    let Some(pattern) = &args.pattern else {
        let told = sys.query(status)?;
        let text = told.stdout();
        // Scripts there are that say it and end with another code.
        return Ok(told.ok() || text.contains("running") && !text.contains("not running"));
    };
    let runs = sys.has_process(pattern)?;
    if !runs {
        sys.warn("Unable to determine if service is up, assuming it is down");
    }
    Ok(runs)
}

/// What has to run for a service to start at boot, or not to; `None` where it is so. Links in `/etc/rc?.d` tell.
pub(crate) fn enabling(
    name: &str,
    runlevels: Option<&[String]>,
    enabled: bool,
    sys: &System<'_>,
) -> Result<Option<Command>> {
    let usual = ["2", "3", "4", "5"].map(str::to_owned);
    let levels = runlevels.unwrap_or(&usual);
    let mut on = 0;
    for level in levels {
        on += usize::from(links(level, name, sys)?.contains(&'S'));
    }
    // Without runlevels one that starts it is enough.
    let is = match runlevels {
        Some(_) if enabled => on == levels.len(),
        _ => on > 0,
    };
    if is == enabled {
        return Ok(None);
    }
    let own = || runlevels.iter().copied().flatten();
    if let Some(update) = sys.which("update-rc.d") {
        let mut any = false;
        for level in ["0", "1", "2", "3", "4", "5", "6"] {
            any |= !links(level, name, sys)?.is_empty();
        }
        let command = Command::new(update).arg(name);
        return Ok(Some(match enabled {
            true if any => command.arg("enable").args(own()),
            true => command.arg("defaults"),
            false => command.arg("disable").args(own()),
        }));
    }
    let Some(chkconfig) = sys.which("chkconfig") else {
        return Err(Failure::new("neither update-rc.d nor chkconfig is here to enable services"));
    };
    let levels: String = own().map(String::as_str).collect();
    let command = Command::new(chkconfig).opt("--level", Some(levels).filter(|levels| !levels.is_empty()));
    Ok(Some(command.arg(name).arg(if enabled { "on" } else { "off" })))
}

/// What the links of a service in that runlevel do: `S` starts, `K` ends it.
fn links(level: &str, name: &str, sys: &System<'_>) -> Result<Vec<char>> {
    let dir = PathBuf::from(format!("/etc/rc{level}.d"));
    if !sys.exists(&dir)? {
        return Ok(Vec::new());
    }
    let names = sys.list(&dir)?;
    let names = names.iter().map(|link| link.to_string_lossy());
    Ok(names.filter(|link| link.get(3..) == Some(name)).filter_map(|link| link.chars().next()).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(status: i32, link: Option<&str>, args: &Json, expected: &[&str]) -> Json {
        let trial = Trial::of("sysvinit");
        trial.host.program("/etc/init.d/web").program("/usr/sbin/update-rc.d");
        trial.host.answer("/etc/init.d/web", 0, "done\n").answer("/etc/init.d/web status", status, "");
        trial.host.answer("/usr/sbin/update-rc.d", 0, "").dir("/etc/rc2.d").dir("/etc/rc3.d");
        if let Some(link) = link {
            trial.host.file(link, "");
        }
        let got = trial.foretold(args, !expected.is_empty());
        let quiet = |line: &&String| !line.ends_with("status");
        let ran = trial.host.ran();
        assert_eq!(ran.iter().filter(quiet).collect::<Vec<_>>(), expected, "{args}");
        got
    }

    #[test]
    fn scripts_are_asked() {
        let state = |state: &str| json!({"name": "web", "state": state, "sleep": 0});
        check(0, None, &state("started"), &[]);
        let got = check(3, None, &state("started"), &["/etc/init.d/web start"]);
        assert_eq!(got["status"]["started"]["stdout"], "done\n");
        assert_eq!(got["status"]["enabled"]["changed"], false);
        check(0, None, &state("stopped"), &["/etc/init.d/web stop"]);
        check(3, None, &state("restarted"), &["/etc/init.d/web stop", "/etc/init.d/web start"]);
        let reload = json!({"name": "web", "state": "reloaded", "arguments": "a b"});
        check(0, None, &reload, &["/etc/init.d/web reload a b"]);
    }

    #[test]
    fn words_count_where_the_code_is_none() {
        for (code, said, runs) in [
            (0, "", true),
            (3, "web is not running", false),
            (1, "web is running", true),
            (1, "stopped", false),
        ] {
            let trial = Trial::of("sysvinit");
            trial.host.program("/etc/init.d/web").program("/usr/sbin/service").answer(
                "/etc/init.d/web",
                0,
                "",
            );
            trial.host.answer("/usr/sbin/service web status", code, said);
            let got = trial.run(&json!({"name": "web", "state": "started"}));
            assert_eq!(got["changed"], !runs, "{code} {said}");
        }
    }

    #[test]
    fn links_start_it_at_boot() {
        let enabled = |enabled: bool| json!({"name": "web", "enabled": enabled});
        check(0, None, &enabled(true), &["/usr/sbin/update-rc.d web defaults"]);
        check(0, Some("/etc/rc2.d/K01web"), &enabled(true), &["/usr/sbin/update-rc.d web enable"]);
        check(0, Some("/etc/rc3.d/S01web"), &enabled(true), &[]);
        check(0, Some("/etc/rc3.d/S01web"), &enabled(false), &["/usr/sbin/update-rc.d web disable"]);
        let levels = |enabled: bool| json!({"name": "web", "enabled": enabled, "runlevels": [2, 3]});
        check(0, Some("/etc/rc3.d/S01web"), &levels(true), &["/usr/sbin/update-rc.d web enable 2 3"]);
        let got =
            check(0, Some("/etc/rc3.d/S01web"), &levels(false), &["/usr/sbin/update-rc.d web disable 2 3"]);
        assert_eq!(got["status"]["enabled"]["runlevels"], json!(["2", "3"]));
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = Trial::of("sysvinit");
        let got = trial.run(&json!({"name": "nope", "state": "started"}));
        assert_eq!(got["msg"], "Could not find the requested service nope: ");
        assert_eq!(
            trial.run(&json!({"name": "x"}))["msg"],
            "one of the following is required: state, enabled"
        );
        trial.host.program("/etc/init.d/bad").answer("/etc/init.d/bad", 1, "out\n");
        let got = trial.run(&json!({"name": "bad", "state": "started"}));
        assert_eq!((&got["msg"], &got["rc"]), (&json!("Failed to start service: bad"), &json!(1)));
    }
}
