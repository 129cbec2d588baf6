//! What to take when something is missing: `default`, `mandatory`, `ternary`.

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("d", &["default_value", "boolean"], default).takes_undefined().lazy(),
    FilterEntry::new("default", &["default_value", "boolean"], default).takes_undefined().lazy(),
    FilterEntry::new("mandatory", &["msg"], mandatory).takes_undefined().lazy(),
    FilterEntry::new("ternary", &["true_val", "false_val", "none_val"], ternary).takes_undefined().lazy(),
];

/// The subject, unless it is undefined, or with `boolean` anything that is not true.
fn default(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let missing = subject.is_undefined() || (args.flag("boolean", false) && !subject.is_truthy());
    if !missing {
        return Ok(subject.clone());
    }
    Ok(args.get("default_value").cloned().unwrap_or_else(|| "".into()))
}

fn mandatory(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let Value::Undefined(undefined) = subject else { return Ok(subject.clone()) };
    if let Some(message) = args.string("msg") {
        return Err(Diagnostic::new(message));
    }
    let name = undefined.message.strip_prefix('\'').and_then(|rest| rest.strip_suffix("' is undefined"));
    Err(Diagnostic::new(match name {
        Some(name) => format!("Mandatory variable '{name}' not defined."),
        None => format!("Mandatory variable not defined: {}", undefined.message),
    }))
}

/// One of two values by the truth of the subject; only the one that is taken may not be undefined.
fn ternary(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    if subject.is_undefined() {
        return Ok(subject.clone());
    }
    let param = match (subject, args.some("none_val")) {
        (Value::None, Some(value)) => return Ok(value.clone()),
        _ if subject.is_truthy() => "true_val",
        _ => "false_val",
    };
    args.required("false_val")?;
    args.required(param).cloned()
}
