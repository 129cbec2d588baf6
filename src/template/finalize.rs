//! Rendering values with everything in them.

use std::sync::Arc;

use super::Context;
use super::interp::{NO_ELSE, StackMark, check_stack, read};
use super::objects::{Module, downcast};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Value};

/// How far rendering goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// For a filter: parts are rendered, nothing else changes.
    Parts,
    /// What leaves a template: plain data, and `omit` has taken its items away.
    Data,
    /// The same, but what is vaulted stays so.
    Sealed,
}

/// Renders the value itself when it is a template or vaulted; its parts stay as they are. The result may be
/// [`Value::Undefined`].
pub fn resolve(value: &Value, context: &Context<'_>) -> Result<Value> {
    match value {
        Value::Template(template) => read(value.clone(), template.source(), context),
        Value::Vault(_) => read(value.clone(), &Arc::from("vaulted text"), context),
        other => Ok(other.clone()),
    }
}

/// Renders a value and everything in it, as a filter that looks at all of it needs it. The reading of
/// something undefined is an error of the kind [`Diagnostic::is_undefined`].
pub fn resolve_deep(value: &Value, context: &Context<'_>) -> Result<Value> {
    let _mark = StackMark::new();
    Ok(walk(value, context, Depth::Parts)?.unwrap_or_else(|| value.clone()))
}

/// Renders a value and its parts, as a filter needs it that looks no further. The reading of something undefined is an
/// error of the kind [`Diagnostic::is_undefined`].
pub fn resolve_parts(value: &Value, context: &Context<'_>) -> Result<Value> {
    let whole = resolve(value, context)?;
    let is_open = |part: &Value| matches!(part, Value::Template(_) | Value::Vault(_) | Value::Undefined(_));
    let one = |part: &Value| match resolve(part, context)? {
        Value::Undefined(undefined) if undefined.message != NO_ELSE => Err(Diagnostic::undefined(&undefined)),
        part => Ok(part),
    };
    let all = |items: &[Value]| items.iter().map(one).collect::<Result<Vec<_>>>();
    Ok(match &whole {
        Value::List(items) if items.iter().any(is_open) => Value::list(all(items)?),
        Value::Tuple(items) if items.iter().any(is_open) => Value::Tuple(Arc::new(all(items)?)),
        Value::Dict(entries) if entries.values().any(is_open) => {
            let entries: Result<Dict> =
                entries.iter().map(|(key, value)| Ok((key.clone(), one(value)?))).collect();
            Value::dict(entries?)
        }
        _ => whole,
    })
}

/// Renders a value and everything in it; `omit` inside containers leaves the item out. An undefined raises.
/// The result is plain data; `omit` alone stays [`Value::Omit`].
pub fn render_all(value: &Value, context: &Context<'_>) -> Result<Value> {
    let _mark = StackMark::new();
    Ok(walk(value, context, Depth::Data)?.unwrap_or_else(|| value.clone()))
}

/// The same for values that are kept: what stands there under `!vault` stays vaulted, once it is known to open.
pub fn render_sealed(value: &Value, context: &Context<'_>) -> Result<Value> {
    let _mark = StackMark::new();
    Ok(walk(value, context, Depth::Sealed)?.unwrap_or_else(|| value.clone()))
}

/// `None` when nothing changes: most values are plain already and need no copy.
fn walk(value: &Value, cx: &Context<'_>, depth: Depth) -> Result<Option<Value>> {
    match value {
        Value::None
        | Value::Bool(_)
        | Value::Int(_)
        | Value::BigInt(_)
        | Value::Float(_)
        | Value::Str(_)
        | Value::Omit => Ok(None),
        Value::Vault(vaulted) if depth == Depth::Sealed => vaulted.open().map(|_| None),
        Value::Template(_) | Value::Vault(_) => {
            check_stack()?;
            let read = resolve(value, cx)?;
            Ok(Some(walk(&read, cx, depth)?.unwrap_or(read)))
        }
        Value::Undefined(undefined) if undefined.message == NO_ELSE => match depth {
            Depth::Parts => Ok(None),
            Depth::Data | Depth::Sealed => {
                Err(Diagnostic::new(format!("Error rendering template: {NO_ELSE}"))
                    .hint("The inline if has no else."))
            }
        },
        Value::Undefined(undefined) => Err(Diagnostic::undefined(undefined)),
        Value::List(items) => Ok(walk_items(items, cx, depth)?.map(Value::list)),
        Value::Tuple(items) => match (depth, walk_items(items, cx, depth)?) {
            (Depth::Parts, items) => Ok(items.map(|items| Value::Tuple(Arc::new(items)))),
            (Depth::Data | Depth::Sealed, Some(items)) => Ok(Some(Value::list(items))),
            (Depth::Data | Depth::Sealed, None) => Ok(Some(Value::List(Arc::clone(items)))),
        },
        Value::Dict(entries) => Ok(walk_entries(entries, cx, depth)?.map(Value::dict)),
        Value::Object(object) => {
            if depth == Depth::Parts || object.is_data() {
                return Ok(None);
            }
            if let Some(module) = downcast::<Module>(value) {
                return Ok(Some(module.body.clone()));
            }
            if object.type_name() == "datetime" {
                return Ok(None);
            }
            check_stack()?;
            let Some(keys) = object.keys() else {
                return Err(Diagnostic::new(format!(
                    "Error rendering template: Type '{}' is unsupported for variable storage.",
                    object.type_name()
                )));
            };
            let entries: Dict =
                keys.into_iter().filter_map(|key| Some((key.clone(), object.get(&key)?))).collect();
            let entries = Value::dict(entries);
            Ok(Some(walk(&entries, cx, depth)?.unwrap_or(entries)))
        }
    }
}

fn walk_items(items: &[Value], cx: &Context<'_>, depth: Depth) -> Result<Option<Vec<Value>>> {
    check_stack()?;
    let mut changed: Option<Vec<Value>> = None;
    for (place, item) in items.iter().enumerate() {
        let new = walk(item, cx, depth)?;
        let omitted = depth != Depth::Parts && new.as_ref().unwrap_or(item).is_omit();
        if changed.is_none() && (new.is_some() || omitted) {
            changed = Some(items.get(..place).unwrap_or_default().to_vec());
        }
        if let Some(changed) = &mut changed
            && !omitted
        {
            changed.push(new.unwrap_or_else(|| item.clone()));
        }
    }
    Ok(changed)
}

fn walk_entries(entries: &Dict, cx: &Context<'_>, depth: Depth) -> Result<Option<Dict>> {
    check_stack()?;
    let mut changed: Option<Dict> = None;
    for (place, (key, value)) in entries.iter().enumerate() {
        let new = walk(value, cx, depth)?;
        let omitted = depth != Depth::Parts && new.as_ref().unwrap_or(value).is_omit();
        if changed.is_none() && (new.is_some() || omitted) {
            changed = Some(entries.iter().take(place).map(|(k, v)| (k.clone(), v.clone())).collect());
        }
        if let Some(changed) = &mut changed
            && !omitted
        {
            changed.insert(key.clone(), new.unwrap_or_else(|| value.clone()));
        }
    }
    Ok(changed)
}
