//! One task on one host: when, loop, call, until, register.

use std::sync::Arc;
use std::time::Instant;

use super::batch::Batch;
use super::debugger::{Answer, Changes};
use super::event::{Delegate, Event, Status, TaskInfo};
use super::outcome::{HostOutcome, Raw};
use super::walk::Place;
use super::{debugger, destination, handlers, items, judge, keywords, register, report, settings, until};
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::{Setting, Task};
use crate::template::{self, Context};
use crate::value::Value;
use crate::vars::Scope;

/// What a task on a host is about; everything below works on it.
pub(super) struct Job<'a> {
    pub batch: &'a Arc<Batch>,
    pub host: &'a Arc<str>,
    pub task: &'a Arc<Task>,
    pub info: &'a Arc<TaskInfo>,
    pub place: &'a Place,
}

/// Runs a task on a host and tells the callbacks.
pub(super) async fn run_on_host(
    batch: &Arc<Batch>,
    host: Arc<str>,
    task: &Arc<Task>,
    info: &Arc<TaskInfo>,
    place: &Place,
) -> HostOutcome {
    batch.run.outbox.wait().await;
    let started = Instant::now();
    batch.run.emit(Event::HostStarted { host: host.clone(), task: info.clone() });
    let scope = batch.scope(&host, Some(task), &place.inner);
    let info = &scope.as_ref().map_or_else(|_| info.clone(), |scope| batch.info_of(info, task, scope));
    let job = Job { batch, host: &host, task, info, place };
    let outcome = match scope {
        Ok(scope) => until_content(&job, scope, started).await,
        Err(error) => {
            // The play's own files are at fault.
            batch.run.break_off(error.clone());
            report::host_done(&job, Ended::of(Raw::error(error)), started)
        }
    };
    // A role that was skipped as a whole, or whose host was not there, has not run.
    if let Some(role) = &task.role
        && !matches!(outcome.status, Status::Skipped | Status::Unreachable)
    {
        batch.begin_role(&host, role);
    }
    outcome
}

/// Runs it once; or, with the task debugger, until whoever sits at it is content.
async fn until_content(job: &Job<'_>, scope: Scope, started: Instant) -> HostOutcome {
    if !debugger::may_open(job) {
        return report::host_done(job, whole(job, scope).await, started);
    }
    let mut changes = Changes::default();
    loop {
        let task = changes.task(job.task);
        let job = Job { task: &task, ..*job };
        let mut now = scope.clone();
        changes.set(&mut now);
        let outcome = report::host_done(&job, whole(&job, now).await, started);
        match debugger::consult(&job, &scope, &outcome, &mut changes).await {
            Answer::Continue => return outcome,
            Answer::Redo => report::take_back(&job, &outcome),
            Answer::Quit => {
                job.batch.run.break_off(Diagnostic::interrupted());
                return outcome;
            }
        }
    }
}

/// The task as it is where the name of its module is a template, and that is known.
pub(super) fn named(batch: &Batch, task: &Arc<Task>, scope: &Scope) -> Result<Arc<Task>> {
    let Some(dynamic) = &task.action.dynamic else { return Ok(task.clone()) };
    let name = settings::rendered(&dynamic.name, &Context::new(scope))?.to_string();
    batch.run.loader.name_task(task, dynamic, name.trim())
}

/// A finished task: its result, and what it asked to include.
pub(super) struct Ended {
    pub raw: Raw,
    pub inclusions: Vec<super::outcome::Inclusion>,
    /// Where it ran, when not on the host itself.
    pub delegated_to: Option<Delegate>,
    pub is_loop: bool,
}

impl Ended {
    pub fn of(raw: Raw) -> Self {
        Self { raw, inclusions: Vec::new(), delegated_to: None, is_loop: false }
    }
}

async fn whole(job: &Job<'_>, scope: Scope) -> Ended {
    if let Some(repeat) = &job.task.repeat {
        return items::run(job, repeat, scope).await;
    }
    let (raw, delegate) = one(job, &scope).await;
    let delegated_to = delegate.map(|name| destination::shown(job, &scope, name, &raw));
    let inclusions = super::include::of(&raw, &[], None).into_iter().collect();
    Ended { raw, inclusions, delegated_to, is_loop: false }
}

/// A task without a loop, or one item of it.
pub(super) async fn one(job: &Job<'_>, scope: &Scope) -> (Raw, Option<Arc<str>>) {
    match unmet(&job.task.keywords.when, scope) {
        Ok(None) => {}
        Ok(Some(condition)) => {
            return (Raw::skipped("Conditional result was False", Some(condition)), None);
        }
        Err(error) => return (Raw::error(when_failed(error)), None),
    }
    let named = match named(job.batch, job.task, scope) {
        Ok(named) => named,
        Err(error) => return (Raw::error(error.context("Task failed")), None),
    };
    let job = &Job { task: &named, ..*job };
    if let Err(error) = keywords::check(job.task, &Context::new(scope)) {
        return (Raw::error(error), None);
    }
    let delegated = match destination::delegate(job, scope) {
        Ok(delegated) => delegated,
        Err(error) => return (Raw::error(error.context("Task failed")), destination::written(job)),
    };
    let scope = destination::seen_from(job, scope, delegated.as_ref());
    let raw = until::run(job, scope, delegated.as_ref()).await;
    (raw, delegated)
}

/// The lead of an error in a `when`.
pub(super) fn when_failed(error: Diagnostic) -> Diagnostic {
    error.context("A 'when' expression failed").context("Task failed")
}

/// The first condition that does not hold, as written; `None` when all do.
pub(super) fn unmet(conditions: &[Setting], scope: &Scope) -> Result<Option<Value>> {
    let context = Context::new(scope);
    for condition in conditions {
        if !template::condition(&condition.value, Some(&condition.place), &context)? {
            return Ok(Some(match &condition.value {
                Value::Template(template) => Value::Str(template.source().clone()),
                other => other.clone(),
            }));
        }
    }
    Ok(None)
}

/// Judges a result: `changed_when`, `failed_when`; then facts are kept, and it is known what is notified.
pub(super) fn judge(job: &Job<'_>, scope: &mut Scope, raw: Raw, delegated: Option<&Arc<str>>) -> Raw {
    let mut raw = judge::judge(job, scope, raw);
    register::keep_facts(job, &raw, delegated);
    // Those of an item that changed nothing too: what counts is whether the whole task changed something.
    if matches!(raw.status(), Status::Ok | Status::Changed) {
        match handlers::notices(job, scope) {
            Ok(notices) => raw.notify = notices,
            Err(error) => {
                return Raw::error(error.context("Error processing keyword 'notify'").context("Task failed"));
            }
        }
    }
    raw
}
