//! Results as YAML: what `callback_result_format: yaml` shows.

use crate::config::DisplayOptions;
use crate::value::{Dict, Value};
use crate::yaml::{DumpOptions, dump as to_yaml};

/// Columns before everything, which sets results off from the lines of hosts.
const MARGIN: &str = "    ";

/// The fields from a line of their own on, text of several lines as blocks.
pub fn dump(fields: &Dict, options: &DisplayOptions) -> String {
    let layout = DumpOptions {
        indent: options.result_indentation,
        aliases: false,
        literal_blocks: true,
        ..DumpOptions::default()
    };
    let shown: Dict = fields.iter().map(|(key, value)| (key.clone(), readable(key, value, fields))).collect();
    let mut text = String::new();
    for line in to_yaml(&Value::from(shown), &layout).trim_end().lines() {
        text.push('\n');
        if !line.is_empty() {
            text.push_str(MARGIN);
            text.push_str(line);
        }
    }
    text
}

/// `stdout_lines` says again what `stdout` says; white space at the ends of lines would force quotes on a block.
fn readable(key: &Value, value: &Value, fields: &Dict) -> Value {
    let is_repeated = |whole: &str| fields.contains(whole);
    match key.as_str() {
        Some("stdout_lines") if is_repeated("stdout") => Value::from("<omitted>"),
        Some("stderr_lines") if is_repeated("stderr") => Value::from("<omitted>"),
        _ => trimmed(value),
    }
}

fn trimmed(value: &Value) -> Value {
    match value {
        Value::Str(text) if text.contains('\n') => {
            let lines: Vec<_> = text.trim_end().split('\n').map(str::trim_end).collect();
            Value::from(lines.join("\n"))
        }
        Value::List(items) | Value::Tuple(items) => Value::list(items.iter().map(trimmed).collect()),
        Value::Dict(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.clone(), trimmed(value)));
            Value::dict(entries.collect())
        }
        other => other.clone(),
    }
}
