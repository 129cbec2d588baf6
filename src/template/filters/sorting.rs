//! Order: `sort`, `unique`, `min`, `max`, `groupby`, `dictsort`.

use indexmap::IndexSet;

use super::items;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry, get_attr};
use crate::value::Value;

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("dictsort", &["case_sensitive", "by", "reverse"], dictsort),
    FilterEntry::new("groupby", &["attribute", "default", "case_sensitive"], groupby),
    FilterEntry::new("max", &["case_sensitive", "attribute"], max),
    FilterEntry::new("min", &["case_sensitive", "attribute"], min),
    FilterEntry::new("sort", &["reverse", "case_sensitive", "attribute"], sort),
    FilterEntry::new("unique", &["case_sensitive", "attribute"], unique),
];

/// Text without its case, unless that matters.
fn fold(value: Value, args: &Args<'_>) -> Value {
    match value {
        Value::Str(text) if !args.flag("case_sensitive", false) => Value::from(text.to_lowercase()),
        other => other,
    }
}

/// What an item is compared by: the attribute, if one is given, without case.
fn key(item: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let part = match args.some("attribute") {
        Some(path) => get_attr(item, path, context)?,
        None => item.clone(),
    };
    match &part {
        Value::Undefined(undefined) => Err(Diagnostic::undefined(undefined)),
        _ => Ok(fold(part, args)),
    }
}

fn sort(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    // Several attributes: `attribute='role,name'`.
    let paths: Vec<Value> = match args.some("attribute") {
        Some(Value::Str(paths)) => paths.split(',').map(Value::from).collect(),
        Some(path) => vec![path.clone()],
        None => Vec::new(),
    };
    let mut keyed = Vec::new();
    for item in items(subject, context)? {
        let mut keys = Vec::with_capacity(paths.len().max(1));
        if paths.is_empty() {
            keys.push(fold(item.clone(), args));
        }
        for path in &paths {
            match get_attr(&item, path, context)? {
                Value::Undefined(undefined) => return Err(Diagnostic::undefined(&undefined)),
                part => keys.push(fold(part, args)),
            }
        }
        keyed.push((keys, item));
    }
    sort_keyed(&mut keyed, args.flag("reverse", false))?;
    Ok(keyed.into_iter().map(|(_, item)| item).collect::<Vec<_>>().into())
}

/// A stable sort by lists of keys, with Python's error where keys do not compare.
fn sort_keyed(keyed: &mut [(Vec<Value>, Value)], reverse: bool) -> Result<()> {
    // Python asks whether each item is smaller than the one before, and fails at the first that cannot be.
    for pair in keyed.windows(2) {
        if let [(before, _), (after, _)] = pair
            && let Some((before, after)) = before.iter().zip(after).find(|(before, after)| before != after)
        {
            after.compare(before, "<")?;
        }
    }
    let mut failure = None;
    keyed.sort_by(|(a, _), (b, _)| {
        let pairs = a.iter().zip(b).find(|(a, b)| a != b);
        let order = pairs.map(|(a, b)| a.compare(b, "<"));
        let order = order.unwrap_or(Ok(std::cmp::Ordering::Equal)).unwrap_or_else(|error| {
            failure.get_or_insert(error);
            std::cmp::Ordering::Equal
        });
        if reverse { order.reverse() } else { order }
    });
    failure.map_or(Ok(()), Err)
}

fn unique(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let mut seen = IndexSet::new();
    let mut kept = Vec::new();
    let by_case = args.some("case_sensitive").is_some_and(|flag| !flag.is_truthy());
    for item in items(subject, context)? {
        let key = key(&item, args, context)?;
        if matches!(key, Value::List(_) | Value::Dict(_)) && (by_case || args.some("attribute").is_some()) {
            return Err(Diagnostic::new(format!(
                "Jinja2's unique filter failed and we cannot fall back to Ansible's version as it does not support \
                 the parameters supplied: unhashable type: '{}'",
                key.type_name()
            )));
        }
        if seen.insert(key) {
            kept.push(item);
        }
    }
    Ok(kept.into())
}

fn min(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    extreme(subject, args, context, "<")
}

fn max(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    extreme(subject, args, context, ">")
}

fn extreme(subject: &Value, args: &Args<'_>, context: &Context<'_>, operator: &str) -> Result<Value> {
    let wanted = if operator == "<" { std::cmp::Ordering::Less } else { std::cmp::Ordering::Greater };
    let mut best: Option<(Value, Value)> = None;
    for item in items(subject, context)? {
        let key = key(&item, args, context)?;
        let better = match &best {
            Some((best, _)) => key.compare(best, operator)? == wanted,
            None => true,
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or_else(|| Value::undefined("No aggregated item, sequence was empty."), |(_, item)| item))
}

/// Lists of `[key, items]`, sorted by the key; without case, the first item's key stands for the group.
fn groupby(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let path = args.required("attribute")?;
    let mut keyed = Vec::new();
    for item in items(subject, context)? {
        let key = match (get_attr(&item, path, context)?, args.some("default")) {
            (Value::Undefined(_), Some(default)) => default.clone(),
            (Value::Undefined(undefined), None) => return Err(Diagnostic::undefined(&undefined)),
            (key, _) => key,
        };
        keyed.push((vec![fold(key.clone(), args)], Value::list(vec![key, item])));
    }
    sort_keyed(&mut keyed, false)?;
    let mut groups: Vec<Value> = Vec::new();
    for group in keyed.chunk_by(|(a, _), (b, _)| a == b) {
        let part = |pair: &Value, at: usize| pair.as_list().and_then(|pair| pair.get(at)).cloned();
        let key = group.first().and_then(|(_, pair)| part(pair, 0)).unwrap_or(Value::None);
        let members = group.iter().filter_map(|(_, pair)| part(pair, 1)).collect();
        groups.push(Value::Tuple(vec![key, Value::list(members)].into()));
    }
    Ok(groups.into())
}

fn dictsort(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let by_value = match args.string("by").as_deref() {
        None | Some("key") => false,
        Some("value") => true,
        Some(_) => return Err(Diagnostic::new("You can only sort by either \"key\" or \"value\"")),
    };
    let Value::Dict(entries) = subject else {
        return Err(Diagnostic::new(format!("'{}' object has no attribute 'items'", subject.type_name())));
    };
    let mut keyed: Vec<(Vec<Value>, Value)> = entries
        .iter()
        .map(|(key, value)| {
            let by = if by_value { value } else { key };
            (vec![fold(by.clone(), args)], Value::Tuple(vec![key.clone(), value.clone()].into()))
        })
        .collect();
    sort_keyed(&mut keyed, args.flag("reverse", false))?;
    Ok(keyed.into_iter().map(|(_, pair)| pair).collect::<Vec<_>>().into())
}
