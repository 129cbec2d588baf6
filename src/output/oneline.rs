//! Each host's answer on one line (`-o`).

use super::minimal::{SPEAK_TEXT, heading, is_failure};
use super::page::Page;
use super::shown::{self, Scope};
use super::{Callback, dump};
use crate::run::event::{Event, Status, TaskInfo, TaskResult};

pub struct Oneline;

impl Callback for Oneline {
    fn on(&mut self, event: &Event, page: &mut Page) {
        if let Event::HostDone { host, task, result } = event {
            let (word, meaning) = heading(result.status);
            page.out(meaning, &format!("{host} | {word}{}", answer(task, result)));
        }
    }
}

fn answer(task: &TaskInfo, result: &TaskResult) -> String {
    let text = |key: &str| result.fields.get(key).map(ToString::to_string).unwrap_or_default();
    let flat = |key: &str| text(key).replace('\n', "\\n").replace('\r', "\\r");
    match result.status {
        Status::Skipped => String::new(),
        Status::Unreachable => format!("!: {}", flat("msg")),
        _ if SPEAK_TEXT.contains(&task.action.as_str()) && !task.no_log && result.fields.contains("rc") => {
            let mut line = format!(" | rc={} | (stdout) {}", text("rc"), flat("stdout"));
            for (key, title) in [("stderr", " (stderr) "), ("msg", " (msg) ")] {
                let part = flat(key);
                if !part.is_empty() {
                    line.push_str(title);
                    line.push_str(&part);
                }
            }
            line
        }
        status => {
            let mark = if is_failure(status) { "!" } else { "" };
            let fields = shown::fields(task, result, Scope::Whole);
            format!("{mark} => {}", dump::json_dict(&fields, Some(0)).replace('\n', ""))
        }
    }
}
