//! From results to events and counts.

use std::sync::Arc;
use std::time::Instant;

use super::batch::Batch;
use super::event::{Counts, Delegate, Diff, Event, JobState, Status, TaskInfo, TaskResult};
use super::outcome::{HostOutcome, Raw};
use super::shared::Shared;
use super::task::{Ended, Job};
use super::walk::{Fate, HostList, Place};
use super::{handlers, register, settings};
use crate::diagnostic::Diagnostic;
use crate::playbook::Task;
use crate::template::Context;
use crate::value::{Dict, Value};

/// Ends a task on a host: registers, notifies, counts, and tells the callbacks.
pub(super) fn host_done(job: &Job<'_>, ended: Ended, started: Instant) -> HostOutcome {
    let Ended { mut raw, inclusions, delegated_to, is_loop } = ended;
    register::register(job, &mut raw, is_loop);
    let status = raw.status();
    let ignored = is_ignored(job, status);
    let status = if is_rescued_though_unreachable(job, status, ignored) { Status::Failed } else { status };
    if status == Status::Changed
        && let Err(error) = handlers::notify(job, &raw.notify)
    {
        // A playbook that names no handler is wrong for every host.
        job.batch.run.break_off(error);
        return HostOutcome {
            host: job.host.clone(),
            status,
            ignored,
            fields: raw.fields,
            inclusions: Vec::new(),
        };
    }
    // What is included counts, and shows, once it has been loaded.
    if inclusions.is_empty() || matches!(status, Status::Failed | Status::Unreachable) {
        count(job, &raw, status, ignored);
        announce(job);
        let result = result(job, &raw, None, delegated_to, ignored, is_loop, started);
        let (host, task) = (job.host.clone(), job.info.clone());
        job.batch.run.emit(Event::HostDone { host, task, result });
    }
    HostOutcome { host: job.host.clone(), status, ignored, fields: raw.fields, inclusions }
}

pub(super) fn item_done(
    job: &Job<'_>,
    raw: &Raw,
    label: &str,
    delegated_to: Option<Delegate>,
    started: Instant,
) {
    // An include shows as `included:`, not as an item.
    if raw.inclusion.is_some() && !raw.is("failed") {
        return;
    }
    announce(job);
    let ignored = is_ignored(job, raw.status());
    let result = result(job, raw, Some(label), delegated_to, ignored, false, started);
    let (host, task) = (job.host.clone(), job.info.clone());
    job.batch.run.emit(Event::ItemDone { host, task, result });
}

pub(super) fn retrying(job: &Job<'_>, raw: &Raw, left: u32, delegated: Option<&Arc<str>>) {
    announce(job);
    let delegated = delegated.map(|name| Delegate { name: name.clone(), address: None });
    let result = result(job, raw, None, delegated, false, false, Instant::now());
    let (host, task) = (job.host.clone(), job.info.clone());
    job.batch.run.emit(Event::Retrying { host, task, left, result });
}

/// Tells of a look at a task in the background.
pub(super) fn background(job: &Job<'_>, name: String, state: JobState) {
    announce(job);
    job.batch.run.emit(Event::Background { host: job.host.clone(), job: name, state });
}

/// Tells that a `meta` was not for this host. It counts nowhere.
pub(super) fn meta_skipped(job: &Job<'_>, what: &str, reason: &str) {
    let mut raw = Raw::skipped(reason, None);
    raw.set("msg", if what == "end_host" { reason.replace("False", "false") } else { what.to_owned() });
    announce(job);
    let result = result(job, &raw, None, None, false, false, Instant::now());
    let (host, task) = (job.host.clone(), job.info.clone());
    job.batch.run.emit(Event::HostDone { host, task, result });
}

/// With `strategy: free` the banner comes with the first result, and again when another task came between.
fn announce(job: &Job<'_>) {
    announce_in(job.batch, job.info, job.place);
}

fn announce_in(batch: &Batch, info: &Arc<TaskInfo>, place: &Place) {
    if !place.free {
        return;
    }
    let mut last = batch.banners.lock();
    if *last != Some(info.id) {
        *last = Some(info.id);
        batch.run.emit(Event::TaskStarted(info.clone()));
    }
}

