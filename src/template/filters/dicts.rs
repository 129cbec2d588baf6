//! Dicts: `combine`, `dict2items`, `items2dict`, `extract`, `subelements` and their kin.

use super::items;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry, get_item, resolve_parts};
use crate::value::{Dict, Value};

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("combine", &["*", "**"], combine).lazy(),
    FilterEntry::new("dict2items", &["key_name", "value_name"], dict2items).lazy(),
    FilterEntry::new("extract", &["container", "morekeys"], extract).lazy(),
    FilterEntry::new("items", &[], pairs).lazy(),
    FilterEntry::new("items2dict", &["key_name", "value_name"], items2dict),
    FilterEntry::new("rekey_on_member", &["key", "duplicates"], rekey_on_member),
    FilterEntry::new("subelements", &["subelements", "skip_missing"], subelements),
];

/// What `list_merge` says to do where both dicts have a list.
#[derive(Clone, Copy)]
pub(super) enum ListMerge {
    Replace,
    Keep,
    Append,
    Prepend,
    /// As `Append`, where what is present already is not repeated: the old one goes.
    AppendNew,
    PrependNew,
}

impl ListMerge {
    pub(super) fn parse(name: &str) -> Result<Self> {
        Ok(match name {
            "replace" => Self::Replace,
            "keep" => Self::Keep,
            "append" => Self::Append,
            "prepend" => Self::Prepend,
            "append_rp" => Self::AppendNew,
            "prepend_rp" => Self::PrependNew,
            _ => {
                return Err(Diagnostic::new(
                    "merge_hash: 'list_merge' argument can only be equal to 'replace', 'keep', 'append', \
                     'prepend', 'append_rp' or 'prepend_rp'",
                ));
            }
        })
    }

    fn merge(self, old: &[Value], new: &[Value]) -> Vec<Value> {
        let without = |items: &[Value], others: &[Value]| -> Vec<Value> {
            items.iter().filter(|item| !others.contains(item)).cloned().collect()
        };
        match self {
            Self::Replace => new.to_vec(),
            Self::Keep => old.to_vec(),
            Self::Append => [old, new].concat(),
            Self::Prepend => [new, old].concat(),
            Self::AppendNew => [without(old, new), new.to_vec()].concat(),
            Self::PrependNew => [new.to_vec(), without(old, new)].concat(),
        }
    }
}

fn combine(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    if args.named.keys().any(|key| !matches!(key.as_str(), Some("recursive" | "list_merge"))) {
        return Err(Diagnostic::new("'recursive' and 'list_merge' are the only valid keyword arguments"));
    }
    let recursive = args.named.get("recursive").is_some_and(Value::is_truthy);
    let lists = ListMerge::parse(&args.named.get("list_merge").map_or("replace".into(), Value::to_string))?;
    // One level of lists of dicts is opened; empty ones and `None` add nothing.
    let mut dicts = Vec::new();
    for value in std::iter::once(subject).chain(args.positional) {
        let value = resolve_parts(value, context)?;
        match &value {
            Value::List(_) | Value::Tuple(_) => {
                for part in items(&value, context)? {
                    dicts.push(resolve_parts(&part, context)?);
                }
            }
            _ => dicts.push(value),
        }
    }
    dicts.retain(|value| !value.is_none());
    // Python merges from the last to the first, and tells of the first pair that cannot be merged.
    if let Some([before, after]) = dicts.windows(2).rev().find_map(|pair| match pair {
        [Value::Dict(_), Value::Dict(_)] => None,
        [before, after] => Some([before, after]),
        _ => None,
    }) {
        return Err(Diagnostic::new(format!(
            "failed to combine variables, expected dicts but got a '{}' and a '{}'.",
            before.type_name(),
            after.type_name()
        )));
    }
    let mut dicts = dicts.into_iter();
    let mut merged = dicts.next().unwrap_or_else(|| Dict::new().into());
    for next in dicts {
        let (Value::Dict(old), Value::Dict(new)) = (&merged, &next) else { continue };
        merged = merge(old, new, recursive, lists, context)?.into();
    }
    Ok(merged)
}

pub(super) fn merge(
    old: &Dict,
    new: &Dict,
    recursive: bool,
    lists: ListMerge,
    context: &Context<'_>,
) -> Result<Dict> {
    let mut merged = old.clone();
    for (key, value) in new {
        let Some(held) = merged.get_value_mut(key) else {
            merged.insert(key.clone(), value.clone());
            continue;
        };
        if !recursive && matches!(lists, ListMerge::Replace) {
            held.clone_from(value);
            continue;
        }
        // Only now what the values are matters.
        let (before, after) =
            (crate::template::resolve(held, context)?, crate::template::resolve(value, context)?);
        *held = match (&before, &after) {
            (Value::Dict(before), Value::Dict(after)) if recursive => {
                merge(before, after, recursive, lists, context)?.into()
            }
            (Value::List(before), Value::List(after)) => lists.merge(before, after).into(),
            _ => value.clone(),
        };
    }
    Ok(merged)
}

fn dict2items(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let key_name = args.get("key_name").cloned().unwrap_or_else(|| "key".into());
    let value_name = args.get("value_name").cloned().unwrap_or_else(|| "value".into());
    let Some(entries) = entries(&resolve_parts(subject, context)?) else {
        return Err(Diagnostic::new(format!(
            "dict2items requires a dictionary, got <class '{}'> instead.",
            subject.type_name()
        )));
    };
    let item = |(key, value)| Dict::from_iter([(key_name.clone(), key), (value_name.clone(), value)]).into();
    Ok(entries.into_iter().map(item).collect::<Vec<Value>>().into())
}

