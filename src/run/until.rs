//! `until`, `retries` and `delay`.

use std::sync::Arc;
use std::time::Duration;

use super::outcome::Raw;
use super::task::{Job, judge, unmet};
use super::{call, register, report, settings};
use crate::diagnostic::Result;
use crate::template::Context;
use crate::vars::Scope;

/// Calls once, or until the condition holds or the tries are used up.
pub(super) async fn run(job: &Job<'_>, mut scope: Scope, delegated: Option<&Arc<str>>) -> Raw {
    let (tries, delay) = match plan(job, &scope) {
        Ok(plan) => plan,
        Err(error) => return Raw::error(error),
    };
    let mut attempt = 1;
    loop {
        let mut raw = call::perform(job, &scope, delegated).await;
        if tries > 1 && !raw.unreachable {
            raw.set("attempts", i64::from(attempt));
        }
        let mut raw = judge(job, &mut scope, raw, delegated);
        if tries == 1 || raw.unreachable {
            return raw;
        }
        let done = match (&job.task.until[..], raw.is("failed")) {
            ([], failed) => !failed,
            (conditions, _) => {
                register::show(job.task, &raw, &mut scope);
                match unmet(conditions, &scope) {
                    Ok(unmet) => unmet.is_none(),
                    Err(error) => {
                        return Raw::error(
                            error.context("An 'until' expression failed").context("Task failed"),
                        );
                    }
                }
            }
        };
        if done {
            return raw;
        }
        if attempt == tries {
            raw.set("attempts", i64::from(tries) - 1);
            // Whoever says when it fails has said so already.
            if job.task.failed_when.is_empty() {
                raw.set("failed", true);
            }
            return raw;
        }
        report::retrying(job, &raw, tries - attempt, delegated);
        tokio::time::sleep(delay).await;
        attempt += 1;
    }
}

/// How often to try, and how long to wait between tries.
fn plan(job: &Job<'_>, scope: &Scope) -> Result<(u32, Duration)> {
    let task = job.task;
    if task.until.is_empty() && task.retries.is_none() {
        return Ok((1, Duration::ZERO));
    }
    let context = Context::new(scope);
    let retries = settings::number(task.retries.as_ref(), &context)?.unwrap_or(3.0);
    let delay = settings::number(task.delay.as_ref(), &context)?.unwrap_or(5.0).max(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a sane count")]
    let tries = retries.clamp(0.0, 1e6) as u32 + 1;
    Ok((tries, Duration::from_secs_f64(delay.min(1e9))))
}
