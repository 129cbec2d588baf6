//! JSON from inventory scripts, as values whose strings may be templates.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::diagnostic::{Diagnostic, Place, Result, Source};
use crate::template::Template;
use crate::value::{Dict, Value};

/// Reads one JSON object.
pub(super) fn object(source: &Arc<Source>) -> Result<Dict> {
    let place = |line: usize, column: usize| Place {
        source: Arc::clone(source),
        line: u32::try_from(line.max(1)).unwrap_or(u32::MAX),
        column: u32::try_from(column.max(1)).unwrap_or(u32::MAX),
        length: 0,
    };
    let json: Json = serde_json::from_str(&source.text).map_err(|error| {
        Diagnostic::new(format!("Value could not be parsed as JSON: {error}"))
            .at(&place(error.line(), error.column()))
    })?;
    match json {
        Json::Object(entries) => Ok(entries.into_iter().map(|(key, json)| (key, trusted(json))).collect()),
        other => {
            let kind = Value::from(other).type_name();
            Err(Diagnostic::new(format!("Value is '{kind}' instead of 'dict'.")).at(&place(1, 1)))
        }
    }
}

fn trusted(json: Json) -> Value {
    match json {
        Json::String(text) if Template::is_template(&text) => {
            Value::Template(Arc::new(Template::new(text, None)))
        }
        Json::Array(items) => Value::list(items.into_iter().map(trusted).collect()),
        // What `ansible-inventory --list` writes for `!unsafe` and `!vault`.
        Json::Object(entries) if entries.len() == 1 && entries.contains_key("__ansible_unsafe") => {
            entries.into_values().next().map_or(Value::None, Value::from)
        }
        Json::Object(entries) => {
            Value::dict(entries.into_iter().map(|(key, json)| (key, trusted(json))).collect())
        }
        other => Value::from(other),
    }
}
