use super::{Keyword, Kind};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::Value;

/// Gives a value the keyword's type, as Ansible does: `"yes"` is true, `"22"` is 22, one condition is a list of
/// one. Templates, vaulted text and null pass as they are: call it again once they are rendered.
pub fn convert(keyword: &Keyword, value: &Value) -> Result<Value> {
    if matches!(value, Value::Template(_) | Value::Vault(_) | Value::None | Value::Omit) {
        return Ok(value.clone());
    }
    match keyword.kind {
        Kind::Bool => value.as_boolean().map(Value::Bool).ok_or_else(|| unconverted(keyword, value)),
        Kind::Int => integer(value).map(Value::Int).ok_or_else(|| unconverted(keyword, value)),
        Kind::Float => float(value).map(Value::Float).ok_or_else(|| unconverted(keyword, value)),
        Kind::Percent => percent(value).map(Value::Float).ok_or_else(|| unconverted(keyword, value)),
        Kind::Text => text(keyword, value).and_then(|text| match text.as_str() {
            Some(when) if keyword.name == "debugger" && !DEBUGGER.contains(&when) => Err(no_debugger(when)),
            _ => Ok(text),
        }),
        Kind::Name => match value {
            Value::Str(_) => Ok(value.clone()),
            other => Err(invalid_name(other)),
        },
        Kind::List => Ok(match value {
            Value::List(_) => value.clone(),
            single => Value::list(vec![single.clone()]),
        }),
        Kind::Dict | Kind::Class => match value {
            Value::Dict(_) => Ok(value.clone()),
            other => Err(Diagnostic::new(format!(
                "The field '{}' is supposed to be a mapping, but it is {}",
                keyword.name,
                phrase(other)
            ))),
        },
    }
}

const DEBUGGER: [&str; 5] = ["always", "never", "on_failed", "on_unreachable", "on_skipped"];

pub fn no_debugger(when: &str) -> Diagnostic {
    Diagnostic::new(format!(
        "'{when}' is not a valid value for debugger. Must be one of {}",
        DEBUGGER.join(", ")
    ))
}

/// Whether `name` can be a variable: letters, digits and underscores, no digit first; and no constant of Jinja.
pub fn is_variable_name(name: &str) -> bool {
    if matches!(name, "true" | "True" | "false" | "False" | "none" | "None") {
        return false;
    }
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first == '_' || first.is_ascii_alphabetic())
        && letters.all(|c| c == '_' || c.is_ascii_alphanumeric())
}

pub fn invalid_name(value: &Value) -> Diagnostic {
    let error = match value {
        Value::Str(_) | Value::Template(_) => Diagnostic::new(format!("Invalid variable name '{value}'.")),
        other => Diagnostic::new(format!("Invalid variable name '{other}' of type '{}'.", other.type_name())),
    };
    error.hint(
        "variable names start with a letter or an underscore and contain only letters, numbers and underscores",
    )
}

fn unconverted(keyword: &Keyword, value: &Value) -> Diagnostic {
    Diagnostic::new(format!(
        "Error processing keyword '{}': The value {value:?} could not be converted to '{}'.",
        keyword.name,
        keyword.kind.name()
    ))
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(_) | Value::Bool(_) => value.as_int(),
        Value::Str(text) => text.trim().replace('_', "").parse().ok(),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        Value::Int(_) | Value::Bool(_) | Value::Str(_) => value.to_string().trim().parse().ok(),
        _ => None,
    }
}

fn percent(value: &Value) -> Option<f64> {
    match value {
        Value::Str(text) => text.trim().trim_end_matches('%').trim().parse().ok(),
        other => float(other),
    }
}

fn text(keyword: &Keyword, value: &Value) -> Result<Value> {
    match value {
        Value::Str(_) => Ok(value.clone()),
        Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_) => {
            Ok(Value::str(value.to_string()))
        }
        other => Err(Diagnostic::new(format!(
            "The field '{}' is supposed to be a string type, but it is {}",
            keyword.name,
            phrase(other)
        ))),
    }
}

/// What a value is, in a message's words.
fn phrase(value: &Value) -> &'static str {
    match value {
        Value::None => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Int(_) | Value::BigInt(_) | Value::Float(_) => "a number",
        Value::List(_) | Value::Tuple(_) => "a list",
        Value::Dict(_) => "a mapping",
        _ => "a string",
    }
}
