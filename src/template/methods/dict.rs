//! Methods of dicts. The views are lists.

use super::{expect, items_of};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Object, Value};

pub(super) const METHODS: &[&str] = &["copy", "fromkeys", "get", "items", "keys", "values"];
/// Those of an object that is a mapping: `hostvars`.
pub(super) const VIEWS: &[&str] = &["get", "items", "keys", "values"];
pub(super) const CHANGING: &[&str] = &["clear", "pop", "popitem", "setdefault", "update"];

pub(super) fn call(entries: &Dict, name: &str, args: &[Value], named: &Dict) -> Result<Value> {
    match name {
        "copy" => {
            expect("dict.copy", args, 0, 0)?;
            Ok(Value::dict(entries.clone()))
        }
        "fromkeys" => {
            expect("fromkeys", args, 1, 2)?;
            let value = args.get(1).unwrap_or(&Value::None);
            let keys = items_of(args.first().unwrap_or(&Value::None))?;
            Ok(Value::dict(keys.into_iter().map(|key| (key, value.clone())).collect()))
        }
        "get" => {
            expect("get", args, 1, 2)?;
            if !named.is_empty() {
                return Err(Diagnostic::new("dict.get() takes no keyword arguments"));
            }
            let found = args.first().and_then(|key| get(entries, key));
            Ok(found.or_else(|| args.get(1).cloned()).unwrap_or(Value::None))
        }
        "items" => {
            expect("dict.items", args, 0, 0)?;
            Ok(Value::list(entries.iter().map(|(key, value)| pair(key, value)).collect()))
        }
        "keys" => {
            expect("dict.keys", args, 0, 0)?;
            Ok(Value::list(entries.keys().cloned().collect()))
        }
        _ => {
            expect("dict.values", args, 0, 0)?;
            Ok(Value::list(entries.values().cloned().collect()))
        }
    }
}

pub(super) fn view(object: &dyn Object, name: &str, args: &[Value], named: &Dict) -> Result<Value> {
    if name == "get" {
        expect("get", args, 1, 2)?;
        let found = args.first().and_then(|key| object.get(key));
        return Ok(found
            .or_else(|| args.get(1).or_else(|| named.get("default")).cloned())
            .unwrap_or(Value::None));
    }
    let keys = object.keys().unwrap_or_default();
    // Nothing is looked up for the keys alone.
    let value = |key: &Value| if name == "keys" { None } else { object.get(key) };
    let entries: Dict =
        keys.into_iter().map(|key| (key.clone(), value(&key).unwrap_or(Value::None))).collect();
    call(&entries, name, args, named)
}

pub(super) fn change(entries: &mut Dict, name: &str, args: &[Value], named: &Dict) -> Result<Value> {
    match name {
        "clear" => {
            expect("dict.clear", args, 0, 0)?;
            *entries = Dict::new();
            Ok(Value::None)
        }
        "pop" => {
            expect("pop", args, 1, 2)?;
            let key = args.first().unwrap_or(&Value::None);
            entries
                .remove_value(key)
                .or_else(|| args.get(1).cloned())
                .ok_or_else(|| Diagnostic::new(key.repr()))
        }
        "popitem" => {
            expect("dict.popitem", args, 0, 0)?;
            let key = entries.keys().last().cloned();
            let key = key.ok_or_else(|| Diagnostic::new("popitem(): dictionary is empty"))?;
            let value = entries.remove_value(&key).unwrap_or(Value::None);
            Ok(pair(&key, &value))
        }
        "setdefault" => {
            expect("setdefault", args, 1, 2)?;
            let key = args.first().unwrap_or(&Value::None);
            if let Some(value) = get(entries, key) {
                return Ok(value);
            }
            let value = args.get(1).cloned().unwrap_or(Value::None);
            entries.insert(key.clone(), value.clone());
            Ok(value)
        }
        "update" => {
            expect("update", args, 0, 1)?;
            if let Some(source) = args.first() {
                entries.extend(pairs(source)?);
            }
            entries.extend(named.iter().map(|(key, value)| (key.clone(), value.clone())));
            Ok(Value::None)
        }
        _ => call(entries, name, args, named),
    }
}

fn pair(key: &Value, value: &Value) -> Value {
    Value::Tuple(vec![key.clone(), value.clone()].into())
}

fn get(entries: &Dict, key: &Value) -> Option<Value> {
    entries.get_value(key).cloned()
}

/// The entries that `dict(source)` and `update(source)` take: a mapping's, or those of a list of pairs.
pub fn pairs(source: &Value) -> Result<Vec<(Value, Value)>> {
    match source {
        Value::Dict(entries) => Ok(entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect()),
        Value::Object(object) if object.keys().is_some() => {
            let keys = object.keys().unwrap_or_default();
            Ok(keys.into_iter().filter_map(|key| Some((key.clone(), object.get(&key)?))).collect())
        }
        other => items_of(other)?
            .iter()
            .enumerate()
            .map(|(place, item)| match items_of(item).as_deref() {
                Ok([key, value]) => Ok((key.clone(), value.clone())),
                Ok(parts) => Err(Diagnostic::new(format!(
                    "dictionary update sequence element #{place} has length {}; 2 is required",
                    parts.len()
                ))),
                Err(_) => Err(Diagnostic::new(format!(
                    "cannot convert dictionary update sequence element #{place} to a sequence"
                ))),
            })
            .collect(),
    }
}
