use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::{When, texts};
use crate::kit::{Command, ControlScript, Failure, Result, System, quote};

/// Runs a script of the control node.
///
/// The script is put on the target, run there through a shell with the arguments given, and removed. It needs a
/// `#!` line, or `executable`.
///
/// # Examples
///
/// ```yaml
/// - name: A script with arguments
///   script: /some/local/script.sh --some-argument 1234
///
/// - name: Only when it is needed
///   script: /some/local/create_file.sh --some-argument 1234
///   args:
///     creates: /the/created/file.txt
///
/// - name: With a program that runs it
///   script: /some/local/script.py
///   args:
///     executable: python3
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "free_form" = "cmd",
    "words" = {"missing required arguments: cmd": "one of the following is required: _raw_params, cmd"},
))]
pub struct Args {
    /// The path of the script on the control node, and its arguments.
    pub cmd: ControlScript,
    #[serde(flatten)]
    pub when: When,
    /// The program to run the script with.
    pub executable: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    rc: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let Args { cmd: script, when, executable } = args;
    // As in Ansible, `chdir` is for the script, not for these.
    let condition = When { chdir: None, ..when.clone() };
    if let Some(needless) = condition.needless(sys)? {
        let option = if needless.state == "exists" { "creates" } else { "removes" };
        let msg = format!("{} {}, matching {option} option", needless.path, needless.state);
        return Ok(Returns { skipped: true, msg: Some(msg), ..Returns::default() });
    }
    if let Some(dir) = when.chdir.as_ref().filter(|dir| !dir.is_absolute()) {
        let dir = dir.display();
        let msg = format!("chdir {dir} must be an absolute path for a Unix-aware remote node");
        return Err(Failure::new(msg));
    }
    let foretold = when.creates.is_some() || when.removes.is_some();
    let start = |sys: &mut System<'_>, line: String| {
        // The shell itself says where it cannot go.
        let cd = when.chdir.as_ref().map(|dir| format!("cd {} && ", quote(&dir.to_string_lossy())));
        let command = Command::new("/bin/sh").arg("-c").arg(cd.unwrap_or_default() + &line).aloud();
        if foretold { sys.attempt_users_own(command) } else { sys.attempt_unforetold(command) }
    };
    let ran = if sys.is_check() {
        start(sys, script.arguments.clone())?
    } else {
        sys.with_control_file(&script.file, 0o700, |sys, path| {
            let program = executable.map(|program| format!("{program} ")).unwrap_or_default();
            let path = quote(&path.to_string_lossy());
            start(sys, format!("{program}{path} {}", script.arguments))
        })?
    };
    let Some(output) = ran else {
        let msg = (!foretold).then(|| "Check mode is not supported for this task.".to_owned());
        return Ok(Returns { skipped: !foretold, msg, ..Returns::default() });
    };
    let (stdout, stderr) = texts(&output, sys);
    let returns =
        Returns { rc: Some(output.code), stdout: Some(stdout), stderr: Some(stderr), ..Returns::default() };
    if output.ok() { Ok(returns) } else { Err(Failure::new("non-zero return code").with_all(returns)) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::{Trial, control_file};

    fn script(arguments: &str) -> Json {
        json!({"file": control_file("s.sh", "#!/bin/sh\n"), "arguments": arguments})
    }

    #[test]
    fn the_script_is_put_there_run_and_removed() {
        let trial = Trial::of("script");
        trial.host.script("/bin/sh -c", |command, host| {
            let line = command.argv[2].to_string_lossy().into_owned();
            let path = line.split_whitespace().next().unwrap_or_default();
            let there = host.stat(std::path::Path::new(path), false).unwrap();
            crate::kit::Output {
                code: i32::from(there.is_none_or(|meta| meta.mode != 0o700)),
                stdout: line.rsplit("s.sh").next().unwrap_or_default().into(),
                ..Default::default()
            }
        });
        let before = trial.host.snapshot();
        let got = trial.run(&json!({"_raw_params": script("a 'b c'")}));
        assert_eq!((&got["rc"], &got["stdout"]), (&json!(0), &json!(" a 'b c'")), "{got}");
        assert_eq!(trial.host.snapshot(), before);
        let skipped = trial.run(&json!({"cmd": script(""), "creates": "/etc/passwd"}));
        assert_eq!(skipped["msg"], "/etc/passwd exists, matching creates option");
        assert_eq!(trial.check(&json!({"cmd": script("")}))["skipped"], true);
    }

    #[test]
    fn a_failing_script_fails() {
        let trial = Trial::of("script");
        trial.host.answer("/bin/sh -c", 3, "said");
        let got = trial.run(&json!({"cmd": script("")}));
        assert_eq!((&got["rc"], &got["msg"]), (&json!(3), &json!("non-zero return code")));
    }
}
