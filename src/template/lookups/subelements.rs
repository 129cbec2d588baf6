//! `subelements`: each item of a list of dicts with each part of a list that it holds.

use super::options::is_yes;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry};
use crate::value::{Dict, Value};

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "subelements", params: &[], run: subelements };

fn subelements(terms: &[Value], _: &Args<'_>, _: &Context<'_>) -> Result<Vec<Value>> {
    let expects = |more: &str| {
        Diagnostic::new(format!("subelements lookup expects a list of two or three items,{more}"))
    };
    let (list, path, flags) = match terms {
        [list @ (Value::List(_) | Value::Tuple(_) | Value::Dict(_)), Value::Str(path), flags @ ..] => {
            (list, path, flags)
        }
        [_, _] | [_, _, _] => {
            return Err(expects(" first a dict or a list, second a string pointing to the subkey"));
        }
        _ => return Err(expects("")),
    };
    let flags = match flags {
        [] => None,
        [Value::Dict(flags)] => Some(flags),
        [_] => return Err(expects(" the optional third item must be a dict with flags skip_missing")),
        _ => return Err(expects("")),
    };
    let skip_missing = flags.is_some_and(|flags| flags.get("skip_missing").is_some_and(is_yes));
    // People write `flags:` with nothing in it above them.
    if let Some((unknown, _)) = flags.and_then(|flags| {
        flags.iter().find(|(key, value)| key.as_str() != Some("skip_missing") && !value.is_none())
    }) {
        return Err(Diagnostic::new(format!("unknown flag {} for subelements", unknown.repr()))
            .hint("It takes skip_missing."));
    }
    let items: Vec<&Value> = match list {
        // The result of a loop that was skipped has no items.
        Value::Dict(entries) if is_skipped(entries) => return Ok(Vec::new()),
        Value::Dict(entries) => entries.values().collect(),
        other => other.as_list().unwrap_or_default().iter().collect(),
    };
    let path: Vec<&str> = path.split('.').collect();
    let mut rows = Vec::new();
    for item in items {
        let Value::Dict(entries) = item else {
            return Err(Diagnostic::new(format!("subelements lookup expects a dictionary, got '{item}'")));
        };
        // The result of a task that was skipped has no parts.
        if is_skipped(entries) {
            continue;
        }
        let Some(parts) = parts(entries, &path, item, skip_missing)? else { continue };
        let rest = Value::dict(without(entries, &path));
        rows.extend(parts.iter().map(|part| Value::list(vec![rest.clone(), part.clone()])));
    }
    Ok(rows)
}

fn is_skipped(result: &Dict) -> bool {
    result.get("skipped").is_some_and(|skipped| *skipped != Value::Bool(false))
}

/// The list at the path; `None` when it is missing and may be.
fn parts(entries: &Dict, path: &[&str], item: &Value, skip_missing: bool) -> Result<Option<Vec<Value>>> {
    let Some((key, rest)) = path.split_first() else { return Ok(None) };
    match (entries.get(key), rest) {
        (None, _) if skip_missing => Ok(None),
        (None, _) => Err(Diagnostic::new(format!("could not find '{key}' key in iterated item '{item}'"))),
        (Some(Value::List(parts)), []) => Ok(Some(parts.to_vec())),
        (Some(other), []) => {
            Err(Diagnostic::new(format!("the key {key} should point to a list, got '{other}'")))
        }
        (Some(within @ Value::Dict(inner)), _) => parts(inner, rest, within, skip_missing),
        (Some(_), _) if skip_missing => Ok(None),
        (Some(other), _) => {
            Err(Diagnostic::new(format!("the key {key} should point to a dictionary, got '{other}'")))
        }
    }
}

/// The item without the list, as Ansible hands it over.
fn without(entries: &Dict, path: &[&str]) -> Dict {
    let mut entries = entries.clone();
    match path {
        [] => {}
        [key] => {
            entries.remove(key);
        }
        [key, rest @ ..] => {
            if let Some(Value::Dict(inner)) = entries.get(key).cloned() {
                entries.insert(*key, without(&inner, rest));
            }
        }
    }
    entries
}
