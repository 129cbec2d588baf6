use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::kit::{Command, Failure, FilePath, Output, Result, System};
use crate::lineinfile::State;

/// Manages the settings of git.
///
/// # Examples
///
/// ```yaml
/// - name: An alias of the user's
///   git_config: {name: alias.ci, scope: global, value: commit}
///
/// - name: No such alias
///   git_config: {name: alias.ci, scope: global, state: absent}
///
/// - name: In one repository
///   git_config: {name: user.email, repo: /etc, scope: local, value: root@example.org}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [
    ["scope", "local", ["repo"]], ["scope", "file", ["file"]], ["state", "present", ["value"]],
]))]
pub struct Args {
    /// The setting, with its section.
    pub name: String,
    /// Its value.
    pub value: Option<String>,
    /// Whether it is set.
    #[serde(default)]
    pub state: State,
    /// Whose settings: of a file, a repository, the user or the machine, which is usual.
    pub scope: Option<Scope>,
    /// The repository.
    pub repo: Option<FilePath>,
    /// The file.
    pub file: Option<FilePath>,
    /// Whether other values of the setting go, or stay beside this one.
    #[serde(default)]
    pub add_mode: AddMode,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    File,
    Local,
    Global,
    System,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AddMode {
    Add,
    #[default]
    ReplaceAll,
}

#[derive(Serialize)]
pub struct Returns {
    msg: &'static str,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let git = sys.need("git")?;
    let git = Git { args: &args, program: git };
    let old = git.values(sys)?;
    let value = args.value.clone().unwrap_or_default();
    let (command, new) = match (args.state, args.add_mode) {
        (State::Absent, _) if old.is_empty() => return Ok(Returns { msg: "no setting to unset" }),
        (State::Absent, _) => (git.command("--unset-all"), Vec::new()),
        (State::Present, AddMode::Add) if old.contains(&value) => return Ok(Returns { msg: "" }),
        (State::Present, AddMode::ReplaceAll) if old == [value.as_str()] => return Ok(Returns { msg: "" }),
        (State::Present, AddMode::Add) => {
            (git.command("--add").arg(&value), old.iter().cloned().chain([value]).collect())
        }
        (State::Present, AddMode::ReplaceAll) => (git.command("--replace-all").arg(&value), vec![value]),
    };
    let words: Vec<String> = command.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    sys.exec(command).map_err(|failure| {
        let said = failure.fields.get("stderr").and_then(Json::as_str).unwrap_or_default().to_owned();
        Failure { msg: said, ..failure }.with("cmd", &words).without("stdout").without("stderr")
    })?;
    sys.tell_states(&words.join(" "), shown(&old), shown(&new));
    Ok(Returns { msg: "setting changed" })
}

struct Git<'a> {
    args: &'a Args,
    program: PathBuf,
}

impl Git<'_> {
    fn command(&self, verb: &str) -> Command {
        let args = self.args;
        let mut command = Command::new(&self.program).args(["config", "--includes"]);
        command = match (args.scope.unwrap_or(Scope::System), &args.file) {
            (Scope::File, file) => command.opt("-f", file.as_ref().map(FilePath::text)),
            (Scope::Local, _) => command.arg("--local"),
            (Scope::Global, _) => command.arg("--global"),
            (Scope::System, _) => command.arg("--system"),
        };
        if let Some(repo) = &args.repo {
            command = command.dir(repo.0.clone());
        }
        command.args([verb, &args.name])
    }

    fn values(&self, sys: &mut System<'_>) -> Result<Vec<String>> {
        if let Some(repo) = &self.args.repo
            && !sys.is_dir(repo)?
        {
            return Err(Failure::new(format!("there is no repository {}", repo.text())));
        }
        let command = self.command("--get-all");
        let line = command.line();
        let Output { code, stdout, stderr, .. } = sys.query(command)?;
        // 1: there is no such setting. A file that is missing has none, either.
        if code > 1 {
            let msg = String::from_utf8_lossy(&stderr).into_owned();
            return Err(Failure::new(msg).with("rc", code).with("cmd", line));
        }
        Ok(String::from_utf8_lossy(&stdout).lines().map(str::to_owned).collect())
    }
}

/// Values as a diff shows them.
fn shown(values: &[String]) -> Json {
    match values {
        [] => "\n".into(),
        [value] => format!("{value}\n").into(),
        several => several.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(has: &str, mut args: Json, expected: Option<&str>) -> Json {
        let trial = Trial::of("git_config");
        trial.host.program("/usr/bin/git").answer("/usr/bin/git", 0, "");
        trial.host.answer(
            "/usr/bin/git config --includes --global --get-all",
            i32::from(has.is_empty()),
            has,
        );
        args["name"] = json!("a.b");
        args["scope"] = json!("global");
        let told = trial.check(&args);
        let got = trial.run(&args);
        assert_eq!(
            (&told["changed"], &got["changed"]),
            (&json!(expected.is_some()), &told["changed"]),
            "{got}"
        );
        let ran = trial.host.ran();
        let made = ran.iter().find(|line| !line.contains("--get-all"));
        let line = expected.map(|words| format!("/usr/bin/git config --includes --global {words}"));
        assert_eq!(made, line.as_ref(), "{args}");
        told
    }

    #[test]
    fn settings_come_and_go() {
        check("", json!({"value": "x y"}), Some("--replace-all a.b x y"));
        check("x\n", json!({"value": "x"}), None);
        check("x\ny\n", json!({"value": "x"}), Some("--replace-all a.b x"));
        check("x\n", json!({"value": "x", "add_mode": "add"}), None);
        let told = check("x\n", json!({"value": "y", "add_mode": "add"}), Some("--add a.b y"));
        assert_eq!((&told["diff"]["before"], &told["diff"]["after"]), (&json!("x\n"), &json!(["x", "y"])));
        check("x\n", json!({"state": "absent"}), Some("--unset-all a.b"));
        let told = check("", json!({"state": "absent"}), None);
        assert_eq!(told["msg"], "no setting to unset");
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = Trial::of("git_config");
        trial.host.program("/usr/bin/git").answer("/usr/bin/git", 128, "");
        for (args, msg) in [
            (json!({"name": "a.b"}), "state is present but all of the following are missing: value"),
            (
                json!({"name": "a.b", "value": "x", "scope": "local"}),
                "scope is local but all of the following are missing: repo",
            ),
            (
                json!({"name": "a.b", "value": "x", "scope": "local", "repo": "/no"}),
                "there is no repository /no",
            ),
            (json!({"name": "a.b", "value": "x"}), ""),
        ] {
            let got = trial.run(&args);
            assert_eq!((&got["failed"], &got["msg"]), (&json!(true), &json!(msg)));
        }
    }
}
