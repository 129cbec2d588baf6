use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, FilePath, Output, Result, System, Time, glob, words};

/// Runs a command, without a shell.
///
/// Nothing of a shell is there: no pipes, `<`, `>`, `;`, `&` or wildcards. Use `shell` where they are needed.
/// `$VAR` and `~` in arguments are expanded from the environment of the worker.
///
/// A command says nothing about what it changes, so it always counts as changed, unless `creates` or `removes`
/// says that it need not run. In check mode it does not run.
///
/// # Examples
///
/// ```yaml
/// - name: The kernel's version
///   command: uname -r
///   register: kernel
///
/// - name: The database is made once
///   command: /usr/bin/make_database.sh db_user db_name
///   args:
///     chdir: /srv
///     creates: /srv/database
///
/// - name: Arguments as a list need no quoting
///   command:
///     argv: [/usr/bin/make_database.sh, A user, db_name]
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "free_form" = "cmd",
    "mutually_exclusive" = [["cmd", "argv"]],
    "required_one_of" = [["cmd", "argv"]],
    "words" = {
        "parameters are mutually exclusive: cmd|argv": "parameters are mutually exclusive: _raw_params|cmd|argv",
        "one of the following is required: cmd, argv": "one of the following is required: _raw_params, cmd, argv",
    },
))]
pub struct Args {
    /// The command with its arguments, split at blanks; quotes keep words together.
    pub cmd: Option<String>,
    /// The command with its arguments as a list.
    pub argv: Option<Vec<String>>,
    #[serde(flatten)]
    pub when: When,
    /// What the command reads from its standard input.
    pub stdin: Option<String>,
    /// Whether a line break is added to `stdin`.
    #[serde(default = "yes")]
    pub stdin_add_newline: bool,
    /// Whether line breaks at the end of stdout and stderr are taken off.
    #[serde(default = "yes")]
    pub strip_empty_ends: bool,
    /// Whether `$VAR` and `~` in arguments are expanded.
    #[serde(default = "yes")]
    pub expand_argument_vars: bool,
    /// Is not used: `shell` takes it.
    pub executable: Option<String>,
}

/// Where and when to run.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct When {
    /// The directory to run in.
    pub chdir: Option<FilePath>,
    /// A path or pattern. When something is there, the command does not run.
    pub creates: Option<FilePath>,
    /// A path or pattern. When nothing is there, the command does not run.
    pub removes: Option<FilePath>,
}

pub(crate) fn yes() -> bool {
    true
}

/// What `command` and `shell` return.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Returns {
    msg: String,
    rc: i32,
    stdout: String,
    stderr: String,
    /// As a list for `command`, as text for `shell`.
    cmd: serde_json::Value,
    /// Local time, with microseconds.
    start: Option<String>,
    end: Option<String>,
    /// How long it ran: `0:00:01.500000`.
    delta: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if let Some(shell) = &args.executable {
        sys.warn(format!(
            "As of Ansible 2.4, the parameter 'executable' is no longer supported with the 'command' module. Not using \
             '{shell}'."
        ));
    }
    let argv = match (args.argv, &args.cmd) {
        (Some(argv), _) => argv,
        (None, Some(line)) => words::split(line).map_err(|why| Failure::new(format!("{why}: {line}")))?,
        (None, None) => Vec::new(),
    };
    if argv.first().is_none_or(String::is_empty) {
        let rc = if argv.is_empty() { 257 } else { 13 };
        let line = Command::default().args(argv).line();
        return Err(not_started("no command given", &Returns::default(), &line, rc));
    }
    let shown = serde_json::Value::from(argv.clone());
    let mut expanded = Vec::with_capacity(argv.len());
    for word in argv {
        expanded.push(if args.expand_argument_vars { sys.expand(&word)? } else { word });
    }
    let run = Run {
        command: Command::default().args(expanded),
        shown,
        when: args.when,
        stdin: args.stdin,
        stdin_add_newline: args.stdin_add_newline,
        strip: args.strip_empty_ends,
    };
    run.go(sys)
}

/// A command with all that `command` and `shell` have in common.
pub(crate) struct Run {
    pub command: Command,
    /// The `cmd` of the result.
    pub shown: serde_json::Value,
    pub when: When,
    pub stdin: Option<String>,
    pub stdin_add_newline: bool,
    pub strip: bool,
}

