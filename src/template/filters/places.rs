//! Places in data, by path or number: `get_path`, `index_of` and `to_paths` of the collection ansible.utils.

use std::sync::Arc;

use super::items;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry, Names, Template, render, resolve, resolve_deep, tests};
use crate::value::{Dict, Value};

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("ansible.utils.get_path", &["path", "wantlist"], get_path),
    FilterEntry::new(
        "ansible.utils.index_of",
        &["test", "value", "key", "fail_on_missing", "wantlist"],
        index_of,
    ),
    FilterEntry::new("ansible.utils.to_paths", &["prepend", "wantlist"], to_paths),
];

/// A dict's entries as variables.
struct Entries<'a>(&'a Dict);

impl Names for Entries<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.0.keys().filter_map(Value::as_str).map(Arc::from).collect()
    }
}

/// What an expression comes to where the entries of a dict are the variables.
fn get_path(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let path = args.required("path")?;
    let path = if path.is_none() { String::new() } else { path.to_string() };
    let data = resolve_deep(subject, context)?;
    let Value::Dict(entries) = &data else {
        return Err(Diagnostic::new(format!("get_path() takes a dict, not '{}'", data.type_name())));
    };
    if entries.keys().any(|key| key.as_str().is_none()) {
        return Err(Diagnostic::new("keywords must be strings"));
    }
    let names = Entries(entries);
    let found = render(&Template::new(format!("{{{{ {path} }}}}"), None), &Context::new(&names))?;
    Ok(if boolean(args, "wantlist")? { Value::list(vec![found]) } else { found })
}

fn boolean(args: &Args<'_>, name: &str) -> Result<bool> {
    let wrong = |value: &Value| {
        Diagnostic::new(format!("argument '{name}': the value {} is not a valid boolean", value.repr()))
    };
    match args.some(name) {
        None => Ok(false),
        Some(value) => value.as_boolean().ok_or_else(|| wrong(value)),
    }
}

/// The numbers of the items for which a test holds.
fn index_of(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let list = match resolve(subject, context)? {
        Value::Str(text) => text.split(',').map(Value::from).collect(),
        number @ (Value::Int(_) | Value::BigInt(_) | Value::Float(_)) => vec![number.to_string().into()],
        list @ (Value::List(_) | Value::Tuple(_)) => items(&list, context)?,
        other => {
            return Err(Diagnostic::new(format!("index_of() takes a list, not '{}'", other.type_name())));
        }
    };
    let test = args.required("test")?;
    let test = if test.is_none() { String::new() } else { test.to_string() };
    let (wanted, name) = match negated(&test) {
        Some(name) => (false, name.trim()),
        None => (true, test.as_str()),
    };
    let key = args.string("key");
    let strict = boolean(args, "fail_on_missing")?;
    let value: Vec<Value> = args.some("value").cloned().into_iter().collect();
    let mut found = Vec::new();
    for (at, item) in list.into_iter().enumerate() {
        let item = resolve_deep(&item, context)?;
        let tested = match (&key, &item) {
            (None, _) => item,
            (Some(key), Value::Dict(entries)) => match entries.get(key) {
                Some(value) => value.clone(),
                None if strict => {
                    let told = item.repr();
                    return Err(Diagnostic::new(format!(
                        "'{key}' was not found in '{told}' at [{at}]. fail_on_missing=True"
                    )));
                }
                None => continue,
            },
            (Some(_), other) => {
                return Err(Diagnostic::new(format!(
                    "When a key name is provided, all list entries are required to be dictionaries, got {}",
                    other.type_name()
                )));
            }
        };
        let answer = tests::TABLE.apply(name, &tested, &value, &Dict::new(), context)?;
        if let Value::Undefined(undefined) = &answer {
            return Err(Diagnostic::undefined(undefined));
        }
        if answer.is_truthy() == wanted {
            found.push(Value::from(at));
        }
    }
    Ok(match (&*found, boolean(args, "wantlist")?) {
        ([only], false) => only.clone(),
        _ => Value::list(found),
    })
}

/// The test that `!name` and `not name` negate; `!=` is one itself.
fn negated(test: &str) -> Option<&str> {
    test.strip_prefix('!').filter(|name| !name.starts_with('=')).or_else(|| test.strip_prefix("not "))
}

/// All that is no dict and no list, or an empty one, by its path.
fn to_paths(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let data = resolve_deep(subject, context)?;
    let prepend = args.string("prepend").filter(|text| !text.is_empty());
    let list = boolean(args, "wantlist")?;
    let is_empty = match &data {
        Value::Dict(entries) => entries.is_empty(),
        other => other.as_list().is_some_and(<[Value]>::is_empty),
    };
    let found = if is_empty && prepend.is_none() {
        data
    } else {
        let mut paths = Dict::new();
        collect(&data, prepend.map(|text| Value::from(&*text)), &mut paths)?;
        paths.into()
    };
    Ok(if list { Value::list(vec![found]) } else { found })
}

/// `path` is `None` at the top, where a key stands as it is.
fn collect(value: &Value, path: Option<Value>, paths: &mut Dict) -> Result<()> {
    let before = path.as_ref().map(Value::to_string);
    match value {
        Value::Dict(entries) if !entries.is_empty() => {
            for (key, value) in entries.iter() {
                let path = match &before {
                    Some(before) => format!("{before}{}", step(key)?).into(),
                    None => key.clone(),
                };
                collect(value, Some(path), paths)?;
            }
        }
        Value::List(list) | Value::Tuple(list) if !list.is_empty() => {
            let before = before.unwrap_or_default();
            for (at, value) in list.iter().enumerate() {
                collect(value, Some(format!("{before}[{at}]").into()), paths)?;
            }
        }
        _ => {
            paths.insert(path.unwrap_or_else(|| "".into()), value.clone());
        }
    }
    Ok(())
}

fn step(key: &Value) -> Result<String> {
    let Some(key) = key.as_str() else {
        return Err(Diagnostic::new(format!("the key {} is no text", key.repr())));
    };
    let is_name = key.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
        && key.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    Ok(if is_name { format!(".{key}") } else { format!("['{key}']") })
}
