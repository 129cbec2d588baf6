//! Options of lookups, of the types that their documentation gives them.

use crate::diagnostic::{Diagnostic, Result};
use crate::template::Args;
use crate::value::Value;

/// A yes or no that was given with the call.
pub(super) fn flag(args: &Args<'_>, name: &str, default: bool) -> bool {
    args.some(name).map_or(default, is_yes)
}

/// Whatever does not say yes is no.
pub(super) fn is_yes(value: &Value) -> bool {
    value.as_boolean() == Some(true)
}

/// A list: text is one of its commas' parts.
pub(super) fn list(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) | Value::Tuple(items) => items.iter().map(Value::to_string).collect(),
        Value::Str(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
        other => vec![other.to_string()],
    }
}

/// A number, also as text.
pub(super) fn number(value: &Value, name: &str) -> Result<f64> {
    value.to_string().trim().parse().map_err(|_| {
        Diagnostic::new(format!("Config '{name}' has an invalid value: {} is no number", value.repr()))
    })
}
