//! A filter, attribute or test for every item: `map`, `select`, `reject`, `selectattr`, `rejectattr`.

use super::{items, read};
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry, get_attr, iterate, tests};
use crate::value::{Dict, Value};

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("map", &["*", "**"], map).lazy(),
    FilterEntry::new("reject", &["*", "**"], reject).lazy(),
    FilterEntry::new("rejectattr", &["*", "**"], rejectattr).lazy(),
    FilterEntry::new("select", &["*", "**"], select).lazy(),
    FilterEntry::new("selectattr", &["*", "**"], selectattr).lazy(),
];

fn map(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    if args.positional.is_empty() && args.named.contains("attribute") {
        return map_attribute(subject, args, context);
    }
    if !subject.is_truthy() {
        return Ok(Value::list(Vec::new()));
    }
    let Some((Value::Str(filter), rest)) = args.positional.split_first() else {
        return Err(Diagnostic::new("map requires a filter argument"));
    };
    let apply = |item: &Value| super::TABLE.apply(filter, &read(item, context)?, rest, args.named, context);
    iterate(subject, context)?.iter().map(apply).collect::<Result<Vec<_>>>().map(Value::list)
}

fn map_attribute(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    if let Some(unknown) =
        args.named.keys().find(|key| !matches!(key.as_str(), Some("attribute" | "default")))
    {
        return Err(Diagnostic::new(format!("Unexpected keyword argument '{unknown}'")));
    }
    let path = args.named.get("attribute").unwrap_or(&Value::None);
    let default = args.named.get("default");
    let part = |item: Value| {
        let part = get_attr(&item, path, context)?;
        Ok(match default {
            Some(default) if part.is_undefined() => default.clone(),
            _ => part,
        })
    };
    walked(subject, context)?.into_iter().map(part).collect::<Result<Vec<_>>>().map(Value::list)
}

/// The items; none of `none`, `false` and `0`, which Jinja skips here and nowhere else.
fn walked(subject: &Value, context: &Context<'_>) -> Result<Vec<Value>> {
    if subject.is_truthy() { items(subject, context) } else { Ok(Vec::new()) }
}

fn select(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    keep(subject, args.positional, args.named, context, None, true)
}

fn reject(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    keep(subject, args.positional, args.named, context, None, false)
}

fn selectattr(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    keep_by_attribute(subject, args, context, true)
}

fn rejectattr(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    keep_by_attribute(subject, args, context, false)
}

fn keep_by_attribute(subject: &Value, args: &Args<'_>, context: &Context<'_>, wanted: bool) -> Result<Value> {
    let Some((path, rest)) = args.positional.split_first() else {
        if !subject.is_truthy() {
            return Ok(Value::list(Vec::new()));
        }
        return Err(Diagnostic::new("Missing parameter for attribute name"));
    };
    keep(subject, rest, args.named, context, Some(path), wanted)
}

/// The items whose test (the first argument; without one, their truth) gives `wanted`.
fn keep(
    subject: &Value,
    args: &[Value],
    named: &Dict,
    context: &Context<'_>,
    attribute: Option<&Value>,
    wanted: bool,
) -> Result<Value> {
    let mut kept = Vec::new();
    for item in walked(subject, context)? {
        let tested = match attribute {
            Some(path) => get_attr(&item, path, context)?,
            None => item.clone(),
        };
        let answer = match args.split_first() {
            Some((test, rest)) => tests::TABLE.apply(&test.to_string(), &tested, rest, named, context)?,
            None => tested,
        };
        if let Value::Undefined(undefined) = &answer {
            return Err(Diagnostic::undefined(undefined));
        }
        if answer.is_truthy() == wanted {
            kept.push(item);
        }
    }
    Ok(kept.into())
}
