use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::command::{When, delta, local};
use crate::kit::args::Kind;
use crate::kit::host::{Answer, Manner};
use crate::kit::regex::{Flags, Regex};
use crate::kit::{Command, Failure, Result, System, words};

/// Runs a command on a terminal and answers what it asks.
///
/// Nothing of a shell is there: no pipes, `<`, `>`, `;`, `&` or variables. In check mode the command does not run.
///
/// # Examples
///
/// ```yaml
/// - name: A password, whatever the case of the question
///   expect:
///     command: passwd username
///     responses:
///       (?i)password: "MySekretPa$$word"
///
/// - name: One answer after the other
///   expect:
///     command: /path/to/custom/command
///     responses:
///       Question: [response1, response2, response3]
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The command with its arguments, split at blanks; quotes keep words together.
    pub command: String,
    /// For each question, a regular expression of Python's: the answer, or a list of answers to be given in turn.
    pub responses: Map<String, Json>,
    #[serde(flatten)]
    pub when: When,
    /// Seconds to wait for something that has an answer; null for ever.
    #[serde(default = "half_a_minute")]
    pub timeout: Json,
    /// Whether answers show in the output.
    #[serde(default)]
    pub echo: bool,
}

fn half_a_minute() -> Json {
    30.into()
}

#[derive(Default, Serialize)]
pub struct Returns {
    cmd: String,
    stdout: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rc: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let mut responses = Responses::parse(&args.responses)?;
    let patience = match &args.timeout {
        Json::Null => None,
        given => {
            let seconds = Kind::Int.convert(given).map_err(|why| {
                Failure::new(format!("argument 'timeout' is no whole number and not null: {why}"))
            })?;
            Some(Duration::from_secs(seconds.as_u64().unwrap_or(0)))
        }
    };
    if args.command.trim().is_empty() {
        return Err(Failure::new("no command given").with("rc", 256));
    }
    let mut returns = Returns { cmd: args.command.clone(), ..Returns::default() };
    if let Some(needless) = args.when.needless(sys)? {
        returns.stdout = format!("skipped, since {} {}", needless.path, needless.state);
        returns.rc = Some(0);
        return Ok(returns);
    }
    let argv = words::split(&args.command).map_err(|why| Failure::new(format!("{why}: {}", args.command)))?;
    let program = argv.first().map(String::as_str).unwrap_or_default();
    let Some(path) = sys.which(program) else {
        return Err(Failure::new(format!("The command was not found or was not executable: {program}.")));
    };
    let mut command = Command::new(path).args(argv.iter().skip(1));
    command.dir = args.when.chdir.map(|dir| dir.0);
    let start = sys.now();
    let manner = Manner { echo: args.echo, patience };
    let Some(output) = sys.converse_unforetold(command, manner, &mut |text| responses.answer(text))? else {
        returns.skipped = true;
        return Ok(returns);
    };
    let end = sys.now();
    (returns.start, returns.end) = (Some(local(start)), Some(local(end)));
    returns.delta = Some(delta(start, end));
    returns.stdout.push_str(output.stdout().trim_end_matches(['\r', '\n']));
    if let Some(question) = responses.exhausted {
        let msg = format!("No remaining responses for '{question}', output was '{}'", responses.heard);
        return Err(Failure::new(msg));
    }
    sys.count_as_change(args.command);
    if output.timed_out {
        return Err(Failure::new("command exceeded timeout").with_all(&returns));
    }
    returns.rc = Some(output.code);
    if output.code == 0 { Ok(returns) } else { Err(Failure::new("non-zero return code").with_all(&returns)) }
}

/// The answers to questions that are still to be given.
struct Responses {
    all: Vec<Response>,
    /// The question that was asked once more than there are answers.
    exhausted: Option<String>,
    heard: String,
}

struct Response {
    question: String,
    pattern: Arc<Regex>,
    /// One that is given again and again, or several in turn.
    answers: Vec<String>,
    repeats: bool,
    given: usize,
}

