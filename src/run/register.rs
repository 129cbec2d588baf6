//! What becomes of a result: judged, kept as facts, registered.

use std::sync::Arc;

use super::batch::Batch;
use super::outcome::{HostOutcome, Raw, public};
use super::settings;
use super::task::{Job, unmet};
use crate::diagnostic::Diagnostic;
use crate::playbook::Task;
use crate::template::Context;
use crate::value::{Dict, Value};
use crate::vars::Scope;

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
    let show = |raw: &Raw, scope: &mut Scope| {
        if let Some(name) = &task.register {
            scope.set_local(name.as_str(), raw.fields.clone());
        }
    };
    if !task.changed_when.is_empty() {
        show(&raw, scope);
        match unmet(&task.changed_when, scope) {
            Ok(unmet) => {
                raw.set("changed_when_result", unmet.is_none());
                raw.set("changed", unmet.is_none());
            }
            Err(error) => return condition_failed(raw, "changed_when", error),
        }
    }
    if !task.failed_when.is_empty() {
        show(&raw, scope);
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
            raw.set("msg", "Task failed: Action failed: A 'failed_when' expression evaluated to 'True'.");
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

/// Keeps what a result says under `ansible_facts`.
pub(super) fn keep_facts(job: &Job<'_>, raw: &Raw, delegated: Option<&Arc<str>>) {
    let Some(Value::Dict(facts)) = raw.fields.get("ansible_facts") else { return };
    if raw.is("failed") || raw.unreachable {
        return;
    }
    let run = &job.batch.run;
    let target = match delegated {
        Some(delegate) if job.batch.delegates_facts(job.host, job.task) => delegate,
        _ => job.host,
    };
    let state = run.hosts.state(target);
    match job.task.action.name.as_str() {
        "set_fact" => {
            for (name, value) in facts.iter() {
                state.set_var(name.clone(), value.clone());
            }
            if raw.is("_ansible_facts_cacheable") {
                state.add_facts(facts);
            }
        }
        "include_vars" => state.include(facts),
        _ => state.add_facts(facts),
    }
}

impl Batch {
    /// Whether facts are for the host that does the work.
    fn delegates_facts(&self, host: &Arc<str>, task: &Task) -> bool {
        let Some(setting) = &task.keywords.delegate_facts else { return false };
        let Ok(scope) = self.scope(host, Some(task), &[]) else { return false };
        settings::flag(Some(setting), false, &Context::new(&scope)).unwrap_or(false)
    }
}

/// Registers the whole task's result for the host.
pub(super) fn register(job: &Job<'_>, fields: &Dict) {
    if let Some(name) = &job.task.register {
        let state = job.batch.run.hosts.state(job.host);
        state.set_var(name.as_str(), registered(fields));
    }
}

fn registered(fields: &Dict) -> Value {
    let mut fields = public(fields.clone());
    if !fields.contains("failed") {
        fields.insert("failed", false);
    }
    Value::dict(fields)
}

/// Gives another host what a `run_once` task got.
pub(super) fn share(batch: &Batch, task: &Task, ran: &HostOutcome, host: &Arc<str>) {
    let state = batch.run.hosts.state(host);
    if let Some(name) = &task.register {
        state.set_var(name.as_str(), registered(&ran.fields));
    }
    if task.keywords.delegate_to.is_some() && batch.delegates_facts(&ran.host, task) {
        return;
    }
    let keep = |fields: &Dict| {
        if let Some(Value::Dict(facts)) = fields.get("ansible_facts") {
            match task.action.name.as_str() {
                "set_fact" => {
                    facts.iter().for_each(|(name, value)| state.set_var(name.clone(), value.clone()));
                }
                "include_vars" => state.include(facts),
                _ => state.add_facts(facts),
            }
        }
    };
    keep(&ran.fields);
    if let Some(Value::List(results)) = ran.fields.get("results") {
        results.iter().filter_map(Value::as_dict).for_each(keep);
    }
}
