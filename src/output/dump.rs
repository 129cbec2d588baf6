//! Results as JSON text, as Python's `json.dumps` writes it: sorted keys, `, ` and `: `, nothing but control
//! characters escaped.

use std::fmt::Write;

use crate::value::{Dict, Value};

/// Everything on one line, or spread over lines with this many columns a level.
pub fn json(value: &Value, indent: Option<usize>) -> String {
    let mut text = String::new();
    write_value(&mut text, value, indent, 0);
    text
}

/// [`json`] for the fields of a result.
pub fn json_dict(fields: &Dict, indent: Option<usize>) -> String {
    let mut text = String::new();
    write_dict(&mut text, fields, indent, 0);
    text
}

fn write_value(text: &mut String, value: &Value, indent: Option<usize>, level: usize) {
    match value {
        Value::None | Value::Undefined(_) | Value::Omit => text.push_str("null"),
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Float(number) if number.is_nan() => text.push_str("NaN"),
        Value::Float(number) if number.is_infinite() => {
            text.push_str(if *number > 0.0 { "Infinity" } else { "-Infinity" });
        }
        Value::Int(_) | Value::BigInt(_) | Value::Float(_) => text.push_str(&value.to_string()),
        Value::List(items) | Value::Tuple(items) => write_list(text, items, indent, level),
        Value::Dict(entries) => write_dict(text, entries, indent, level),
        Value::Object(object) => match object.keys() {
            Some(keys) => {
                let entries =
                    keys.into_iter().filter_map(|key| object.get(&key).map(|value| (key, value))).collect();
                write_dict(text, &entries, indent, level);
            }
            None => write_string(text, &value.to_string()),
        },
        // A placeholder: ciphertext is of no use to anybody who reads results.
        Value::Vault(_) => write_string(text, "<vaulted>"),
        Value::Str(_) | Value::Template(_) => write_string(text, &value.to_string()),
    }
}

fn write_list(text: &mut String, items: &[Value], indent: Option<usize>, level: usize) {
    if items.is_empty() {
        text.push_str("[]");
        return;
    }
    text.push('[');
    for (index, item) in items.iter().enumerate() {
        separate(text, index, indent, level + 1);
        write_value(text, item, indent, level + 1);
    }
    close(text, ']', indent, level);
}

fn write_dict(text: &mut String, entries: &Dict, indent: Option<usize>, level: usize) {
    if entries.is_empty() {
        text.push_str("{}");
        return;
    }
    let mut sorted: Vec<(String, &Value)> =
        entries.iter().map(|(key, value)| (key_text(key), value)).collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    text.push('{');
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        separate(text, index, indent, level + 1);
        write_string(text, &key);
        text.push_str(": ");
        write_value(text, value, indent, level + 1);
    }
    close(text, '}', indent, level);
}

fn key_text(key: &Value) -> String {
    match key {
        Value::None => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        other => other.to_string(),
    }
}

fn separate(text: &mut String, index: usize, indent: Option<usize>, level: usize) {
    match indent {
        Some(columns) => {
            text.push_str(if index > 0 { ",\n" } else { "\n" });
            text.extend(std::iter::repeat_n(' ', columns * level));
        }
        None if index > 0 => text.push_str(", "),
        None => {}
    }
}

fn close(text: &mut String, bracket: char, indent: Option<usize>, level: usize) {
    if let Some(columns) = indent {
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', columns * level));
    }
    text.push(bracket);
}

fn write_string(text: &mut String, content: &str) {
    text.push('"');
    for c in content.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            c if c < ' ' => {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{:04x}", c as u32);
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_writes_it() {
        let value = Value::from(serde_json::json!({"b": [1, 1.0, null, true], "a": {}, "é\u{1}": "\"\n\\/"}));
        assert_eq!(json(&value, None), r#"{"a": {}, "b": [1, 1.0, null, true], "é\u0001": "\"\n\\/"}"#);
        let value = Value::from(serde_json::json!({"a": [1, {"b": []}]}));
        assert_eq!(json(&value, Some(2)), "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ]\n}");
    }
}