fn result(
    job: &Job<'_>,
    raw: &Raw,
    label: Option<&str>,
    delegated_to: Option<Delegate>,
    ignored: bool,
    is_loop: bool,
    started: Instant,
) -> TaskResult {
    let status = raw.status();
    let censored = job.info.no_log || raw.secret;
    // As Ansible: of what failed, or does not count as a change, no difference shows.
    let shows =
        status == Status::Changed && !is_loop && !censored && raw.fields.contains("diff") && shows_diffs(job);
    let diffs = if shows { diffs(&raw.fields) } else { Vec::new() };
    TaskResult {
        status,
        fields: if censored { censor(&raw.fields) } else { shown(&raw.fields) },
        label: label.map(|label| if censored { "(censored due to no_log)" } else { label }.to_owned()),
        // A host that is its own delegate does its own work.
        delegated_to: delegated_to.filter(|delegate| delegate.name != *job.host),
        diffs,
        ignored,
        error: raw.error.clone().filter(|_| !censored),
        elapsed: started.elapsed(),
    }
}

/// A result as callbacks see it: whether it failed is in its status.
fn shown(fields: &Dict) -> Dict {
    let mut fields = fields.clone();
    fields.remove("failed");
    fields.remove("skipped");
    fields
}

/// What is left of a result under `no_log`.
fn censor(fields: &Dict) -> Dict {
    let mut censored = Dict::new();
    censored.insert(
        "censored",
        "the output has been hidden due to the fact that 'no_log: true' was specified for this result",
    );
    for key in ["changed", "unreachable", "attempts", "retries"] {
        if let Some(value) = fields.get(key) {
            censored.insert(key, value.clone());
        }
    }
    censored
}

/// Some modules tell a diff that nobody asked for: it is in the result, and does not show.
fn shows_diffs(job: &Job<'_>) -> bool {
    let default = job.batch.run.options.run.diff;
    let Some(setting) = &job.task.keywords.diff else { return default };
    let Ok(scope) = job.batch.scope(job.host, Some(job.task), &job.place.inner) else { return default };
    settings::flag(Some(setting), default, &Context::new(&scope)).unwrap_or(default)
}

fn diffs(fields: &Dict) -> Vec<Diff> {
    match fields.get("diff") {
        Some(Value::List(items)) => items.iter().filter_map(Value::as_dict).map(diff).collect(),
        Some(Value::Dict(entries)) => vec![diff(entries)],
        _ => Vec::new(),
    }
}

fn diff(entries: &Dict) -> Diff {
    let text = |key: &str| entries.get(key).filter(|value| !value.is_none()).map(ToString::to_string);
    let skipped = [("dst", "destination"), ("src", "source")].into_iter().filter_map(|(key, file)| {
        if entries.contains(&format!("{key}_binary")) {
            return Some(format!("{file} file appears to be binary"));
        }
        Some(format!("{file} file size is greater than {}", text(&format!("{key}_larger"))?))
    });
    Diff {
        skipped: skipped.collect(),
        before_header: text("before_header"),
        after_header: text("after_header"),
        before: entries.get("before").cloned(),
        after: entries.get("after").cloned(),
        prepared: text("prepared"),
    }
}

fn is_ignored(job: &Job<'_>, status: Status) -> bool {
    let keywords = &job.task.keywords;
    let setting = match status {
        Status::Failed => &keywords.ignore_errors,
        Status::Unreachable => &keywords.ignore_unreachable,
        _ => return false,
    };
    if setting.is_none() {
        return false;
    }
    let Ok(scope) = job.batch.scope(job.host, Some(job.task), &job.place.inner) else { return false };
    settings::flag(setting.as_ref(), false, &Context::new(&scope)).unwrap_or(false)
}

/// Whether a host that cannot be reached goes the way of one that failed: where a `rescue` waits and the variable says so,
/// which other tools do not know.
fn is_rescued_though_unreachable(job: &Job<'_>, status: Status, ignored: bool) -> bool {
    const VARIABLE: &str = "fanfare_rescue_unreachable";
    if status != Status::Unreachable || ignored || !job.place.rescuable {
        return false;
    }
    let Ok(scope) = job.batch.scope(job.host, Some(job.task), &job.place.inner) else { return false };
    let wanted = match settings::variable(&[VARIABLE], &Context::new(&scope)) {
        Ok(None) => Ok(false),
        Ok(Some(value)) => settings::truth(&value)
            .ok_or_else(|| Diagnostic::new(format!("{VARIABLE}: {} is no boolean", value.repr()))),
        Err(error) => Err(error),
    };
    wanted.unwrap_or_else(|error| {
        job.batch.run.warn(error);
        false
    })
}