impl Responses {
    fn parse(given: &Map<String, Json>) -> Result<Self> {
        let all = given.iter().map(|(question, answers)| {
            let pattern = Regex::cached(question, Flags::default())
                .map_err(|why| Failure::new(format!("{question}: {why}")))?;
            let text = |value: &Json| match value {
                Json::String(text) => text.clone(),
                other => other.to_string(),
            };
            let (answers, repeats) = match answers {
                Json::Array(answers) => (answers.iter().map(text).collect(), false),
                one => (vec![text(one)], true),
            };
            Ok(Response { question: question.clone(), pattern, answers, repeats, given: 0 })
        });
        Ok(Self { all: all.collect::<Result<_>>()?, exhausted: None, heard: String::new() })
    }

    /// What to say to the first question in the text.
    fn answer(&mut self, text: &str) -> Answer {
        let mut first: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for (at, response) in self.all.iter().enumerate() {
            if let Ok(Some(found)) = response.pattern.search(text) {
                first.entry((found.start(), at)).or_insert(found.end());
            }
        }
        let Some(((_, at), heard)) = first.pop_first() else { return Answer::Wait };
        let Some(response) = self.all.get_mut(at) else { return Answer::Wait };
        let turn = if response.repeats { 0 } else { response.given };
        response.given += 1;
        if let Some(answer) = response.answers.get(turn) {
            return Answer::Say { heard, text: format!("{}\n", answer.trim_end_matches(['\r', '\n'])) };
        }
        self.exhausted = Some(response.question.clone());
        text.get(..heard).unwrap_or_default().clone_into(&mut self.heard);
        Answer::HangUp
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("expect");
        trial.host.program("/bin/ask").answer("/bin/ask", 0, "Name? Password: Name? done\r\n");
        trial.host.program("/bin/bad").answer("/bin/bad", 3, "no\r\n");
        trial
    }

    fn check(responses: Json, expected: &[&str]) -> Json {
        let trial = trial();
        let got = trial.run(&json!({"command": "ask", "responses": responses}));
        assert_eq!(trial.host.ran().get(1..).unwrap_or_default(), expected, "{got}");
        got
    }

    #[test]
    fn questions_are_answered_in_the_order_they_come() {
        let got = check(json!({"(?i)password": "secret", "Name": "bob"}), &["> bob", "> secret", "> bob"]);
        assert_eq!((&got["stdout"], &got["rc"]), (&json!("Name? Password: Name? done"), &json!(0)));
        check(json!({"Name": ["bob", "al"]}), &["> bob", "> al"]);
        check(json!({"Number": 1}), &[]);
        let got = check(json!({"Name": ["bob"], "Pass": 12}), &["> bob", "> 12"]);
        let msg = "No remaining responses for 'Name', output was 'word: Name'";
        assert_eq!((&got["failed"], &got["msg"]), (&json!(true), &json!(msg)));
    }

    #[test]
    fn how_it_ends() {
        let bad = trial().run(&json!({"command": "bad", "responses": {"a": "b"}}));
        assert_eq!(
            (&bad["msg"], &bad["rc"], &bad["stdout"]),
            (&json!("non-zero return code"), &json!(3), &json!("no"))
        );
        let none = trial().run(&json!({"command": "nope", "responses": {"a": "b"}}));
        assert_eq!(none["msg"], "The command was not found or was not executable: nope.");
        let made = trial().run(&json!({"command": "ask", "creates": "/etc", "responses": {"a": "b"}}));
        assert_eq!(
            (&made["changed"], &made["stdout"]),
            (&json!(false), &json!("skipped, since /etc exists"))
        );
        let odd = trial().run(&json!({"command": "ask", "timeout": "x", "responses": {"a": "b"}}));
        assert!(odd["msg"].as_str().unwrap().starts_with("argument 'timeout'"), "{odd}");
        let regex = trial().run(&json!({"command": "ask", "responses": {"a(": "b"}}));
        assert!(regex["msg"].as_str().unwrap().contains("unterminated subpattern"), "{regex}");
        let trial = trial();
        let check = trial.check(&json!({"command": "ask", "responses": {"Name": "b"}}));
        assert_eq!((&check["skipped"], &check["changed"]), (&json!(true), &json!(false)));
        assert!(trial.host.ran().is_empty());
    }
}
