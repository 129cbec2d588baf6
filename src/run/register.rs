//! What is kept of a result: facts, and what `register` names.

use std::sync::Arc;

use super::batch::Batch;
use super::current_task::{CurrentTask, Looped};
use super::outcome::{HostOutcome, Raw, public};
use super::settings;
use super::task::Job;
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::Task;
use crate::template::{self, Context};
use crate::value::{Dict, Value};
use crate::vars::{Scope, is_restricted};

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
        // It shows facts, and brings none.
        "debug" => {}
        // What a host answers does not decide how hosts are reached.
        _ => {
            let restricted: Vec<&str> =
                facts.keys().filter_map(Value::as_str).filter(|name| is_restricted(name)).collect();
            let mut allowed = Dict::clone(facts);
            for name in restricted {
                run.warn(Diagnostic::new(format!("Removed restricted key from module data: {name}")));
                allowed.remove(name);
            }
            state.add_facts(&allowed);
        }
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

/// Shows a result to the conditions of its own task, as `_task` and under the names it will be registered under.
pub(super) fn show(task: &Task, raw: &Raw, scope: &mut Scope) {
    let before = scope.local("_task").and_then(CurrentTask::of).and_then(CurrentTask::items);
    show_with(task, raw, before.map(Looped::Before), scope);
}

/// Begins a loop whose items may look at what those before them came to.
pub(super) fn begin_loop(task: &Task, scope: &mut Scope) {
    if task.register.iter().any(|projection| projection.value.is_some()) {
        scope.set_local("_task", CurrentTask { result: None, looped: Some(Looped::SoFar(Vec::new())) });
    }
}

/// Shows the result of an item to the items after it.
pub(super) fn show_item(task: &Task, raw: &Raw, scope: &mut Scope) {
    if task.register.is_empty() {
        return;
    }
    let before = scope.local("_task").and_then(CurrentTask::of).and_then(CurrentTask::items);
    let so_far = before.map(|mut items| {
        items.push(Value::dict(public(raw.fields.clone())));
        Looped::SoFar(items)
    });
    show_with(task, raw, so_far, scope);
}

fn show_with(task: &Task, raw: &Raw, looped: Option<Looped>, scope: &mut Scope) {
    let result = Value::dict(raw.fields.clone());
    for projection in &task.register {
        scope.set_local(projection.name.as_str(), projection.value.clone().unwrap_or_else(|| result.clone()));
    }
    scope.set_local("_task", CurrentTask { result: Some(result), looped });
}

/// Registers the whole task's result for the host; what cannot be had of it fails the task.
pub(super) fn register(job: &Job<'_>, raw: &mut Raw, is_loop: bool) {
    if job.task.register.is_empty() {
        return;
    }
    let state = job.batch.run.hosts.state(job.host);
    let result = registered(&raw.fields);
    let mut errors = Vec::new();
    let mut scope = None;
    for projection in &job.task.register {
        let Some(expression) = &projection.value else {
            state.set_var(projection.name.as_str(), result.clone());
            continue;
        };
        let scope = scope.get_or_insert_with(|| ended(job, &result, is_loop));
        let value = match scope {
            Ok(scope) => template::render_all(expression, &Context::new(scope)),
            Err(error) => Err(error.clone()),
        };
        let value = value.unwrap_or_else(|error| {
            let why = error.message().to_owned();
            errors.push(error.context(format_args!("Register projection '{}' failed", projection.name)));
            Value::undefined(format!(
                "The variable '{}' is undefined because its register expression failed: {why}",
                projection.name
            ))
        });
        state.set_var(projection.name.as_str(), value);
    }
    if !errors.is_empty() {
        raw.fail();
        raw.error = Some(Diagnostic::new(format!(
            "Task failed due to errors in {} out of {} register projections",
            errors.len(),
            job.task.register.len()
        )));
    }
    for error in errors {
        job.batch.run.warn(error);
    }
}

/// What the expressions of `register` see when the task is done: after a loop, its last item.
fn ended(job: &Job<'_>, result: &Value, is_loop: bool) -> Result<Scope> {
    let mut scope = job.batch.scope(job.host, Some(job.task), &job.place.inner)?;
    let items = result.as_dict().and_then(|fields| fields.get("results")?.as_list()).filter(|_| is_loop);
    let last = items.and_then(<[Value]>::last);
    let part = |name: &str| last.and_then(|last| last.as_dict()?.get(name)).cloned();
    for name in ["ansible_loop_var", "ansible_index_var"] {
        if let Some(Value::Str(name)) = part(name)
            && let Some(value) = part(&name)
        {
            scope.set_local(&*name, value);
        }
    }
    let result_of_last = last.unwrap_or(result).clone();
    let looped = is_loop.then(|| Looped::Over(result.clone()));
    scope.set_local("_task", CurrentTask { result: Some(result_of_last), looped });
    for projection in &job.task.register {
        scope.set_local(projection.name.as_str(), projection.value.clone().unwrap_or_else(|| result.clone()));
    }
    Ok(scope)
}

fn registered(fields: &Dict) -> Value {
    let mut fields = fields.clone();
    if !fields.contains("failed") {
        fields.insert("failed", false);
    }
    Value::dict(public(fields))
}

/// Gives another host what a `run_once` task got.
pub(super) fn share(batch: &Batch, task: &Task, ran: &HostOutcome, host: &Arc<str>) {
    let state = batch.run.hosts.state(host);
    let set = batch.run.hosts.state(&ran.host).set();
    for projection in &task.register {
        if let Some(value) = set.get(projection.name.as_str()) {
            state.set_var(projection.name.as_str(), value.clone());
        }
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
                "debug" => {}
                _ => state.add_facts(facts),
            }
        }
    };
    keep(&ran.fields);
    if let Some(Value::List(results)) = ran.fields.get("results") {
        results.iter().filter_map(Value::as_dict).for_each(keep);
    }
}
