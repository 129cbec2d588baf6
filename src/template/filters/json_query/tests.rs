//! Expressions and what Python's jmespath 1.1 finds in the same values, line by line.

use serde_json::Value as Json;

use super::*;

const CASES: &str = include_str!("cases.txt");

#[test]
fn as_python_has_it() {
    let mut lines = CASES.lines().filter(|line| !line.starts_with('#'));
    let json: Json = serde_json::from_str(lines.next().expect("the values")).expect("JSON");
    let values = Value::from(json);
    for line in lines {
        let (expression, expect) = line.split_once(" => ").expect("an expression and its result");
        let found = jmespath::parse(&quoted(expression))
            .map_err(|_| "unparsable".to_owned())
            .and_then(|ast| search(&ast, &values).map_err(|error| error.to_string()));
        let found = match found {
            Ok(value) => value.repr(),
            Err(error) => format!("! {error}"),
        };
        assert_eq!(found, expect, "{expression}");
    }
}
