//! Python's methods of text, lists, dicts and numbers.

pub(super) mod dict;
mod list;
mod number;
mod text;

use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Object, Value};

/// A row of a method table.
#[derive(Clone, Copy)]
pub(super) struct Method {
    pub name: &'static str,
    /// Whether it changes the value it is called on.
    pub changes: bool,
}

/// The method of that name, when values of this type have one.
pub(super) fn find(value: &Value, name: &str) -> Option<Method> {
    let (reading, changing): (&'static [&'static str], &'static [&'static str]) = match value {
        Value::Str(_) => (text::METHODS, &[]),
        Value::List(_) => (list::METHODS, list::CHANGING),
        Value::Tuple(_) => (list::TUPLE_METHODS, &[]),
        Value::Dict(_) => (dict::METHODS, dict::CHANGING),
        Value::Int(_) | Value::BigInt(_) | Value::Bool(_) => (number::INT_METHODS, &[]),
        Value::Float(_) => (number::FLOAT_METHODS, &[]),
        Value::Object(object) if object.is_mapping() => (dict::VIEWS, &[]),
        _ => return None,
    };
    let row = |names: &'static [&'static str], changes| {
        names.iter().find(|known| **known == name).map(|name| Method { name, changes })
    };
    row(reading, false).or_else(|| row(changing, true))
}

/// `value.name` where it is no method: `n.real`, and `grouper` and `list` of what `groupby` gives.
pub(super) fn property(value: &Value, name: &str) -> Option<Value> {
    match value {
        Value::Tuple(pair) if pair.len() == 2 => match name {
            "grouper" => pair.first().cloned(),
            "list" => pair.last().cloned(),
            _ => None,
        },
        Value::Int(_) | Value::BigInt(_) | Value::Bool(_) | Value::Float(_) => number::property(value, name),
        _ => None,
    }
}

/// Calls a method that changes nothing.
pub(super) fn call(value: &Value, name: &str, args: &[Value], named: &Dict) -> Result<Value> {
    match value {
        Value::Str(text) => text::call(text, name, args, named),
        Value::List(items) | Value::Tuple(items) => list::call(items, name, args),
        Value::Dict(entries) => dict::call(entries, name, args, named),
        Value::Object(object) => dict::view(object.as_ref(), name, args, named),
        _ => number::call(value, name, args, named),
    }
}

/// Calls a method on a value that it may change.
pub(super) fn change(value: &mut Value, name: &str, args: &[Value], named: &Dict) -> Result<Value> {
    match value {
        Value::List(items) => list::change(std::sync::Arc::make_mut(items), name, args, named),
        Value::Dict(entries) => dict::change(std::sync::Arc::make_mut(entries), name, args, named),
        other => call(other, name, args, named),
    }
}

/// A method that was read but not called: `d.items`.
pub(super) struct BoundMethod {
    subject: Value,
    method: Method,
}

impl BoundMethod {
    pub fn value(subject: Value, method: Method) -> Value {
        Value::Object(std::sync::Arc::new(Self { subject, method }))
    }
}

impl Object for BoundMethod {
    fn type_name(&self) -> &'static str {
        match self.subject {
            Value::List(_) | Value::Dict(_) => "method",
            _ => "builtin_function_or_method",
        }
    }

    fn call(&self, args: &[Value], named: &Dict) -> Option<Result<Value>> {
        Some(change(&mut self.subject.clone(), self.method.name, args, named))
    }

    fn repr(&self) -> String {
        format!("<bound method {} of {}>", self.method.name, self.subject.repr())
    }
}

/// Fails unless the number of arguments is in that range.
fn expect(name: &str, args: &[Value], least: usize, most: usize) -> Result<()> {
    let given = args.len();
    if (least..=most).contains(&given) {
        return Ok(());
    }
    let plural = |n: usize| if n == 1 { "argument" } else { "arguments" };
    Err(Diagnostic::new(match (least, most) {
        (0, 0) => format!("{name}() takes no arguments ({given} given)"),
        (1, 1) => format!("{name}() takes exactly one argument ({given} given)"),
        _ if least == most => format!("{name} expected {least} {}, got {given}", plural(least)),
        _ if given < least => format!("{name} expected at least {least} {}, got {given}", plural(least)),
        _ => format!("{name} expected at most {most} {}, got {given}", plural(most)),
    }))
}

/// The argument by place, or by keyword.
fn argument<'a>(args: &'a [Value], named: &'a Dict, place: usize, name: &str) -> Option<&'a Value> {
    args.get(place).or_else(|| named.get(name))
}

/// A whole number, as `__index__` gives it.
fn int(value: &Value) -> Result<i64> {
    match value {
        Value::Int(_) | Value::Bool(_) => Ok(value.as_int().unwrap_or(0)),
        other => Err(Diagnostic::new(format!(
            "'{}' object cannot be interpreted as an integer",
            other.type_name()
        ))),
    }
}

/// What Python's `iter()` walks over, for values that need no rendering.
fn items_of(value: &Value) -> Result<Vec<Value>> {
    match value {
        Value::List(items) | Value::Tuple(items) => Ok(items.to_vec()),
        Value::Dict(entries) => Ok(entries.keys().cloned().collect()),
        Value::Str(text) => Ok(text.chars().map(|c| Value::from(c.to_string())).collect()),
        Value::Object(object) => object.keys().or_else(|| object.items()).ok_or_else(|| not_iterable(value)),
        other => Err(not_iterable(other)),
    }
}

fn not_iterable(value: &Value) -> Diagnostic {
    Diagnostic::new(format!("'{}' object is not iterable", value.type_name()))
}
