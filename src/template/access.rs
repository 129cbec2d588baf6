//! Reading parts of values, and calling them.

use std::sync::Arc;

use super::interp::Interp;
use super::methods::{self, BoundMethod};
use super::objects::Range;
use super::{Context, resolve};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Undefined, Value, index};

/// The part of a value at a path as filters write it: `'a.b.0'`, an int, or a plain name. The result is
/// rendered (its own parts are not); what is absent is [`Value::Undefined`].
pub fn get_attr(value: &Value, path: &Value, context: &Context<'_>) -> Result<Value> {
    let Value::Str(text) = path else { return get_item(value, path, context) };
    let mut current = value.clone();
    for step in text.split('.') {
        let key = match step.parse::<i64>() {
            Ok(number) => Value::Int(number),
            Err(_) => Value::from(step),
        };
        current = get_item(&current, &key, context)?;
    }
    Ok(current)
}

/// `value[key]`, never a method. The result is rendered; what is absent is [`Value::Undefined`].
pub fn get_item(value: &Value, key: &Value, context: &Context<'_>) -> Result<Value> {
    let value = resolve(value, context)?;
    match item(&value, key) {
        Some(part) => resolve(&part, context),
        None => Ok(absent(&value, key)),
    }
}

/// `value(args…)`: macros, callables, `namespace` and the like.
pub fn call(value: &Value, positional: &[Value], named: &Dict, context: &Context<'_>) -> Result<Value> {
    Interp::bare(context).call_value(value, positional.to_vec(), named.clone())
}

/// What a `for` would walk over: items, keys, characters. The items are as stored; anything that cannot be
/// iterated is an error, an undefined too.
pub fn iterate(value: &Value, context: &Context<'_>) -> Result<Vec<Value>> {
    let value = resolve(value, context)?;
    match &value {
        Value::List(items) | Value::Tuple(items) => Ok(items.to_vec()),
        Value::Dict(entries) => Ok(entries.keys().cloned().collect()),
        Value::Str(text) => Ok(text.chars().map(|c| Value::from(c.to_string())).collect()),
        Value::Undefined(undefined) => Err(Diagnostic::undefined(undefined)),
        Value::Object(object) => object.keys().or_else(|| object.items()).ok_or_else(|| not_iterable(&value)),
        other => Err(not_iterable(other)),
    }
}

fn not_iterable(value: &Value) -> Diagnostic {
    Diagnostic::new(format!("'{}' object is not iterable", value.type_name()))
}

/// `value.name` as Jinja reads it: a method or property first, then an item.
pub(super) fn attribute(value: &Value, name: &Arc<str>) -> Value {
    if let Value::Undefined(_) = value {
        return value.clone();
    }
    if let Some(method) = methods::find(value, name) {
        return BoundMethod::value(value.clone(), method);
    }
    if let Some(property) = methods::property(value, name) {
        return property;
    }
    let key = Value::Str(Arc::clone(name));
    if let Some(part) = item(value, &key) {
        return part;
    }
    if name.starts_with("__") && name.ends_with("__") {
        return Value::undefined(format!(
            "access to attribute '{name}' of '{}' object is unsafe.",
            value.type_name()
        ));
    }
    absent(value, &key)
}

/// `value[key]` as Jinja reads it: an item first, then a method or property.
pub(super) fn subscript(value: &Value, key: &Value) -> Value {
    if let Value::Undefined(_) = value {
        return value.clone();
    }
    if let Some(part) = item(value, key) {
        return part;
    }
    if let Value::Str(name) = key {
        if let Some(method) = methods::find(value, name) {
            return BoundMethod::value(value.clone(), method);
        }
        if let Some(property) = methods::property(value, name) {
            return property;
        }
    }
    absent(value, key)
}

/// Whether Python would take the value as a key.
pub(super) fn hashable(key: &Value) -> bool {
    !matches!(key, Value::List(_) | Value::Dict(_))
}

/// The item as stored.
fn item(value: &Value, key: &Value) -> Option<Value> {
    match (value, key) {
        (Value::Dict(entries), Value::Str(name)) => entries.get(name).cloned(),
        (Value::Dict(_), key) if !hashable(key) => None,
        (Value::Dict(entries), key) => entries.get_value(key).cloned(),
        (Value::List(items) | Value::Tuple(items), Value::Int(_) | Value::Bool(_)) => {
            items.get(index(key.as_int()?, items.len())?).cloned()
        }
        // A group of `groupby` is a pair whose parts have names.
        (Value::Tuple(pair), Value::Str(name)) => match (pair.as_slice(), &**name) {
            ([grouper, _], "grouper") => Some(grouper.clone()),
            ([_, list], "list") => Some(list.clone()),
            _ => None,
        },
        (Value::Str(text), Value::Int(_) | Value::Bool(_)) => {
            let position = index(key.as_int()?, text.chars().count())?;
            text.chars().nth(position).map(|c| Value::from(c.to_string()))
        }
        (Value::Object(object), key) => object.get(key).or_else(|| match (object.items(), key.as_int()) {
            (Some(items), Some(position)) => items.get(index(position, items.len())?).cloned(),
            _ => None,
        }),
        _ => None,
    }
}

/// The undefined value that says what was not there.
fn absent(value: &Value, key: &Value) -> Value {
    let message = match (value, key) {
        (Value::None, Value::Str(_))
        | (Value::Dict(_) | Value::List(_) | Value::Tuple(_) | Value::Str(_), _) => None,
        (Value::None, _) => Some(format!("None has no element {}", key.repr())),
        (_, Value::Str(_)) => None,
        _ => Some(format!("{} object has no element {}", value.type_name(), key.repr())),
    };
    let message = message
        .unwrap_or_else(|| format!("object of type '{}' has no attribute {}", value.type_name(), key.repr()));
    Value::Undefined(Arc::new(Undefined { message, cause: None, within: Some(value.clone()) }))
}

/// Ranges as the lists that filters and operators know.
pub(super) fn listed(value: Value) -> Value {
    match &value {
        Value::Object(object) => match object.as_any().and_then(|any| any.downcast_ref::<Range>()) {
            Some(range) => Value::list(range.iter().collect()),
            None => value,
        },
        _ => value,
    }
}
