//! Tasks in the background: `async` and `poll`.

use std::sync::Arc;
use std::time::Duration;

use fanfare_modules::kit::wire::{Background, Request};
use serde_json::Value as Json;

use super::event::JobState;
use super::outcome::Raw;
use super::task::Job;
use super::{actions, call, report, settings};
use crate::diagnostic::{Diagnostic, Result};
use crate::template::Context;
use crate::value::{Dict, Value};
use crate::vars::Scope;

/// The module that tells about jobs.
const STATUS: &str = "async_status";

/// Modules of the worker that need the control node while they run, or tell of jobs themselves.
const ATTENDED: &[&str] = &["assemble", STATUS, "copy", "patch", "script", "template", "unarchive"];

/// How one task runs in the background.
pub(super) struct Plan {
    /// After so many it is killed.
    seconds: u64,
    /// How long to wait between looks at it; `None` where nobody waits for it.
    pub poll: Option<Duration>,
}

/// What a task's `async` and `poll` come to; `None` when it runs in the foreground.
pub(super) fn plan(job: &Job<'_>, context: &Context<'_>) -> Result<Option<Plan>> {
    let Some(background) = &job.task.background else { return Ok(None) };
    let seconds = settings::number(Some(background), context)?.unwrap_or_default();
    if seconds < 0.0 {
        return Err(Diagnostic::new("'async' cannot be negative").at(&background.place));
    }
    let poll = match &job.task.poll {
        Some(setting) => settings::number(Some(setting), context)?.map(seconds_of),
        None => None,
    };
    let seconds = seconds_of(seconds);
    if seconds == 0 {
        return Ok(None);
    }
    let action = &job.task.action.name;
    if actions::find(action).is_some() || ATTENDED.contains(&action.as_str()) {
        let message = format!("This action ({action}) does not support async.");
        return Err(Diagnostic::new(message).at(&job.task.place));
    }
    let poll = poll.unwrap_or(job.batch.run.options.run.poll_interval);
    Ok(Some(Plan { seconds, poll: (poll > 0).then(|| Duration::from_secs(poll)) }))
}

/// Whether the loop's items are started without a look at any of them before all are.
pub(super) fn is_unattended(job: &Job<'_>) -> bool {
    let never = |setting: &crate::playbook::Setting| matches!(setting.value, Value::Int(0));
    job.task.background.is_none() || job.task.poll.as_ref().is_some_and(never)
}

/// Makes a request one for a job in the background.
pub(super) fn detach(plan: &Plan, request: &mut Request, job: &Job<'_>, context: &Context<'_>) -> Result<()> {
    let dir = directory(job, context)?;
    request.environment.insert("ANSIBLE_ASYNC_DIR".to_owned(), dir.clone());
    request.background = Some(Background { seconds: plan.seconds, dir });
    Ok(())
}

/// Completes a request about a job.
pub(super) fn direct(request: &mut Request, job: &Job<'_>, context: &Context<'_>) -> Result<()> {
    if request.module == STATUS {
        // A job's file is no part of what a check is about.
        request.check = false;
        request.args.insert("_async_dir".to_owned(), Json::String(directory(job, context)?));
    }
    Ok(())
}

fn directory(job: &Job<'_>, context: &Context<'_>) -> Result<String> {
    let default = || job.batch.run.options.run.async_dir.clone();
    Ok(settings::variable_text(&["ansible_async_dir"], context)?.unwrap_or_else(default))
}

/// Waits for a job that was started, and gives its result.
pub(super) async fn attend(
    job: &Job<'_>,
    scope: &Scope,
    delegated: Option<&Arc<str>>,
    plan: &Plan,
    started: Raw,
) -> Raw {
    let id = match started.fields.get("ansible_job_id") {
        Some(id) if !started.is("failed") && !started.unreachable => id.to_string(),
        _ => return started,
    };
    let Some(poll) = plan.poll else { return started };
    let mut args = Dict::new();
    args.insert("jid", id.as_str());
    let mut left = Duration::from_secs(plan.seconds);
    loop {
        tokio::time::sleep(poll).await;
        left = left.saturating_sub(poll);
        let erase = ("_erase", Json::Bool(true));
        let raw = call::module(job, scope, delegated, STATUS, &args, erase).await;
        if raw.is("finished") {
            let state = if raw.is("failed") { JobState::Failed } else { JobState::Done };
            report::background(job, id, state);
            return raw;
        }
        // A link that broke may be back at the next look.
        if !raw.unreachable {
            report::background(job, id.clone(), JobState::Waiting);
        }
        if left.is_zero() {
            if raw.unreachable {
                return raw;
            }
            report::background(job, id, JobState::Failed);
            return overdue(plan, raw);
        }
    }
}

fn overdue(plan: &Plan, raw: Raw) -> Raw {
    let message = format!("async task did not complete within the requested time - {}s", plan.seconds);
    let mut overdue = Raw::failed(message);
    overdue.set("async_result", Value::dict(raw.fields));
    overdue
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds; negative ones are none"
)]
fn seconds_of(number: f64) -> u64 {
    number as u64
}