fn pairs(subject: &Value, _: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let Some(entries) = entries(&resolve_parts(subject, context)?) else {
        return Err(Diagnostic::new("Can only get item pairs from a mapping."));
    };
    let pair = |(key, value)| Value::Tuple(vec![key, value].into());
    Ok(entries.into_iter().map(pair).collect::<Vec<Value>>().into())
}

/// The entries of a dict, or of an object that is a mapping.
fn entries(value: &Value) -> Option<Vec<(Value, Value)>> {
    match value {
        Value::Dict(entries) => {
            Some(entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
        }
        Value::Object(object) => {
            let pair = |key: Value| Some((key.clone(), object.get(&key)?));
            Some(object.keys()?.into_iter().filter_map(pair).collect())
        }
        _ => None,
    }
}

fn items2dict(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let key_name = args.get("key_name").cloned().unwrap_or_else(|| "key".into());
    let value_name = args.get("value_name").cloned().unwrap_or_else(|| "value".into());
    let (Value::List(items) | Value::Tuple(items)) = subject else {
        return Err(Diagnostic::new(format!(
            "items2dict requires a list, got <class '{}'> instead.",
            subject.type_name()
        )));
    };
    let no_dicts =
        || Diagnostic::new(format!("items2dict requires a list of dictionaries, got {subject} instead."));
    let mut dict = Dict::new();
    for item in items.iter() {
        // Pairs work too, with numbers for names.
        if !matches!(item, Value::Dict(_) | Value::List(_) | Value::Tuple(_)) {
            return Err(no_dicts());
        }
        let (key, value) = (get_item(item, &key_name, context)?, get_item(item, &value_name, context)?);
        if matches!(item, Value::Dict(_)) && (key.is_undefined() || value.is_undefined()) {
            return Err(Diagnostic::new(format!(
                "items2dict requires each dictionary in the list to contain the keys '{key_name}' and \
                 '{value_name}', got {subject} instead."
            )));
        }
        if key.is_undefined() || value.is_undefined() || matches!(key, Value::List(_) | Value::Dict(_)) {
            return Err(no_dicts());
        }
        dict.insert(key, value);
    }
    Ok(dict.into())
}

/// `key | extract(container, more…)`: `container[key][more]…`
fn extract(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let mut value = get_item(args.required("container")?, subject, context)?;
    let more = match args.some("morekeys") {
        Some(keys @ (Value::List(_) | Value::Tuple(_))) => items(keys, context)?,
        Some(key) => vec![key.clone()],
        None => Vec::new(),
    };
    for key in more {
        value = get_item(&value, &key, context)?;
    }
    Ok(value)
}

fn rekey_on_member(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let by = args.required("key")?;
    let overwrite = match args.string("duplicates").as_deref() {
        None | Some("error") => false,
        Some("overwrite") => true,
        Some(other) => {
            return Err(Diagnostic::new(format!(
                "duplicates parameter to rekey_on_member has unknown value '{other}'"
            )));
        }
    };
    let items: Vec<&Value> = match subject {
        Value::Dict(entries) => entries.values().collect(),
        Value::List(items) | Value::Tuple(items) => items.iter().collect(),
        _ => return Err(Diagnostic::new("Type is not a valid list, set, or dict")),
    };
    let mut dict = Dict::new();
    for item in items {
        let Value::Dict(entries) = item else {
            return Err(Diagnostic::new("List item is not a valid dict"));
        };
        let key = entries
            .get_value(by)
            .ok_or_else(|| Diagnostic::new(format!("Key {} was not found.", by.repr())))?;
        if !overwrite && dict.get_value(key).is_some_and(Value::is_truthy) {
            return Err(Diagnostic::new(format!(
                "Key {} is not unique, cannot convert to dict.",
                key.repr()
            )));
        }
        dict.insert(key.clone(), item.clone());
    }
    Ok(dict.into())
}

/// `[item, part]` for every part of the list that each item holds at a path.
fn subelements(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let skip_missing = args.flag("skip_missing", false);
    let items: Vec<&Value> = match subject {
        Value::Dict(entries) => entries.values().collect(),
        Value::List(items) | Value::Tuple(items) => items.iter().collect(),
        _ => return Err(Diagnostic::new("obj must be a list of dicts or a nested dict")),
    };
    let path: Vec<String> = match args.required("subelements")? {
        Value::Str(path) => path.split('.').map(str::to_owned).collect(),
        Value::List(path) => path.iter().map(Value::to_string).collect(),
        _ => return Err(Diagnostic::new("subelements must be a list or a string")),
    };
    let mut rows: Vec<Value> = Vec::new();
    for item in items {
        let mut part = item.clone();
        for key in &path {
            let Value::Dict(entries) = &part else {
                return Err(Diagnostic::new(format!(
                    "the key '{key}' should point to a dictionary, got '{part}'"
                )));
            };
            part = match entries.get(key) {
                Some(found) => found.clone(),
                None if skip_missing => {
                    part = Value::list(Vec::new());
                    break;
                }
                None => {
                    return Err(Diagnostic::new(format!(
                        "could not find '{key}' key in iterated item {item}"
                    )));
                }
            };
        }
        let Value::List(parts) = &part else {
            let key = path.last().map_or("", String::as_str);
            return Err(Diagnostic::new(format!("the key '{key}' should point to a list, got '{part}'")));
        };
        rows.extend(parts.iter().map(|part| Value::Tuple(vec![item.clone(), part.clone()].into())));
    }
    Ok(rows.into())
}
