//! The story behind a failure: what went wrong and where the task stands.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::page::{Page, Stream};
use super::shown::CENSORED;
use crate::diagnostic::{Diagnostic, is_written_as_ansible};
use crate::run::FAILED_WHEN;
use crate::run::event::{TaskInfo, TaskResult};
use crate::value::Value;

/// What stands for a file where the task was typed.
const COMMAND_LINE: &str = "<command line>";

/// Which stories have been told: the same one for a hundred hosts is told once.
#[derive(Debug, Default)]
pub struct Told(HashSet<u64>);

impl Told {
    pub fn is_new(&mut self, text: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        self.0.insert(hasher.finish())
    }
}

/// Shows the error behind a failed result with its excerpt.
pub fn show(task: &TaskInfo, result: &TaskResult, told: &mut Told, stream: Stream, page: &mut Page) {
    let Some(error) = story(task, result) else { return };
    let report = error.report(page.painter.colour);
    if told.is_new(&report) {
        page.raw(stream, &report);
        page.raw(stream, "\n\n");
    }
}

/// Nothing when there is no more to say than the result itself does.
fn story(task: &TaskInfo, result: &TaskResult) -> Option<Diagnostic> {
    // Where the command line is the whole task, an excerpt of it would say nothing.
    let place = task.place.as_ref().filter(|place| place.source.path.as_os_str() != COMMAND_LINE);
    if task.no_log || result.fields.contains("censored") {
        let place = place?;
        return Some(Diagnostic::new(format!("Task failed: {CENSORED}")).at(place));
    }
    if let Some(error) = &result.error {
        return Some(place.map_or_else(|| error.clone(), |place| error.clone().at(place)));
    }
    let place = place?;
    let message = result.fields.get("msg")?.to_string();
    let by_condition = result.fields.get("failed_when_result") == Some(&Value::Bool(true));
    let text = if message.starts_with("Task failed") {
        message
    } else if task.action == "debug" && !by_condition {
        // What debug has to say is no error, even where an `until` calls it a failure.
        return None;
    } else if is_written_as_ansible() {
        let who = if fanfare_modules::find(&task.action).is_some() { "Module" } else { "Action" };
        format!("Task failed: {who} failed: {message}")
    } else if by_condition {
        FAILED_WHEN.to_owned()
    } else {
        format!("Task failed: {message}")
    };
    Some(Diagnostic::new(text).at(place))
}