impl Run {
    pub fn go(self, sys: &mut System<'_>) -> Result<Returns> {
        let mut returns = Returns { cmd: self.shown, ..Returns::default() };
        let dir = self.when.chdir.as_deref();
        if let Some(dir) = dir
            && !matches!(sys.stat_followed(dir)?, Some(meta) if meta.is_dir())
        {
            return Err(Failure::new(format!(
                "Unable to change directory before execution: {}",
                dir.display()
            ))
            .with_all(&returns)
            .without("rc"));
        }
        let lead = if sys.is_check() { "Would" } else { "Did" };
        if let Some(needless) = self.when.needless(sys)? {
            returns.stdout = format!("skipped, since {} {}", needless.path, needless.state);
            returns.msg = format!("{lead} not run command since '{}' {}", needless.path, needless.state);
            return Ok(returns);
        }
        let mut command = self.command.aloud();
        command.dir = dir.map(Path::to_owned);
        command.stdin = self.stdin.map(|mut text| {
            if self.stdin_add_newline {
                text.push('\n');
            }
            text.into_bytes()
        });
        let start = sys.now();
        // What a command does is known beforehand only where `creates` or `removes` tells it.
        let line = command.line();
        let ran = if self.when.creates.is_some() || self.when.removes.is_some() {
            sys.attempt_users_own(command)
        } else {
            sys.attempt_unforetold(command)
        };
        let Some(output) = ran.map_err(|failure| no_start(failure, &returns, &line))? else {
            "Command would have run if not in check mode".clone_into(&mut returns.msg);
            returns.skipped = self.when.creates.is_none() && self.when.removes.is_none();
            return Ok(returns);
        };
        let end = sys.now();
        returns.start = Some(local(start));
        returns.end = Some(local(end));
        returns.delta = Some(delta(start, end));
        returns.rc = output.code;
        (returns.stdout, returns.stderr) = texts(&output, sys);
        if self.strip {
            for text in [&mut returns.stdout, &mut returns.stderr] {
                text.truncate(text.trim_end_matches(['\r', '\n']).len());
            }
        }
        if output.ok() {
            return Ok(returns);
        }
        Err(Failure::new("The command exited with a non-zero return code.").with_all(&returns))
    }
}

/// Why a command need not run.
pub(crate) struct Needless {
    pub path: String,
    /// `exists` or `does not exist`.
    pub state: &'static str,
}

impl When {
    /// Looks at `creates` and `removes`.
    pub(crate) fn needless(&self, sys: &System<'_>) -> Result<Option<Needless>> {
        let there = |path: &FilePath| -> Result<bool> {
            let path = self.chdir.as_ref().map_or_else(|| path.0.clone(), |dir| dir.join(&path.0));
            Ok(!glob::expand(sys, &path)?.is_empty())
        };
        if let Some(path) = &self.creates
            && there(path)?
        {
            return Ok(Some(Needless { path: path.text().into_owned(), state: "exists" }));
        }
        if let Some(path) = &self.removes
            && !there(path)?
        {
            return Ok(Some(Needless { path: path.text().into_owned(), state: "does not exist" }));
        }
        Ok(None)
    }
}

/// Output as text. What is no UTF-8 shows as `\xff`, and the user is told.
pub(crate) fn texts(output: &Output, sys: &mut System<'_>) -> (String, String) {
    let mut text = |bytes: &[u8], name: &str| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return text.to_owned();
        }
        sys.warn(format!("{name} is not UTF-8: the bytes that are not are shown as \\xNN"));
        escape(bytes)
    };
    (text(&output.stdout, "stdout"), text(&output.stderr, "stderr"))
}

fn escape(bytes: &[u8]) -> String {
    bytes.utf8_chunks().fold(String::new(), |mut text, chunk| {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
        text
    })
}

fn no_start(failure: Failure, returns: &Returns, line: &str) -> Failure {
    if failure.fields.contains_key("timedout") {
        return failure;
    }
    let rc = i64::from(failure.errno.unwrap_or(1));
    not_started(&failure.msg, returns, line, rc)
}

fn not_started(why: &str, returns: &Returns, line: &str, rc: i64) -> Failure {
    Failure::new(format!("Error executing command: {why}"))
        .with_all(returns)
        .with("cmd", line)
        .with("rc", rc)
        .without("start")
        .without("end")
        .without("delta")
}

