use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::kit::{Command, Failure, FilePath, Result, System};

/// Makes targets of a Makefile.
///
/// `make --question` tells whether there is anything to do.
///
/// # Examples
///
/// ```yaml
/// - name: The default target
///   make: {chdir: /home/ubuntu/cool-project}
///
/// - name: Everything, with variables
///   make:
///     chdir: /home/ubuntu/cool-project
///     target: all
///     params: {NUM_THREADS: 4, BACKEND: lapack}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["target", "targets"]]))]
pub struct Args {
    /// The directory to run in.
    pub chdir: FilePath,
    /// The target.
    pub target: Option<String>,
    /// Several targets.
    pub targets: Option<Vec<String>>,
    /// Variables and other words for `make`; one without a value is the word alone.
    pub params: Option<Map<String, Json>>,
    /// The Makefile, where it has another name.
    pub file: Option<FilePath>,
    /// How many jobs run at a time.
    pub jobs: Option<u32>,
    /// The program; else `gmake` or `make`.
    pub make: Option<FilePath>,
}

#[derive(Serialize)]
pub struct Returns {
    stdout: String,
    stderr: String,
    target: Option<String>,
    targets: Option<Vec<String>>,
    params: Option<Map<String, Json>>,
    chdir: String,
    file: Option<String>,
    jobs: Option<u32>,
    command: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let program = match &args.make {
        Some(path) => path.0.clone(),
        None => sys.which("gmake").map_or_else(|| sys.need("make"), Ok)?,
    };
    let targets = args.target.iter().chain(args.targets.iter().flatten());
    let mut command = Command::new(program).opt("-j", args.jobs);
    command = command.opt("-f", args.file.as_ref().map(FilePath::text));
    command = command.args(targets).args(args.params.iter().flatten().map(word)).dir(args.chdir.0.clone());
    let line = command.line();
    let question = sys.query(command.clone().arg("-q"))?;
    let mut returns = Returns {
        stdout: text(&question.stdout()),
        stderr: text(&question.stderr()),
        target: args.target,
        targets: args.targets,
        params: args.params,
        chdir: args.chdir.text().into_owned(),
        file: args.file.map(|file| file.text().into_owned()),
        jobs: args.jobs,
        command: line,
    };
    if question.ok() {
        return Ok(returns);
    }
    if let Some(output) = sys.exec(command).map_err(Failure::as_said)? {
        returns.stdout = text(&output.stdout());
        returns.stderr = text(&output.stderr());
    }
    Ok(returns)
}

fn text(output: &str) -> String {
    output.trim_end_matches(['\r', '\n']).to_owned()
}

/// `NAME=value`, or the name alone.
fn word((name, value): (&String, &Json)) -> String {
    match value {
        Json::Null => name.clone(),
        Json::String(text) => format!("{name}={text}"),
        // As Python spells them.
        Json::Bool(flag) => format!("{name}={}", if *flag { "True" } else { "False" }),
        other => format!("{name}={other}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(done: bool, mut args: Json, line: &str) {
        let trial = Trial::of("make");
        trial.host.program("/usr/bin/make").dir("/d").answer("/usr/bin/make", 0, "made\n");
        let words = format!("{line} -q");
        trial.host.answer(&words, i32::from(!done), "");
        args["chdir"] = json!("/d");
        let got = trial.foretold(&args, !done);
        assert_eq!((&got["command"], &got["stdout"]), (&json!(line), &json!(if done { "" } else { "made" })));
        let expected = if done { vec![&*words, &words] } else { vec![&words, &words, line] };
        assert_eq!(trial.host.ran(), expected);
    }

    #[test]
    fn what_is_made_is_left() {
        check(false, json!({}), "/usr/bin/make");
        check(true, json!({}), "/usr/bin/make");
        let all = json!({"target": "x", "params": {"A": 1, "B": true, "C": "", "-s": null}, "jobs": 2, "file": "/M"});
        check(false, all, "/usr/bin/make -j 2 -f /M x A=1 B=True C= -s");
        check(true, json!({"targets": ["a", "b"]}), "/usr/bin/make a b");
    }

    #[test]
    fn what_fails_says_why() {
        let trial = Trial::of("make");
        trial.host.program("/usr/bin/make").answer("/usr/bin/make", 2, "*** No rule\n");
        let got = trial.run(&json!({"chdir": "/tmp", "target": "x"}));
        assert_eq!(
            (&got["msg"], &got["rc"], &got["changed"]),
            (&json!("*** No rule"), &json!(2), &json!(false))
        );
    }
}
