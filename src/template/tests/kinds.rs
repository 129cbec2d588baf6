//! Jinja's tests of what a value is.

use std::sync::Arc;

use super::super::filters;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, TestEntry};
use crate::value::{Operator, Value};

pub(super) static TABLE: &[TestEntry] = &[
    TestEntry::new("boolean", &[], boolean).lazy(),
    TestEntry::new("callable", &[], callable).lazy(),
    TestEntry::new("defined", &[], defined).takes_undefined().lazy(),
    TestEntry::new("divisibleby", &["num"], divisibleby),
    TestEntry::new("escaped", &[], never),
    TestEntry::new("even", &[], even),
    TestEntry::new("false", &[], is_false).lazy(),
    TestEntry::new("filter", &[], is_filter),
    TestEntry::new("float", &[], float).lazy(),
    TestEntry::new("integer", &[], integer).lazy(),
    TestEntry::new("isnan", &[], nan),
    TestEntry::new("iterable", &[], iterable).lazy(),
    TestEntry::new("lower", &[], lower),
    TestEntry::new("mapping", &[], mapping).lazy(),
    TestEntry::new("nan", &[], nan),
    TestEntry::new("none", &[], none).lazy(),
    TestEntry::new("number", &[], number).lazy(),
    TestEntry::new("odd", &[], odd),
    TestEntry::new("sameas", &["other"], sameas).lazy(),
    TestEntry::new("sequence", &[], sequence).lazy(),
    TestEntry::new("string", &[], string).lazy(),
    TestEntry::new("test", &[], is_test),
    TestEntry::new("true", &[], is_true).lazy(),
    TestEntry::new("undefined", &[], undefined).takes_undefined().lazy(),
    TestEntry::new("upper", &[], upper),
];

fn defined(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(!subject.is_undefined())
}

fn undefined(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(subject.is_undefined())
}

fn none(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(subject.is_none())
}

fn boolean(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(matches!(subject, Value::Bool(_)))
}

fn is_true(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(matches!(subject, Value::Bool(true)))
}

fn is_false(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(matches!(subject, Value::Bool(false)))
}

fn integer(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(matches!(subject, Value::Int(_) | Value::BigInt(_)))
}

fn float(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(matches!(subject, Value::Float(_)))
}

fn number(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(matches!(subject, Value::Int(_) | Value::BigInt(_) | Value::Float(_) | Value::Bool(_)))
}

fn string(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(matches!(subject, Value::Str(_)))
}

fn mapping(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(match subject {
        Value::Dict(_) => true,
        Value::Object(object) => object.keys().is_some(),
        _ => false,
    })
}

fn sequence(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(match subject {
        Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Dict(_) => true,
        Value::Object(object) => object.items().is_some() || object.keys().is_some(),
        _ => false,
    })
}

fn iterable(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<bool> {
    sequence(subject, args, context)
}

fn callable(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    const CALLED: [&str; 7] =
        ["function", "type", "method", "builtin_function_or_method", "Macro", "Joiner", "LoopContext"];
    Ok(matches!(subject, Value::Object(_)) && CALLED.contains(&subject.type_name()))
}

/// Nothing is marked as escaped here.
fn never(_: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(false)
}

fn nan(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(matches!(subject, Value::Float(number) if number.is_nan()))
}

/// Python's `is`: the same object. Equal texts and small numbers count as the same.
fn sameas(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(match (subject, args.required("other")?) {
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => Arc::ptr_eq(a, b),
        (Value::Dict(a), Value::Dict(b)) => Arc::ptr_eq(a, b),
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Bool(_), _)
        | (_, Value::Bool(_))
        | (Value::Float(_), Value::Int(_))
        | (Value::Int(_), Value::Float(_)) => false,
        (a, b) => a == b,
    })
}

fn remainder(subject: &Value, divisor: &Value) -> Result<Value> {
    if matches!(subject, Value::Str(_)) {
        return Err(Diagnostic::new("not all arguments converted during string formatting"));
    }
    if divisor.as_int() == Some(0) {
        return Err(Diagnostic::new("integer modulo by zero"));
    }
    subject.operate(Operator::Rem, divisor)
}

fn odd(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(remainder(subject, &Value::Int(2))? == Value::Int(1))
}

fn even(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(remainder(subject, &Value::Int(2))? == Value::Int(0))
}

fn divisibleby(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(remainder(subject, args.required("num")?)? == Value::Int(0))
}

/// `str.islower`: some letter, and all of them small.
fn lower(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    let text = subject.to_string();
    Ok(text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase))
}

fn upper(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    let text = subject.to_string();
    Ok(text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase))
}

fn is_filter(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(filters::TABLE.find(&subject.to_string()).is_some())
}

fn is_test(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(super::TABLE.find(&subject.to_string()).is_some())
}
