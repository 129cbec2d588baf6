use schemars::JsonSchema;
use serde::Deserialize;

use crate::command::{Returns, Run, When, yes};
use crate::kit::{Command, FilePath, Result, System};

/// Runs a line of shell.
///
/// As `command`, but `/bin/sh` (or `executable`) reads the line: pipes, redirections, wildcards and variables work.
/// Where they are not needed, `command` is safer. Use the `quote` filter on values that come from elsewhere.
///
/// # Examples
///
/// ```yaml
/// - name: A script's output is kept
///   shell: somescript.sh >> somelog.txt
///
/// - name: Only when the file is not there yet
///   shell: somescript.sh >> somelog.txt
///   args:
///     chdir: /srv/somedir
///     creates: somelog.txt
///
/// - name: Another shell
///   shell:
///     cmd: cat < /tmp/*txt
///     executable: /bin/bash
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "free_form" = "cmd",
    "words" = {"missing required arguments: cmd": "one of the following is required: _raw_params, cmd, argv"},
))]
pub struct Args {
    /// The line.
    pub cmd: String,
    #[serde(flatten)]
    pub when: When,
    /// The shell, as an absolute path.
    pub executable: Option<FilePath>,
    /// What the line reads from its standard input.
    pub stdin: Option<String>,
    /// Whether a line break is added to `stdin`.
    #[serde(default = "yes")]
    pub stdin_add_newline: bool,
    /// Whether empty lines at the end of the output are cut off.
    #[serde(default = "yes")]
    pub strip_empty_ends: bool,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let shell = args.executable.unwrap_or_else(|| "/bin/sh".into());
    let run = Run {
        command: Command::new(shell.0).arg("-c").arg(&args.cmd),
        shown: args.cmd.into(),
        when: args.when,
        stdin: args.stdin,
        stdin_add_newline: args.stdin_add_newline,
        strip: args.strip_empty_ends,
    };
    run.go(sys)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    #[test]
    fn a_shell_reads_the_line() {
        let trial = Trial::of("shell");
        let got = trial.run(&json!({"_raw_params": "echo hi"}));
        assert_eq!((&got["cmd"], &got["stdout"], &got["rc"]), (&json!("echo hi"), &json!("hi"), &json!(0)));
        trial.run(&json!({"cmd": "true", "executable": "/bin/bash"}));
        assert_eq!(trial.host.ran()[0], "/bin/sh -c echo hi");
        assert!(trial.host.ran().contains(&"/bin/bash -c true".to_owned()));
        assert_eq!(trial.run(&json!({}))["msg"], "one of the following is required: _raw_params, cmd, argv");
    }
}
