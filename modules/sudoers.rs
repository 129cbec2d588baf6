use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::yes;
use crate::kit::{Command, Failure, FileAttributes, FilePath, Mode, Result, System, WriteOptions};

use crate::lineinfile::State;

/// Manages what users may do with sudo, one file a rule.
///
/// # Examples
///
/// ```yaml
/// - name: Backups are allowed to a user
///   sudoers: {name: allow-backup, user: backup, commands: /usr/local/bin/backup}
///
/// - name: A group may see two things as another user
///   sudoers:
///     name: monitor-app
///     group: monitoring
///     runas: alice
///     host: server
///     commands: [/usr/local/bin/gather-app-metrics, /usr/local/bin/app-status]
///
/// - name: No such rule
///   sudoers: {name: alice-service, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["user", "group"]],
    "required_if" = [["state", "present", ["commands"]]],
))]
pub struct Args {
    /// The name of the file.
    pub name: String,
    /// What is allowed: commands with their arguments, or `ALL`.
    pub commands: Option<Vec<String>>,
    /// Settings for the user or group, each on a line of its own.
    pub defaults: Option<Vec<String>>,
    /// The user it is allowed to.
    pub user: Option<String>,
    /// The group it is allowed to.
    pub group: Option<String>,
    /// On which host.
    #[serde(default = "all")]
    pub host: String,
    /// As whom the commands run.
    pub runas: Option<String>,
    /// Whether no password is asked for.
    #[serde(default = "yes")]
    pub nopassword: bool,
    /// Whether the environment may be kept.
    #[serde(default)]
    pub setenv: bool,
    /// Keeps the commands from running others.
    #[serde(default)]
    pub noexec: bool,
    /// Whether there is such a rule.
    #[serde(default)]
    pub state: State,
    /// The directory.
    #[serde(default = "usual")]
    pub sudoers_path: FilePath,
    /// Whether `visudo` looks at the rule first: where there is one, never, or always.
    #[serde(default)]
    pub validation: Validation,
}

fn all() -> String {
    "ALL".to_owned()
}

fn usual() -> FilePath {
    "/etc/sudoers.d".into()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Validation {
    Absent,
    #[default]
    Detect,
    Required,
}

#[derive(Serialize)]
pub struct Returns {}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if ["", ".", ".."].contains(&args.name.as_str()) || args.name.contains('/') {
        return Err(Failure::new(format!(
            "name: {:?} is no name of a file in {}: it is not empty, `.` or `..`, and has no `/`",
            args.name,
            args.sudoers_path.text()
        )));
    }
    let path: PathBuf = args.sudoers_path.join(&args.name);
    if args.state == State::Absent {
        sys.remove_file(&path)?;
        return Ok(Returns {});
    }
    let content = content(&args)?;
    if sys.read_text_if_there(&path)?.as_deref() != Some(&content) {
        validate(&args, &content, sys)?;
    }
    let mode = Mode::Bits(0o440);
    let attributes = FileAttributes { mode: Some(mode), ..FileAttributes::default() };
    let options = WriteOptions { attributes: Some(&attributes), ..WriteOptions::default() };
    sys.write_with(&path, content, &options)?;
    Ok(Returns {})
}

fn content(args: &Args) -> Result<String> {
    let owner = match (&args.user, &args.group) {
        (Some(user), _) => user.clone(),
        (None, Some(group)) => format!("%{group}"),
        (None, None) => return Err(Failure::new("one of the following is required: user, group")),
    };
    let mut lines: Vec<String> =
        args.defaults.iter().flatten().map(|default| format!("Defaults:{owner} {default}\n")).collect();
    let tags = [("NOEXEC:", args.noexec), ("NOPASSWD:", args.nopassword), ("SETENV:", args.setenv)];
    let tags: String = tags.iter().filter(|(_, wanted)| *wanted).map(|(tag, _)| *tag).collect();
    let runas = args.runas.as_ref().map(|user| format!("({user})")).unwrap_or_default();
    let commands = args.commands.as_ref().map(|commands| commands.join(", ")).unwrap_or_default();
    lines.push(format!("{owner} {}={runas}{tags} {commands}\n", args.host));
    Ok(lines.concat())
}