fn count(job: &Job<'_>, raw: &Raw, status: Status, ignored: bool) {
    let mut stats = job.batch.run.stats.lock();
    let counts: &mut Counts = stats.entry(job.host.clone()).or_default();
    for slot in slots(job, counts, raw.is("changed"), status, ignored) {
        *slot += 1;
    }
}

/// Takes a result out of the counts: the task runs again.
pub(super) fn take_back(job: &Job<'_>, outcome: &HostOutcome) {
    let mut stats = job.batch.run.stats.lock();
    let counts: &mut Counts = stats.entry(job.host.clone()).or_default();
    let changed = outcome.fields.get("changed").is_some_and(Value::is_truthy);
    for slot in slots(job, counts, changed, outcome.status, outcome.ignored) {
        *slot = slot.saturating_sub(1);
    }
}

/// What a result counts as.
fn slots<'a>(
    job: &Job<'_>,
    counts: &'a mut Counts,
    changed: bool,
    status: Status,
    ignored: bool,
) -> impl Iterator<Item = &'a mut u32> {
    let changed = changed.then_some(&mut counts.changed);
    let [first, second, third] = match (status, ignored) {
        (Status::Skipped, _) => [Some(&mut counts.skipped), None, None],
        (Status::Unreachable, true) => [Some(&mut counts.ok), Some(&mut counts.ignored), None],
        (Status::Unreachable, false) => [Some(&mut counts.unreachable), None, None],
        (Status::Failed, false) if job.place.rescuable => [Some(&mut counts.rescued), None, None],
        (Status::Failed, false) => [Some(&mut counts.failed), None, None],
        (Status::Failed, true) => [Some(&mut counts.ok), Some(&mut counts.ignored), changed],
        (Status::Ok | Status::Changed, _) => [Some(&mut counts.ok), changed, None],
    };
    [first, second, third].into_iter().flatten()
}

/// Counts what has been included for hosts.
pub(super) fn included(batch: &Batch, info: &Arc<TaskInfo>, hosts: &[Arc<str>], place: &Place) {
    announce_in(batch, info, place);
    let mut stats = batch.run.stats.lock();
    for host in hosts {
        stats.entry(host.clone()).or_default().ok += 1;
    }
}

/// Fails hosts for a reason that arose outside their own task: an include that cannot be loaded.
pub(super) fn include_failed(
    batch: &Arc<Batch>,
    task: &Arc<Task>,
    hosts: HostList,
    place: &Place,
    error: Diagnostic,
) -> Fate {
    let scope = hosts.first().and_then(|first| batch.scope(first, Some(task), &place.inner).ok());
    let info = match scope {
        Some(scope) => batch.info(task, &scope, place.kind),
        None => batch.plain_info(task, place.kind),
    };
    fail_all(batch, task, &Arc::new(info), hosts, place, &error)
}

/// Fails hosts in the name of a task that has been announced. Nothing ignores that: the task did not even begin. It
/// counts as a failure even where a rescue goes on from it, and later plays leave the host out.
pub(super) fn fail_all(
    batch: &Arc<Batch>,
    task: &Arc<Task>,
    info: &Arc<TaskInfo>,
    hosts: HostList,
    place: &Place,
    error: &Diagnostic,
) -> Fate {
    let mut raw = Raw::error(error.clone());
    raw.set("changed", false);
    for host in &hosts {
        let job = Job { batch, host, task, info, place };
        batch.run.stats.lock().entry(host.clone()).or_default().failed += 1;
        announce(&job);
        let result = result(&job, &raw, None, None, false, false, Instant::now());
        batch.run.emit(Event::HostDone { host: host.clone(), task: info.clone(), result });
        batch.run.lost.lock().leave(host, place.rescuable);
        batch.failing.lock().insert(host.clone());
    }
    batch.leave(&hosts.iter().collect());
    Fate { alive: HostList::new(), failed: hosts }
}

/// Tells what `set_stats` collected.
pub(super) fn custom_stats(shared: &Shared) {
    let stats = shared.custom_stats.lock();
    for (owner, data) in stats.iter() {
        let host = owner.as_str().filter(|owner| *owner != "_run").map(Arc::from);
        let data = data.as_dict().cloned().unwrap_or_default();
        shared.emit(Event::CustomStats { host, data });
    }
}
