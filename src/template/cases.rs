//! The reference cases: templates with ansible-core's answers.
//!
//! `cargo test --lib template::cases -- --nocapture` prints how many pass and which do not.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Context, Names, Syntax, render_file, render_with};
use crate::diagnostic::Result;
use crate::value::{Dict, Value};

/// What is answered otherwise: `id | why`.
const MISSES: &str = include_str!("../../tests/data/jinja_misses.txt");

struct Variables(Dict);

impl Names for Variables {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.0.keys().filter_map(Value::as_str).map(Arc::from).collect()
    }
}

#[test]
fn ansible_answers_the_same() {
    let data: Json = serde_json::from_str(include_str!("../../tests/data/jinja_cases.json")).unwrap();
    let mut tally: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let known =
        MISSES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" | "));
    let mut known: Vec<&str> = known.map(|(id, _)| id).collect();
    let (mut failures, mut missed) = (Vec::new(), Vec::new());
    for case in data["cases"].as_array().unwrap() {
        let mut variables = Dict::from(data["base_context"].as_object().unwrap().clone());
        if let Some(more) = case["vars"].as_object() {
            variables.extend(Dict::from(more.clone()));
        }
        let variables = Variables(variables);
        let context = Context::new(&variables);
        let source = case["template"].as_str().unwrap();
        let result = render_with(source, syntax(&case["options"]), &context);
        let mut passes = answers(&result, &case["expected"]);
        let mut told = describe(&result);
        if let Some(expected) = case.get("expected_template_file") {
            let file = render_file(source, None, &Syntax::default(), &context).map(Value::from);
            let text = expected["ok"]["v"].as_str();
            let same = match (&file, text) {
                (Ok(Value::Str(file)), Some(text)) => **file == *text,
                (Ok(Value::Str(file)), None) => {
                    !expected["ok"].is_null() && **file == *python_text(&expected["ok"])
                }
                (Err(_), _) => !expected["err"].is_null(),
                _ => false,
            };
            if !same {
                passes = false;
                told = format!("{told}; as a file {}, not {expected}", describe(&file));
            }
        }
        let (passed, all) = tally.entry(case["category"].as_str().unwrap()).or_default();
        *all += 1;
        *passed += usize::from(passes);
        if !passes {
            missed.push(case["id"].as_str().unwrap());
            failures.push(format!(
                "{} {source:?}\n    expected {}\n    got {told}",
                case["id"], case["expected"]
            ));
        }
    }
    for failure in &failures {
        println!("{failure}");
    }
    let mut total = (0, 0);
    for (category, (passed, all)) in &tally {
        println!("{category:10} {passed:3} of {all:3}");
        total = (total.0 + passed, total.1 + all);
    }
    println!("{:10} {:3} of {:3}", "all", total.0, total.1);
    known.sort_unstable();
    missed.sort_unstable();
    assert_eq!(missed, known, "tests/data/jinja_misses.txt names what is answered otherwise");
}

fn syntax(options: &Json) -> Syntax {
    let mut syntax = Syntax::default();
    for (name, value) in options.as_object().into_iter().flatten() {
        // Ansible knows no line comments; the case shows that it does not mind the option.
        if name == "line_comment_prefix" || name == "keep_trailing_newline" {
            continue;
        }
        let literal = match value {
            Json::Bool(true) => "True".to_owned(),
            Json::Bool(false) => "False".to_owned(),
            other => format!("{other}"),
        };
        syntax.set(name, &literal).unwrap();
    }
    syntax
}

fn answers(result: &Result<Value>, expected: &Json) -> bool {
    match result {
        Ok(value) => !expected["ok"].is_null() && same(value, &expected["ok"]),
        Err(_) => !expected["err"].is_null(),
    }
}

fn describe(result: &Result<Value>) -> String {
    match result {
        Ok(value) => format!("{} {value:?}", value.type_name()),
        Err(error) => format!("error {error}"),
    }
}

fn same(value: &Value, expected: &Json) -> bool {
    let content = &expected["v"];
    match (value, expected["t"].as_str().unwrap()) {
        (Value::None, "none") => true,
        (Value::Bool(flag), "bool") => content.as_bool() == Some(*flag),
        (Value::Int(_) | Value::BigInt(_), "int") | (Value::Float(_), "float") => {
            content.as_str() == Some(&*value.to_string())
        }
        // There are no bytes; text that was encoded stays text.
        (Value::Str(text), "str" | "bytes") => content.as_str() == Some(&**text),
        (Value::List(items), "list" | "tuple") => {
            let expected = content.as_array().unwrap();
            items.len() == expected.len() && items.iter().zip(expected).all(|(item, part)| same(item, part))
        }
        (Value::Dict(entries), "dict") => {
            let expected = content.as_array().unwrap();
            entries.len() == expected.len()
                && entries
                    .iter()
                    .zip(expected)
                    .all(|((key, value), pair)| same(key, &pair[0]) && same(value, &pair[1]))
        }
        (value, "other") => value.type_name() == content.as_str().unwrap_or_default(),
        _ => false,
    }
}

/// `str()` of a tagged value.
fn python_text(tagged: &Json) -> String {
    untag(tagged).to_string()
}

fn untag(tagged: &Json) -> Value {
    let content = &tagged["v"];
    match tagged["t"].as_str().unwrap() {
        "bool" => Value::Bool(content.as_bool().unwrap()),
        "int" => super::literal::number(content.as_str().unwrap()).unwrap(),
        "float" => Value::Float(content.as_str().unwrap().parse().unwrap()),
        "str" => Value::from(content.as_str().unwrap()),
        "list" | "tuple" => Value::list(content.as_array().unwrap().iter().map(untag).collect()),
        "dict" => {
            let pairs = content.as_array().unwrap().iter();
            Value::dict(pairs.map(|pair| (untag(&pair[0]), untag(&pair[1]))).collect())
        }
        _ => Value::None,
    }
}
