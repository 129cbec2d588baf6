//! SQL text.

use serde_json::Value as Json;

/// A name, quoted.
pub fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Text, quoted. The quote is doubled: that holds also for servers to which a backslash means nothing.
pub fn text(value: &str) -> String {
    let mut quoted = String::from("'");
    for c in value.chars() {
        match c {
            '\'' => quoted.push_str("''"),
            '\\' => quoted.push_str("\\\\"),
            '\0' => quoted.push_str("\\0"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\u{1a}' => quoted.push_str("\\Z"),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

/// A value of a playbook.
pub fn value(value: &Json) -> String {
    match value {
        Json::Null => "NULL".to_owned(),
        Json::Bool(flag) => flag.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(string) => text(string),
        Json::Array(items) => format!("({})", items.iter().map(self::value).collect::<Vec<_>>().join(",")),
        Json::Object(_) => text(&value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_quoted_is_one_thing() {
        assert_eq!(identifier("a`b"), "`a``b`");
        assert_eq!(text("o'c\\\n"), "'o''c\\\\\\n'");
        assert_eq!(value(&json!([1, "a"])), "(1,'a')");
    }
}
