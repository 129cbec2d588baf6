//! `when` and its like.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::ast::{Expr, Program};
use super::interp::{Interp, StackMark, Unit};
use super::locate::Origin;
use super::parse::parse_expression;
use super::syntax::Mode;
use super::syntax::Syntax;
use super::trust::{trusted, untrusted};
use super::{Context, resolve};
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::value::Value;

/// A parsed condition.
struct Condition {
    unit: Arc<Unit>,
    expr: Expr,
}

/// `allow_broken_conditionals` of this process.
static BROKEN_ALLOWED: AtomicBool = AtomicBool::new(false);

/// Lets conditions have any result from now on, of which Python's truth counts.
pub fn allow_broken_conditions() {
    BROKEN_ALLOWED.store(true, Ordering::Relaxed);
}

/// Text, and the address of the source, line and column it stands at.
type Key = (Arc<str>, usize, u32, u32);

/// Conditions are evaluated for every host and item: each is parsed once.
static PARSED: LazyLock<Mutex<HashMap<Key, Arc<Condition>>>> = LazyLock::new(Mutex::default);

/// More conditions than a large playbook has.
const MAX_PARSED: usize = 4096;

/// Evaluates a `when`-like expression: bare (`a and b`), a template, or an actual bool. Anything whose
/// result is no bool is an error, unless `allow_broken_conditionals` says otherwise.
pub fn condition(value: &Value, place: Option<&Place>, context: &Context<'_>) -> Result<bool> {
    evaluate(value, place, context).map_err(|error| match place {
        Some(place) => error.at(place),
        None => error,
    })
}

fn evaluate(value: &Value, place: Option<&Place>, cx: &Context<'_>) -> Result<bool> {
    let (result, templated) = match value {
        Value::Bool(answer) => return Ok(*answer),
        Value::Str(text) => (expression(text, place, cx)?, false),
        Value::Template(template) if template.is_unsafe() => return Err(untrusted(template)),
        Value::Template(template) => {
            let text = template.source().trim();
            if text.starts_with("{%")
                || text.starts_with("{#")
                || (text.starts_with("{{") && text.ends_with("}}"))
            {
                (resolve(value, cx).map_err(lead)?, true)
            } else {
                (expression(template.source(), template.place().or(place), cx)?, false)
            }
        }
        Value::Vault(_) | Value::Undefined(_) => (resolve(value, cx)?, true),
        _ => return Err(Diagnostic::new("Conditional expressions must be strings.")),
    };
    let result = match (&result, value) {
        // A variable of the user's own may hold a condition.
        (Value::Str(text), Value::Template(template)) if templated => {
            trusted(template, &result, cx)?;
            expression(text, place, cx)?
        }
        _ => result,
    };
    match &result {
        Value::Bool(answer) => Ok(*answer),
        Value::Undefined(undefined) => Err(lead(Diagnostic::undefined(undefined))),
        Value::Omit => Err(Diagnostic::new("A template was resolved to an Omit scalar.")),
        other if BROKEN_ALLOWED.load(Ordering::Relaxed) => {
            cx.warn(no_bool(other, templated, place).message());
            Ok(other.is_truthy())
        }
        Value::None if templated => Err(empty()),
        other => Err(no_bool(other, templated, place)),
    }
}

fn no_bool(value: &Value, templated: bool, place: Option<&Place>) -> Diagnostic {
    let truth = Value::Bool(value.is_truthy());
    let place = place.map_or_else(|| "<unknown>".to_owned(), ToString::to_string);
    let error = Diagnostic::new(format!(
        "Conditional result ({truth}) was derived from value of type '{}' at '{place}'. Conditionals must have a \
         boolean result.",
        value.type_name()
    ));
    match value {
        Value::Str(_) if templated => {
            error.hint("A condition is an expression already: write it without '{{ }}'.")
        }
        Value::Str(_) => error.hint("Write 'x | bool' for text that says yes or no, or compare it."),
        Value::List(_) | Value::Tuple(_) | Value::Dict(_) => error.hint("Write 'x | length > 0'."),
        Value::None => error.hint("Write 'x is not none'."),
        _ => error.hint("Write 'x | bool', or compare it."),
    }
}

fn empty() -> Diagnostic {
    Diagnostic::new("Empty conditional expressions are not allowed.")
}

/// The lead that ansible-core gives to the reading of something undefined here.
fn lead(error: Diagnostic) -> Diagnostic {
    if error.is_undefined() { error.context("Error while evaluating conditional") } else { error }
}

/// The value of a bare expression.
fn expression(text: &Arc<str>, place: Option<&Place>, cx: &Context<'_>) -> Result<Value> {
    if text.trim().is_empty() {
        return Err(empty());
    }
    let condition = parsed(text, place)?;
    let _mark = StackMark::new();
    let mut interp = Interp::new(cx, Arc::clone(&condition.unit));
    let value = interp.eval(&condition.expr).map_err(lead)?;
    match &value {
        Value::Undefined(undefined) if undefined.message == super::interp::NO_ELSE => {
            Err(interp.fault(Diagnostic::new(super::interp::NO_ELSE), condition.expr.span))
        }
        Value::Undefined(undefined) => Err(lead(interp.raise(undefined, &condition.expr))),
        _ => Ok(value),
    }
}

fn parsed(text: &Arc<str>, place: Option<&Place>) -> Result<Arc<Condition>> {
    let (source, line, column) =
        place.map_or((0, 0, 0), |place| (Arc::as_ptr(&place.source).addr(), place.line, place.column));
    let key = (Arc::clone(text), source, line, column);
    if let Some(condition) = PARSED.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(Arc::clone(condition));
    }
    let origin = Origin { source: Arc::clone(text), place: place.cloned() };
    let expr = parse_expression(text).map_err(|fault| {
        let delimiters = text.contains("{{") || text.contains("{%");
        let note = if delimiters { ". Template delimiters are not supported in expressions" } else { "" };
        let mut error = Diagnostic::new(format!("Syntax error in expression{note}: {}", fault.message));
        if delimiters {
            error = error.hint("A condition is an expression already: write it without '{{ }}'.");
        }
        match origin.place(fault.span) {
            Some(place) => error.at(&place),
            None => error,
        }
    })?;
    let program = Program { body: Vec::new(), blocks: Vec::new() };
    let unit = Arc::new(Unit { origin, program, mode: Mode::Expression, syntax: Syntax::default() });
    let condition = Arc::new(Condition { unit, expr });
    let mut cache = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= MAX_PARSED {
        cache.clear();
    }
    cache.insert(key, Arc::clone(&condition));
    Ok(condition)
}
