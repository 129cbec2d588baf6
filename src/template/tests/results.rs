//! Tests of what a task returned: `failed`, `changed`, `skipped` and their other names.

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, TestEntry};
use crate::value::{Dict, Value};

pub(super) static TABLE: &[TestEntry] = &[
    TestEntry::new("change", &[], changed),
    TestEntry::new("changed", &[], changed),
    TestEntry::new("failed", &[], failed),
    TestEntry::new("failure", &[], failed),
    TestEntry::new("finished", &[], finished),
    TestEntry::new("reachable", &[], reachable),
    TestEntry::new("skip", &[], skipped),
    TestEntry::new("skipped", &[], skipped),
    TestEntry::new("started", &[], started),
    TestEntry::new("succeeded", &[], succeeded),
    TestEntry::new("success", &[], succeeded),
    TestEntry::new("successful", &[], succeeded),
    TestEntry::new("timedout", &[], timedout),
    TestEntry::new("unreachable", &[], unreachable),
];

fn result<'v>(subject: &'v Value, test: &str) -> Result<&'v Dict> {
    subject.as_dict().ok_or_else(|| {
        Diagnostic::new(format!("The '{test}' test expects a dictionary"))
            .hint("Test the registered variable itself, not one of its parts.")
    })
}

/// The truth of a key, and what it is when absent.
fn flag(result: &Dict, key: &str, absent: bool) -> bool {
    result.get(key).map_or(absent, Value::is_truthy)
}

fn failed(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(flag(result(subject, "failed")?, "failed", false))
}

fn succeeded(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(!flag(result(subject, "failed")?, "failed", false))
}

/// A loop that has no `changed` of its own changed when one of its items did.
fn changed(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    let result = result(subject, "changed")?;
    let item = |item: &Value| item.as_dict().is_some_and(|item| flag(item, "changed", false));
    Ok(match (result.get("changed"), result.get("results")) {
        (None, Some(Value::List(items))) => {
            items.first().is_some_and(|item| item.as_dict().is_some()) && items.iter().any(item)
        }
        _ => flag(result, "changed", false),
    })
}

fn skipped(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(flag(result(subject, "skipped")?, "skipped", false))
}

fn unreachable(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(flag(result(subject, "unreachable")?, "unreachable", false))
}

fn reachable(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(!flag(result(subject, "unreachable")?, "unreachable", false))
}

/// What is not asynchronous has started and finished.
fn started(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(flag(result(subject, "started")?, "started", true))
}

fn finished(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(flag(result(subject, "finished")?, "finished", true))
}

fn timedout(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    match result(subject, "timedout")?.get("timedout") {
        Some(Value::Dict(timeout)) => Ok(flag(timeout, "period", false)),
        Some(given) if given.is_truthy() => {
            Err(Diagnostic::new(format!("'{}' object has no attribute 'get'", given.type_name())))
        }
        _ => Ok(false),
    }
}
