use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::command::yes;
use crate::docker::engine::{Question, quoted};
use crate::docker::{EngineOptions, at, stream, text};
use crate::kit::{Failure, Result, System, words};

/// Runs a command in a Docker container.
///
/// It counts as a change each time. Check mode does nothing, and says that it skipped.
///
/// # Examples
///
/// ```yaml
/// - name: The database is saved
///   docker_container_exec:
///     container: db
///     argv: [/bin/sh, -c, "pg_dump app >/backup/app.sql"]
///     user: postgres
///
/// - name: A command reads something
///   docker_container_exec: {container: web, command: tee /etc/motd, stdin: Hello}
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["argv", "command"]], "required_one_of" = [["argv", "command"]]))]
pub struct Args {
    /// The container's name or id.
    pub container: String,
    /// The command, a word each.
    pub argv: Option<Vec<String>>,
    /// The command as one text; quotes hold words together.
    pub command: Option<String>,
    /// The directory it runs in.
    pub chdir: Option<String>,
    /// Variables it gets, each a text.
    pub env: Option<Map<String, Json>>,
    /// Who runs it: `name`, `uid:gid`.
    pub user: Option<String>,
    /// What it reads.
    pub stdin: Option<String>,
    /// Whether a line's end stands behind that.
    #[serde(default = "yes")]
    pub stdin_add_newline: bool,
    /// Whether line ends behind its output are left out.
    #[serde(default = "yes")]
    pub strip_empty_ends: bool,
    /// Whether it gets a terminal; what it says of errors is in its output, then.
    #[serde(default)]
    pub tty: bool,
    /// Whether it goes on while nobody waits for it.
    #[serde(default)]
    pub detach: bool,
    #[serde(flatten)]
    pub engine: EngineOptions,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    if sys.is_check() {
        let msg = "remote module (community.docker.docker_container_exec) does not support check mode";
        return Ok(Map::from_iter([("skipped".to_owned(), true.into()), ("msg".to_owned(), msg.into())]));
    }
    if args.detach && args.stdin.is_some() {
        return Err(Failure::new("If detach=true, stdin cannot be provided."));
    }
    let argv = match (&args.argv, &args.command) {
        (Some(argv), _) => argv.clone(),
        (None, command) => words::split(command.as_deref().unwrap_or_default())
            .map_err(|why| Failure::new(format!("command: {why}")))?,
    };
    let env = args.env.as_ref().map(variables).transpose()?;
    let engine = args.engine.open(sys)?;
    let body = json!({
        "Container": args.container, "User": args.user.as_deref().unwrap_or_default(), "Privileged": false,
        "Tty": args.tty, "AttachStdin": args.stdin.is_some(), "AttachStdout": true, "AttachStderr": true, "Cmd": argv,
        "Env": env, "WorkingDir": args.chdir,
    });
    let made = engine.post(&format!("/containers/{}/exec", quoted(&args.container)), &body, sys);
    let made = made.map_err(|error| match error.status {
        404 => Failure::new(format!("Could not find container \"{}\"", args.container)),
        409 => Failure::new(format!("The container \"{}\" has been paused ({error})", args.container)),
        _ => Failure::new(format!("An unexpected Docker error occurred: {error}")),
    })?;
    let id = text(&made, "Id").to_owned();
    let path = format!("/exec/{}/start", quoted(&id));
    let body = json!({"Detach": args.detach, "Tty": args.tty});
    sys.count_as_change(format!("docker: {}", argv.join(" ")));
    if args.detach {
        engine.post(&path, &body, sys)?;
        return Ok(Map::from_iter([("exec_id".to_owned(), id.into())]));
    }
    let stdin = args.stdin.map(|text| if args.stdin_add_newline { text + "\n" } else { text });
    let question = Question { body: Some(&body), ..Question::new("POST", &path) };
    let said = engine.talk(&question, stdin.as_deref().map(str::as_bytes), sys)?;
    let (stdout, stderr) = if args.tty {
        (String::from_utf8_lossy(&said).into_owned(), String::new())
    } else {
        (stream::of(&said, 1), stream::of(&said, 2))
    };
    let ended = engine.get(&format!("/exec/{}/json", quoted(&id)), sys)?;
    let code = at(&ended, "ExitCode").clone();
    let shown = |text: String| {
        if args.strip_empty_ends { text.trim_end_matches(['\r', '\n']).to_owned() } else { text }
    };
    let (stdout, stderr) = (shown(stdout), shown(stderr));
    if code != json!(0) {
        return Err(Failure::new("non-zero return code")
            .with("rc", code)
            .with("stdout", stdout)
            .with("stderr", stderr));
    }
    Ok(Map::from_iter([
        ("rc".to_owned(), code),
        ("stdout".to_owned(), stdout.into()),
        ("stderr".to_owned(), stderr.into()),
    ]))
}

fn variables(given: &Map<String, Json>) -> Result<Vec<String>> {
    let variable = |(name, value): (&String, &Json)| match value {
        Json::String(value) => Ok(format!("{name}={value}")),
        _ => Err(Failure::new(format!(
            "Non-string value found for env option. Ambiguous env options must be wrapped in quotes to avoid them being \
             interpreted when directly specified in YAML, or explicitly converted to strings when the option is \
             templated. Key: {name}"
        ))),
    };
    given.iter().map(variable).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::docker::fake;
    use crate::kit::trial::Trial;

    #[test]
    fn what_a_command_says_is_told() {
        let trial = Trial::of("docker_container_exec");
        let engine = fake::serve(&trial.host);
        engine.lock().unwrap().said = b"\x01\0\0\0\0\0\0\x03hi\n\x02\0\0\0\0\0\0\x04err\n".to_vec();
        assert_eq!(trial.check(&json!({"container": "c", "command": "a"}))["skipped"], true);
        let told =
            trial.run(&json!({"container": "c", "command": "echo 'a b'", "env": {"A": "1"}, "chdir": "/x"}));
        let expected = json!({"changed": true, "rc": 0, "stdout": "hi", "stderr": "err"});
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&told[key], value, "{told}");
        }
        let asked = engine.lock().unwrap().asked.clone();
        assert!(asked[0].contains(r#""Cmd":["echo","a b"],"Env":["A=1"],"WorkingDir":"/x""#), "{asked:?}");
        let whole =
            trial.run(&json!({"container": "c", "argv": ["a"], "strip_empty_ends": false, "stdin": "x"}));
        assert_eq!((&whole["stdout"], &whole["stderr"]), (&json!("hi\n"), &json!("err\n")));
        let detached = trial.run(&json!({"container": "c", "argv": ["a"], "detach": true}));
        assert_eq!((&detached["exec_id"], &detached["changed"]), (&json!("e1"), &json!(true)), "{detached}");
        let failed = trial.run(&json!({"container": "c", "argv": ["false"]}));
        assert_eq!((&failed["failed"], &failed["rc"]), (&json!(true), &json!(3)), "{failed}");
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = Trial::of("docker_container_exec");
        fake::serve(&trial.host);
        for (args, msg) in [
            (json!({"container": "nope", "command": "a"}), "Could not find container \"nope\""),
            (
                json!({"container": "c", "command": "a", "detach": true, "stdin": "x"}),
                "If detach=true, stdin cannot be provided.",
            ),
        ] {
            assert_eq!(trial.run(&args)["msg"], msg);
        }
        let number = trial.run(&json!({"container": "c", "command": "a", "env": {"A": 1}}));
        assert!(number["msg"].as_str().unwrap().ends_with("Key: A"), "{number}");
    }
}
