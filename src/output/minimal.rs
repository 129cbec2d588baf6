//! The callback of ad-hoc commands: what each host answered, without banners.

use std::collections::HashSet;
use std::sync::Arc;

use super::failure::{self, Told};
use super::page::{Page, Stream};
use super::shown::{self, Scope};
use super::style::Meaning;
use super::{Callback, Look, diff, heard};
use crate::config::DisplayOptions;
use crate::run::event::{Event, Status, TaskInfo, TaskResult};

/// Modules whose answer is text: shown as text.
pub(super) const SPEAK_TEXT: &[&str] = &["command", "shell", "raw"];

pub struct Minimal {
    look: Look,
    /// As `look` says, with results spread over lines unless the user wants otherwise.
    spread: DisplayOptions,
    told: Told,
    /// Hosts whose command was heard while it ran: what it said is not said again.
    heard: HashSet<Arc<str>>,
}

impl Minimal {
    pub fn new(look: Look) -> Self {
        let mut spread = look.display.clone();
        spread.pretty_results.get_or_insert(true);
        Self { look, spread, told: Told::default(), heard: HashSet::new() }
    }
}

impl Callback for Minimal {
    fn on(&mut self, event: &Event, page: &mut Page) {
        if let Event::Said { text } = event {
            page.out(Meaning::Plain, text);
        }
        if let Event::Heard { host, stream, text, .. } = event {
            heard::show(host, *stream, text, page);
            self.heard.insert(Arc::clone(host));
        }
        if let Event::HostDone { host, task, result } = event {
            if !task.no_log {
                diff::show(&result.diffs, self.look.diff_context, page);
            }
            if is_failure(result.status) {
                failure::show(task, result, &mut self.told, Stream::Out, page);
            }
            let heard = self.heard.remove(host);
            self.answer(host, task, result, heard, page);
        }
    }
}

impl Minimal {
    fn answer(&self, host: &str, task: &TaskInfo, result: &TaskResult, heard: bool, page: &mut Page) {
        let (word, meaning) = heading(result.status);
        if result.status == Status::Skipped {
            page.out(meaning, &format!("{host} | {word}"));
        } else if let Some(text) = spoken(task, result) {
            let text = if heard { text.split(" >>").next().unwrap_or_default() } else { &text };
            page.out(meaning, &format!("{host} | {word} | {text}"));
        } else {
            let mark = if is_failure(result.status) { "!" } else { "" };
            let dump = shown::dump(task, result, Scope::Whole, &self.spread);
            page.out(meaning, &format!("{host} | {word}{mark} => {dump}"));
        }
    }
}

pub(super) fn is_failure(status: Status) -> bool {
    matches!(status, Status::Failed | Status::Unreachable)
}

pub(super) fn heading(status: Status) -> (&'static str, Meaning) {
    match status {
        Status::Ok => ("SUCCESS", Meaning::Ok),
        Status::Changed => ("CHANGED", Meaning::Changed),
        Status::Skipped => ("SKIPPED", Meaning::Skipped),
        Status::Failed => ("FAILED", Meaning::Failed),
        Status::Unreachable => ("UNREACHABLE", Meaning::Unreachable),
    }
}

/// `rc=0 >>` and what the command wrote, one thing after the other.
fn spoken(task: &TaskInfo, result: &TaskResult) -> Option<String> {
    let of_job = result.status != Status::Failed && result.fields.contains("ansible_job_id");
    if !SPEAK_TEXT.contains(&task.action.as_str()) || task.no_log || of_job {
        return None;
    }
    let code = result.fields.get("rc")?;
    let part = |key| result.fields.get(key).map(ToString::to_string).unwrap_or_default();
    Some(format!("rc={code} >>\n{}{}{}", part("stdout"), part("stderr"), part("msg")))
}
