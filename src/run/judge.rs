//! What a result counts as: `changed_when`, `failed_when`.

use super::outcome::Raw;
use super::register;
use super::task::{Job, unmet};
use crate::diagnostic::Diagnostic;
use crate::value::{Dict, Value};
use crate::vars::Scope;

/// What is said of a task that only its `failed_when` calls failed.
pub const FAILED_WHEN: &str = "Task failed: Action failed: A 'failed_when' expression evaluated to 'True'.";

/// Applies `changed_when` and `failed_when`, and fills in the keys every result has.
///
/// A condition that cannot be evaluated is a failure of the task, beside what the action said.
pub(super) fn judge(job: &Job<'_>, scope: &mut Scope, mut raw: Raw) -> Raw {
    let task = job.task;
    split_lines(&mut raw.fields);
    if !raw.fields.contains("changed") {
        raw.set("changed", false);
    }
    if raw.is("skipped") {
        raw.set("failed", false);
    }
    if raw.unreachable || raw.is("skipped") {
        return raw;
    }
    let nonzero = matches!(raw.fields.get("rc"), Some(Value::Int(rc)) if *rc != 0);
    if raw.is("failed") || (nonzero && !raw.fields.contains("failed")) {
        raw.fail();
    } else {
        raw.set("failed", false);
    }
    if !task.changed_when.is_empty() {
        register::show(task, &raw, scope);
        match unmet(&task.changed_when, scope) {
            Ok(unmet) => {
                raw.set("changed_when_result", unmet.is_none());
                raw.set("changed", unmet.is_none());
            }
            Err(error) => return condition_failed(raw, "changed_when", error),
        }
    }
    if !task.failed_when.is_empty() {
        register::show(task, &raw, scope);
        match unmet(&task.failed_when, scope) {
            Ok(unmet) => {
                raw.set("failed_when_result", unmet.is_none());
                settle(&mut raw, unmet.is_none());
            }
            Err(error) => return condition_failed(raw, "failed_when", error),
        }
    }
    raw
}

/// What `failed_when` says overrules the action.
fn settle(raw: &mut Raw, failed: bool) {
    if failed {
        raw.fail();
        if !raw.fields.get("msg").is_some_and(Value::is_truthy) {
            raw.set("msg", FAILED_WHEN);
        }
        return;
    }
    raw.set("failed", false);
    if let Some(exception) = raw.fields.remove("exception") {
        raw.set("failed_when_suppressed_exception", exception);
    }
}

fn condition_failed(mut raw: Raw, keyword: &str, error: Diagnostic) -> Raw {
    raw.set(&format!("{keyword}_result"), error.message());
    let error = error
        .context(format_args!("A '{keyword}' expression failed"))
        .context("Action failed")
        .context("Task failed");
    raw.fail();
    raw.set("msg", error.message());
    raw.error = Some(error);
    raw
}

/// `stdout` and `stderr` come with their lines.
fn split_lines(fields: &mut Dict) {
    for (key, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
        if fields.contains(lines) {
            continue;
        }
        if let Some(Value::Str(text)) = fields.get(key) {
            let split: Vec<Value> = crate::value::split_lines(text).into_iter().map(Value::from).collect();
            fields.insert(lines, Value::list(split));
        }
    }
}
