use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Result, System};
use crate::lineinfile::State;

/// Has a command or script run once, later, with `at`.
///
/// # Examples
///
/// ```yaml
/// - name: In twenty minutes
///   at: {command: ls -d / >/dev/null, count: 20, units: minutes}
///
/// - name: Once, however often this is done
///   at: {command: ls -d / >/dev/null, count: 20, units: minutes, unique: true}
///
/// - name: Never
///   at: {command: ls -d / >/dev/null, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["command", "script_file"]],
    "required_one_of" = [["command", "script_file"]],
))]
pub struct Args {
    /// The command, for a shell.
    pub command: Option<String>,
    /// A script of the target.
    pub script_file: Option<String>,
    /// In how many units of time.
    pub count: Option<i64>,
    /// The unit.
    pub units: Option<Units>,
    /// Whether there is such a job.
    #[serde(default)]
    pub state: State,
    /// Makes no job where there is one of that command already.
    #[serde(default)]
    pub unique: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Units {
    Minutes,
    Hours,
    Days,
    Weeks,
}

impl Units {
    fn name(self) -> &'static str {
        match self {
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
            Self::Weeks => "weeks",
        }
    }
}

#[derive(Serialize)]
pub struct Returns {
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    script_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<Units>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let at = sys.need("at")?;
    let none = Returns { state: args.state, script_file: None, count: None, units: None };
    if args.state == State::Absent {
        for job in jobs(&args, &at, sys)? {
            sys.exec(Command::new(&at).args(["-r", &job]))?;
        }
        return Ok(none);
    }
    let (Some(count), Some(units)) = (args.count, args.units) else {
        return Err(Failure::new("present state requires count and units"));
    };
    if args.unique && !jobs(&args, &at, sys)?.is_empty() {
        return Ok(none);
    }
    let (script, scratch) = match (&args.script_file, &args.command) {
        (Some(file), _) => (PathBuf::from(file), None),
        (None, command) => {
            let scratch = sys.scratch(None);
            let content = format!("{}\n", command.as_deref().unwrap_or_default());
            if !sys.is_check() {
                sys.spool(&scratch, 0o600, &mut content.as_bytes())?;
            }
            (scratch.clone(), Some(scratch))
        }
    };
    let command = Command::new(&at).arg("-f").arg(&script);
    let asked = sys.exec(command.args(["now", "+", &count.to_string(), units.name()]));
    if let Some(scratch) = scratch {
        sys.discard(&scratch)?;
    }
    asked.map_err(Failure::as_said)?;
    let script_file = Some(script.to_string_lossy().into_owned());
    Ok(Returns { state: args.state, script_file, count: Some(count), units: Some(units) })
}

/// The numbers of the jobs that run the command or script.
fn jobs(args: &Args, at: &Path, sys: &mut System<'_>) -> Result<Vec<String>> {
    let wanted = match (&args.script_file, &args.command) {
        (Some(file), _) => sys
            .read_text_if_there(file.as_ref())?
            .ok_or_else(|| Failure::new(format!("cannot read the script {file}: there is no such file")))?,
        (None, command) => command.clone().unwrap_or_default(),
    };
    let listed = sys.query(Command::new(at).arg("-l"))?;
    if !listed.ok() {
        return Err(Failure::new(format!("at -l: {}", listed.stderr().trim())).with("rc", listed.code));
    }
    let mut found = Vec::new();
    for line in listed.stdout().lines() {
        let Some(job) = line.split_whitespace().next() else { continue };
        let job = job.to_owned();
        // A job that has begun meanwhile is none any more.
        let told = sys.query(Command::new(at).args(["-c", &job]))?;
        if told.ok() && told.stdout().contains(&format!("\n{}\n", wanted.trim_end_matches('\n'))) {
            found.push(job);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("at");
        trial.host.program("/usr/bin/at").answer("/usr/bin/at", 0, "").answer(
            "/usr/bin/at -l",
            0,
            "7\tSun Nov 22 18:24:00 2026 a root\n",
        );
        trial.host.answer("/usr/bin/at -c 7", 0, "#!/bin/sh\nexport A\nls -d /\n").file("/s", "ls -d /\n");
        trial
    }

    fn check(args: &Json, expected: Option<&str>) {
        let trial = trial();
        trial.foretold(args, expected.is_some());
        let ran = trial.host.ran();
        let made = ran.iter().find(|line| line.contains("at -f") || line.contains("at -r"));
        assert_eq!(made.map(|line| line.replace("m0", "N")).as_deref(), expected, "{args}");
        assert_eq!(trial.host.list_of("/tmp"), "");
    }

    #[test]
    fn jobs_come_and_go() {
        let job = |command: &str| json!({"command": command, "count": 2, "units": "days"});
        let script = json!({"script_file": "/s", "count": 1, "units": "weeks"});
        check(&script, Some("/usr/bin/at -f /s now + 1 weeks"));
        let unique = |command: &str| {
            let mut args = job(command);
            args["unique"] = json!(true);
            args
        };
        check(&unique("ls -d /"), None);
        check(&json!({"command": "ls -d /", "state": "absent"}), Some("/usr/bin/at -r 7"));
        check(&json!({"command": "ls", "state": "absent"}), None);
        check(&json!({"script_file": "/s", "state": "absent"}), Some("/usr/bin/at -r 7"));
        let trial = trial();
        let got = trial.run(&unique("ls"));
        assert_eq!((&got["changed"], &got["units"]), (&json!(true), &json!("days")));
        assert_eq!(trial.run(&json!({"command": "x"}))["msg"], "present state requires count and units");
    }
}