/// Asks `visudo` whether the rule is one.
fn validate(args: &Args, content: &str, sys: &mut System<'_>) -> Result<()> {
    if args.validation == Validation::Absent {
        return Ok(());
    }
    let visudo = match sys.which("visudo") {
        Some(visudo) => visudo,
        None if args.validation == Validation::Required => sys.need("visudo")?,
        None => return Ok(()),
    };
    let output = sys.query(Command::new(visudo).args(["-c", "-f", "-"]).stdin(content))?;
    if output.ok() {
        return Ok(());
    }
    let said = output.stdout().trim().to_owned();
    let msg = format!("Failed to validate sudoers rule:\n{said}");
    Err(Failure::new(msg).with("stdout", output.stdout()).with("stderr", output.stderr()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("sudoers");
        trial.host.dir("/etc/sudoers.d");
        trial
    }

    fn check(mut args: Json, expected: &str) {
        let trial = trial();
        args["name"] = json!("x");
        trial.lawful(&args);
        assert_eq!(trial.host.read("/etc/sudoers.d/x").unwrap(), expected, "{args}");
        assert_eq!(trial.host.meta("/etc/sudoers.d/x").unwrap().mode, 0o440);
    }

    #[test]
    fn rules_are_written() {
        check(json!({"user": "bob", "commands": "ALL"}), "bob ALL=NOPASSWD: ALL\n");
        let group = json!({"group": "web", "commands": ["/a", "/b x"], "runas": "root", "host": "h", "nopassword": false});
        check(group, "%web h=(root) /a, /b x\n");
        let tags = json!({"user": "bob", "commands": "ALL", "setenv": true, "noexec": true});
        check(tags, "bob ALL=NOEXEC:NOPASSWD:SETENV: ALL\n");
        let defaults = json!({"user": "bob", "commands": "/a", "defaults": ["!requiretty", "env_keep += X"]});
        check(defaults, "Defaults:bob !requiretty\nDefaults:bob env_keep += X\nbob ALL=NOPASSWD: /a\n");
    }

    #[test]
    fn rules_go() {
        let trial = trial();
        trial.host.file("/etc/sudoers.d/x", "bob\n");
        trial.lawful(&json!({"name": "x", "state": "absent"}));
        assert_eq!(trial.host.read("/etc/sudoers.d/x"), None);
    }

    #[test]
    fn directories_stay() {
        let trial = trial();
        trial.host.file("/etc/sudoers.d/dir/x", "bob\n");
        for name in ["", ".", "..", "/etc", "../sudoers.d", "dir"] {
            for state in ["present", "absent"] {
                let before = trial.host.snapshot();
                let got = trial.run(&json!({"name": name, "state": state, "user": "bob", "commands": "ALL"}));
                assert_eq!(got["failed"], json!(true), "{name}: {got}");
                assert_eq!(trial.host.snapshot(), before, "{name}");
            }
        }
    }

    #[test]
    fn visudo_is_asked() {
        let trial = trial();
        let args = json!({"name": "x", "user": "bob", "commands": "(", "validation": "required"});
        assert_eq!(
            trial.run(&args)["msg"],
            "Failed to find required executable \"visudo\": install it first"
        );
        trial.host.program("/usr/sbin/visudo").answer("/usr/sbin/visudo", 1, "stdin:1:5: syntax error\n");
        let got = trial.run(&args);
        assert_eq!(got["msg"], "Failed to validate sudoers rule:\nstdin:1:5: syntax error");
        assert_eq!(trial.host.read("/etc/sudoers.d/x"), None);
        let nobody = trial.run(&json!({"name": "x", "commands": "ALL"}));
        assert_eq!(nobody["msg"], "one of the following is required: user, group");
    }
}
