//! Expressions with ansible-core's answers: `tests/data/expressions`.
//!
//! A line is `expression  =>  repr of the result`, or `expression  =>  ! the error`.

use std::sync::Arc;

use super::{Context, Names, Syntax, Template, TemplateFile};
use crate::value::{Dict, Value};

struct Variables(Dict);

impl Names for Variables {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.0.keys().filter_map(Value::as_str).map(Arc::from).collect()
    }
}

/// The variables of the reference cases, and two lists with templates in them.
fn variables() -> Variables {
    let data: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/data/jinja_cases.json")).unwrap();
    let mut variables = Dict::from(data["base_context"].as_object().unwrap().clone());
    let template = |source: &str| Value::Template(Arc::new(Template::new(source, None)));
    variables.insert("tpl", Value::list(vec![template("{{ n }}"), "b".into()]));
    variables.insert("bad", Value::list(vec![template("{{ nope_undefined }}"), "b".into()]));
    Variables(variables)
}

fn check(cases: &str) {
    let variables = variables();
    let mut wrong = Vec::new();
    for line in cases.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (expression, expected) = line.rsplit_once("  =>  ").unwrap();
        // A file, where backslashes are not doubled as they are in arguments.
        let file = TemplateFile::parse(&format!("{{{{ {expression} }}}}"), None, &Syntax::default());
        let answer = match file.and_then(|file| file.value(&Context::new(&variables))) {
            Ok(value) => value.repr(),
            Err(error) => format!("! {}", error.message()),
        };
        if answer.replace('\n', "\\n") != expected {
            wrong.push(format!("{expression}\n    expected {expected}\n    got      {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

macro_rules! families {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check(include_str!(concat!("../../tests/data/expressions/", stringify!($name), ".txt")));
        })*
    };
}

families!(json lists numbers passwords paths tests text undefined yaml);
