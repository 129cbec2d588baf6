mod login;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Access, Command, Failure, FilePath, Output, Result, Secret, System};

/// Controls programs that supervisord runs.
///
/// # Examples
///
/// ```yaml
/// - name: The program runs
///   supervisorctl: {name: my_app, state: started}
///
/// - name: All of a group run
///   supervisorctl: {name: 'my_apps:', state: started}
///
/// - name: It reads its configuration anew
///   supervisorctl: {name: my_app, state: signalled, signal: HUP}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [["state", "signalled", ["signal"]]]))]
pub struct Args {
    /// The program; a group with a colon at the end, or `all`.
    pub name: String,
    /// What becomes of it. `present` and `absent` are about supervisord knowing it, as its configuration says.
    pub state: State,
    /// supervisord's configuration.
    pub config: Option<FilePath>,
    /// Where supervisord listens.
    pub server_url: Option<String>,
    /// The user, where supervisord asks for one.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The signal, for `signalled`.
    pub signal: Option<String>,
    /// Stops it first, with `absent`.
    #[serde(default)]
    pub stop_before_removing: bool,
    /// The program.
    pub supervisorctl_path: Option<FilePath>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Present,
    Started,
    Stopped,
    Restarted,
    Absent,
    Signalled,
}

#[derive(Serialize)]
pub struct Returns {
    name: String,
    state: State,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    affected: Vec<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let command = Command::new(program(&args, sys)?);
    let command = match &args.password {
        Some(password) => login::with_password(command, password, &args, sys)?,
        None => command.opt("-c", args.config.as_ref().map(FilePath::text)),
    };
    let command = command.opt("-s", args.server_url.as_ref()).opt("-u", args.username.as_ref());
    let control = Control { command, args: &args };
    let affected = match args.state {
        State::Present => control.present(sys)?,
        State::Absent => control.absent(sys)?,
        State::Started => {
            let idle = |status: &str| !["RUNNING", "STARTING"].contains(&status);
            control.each(sys, &["start"], idle, ": started")?
        }
        State::Stopped => {
            let busy = |status: &str| ["RUNNING", "STARTING"].contains(&status);
            control.each(sys, &["stop"], busy, ": stopped")?
        }
        State::Restarted => {
            // What the configuration says of it counts from now on.
            control.read_again("update", sys)?;
            control.each(sys, &["restart"], |_| true, ": started")?
        }
        State::Signalled => {
            let signal = args.signal.clone().unwrap_or_default();
            let running = |status: &str| status == "RUNNING";
            control.each(sys, &["signal", &signal], running, ": signalled")?
        }
    };
    Ok(Returns { name: args.name.trim_end_matches(':').to_owned(), state: args.state, affected })
}

fn program(args: &Args, sys: &System<'_>) -> Result<PathBuf> {
    let Some(path) = &args.supervisorctl_path else { return sys.need("supervisorctl") };
    let is_file = sys.stat_followed(path)?.is_some_and(|meta| meta.is_file());
    if is_file && sys.access(path, Access::Execute) {
        return Ok(path.0.clone());
    }
    let msg = format!("Provided path to supervisorctl does not exist or isn't executable: {}", path.text());
    Err(Failure::new(msg))
}

struct Control<'a> {
    command: Command,
    args: &'a Args,
}