/// As Python prints a local `datetime`.
pub(crate) fn local(time: Time) -> String {
    let at = jiff::Timestamp::new(time.secs, i32::try_from(time.nanos).unwrap_or(0)).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

/// As Python prints a `timedelta`.
pub(crate) fn delta(start: Time, end: Time) -> String {
    let micros = |time: Time| i128::from(time.secs) * 1_000_000 + i128::from(time.nanos / 1000);
    let micros = (micros(end) - micros(start)).max(0);
    let (secs, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (days, hours) = (secs / 86_400, secs / 3600 % 24);
    let lead = match days {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        days => format!("{days} days, "),
    };
    format!("{lead}{hours}:{:02}:{:02}.{micros:06}", secs / 60 % 60, secs % 60)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(args: &Json, expected: &Json) {
        let trial = Trial::of("command");
        trial.host.script("env", |command, _| crate::kit::Output {
            stdout: format!("{:?}", command.env).into(),
            ..Default::default()
        });
        trial
            .host
            .script("bytes", |_, _| crate::kit::Output { stdout: b"a\xffb\n".into(), ..Default::default() });
        let got = trial.run(args);
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(got.get(key), Some(value), "{key} of {got:#}");
        }
    }

    #[test]
    fn commands_run_without_a_shell() {
        check(
            &json!({"_raw_params": "echo 'a b' $HOME ~/x $NOSUCH *"}),
            &json!({"stdout": "a b /root /root/x $NOSUCH *", "rc": 0, "changed": true,
                    "cmd": ["echo", "a b", "$HOME", "~/x", "$NOSUCH", "*"], "msg": ""}),
        );
        check(&json!({"argv": ["echo", "$HOME"], "expand_argument_vars": "no"}), &json!({"stdout": "$HOME"}));
        check(&json!({"cmd": "cat", "stdin": "x", "strip_empty_ends": false}), &json!({"stdout": "x\n"}));
        check(&json!({"cmd": "cat", "stdin": "x", "stdin_add_newline": false}), &json!({"stdout": "x"}));
        check(&json!({"cmd": "bytes"}), &json!({"stdout": "a\\xffb"}));
    }

    #[test]
    fn what_did_not_start_has_no_times() {
        let keys = |args: &Json| {
            let mut keys: Vec<String> =
                Trial::of("command").run(args).as_object().unwrap().keys().cloned().collect();
            keys.sort();
            keys.join(" ")
        };
        let all = "changed cmd failed msg rc stderr stdout";
        assert_eq!(keys(&json!({"cmd": "/nope"})), all);
        assert_eq!(keys(&json!({"argv": []})), all);
        assert_eq!(keys(&json!({"cmd": "echo 'x"})), "changed failed msg");
        assert_eq!(
            keys(&json!({"cmd": "true", "creates": "/etc"})),
            "changed cmd delta end msg rc start stderr stdout"
        );
    }

    #[test]
    fn commands_that_cannot_run_or_fail_say_so() {
        check(
            &json!({"cmd": "false"}),
            &json!({"failed": true, "rc": 1, "msg": "The command exited with a non-zero return code.",
                    "changed": true}),
        );
        check(
            &json!({"cmd": "/nope 1"}),
            &json!({"failed": true, "rc": 2, "changed": false, "cmd": "/nope 1",
                    "msg": "Error executing command: cannot run /nope: No such file or directory (os error 2)"}),
        );
        check(&json!({"cmd": "echo 'x"}), &json!({"msg": "No closing quotation: echo 'x"}));
        check(&json!({"cmd": "echo", "chdir": "/nope"}), &json!({"failed": true, "changed": false}));
        check(&json!({}), &json!({"msg": "one of the following is required: _raw_params, cmd, argv"}));
        check(
            &json!({"cmd": "a", "argv": ["b"]}),
            &json!({"msg": "parameters are mutually exclusive: _raw_params|cmd|argv"}),
        );
    }

    #[test]
    fn creates_and_removes_make_a_command_needless() {
        check(
            &json!({"cmd": "false", "creates": "/etc/pass*"}),
            &json!({"changed": false, "rc": 0, "stdout": "skipped, since /etc/pass* exists",
                    "msg": "Did not run command since '/etc/pass*' exists"}),
        );
        check(&json!({"cmd": "false", "creates": "passwd", "chdir": "/etc"}), &json!({"changed": false}));
        check(&json!({"cmd": "true", "creates": "/nope"}), &json!({"changed": true}));
        check(
            &json!({"cmd": "false", "removes": "/nope"}),
            &json!({"changed": false, "msg": "Did not run command since '/nope' does not exist"}),
        );
    }

    #[test]
    fn check_mode_runs_nothing() {
        let trial = Trial::of("command");
        let skipped = trial.check(&json!({"cmd": "true"}));
        assert_eq!((&skipped["skipped"], &skipped["changed"]), (&json!(true), &json!(false)));
        assert_eq!(skipped["msg"], "Command would have run if not in check mode");
        let foretold = trial.check(&json!({"cmd": "true", "creates": "/nope"}));
        assert_eq!((&foretold["skipped"], &foretold["changed"]), (&Json::Null, &json!(true)));
        assert!(trial.host.ran().is_empty());
    }
}
