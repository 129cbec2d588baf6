use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::kit::{Command, Failure, Result, System};

/// Answers the questions of Debian packages beforehand.
///
/// What is a password reaches neither the process list nor results.
///
/// # Examples
///
/// ```yaml
/// - name: The locale
///   debconf:
///     name: locales
///     question: locales/default_environment_locale
///     value: fr_FR.UTF-8
///     vtype: select
///
/// - name: What a package has been told
///   debconf: {name: tzdata}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_together" = [["question", "vtype", "value"]]))]
pub struct Args {
    /// The package.
    #[schemars(extend("aliases" = ["pkg"]))]
    pub name: String,
    /// The question; without one the package's answers are told.
    #[schemars(extend("aliases" = ["selection", "setting"]))]
    pub question: Option<String>,
    /// The answer.
    #[schemars(extend("aliases" = ["answer"]))]
    pub value: Option<Json>,
    /// What kind of question it is.
    pub vtype: Option<Kind>,
    /// Leaves the question as one that was not asked yet.
    #[serde(default)]
    pub unseen: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Boolean,
    Error,
    Multiselect,
    Note,
    Password,
    Seen,
    Select,
    String,
    Text,
    Title,
}

#[derive(Serialize)]
pub struct Returns {
    current: Map<String, Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<Map<String, Json>>,
    msg: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let known = answers(&args.name, sys)?;
    let (Some(question), Some(value), Some(kind)) = (&args.question, &args.value, args.vtype) else {
        return Ok(Returns { current: known, previous: None, msg: String::new() });
    };
    // Where it is a list, its order means nothing.
    let is_list = value.is_array();
    if let (Kind::Multiselect, Json::Array(items)) = (kind, value)
        && let Some((index, item)) = items.iter().enumerate().find(|(_, item)| !item.is_string())
    {
        let what = match item {
            Json::Null => "NoneType",
            Json::Bool(_) => "bool",
            Json::Number(number) if number.is_f64() => "float",
            Json::Number(_) => "int",
            Json::Array(_) => "list",
            _ => "dict",
        };
        return Err(Failure::new(format!(
            "Invalid value provided for 'multiselect': sequence item {index}: expected str instance, {what} found"
        )));
    }
    let value = text(value, kind);
    let before = match kind {
        Kind::Password => password(question, sys)?,
        _ => known.get(question).and_then(Json::as_str).map(str::to_owned),
    };
    if before.as_deref().is_some_and(|before| same(is_list, before, &value)) {
        return Ok(Returns { current: known, previous: None, msg: String::new() });
    }
    let word = serde_json::to_value(kind).unwrap_or_default();
    let line = format!("{} {question} {} {value}", args.name, word.as_str().unwrap_or_default());
    let command = Command::new("debconf-set-selections").flag("-u", args.unseen).stdin(line);
    if let Some(output) = sys.attempt(command)?
        && !output.ok()
    {
        return Err(Failure::new(output.stderr().into_owned()));
    }
    let one = |answer: Option<&str>| {
        let answer = if kind == Kind::Password { Json::Null } else { answer.unwrap_or_default().into() };
        Map::from_iter([(question.clone(), answer)])
    };
    let current = one(Some(&value));
    // Of a question that the package did not have, Ansible tells beside all those it had.
    let mut previous = if known.contains_key(question) { Map::new() } else { known };
    previous.append(&mut one(before.as_deref()));
    if kind != Kind::Password {
        let mut after = previous.clone();
        after.append(&mut current.clone());
        sys.tell_states("", previous.clone(), after);
    }
    Ok(Returns { current, previous: Some(previous), msg: String::new() })
}

/// What the package has been told.
fn answers(package: &str, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    let output = sys.query(Command::new("debconf-show").arg(package).env("LC_ALL", "C"))?;
    if !output.ok() {
        return Err(Failure::new(output.stderr().into_owned()));
    }
    let answer = |line: &str| {
        let (question, answer) = line.split_once(':')?;
        Some((question.trim_start_matches(['*', ' ']).to_owned(), Json::from(answer.trim())))
    };
    Ok(output.stdout().lines().filter_map(answer).collect())
}

/// `debconf-show` does not tell passwords.
fn password(question: &str, sys: &mut System<'_>) -> Result<Option<String>> {
    let output = sys.query(Command::new("debconf-communicate").stdin(format!("GET {question}\n")))?;
    if output.stdout.is_empty() {
        return Err(Failure::new(format!("debconf-communicate: {}", output.stderr().trim())));
    }
    Ok(output.stdout().strip_prefix("0 ").map(|answer| answer.trim_end_matches('\n').to_owned()))
}

/// The answer as debconf takes it.
fn text(value: &Json, kind: Kind) -> String {
    let one = |value: &Json| match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    };
    let text = match value {
        Json::Array(items) => items.iter().map(one).collect::<Vec<_>>().join(", "),
        other => one(other),
    };
    if kind == Kind::Boolean { text.to_lowercase() } else { text }
}

fn same(is_list: bool, before: &str, after: &str) -> bool {
    let sorted = |text: &str| {
        let mut items: Vec<String> =
            text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect();
        items.sort_unstable();
        items
    };
    before == after || is_list && sorted(before) == sorted(after)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("debconf");
        trial.host.answer("debconf-show", 0, "* tzdata/Areas: Etc\n  x/flag: true\n  x/many: b, a\n");
        trial.host.answer("debconf-set-selections", 0, "").answer("debconf-communicate", 0, "0 secret\n");
        trial
    }

    #[test]
    fn answers_are_set_where_they_differ() {
        for (question, value, kind, changed) in [
            ("tzdata/Areas", json!("Etc"), "select", false),
            ("tzdata/Areas", json!("Europe"), "select", true),
            ("x/flag", json!(true), "boolean", false),
            ("x/flag", json!("False"), "boolean", true),
            ("x/many", json!(["a", "b"]), "multiselect", false),
            ("x/many", json!("b, a"), "multiselect", false),
            ("x/many", json!("a, b"), "multiselect", true),
            ("x/new", json!("1"), "string", true),
            ("x/password", json!("secret"), "password", false),
            ("x/password", json!("other"), "password", true),
        ] {
            let args = json!({"name": "x", "question": question, "value": value, "vtype": kind});
            let result = trial().run(&args);
            assert_eq!(result["changed"], changed, "{args} {result}");
            assert!(!result.to_string().contains("secret") && !result.to_string().contains("other"));
        }
        let mixed = trial()
            .run(&json!({"name": "x", "question": "x/many", "value": ["a", 1], "vtype": "multiselect"}));
        let msg =
            "Invalid value provided for 'multiselect': sequence item 1: expected str instance, int found";
        assert_eq!(mixed["msg"], msg);
        let foretold = trial()
            .check(&json!({"name": "x", "question": "tzdata/Areas", "value": "Europe", "vtype": "select"}));
        assert_eq!(
            foretold["diff"],
            json!({"before": {"tzdata/Areas": "Etc"}, "after": {"tzdata/Areas": "Europe"}})
        );
        let new = trial().run(&json!({"name": "x", "question": "x/new", "value": "1", "vtype": "string"}));
        let had = json!({"tzdata/Areas": "Etc", "x/flag": "true", "x/many": "b, a", "x/new": ""});
        assert_eq!((&new["previous"], &new["current"]), (&had, &json!({"x/new": "1"})));
        let told = trial().run(&json!({"name": "tzdata"}));
        assert_eq!(told["current"], json!({"tzdata/Areas": "Etc", "x/flag": "true", "x/many": "b, a"}));
    }
}
