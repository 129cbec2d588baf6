//! Which text may be taken for an expression: only what the user's own files hold.

use super::ast::{Expr, Kind, Stmt};
use super::{Context, Template};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::Value;

/// What a variable of the user's own files, or a part of one, holds as it is written; `None` where a template is more
/// than the name of such a one.
pub fn written(template: &Template, context: &Context<'_>) -> Option<Value> {
    if template.is_unsafe() {
        return None;
    }
    match &template.unit().ok()?.program.body[..] {
        [Stmt::Emit(expr)] => part(expr, context),
        _ => None,
    }
}

fn part(expr: &Expr, context: &Context<'_>) -> Option<Value> {
    match &expr.kind {
        Kind::Name(name) => context.names.written(name),
        Kind::Attr(whole, key) => step(&part(whole, context)?, &Value::Str(key.clone())),
        Kind::Item(whole, key) => match &key.kind {
            Kind::Const(key) => step(&part(whole, context)?, key),
            _ => None,
        },
        _ => None,
    }
}

/// A part of what stands there. Of what has yet to be rendered there is none: that may come from anywhere.
fn step(whole: &Value, key: &Value) -> Option<Value> {
    match (whole, key) {
        (Value::Dict(entries), key) => entries.get_value(key).cloned(),
        (Value::List(items), Value::Int(index)) => items.get(usize::try_from(*index).ok()?).cloned(),
        _ => None,
    }
}

/// Refuses to take text for an expression, unless the template it came from is the name of a variable that the user's
/// own files hold.
pub fn trusted(template: &Template, came: &Value, context: &Context<'_>) -> Result<()> {
    let is_written = match written(template, context) {
        Some(Value::List(items)) => items.contains(came),
        Some(value) => value == *came,
        None => false,
    };
    if is_written || !matches!(came, Value::Str(_)) {
        return Ok(());
    }
    Err(untrusted(template))
}

/// The error of taking for an expression what came from elsewhere.
pub fn untrusted(template: &Template) -> Diagnostic {
    let error = Diagnostic::new("Encountered untrusted template or expression.")
        .hint(
            "Templates and expressions must be defined by trusted sources such as playbooks or roles, not untrusted \
             sources such as module results.",
        )
        .hint("An expression needs no '{{ }}' around it here.");
    match template.place() {
        Some(place) => error.at(place),
        None => error,
    }
}
