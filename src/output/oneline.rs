//! Each host's answer on one line (`-o`).

use super::minimal::{SPEAK_TEXT, heading, is_failure};
use super::page::Page;
use super::shown::{self, Scope};
use super::{Callback, dump, heard};
use crate::run::event::{Event, Status, TaskInfo, TaskResult};

pub struct Oneline;

impl Callback for Oneline {
    fn on(&mut self, event: &Event, page: &mut Page) {
        if let Event::Heard { host, stream, text, .. } = event {
            heard::show(host, *stream, text, page);
        }
        if let Event::HostDone { host, task, result } = event {
            let (word, meaning) = heading(result.status);
            if let Some(text) = spoken(task, result) {
                page.out(meaning, &format!("{host} | {word} | {text}"));
                if result.status != Status::Failed {
                    return;
                }
            }
            page.out(meaning, &format!("{host} | {word}{}", answer(task, result)));
        }
    }
}

fn answer(task: &TaskInfo, result: &TaskResult) -> String {
    match result.status {
        Status::Skipped => String::new(),
        Status::Unreachable => format!("!: {}", flat(result, "msg")),
        status => {
            let mark = if is_failure(status) { "!" } else { "" };
            let scope = if result.fields.contains("results") { Scope::Loop } else { Scope::Whole };
            let indent = if shown::speaks_for_itself(task, result, scope) { 4 } else { 0 };
            let fields = shown::all_fields(task, result);
            format!("{mark} => {}", dump::json_dict(&fields, Some(indent)).replace('\n', ""))
        }
    }
}

/// What a command wrote; of one that failed, the whole result follows.
fn spoken(task: &TaskInfo, result: &TaskResult) -> Option<String> {
    let of_job = result.status != Status::Failed && result.fields.contains("ansible_job_id");
    if !SPEAK_TEXT.contains(&task.action.as_str()) || task.no_log || of_job {
        return None;
    }
    let code = result.fields.get("rc")?;
    let mut line = format!("rc={code} | (stdout) {}", flat(result, "stdout"));
    let errors = flat(result, "stderr");
    if !errors.is_empty() {
        line.push_str(" (stderr) ");
        line.push_str(&errors);
    }
    Some(line)
}

fn flat(result: &TaskResult, key: &str) -> String {
    let text = result.fields.get(key).map(ToString::to_string).unwrap_or_default();
    text.replace('\n', "\\n").replace('\r', "\\r")
}
