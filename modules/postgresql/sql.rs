//! SQL text.

use serde_json::Value as Json;

/// A name, quoted: one part, however it is written. What is quoted already stays, if it is one name.
pub fn identifier(name: &str) -> String {
    let inner = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner.filter(|inner| !inner.is_empty() && !inner.replace("\"\"", "").contains('"')) {
        Some(_) => name.to_owned(),
        None => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// A name of parts, each quoted: `schema.table`.
pub fn qualified(name: &str) -> String {
    parts(name).iter().map(|part| identifier(part)).collect::<Vec<_>>().join(".")
}

/// The parts of a name; dots between quotes are none.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in name.chars() {
        quoted ^= c == '"';
        match parts.last_mut() {
            Some(_) if c == '.' && !quoted => parts.push(String::new()),
            Some(last) => last.push(c),
            None => {}
        }
    }
    parts
}

/// Text, quoted.
pub fn text(value: &str) -> String {
    let doubled = value.replace('\'', "''");
    if value.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// A value of a playbook.
pub fn value(value: &Json) -> String {
    match value {
        Json::Null => "NULL".to_owned(),
        Json::Bool(flag) => flag.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(string) => text(string),
        // An array is told by its text: its type is the column's.
        Json::Array(items) => text(&array(items)),
        Json::Object(_) => text(&value.to_string()),
    }
}

fn array(items: &[Json]) -> String {
    let item = |item: &Json| match item {
        Json::Null => "NULL".to_owned(),
        Json::Array(items) => array(items),
        Json::String(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        other => other.to_string(),
    };
    format!("{{{}}}", items.iter().map(item).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_quoted_is_one_thing() {
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(identifier("\"Ab\""), "\"Ab\"");
        assert_eq!(identifier("\"A\"\"b\""), "\"A\"\"b\"");
        assert_eq!(identifier("\"a\"; DROP TABLE t; \"b\""), "\"\"\"a\"\"; DROP TABLE t; \"\"b\"\"\"");
        assert_eq!(qualified("s.\"t.u\""), "\"s\".\"t.u\"");
        assert_eq!(text("o'c"), "'o''c'");
        assert_eq!(text("a\\'b"), "E'a\\\\''b'");
        assert_eq!(value(&json!([1, "a\"b", null])), "E'{1, \"a\\\\\"b\", NULL}'");
        assert_eq!(value(&json!(true)), "true");
    }
}
