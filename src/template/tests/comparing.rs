//! Comparisons: `eq`, `lt`, `in`, `contains`, `subset`, `all` and their other names.

use std::cmp::Ordering;

use indexmap::IndexSet;

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, TestEntry, iterate};
use crate::value::Value;

pub(super) static TABLE: &[TestEntry] = &[
    TestEntry::new("==", &["b"], eq),
    TestEntry::new("!=", &["b"], ne),
    TestEntry::new("<", &["b"], lt),
    TestEntry::new("<=", &["b"], le),
    TestEntry::new(">", &["b"], gt),
    TestEntry::new(">=", &["b"], ge),
    TestEntry::new("all", &[], all),
    TestEntry::new("any", &[], any),
    TestEntry::new("contains", &["b"], contains),
    TestEntry::new("eq", &["b"], eq),
    TestEntry::new("equalto", &["b"], eq),
    TestEntry::new("falsy", &["convert_bool"], falsy),
    TestEntry::new("ge", &["b"], ge),
    TestEntry::new("greaterthan", &["b"], gt),
    TestEntry::new("gt", &["b"], gt),
    TestEntry::new("in", &["seq"], is_in),
    TestEntry::new("issubset", &["b"], subset),
    TestEntry::new("issuperset", &["b"], superset),
    TestEntry::new("le", &["b"], le),
    TestEntry::new("lessthan", &["b"], lt),
    TestEntry::new("lt", &["b"], lt),
    TestEntry::new("ne", &["b"], ne),
    TestEntry::new("subset", &["b"], subset),
    TestEntry::new("superset", &["b"], superset),
    TestEntry::new("truthy", &["convert_bool"], truthy),
];

fn eq(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(subject == args.required("b")?)
}

fn ne(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(subject != args.required("b")?)
}

fn order(subject: &Value, args: &Args<'_>, operator: &str) -> Result<Option<Ordering>> {
    subject.partial_compare(args.required("b")?, operator)
}

fn lt(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(order(subject, args, "<")?.is_some_and(Ordering::is_lt))
}

fn le(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(order(subject, args, "<=")?.is_some_and(Ordering::is_le))
}

fn gt(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(order(subject, args, ">")?.is_some_and(Ordering::is_gt))
}

fn ge(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(order(subject, args, ">=")?.is_some_and(Ordering::is_ge))
}

fn is_in(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    args.required("seq")?.contains(subject)
}

fn contains(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    subject.contains(args.required("b")?)
}

fn subset(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<bool> {
    is_subset(subject, args.required("b")?, context)
}

fn superset(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<bool> {
    is_subset(args.required("b")?, subject, context)
}

fn is_subset(part: &Value, whole: &Value, context: &Context<'_>) -> Result<bool> {
    let (whole, part) = (iterate(whole, context)?, iterate(part, context)?);
    if let Some(item) = whole.iter().chain(&part).find(|item| matches!(item, Value::List(_) | Value::Dict(_)))
    {
        return Err(Diagnostic::new(format!("unhashable type: '{}'", item.type_name())));
    }
    let whole: IndexSet<Value> = whole.into_iter().collect();
    Ok(part.iter().all(|item| whole.contains(item)))
}

fn all(subject: &Value, _: &Args<'_>, context: &Context<'_>) -> Result<bool> {
    Ok(iterate(subject, context)?.iter().all(Value::is_truthy))
}

fn any(subject: &Value, _: &Args<'_>, context: &Context<'_>) -> Result<bool> {
    Ok(iterate(subject, context)?.iter().any(Value::is_truthy))
}

/// Python's truth; with `convert_bool` the words for yes and no count as what they say.
fn truthy(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    let said = if args.flag("convert_bool", false) { subject.as_boolean() } else { None };
    Ok(said.unwrap_or_else(|| subject.is_truthy()))
}

fn falsy(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<bool> {
    truthy(subject, args, context).map(|truth| !truth)
}