impl Control<'_> {
    fn words(&self, words: &[&str]) -> Command {
        self.command.clone().args(words)
    }

    /// The programs that are meant, with their states.
    fn programs(&self, sys: &mut System<'_>) -> Result<Vec<(String, String)>> {
        let output = sys.query(self.words(&["status"]))?;
        let text = output.stdout();
        // 3: some do not run.
        if ![0, 3].contains(&output.code)
            || text.contains("refused connection")
            || text.contains("no such file")
        {
            let said = [output.stdout(), output.stderr()].concat();
            return Err(self.failed(said.trim(), &output));
        }
        let name = &self.args.name;
        let is_meant = |program: &str| {
            name == "all"
                || program == name
                || name
                    .strip_suffix(':')
                    .is_some_and(|group| program.split(':').next() == Some(group) && program.contains(':'))
        };
        let programs = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.to_owned()))
        });
        Ok(programs.filter(|(program, _)| is_meant(program)).collect())
    }

    /// Has the daemon read its configuration again: what comes next is about that.
    fn read_again(&self, verb: &str, sys: &mut System<'_>) -> Result<()> {
        let Some(output) = sys.housekeep(self.words(&[verb]))? else { return Ok(()) };
        // Old ones end well however it went.
        let is_error = |line: &str| line.to_lowercase().starts_with("error:");
        if output.ok() && !output.stdout().lines().any(is_error) {
            return Ok(());
        }
        let said = [output.stdout(), output.stderr()].concat();
        Err(self.failed(&format!("supervisorctl {verb} failed: {}", said.trim()), &output))
    }

    fn failed(&self, said: &str, output: &Output) -> Failure {
        Failure::new(said).with("name", &self.args.name).with("rc", output.code)
    }

    /// Asks for something of each program that needs it, and tells of which.
    fn each(
        &self,
        sys: &mut System<'_>,
        verb: &[&str],
        needs: impl Fn(&str) -> bool,
        success: &str,
    ) -> Result<Vec<String>> {
        let programs = self.programs(sys)?;
        if programs.is_empty() {
            return Err(Failure::new("ERROR (no such process)").with("name", &self.args.name));
        }
        let needy: Vec<&String> =
            programs.iter().filter(|(_, status)| needs(status)).map(|(program, _)| program).collect();
        for program in &needy {
            let command = self.words(&[verb, &[program.as_str()]].concat());
            let does = |output: &Output| output.stdout().contains(success);
            let Some(output) = sys.exec_judged(command, does)? else { continue };
            if !does(&output) {
                return Err(Failure::new(output.stdout().trim()));
            }
        }
        Ok(needy.into_iter().cloned().collect())
    }

    fn present(&self, sys: &mut System<'_>) -> Result<Vec<String>> {
        if !self.programs(sys)?.is_empty() {
            return Ok(Vec::new());
        }
        self.read_again("reread", sys)?;
        let name = self.args.name.trim_end_matches(':');
        self.must(sys, "add", name, &format!("{name}: added process group"))
    }

    fn absent(&self, sys: &mut System<'_>) -> Result<Vec<String>> {
        let programs = self.programs(sys)?;
        if programs.is_empty() {
            return Ok(Vec::new());
        }
        if self.args.stop_before_removing {
            sys.attempt(self.words(&["stop", &self.args.name]))?;
        }
        self.read_again("reread", sys)?;
        let name = self.args.name.trim_end_matches(':');
        self.must(sys, "remove", name, &format!("{name}: removed process group"))
    }

    fn must(&self, sys: &mut System<'_>, verb: &str, name: &str, success: &str) -> Result<Vec<String>> {
        let does = |output: &Output| output.stdout().contains(success);
        match sys.attempt_judging(self.words(&[verb, name]), does)? {
            Some(output) if !does(&output) => {
                Err(self.failed(&output.stdout(), &output).with("state", self.args.state))
            }
            _ => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("supervisorctl");
        let program = "/usr/bin/supervisorctl";
        trial.host.program(program).script(program, |command, _| {
            let line = command.line();
            let last = command.argv.last().unwrap().to_string_lossy().into_owned();
            let stdout = match () {
                () if line.contains(" status") => {
                    "app RUNNING pid 1\nidle STOPPED x\ng:a RUNNING y\ng:b STOPPED z\n".to_owned()
                }
                () if line.contains(" restart ") => format!("{last}: stopped\n{last}: started\n"),
                () if line.contains(" start ") => format!("{last}: started\n"),
                () if line.contains(" stop ") => format!("{last}: stopped\n"),
                () if line.contains(" signal ") => format!("{last}: signalled\n"),
                () if line.contains(" add ") => format!("{last}: added process group\n"),
                () if line.contains(" remove ") => format!("{last}: removed process group\n"),
                () => String::new(),
            };
            crate::kit::Output { stdout: stdout.into(), ..Default::default() }
        });
        trial
    }

    fn check(args: &Json, expected: &[&str]) {
        let trial = trial();
        trial.foretold(args, !expected.is_empty());
        let ran = trial.host.ran();
        let made: Vec<&str> = ran
            .iter()
            .map(|line| line.trim_start_matches("/usr/bin/supervisorctl "))
            .filter(|line| !line.ends_with("status"))
            .collect();
        assert_eq!(made, expected, "{args}");
    }

    #[test]
    fn programs_are_controlled() {
        let to = |name: &str, state: &str| json!({"name": name, "state": state});
        check(&to("app", "started"), &[]);
        check(&to("idle", "started"), &["start idle"]);
        check(&to("app", "stopped"), &["stop app"]);
        check(&to("g:", "started"), &["start g:b"]);
        check(&to("g:b", "stopped"), &[]);
        check(&to("all", "started"), &["start idle", "start g:b"]);
        check(&to("app", "restarted"), &["update", "restart app"]);
        check(&to("app", "present"), &[]);
        check(&to("new", "present"), &["reread", "add new"]);
        check(&to("new", "absent"), &[]);
        check(&to("g:", "absent"), &["reread", "remove g"]);
        let stop = json!({"name": "app", "state": "absent", "stop_before_removing": true});
        check(&stop, &["stop app", "reread", "remove app"]);
        check(&json!({"name": "app", "state": "signalled", "signal": "USR1"}), &["signal USR1 app"]);
    }

    #[test]
    fn the_password_stands_in_no_argument() {
        let trial = trial();
        let config =
            "[supervisord]\npassword=x\n[supervisorctl]\nserverurl=unix://%(here)s/s\npassword=old\n[a]\n";
        trial.host.file("/etc/supervisor/supervisord.conf", config);
        let program = "/usr/bin/supervisorctl";
        trial.host.program(program).script(program, |command, _| {
            let line = command.line();
            assert!(line.starts_with("/usr/bin/supervisorctl -c /dev/stdin -u adm "), "{line}");
            let expected = "[supervisorctl]\nserverurl=unix:///etc/supervisor/s\npassword=%(ENV_FANFARE_SUPERVISOR_PASSWORD)s\n";
            assert_eq!(command.stdin.as_deref(), Some(expected.as_bytes()));
            assert!(command.env.contains(&("FANFARE_SUPERVISOR_PASSWORD".into(), "pw % #;".into())));
            crate::kit::Output { stdout: "app: started\napp STOPPED x\n".into(), ..Default::default() }
        });
        let args = json!({"name": "app", "state": "started", "username": "adm", "password": "pw % #;"});
        assert_eq!(trial.run(&args)["affected"], json!(["app"]));
        assert!(!trial.host.ran().iter().any(|line| line.contains("pw")));
    }

    #[test]
    fn a_configuration_that_cannot_be_read_is_an_error() {
        for (verb, name, state) in
            [("update", "app", "restarted"), ("reread", "new", "present"), ("reread", "app", "absent")]
        {
            for (code, said) in [(2, ""), (0, "ERROR: CANT_REREAD: no section\n")] {
                let trial = trial();
                trial.host.answer(&format!("/usr/bin/supervisorctl {verb}"), code, said);
                let got = trial.run(&json!({"name": name, "state": state}));
                let msg = got["msg"].as_str().unwrap();
                assert!(msg.starts_with(&format!("supervisorctl {verb} failed")), "{got}");
                let last = trial.host.ran().pop().unwrap();
                assert!(last.ends_with(verb), "{last}");
            }
        }
    }

    #[test]
    fn what_is_refused_is_no_change() {
        for (verb, name, state) in [("add", "new", "present"), ("remove", "app", "absent")] {
            let trial = trial();
            trial.host.answer(&format!("/usr/bin/supervisorctl {verb}"), 0, "ERROR: no such process\n");
            let got = trial.run(&json!({"name": name, "state": state}));
            assert_eq!((&got["failed"], &got["changed"]), (&json!(true), &json!(false)), "{got}");
        }
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (args, msg) in [
            (json!({"name": "no", "state": "started"}), "ERROR (no such process)"),
            (
                json!({"name": "app", "state": "signalled"}),
                "state is signalled but all of the following are missing: signal",
            ),
            (
                json!({"name": "app", "state": "started", "supervisorctl_path": "/no"}),
                "Provided path to supervisorctl does not exist or isn't executable: /no",
            ),
        ] {
            assert_eq!(trial().run(&args)["msg"], msg);
        }
    }
}
