//! The whole run as one JSON document at its end, for programs. Times are left to the shell.

use std::sync::Arc;

use super::page::{Page, Stream};
use super::shown::{self, Scope};
use super::{Callback, dump};
use crate::run::event::{Counts, Event, Stats, Status, TaskInfo, TaskResult};
use crate::value::{Dict, Value};

#[derive(Default)]
pub struct Json {
    plays: Vec<Play>,
    custom: Dict,
    global_custom: Dict,
}

struct Play {
    name: String,
    tasks: Vec<Task>,
}

struct Task {
    info: Arc<TaskInfo>,
    hosts: Dict,
}

impl Callback for Json {
    fn on(&mut self, event: &Event, page: &mut Page) {
        match event {
            Event::PlayStarted { name, .. } => {
                self.plays.push(Play { name: name.clone(), tasks: Vec::new() });
            }
            Event::TaskStarted(task) => {
                self.task(task);
            }
            Event::HostDone { host, task, result } => {
                let fields = host_fields(task, result);
                if let Some(entry) = self.task(task) {
                    entry.hosts.insert(&**host, fields);
                }
            }
            Event::CustomStats { host: Some(host), data } => {
                self.custom.insert(&**host, data.clone());
            }
            Event::CustomStats { host: None, data } => self.global_custom.extend(data.clone()),
            Event::RunEnded { stats, .. } => {
                let document = self.document(stats);
                page.raw(Stream::Out, &dump::json_dict(&document, Some(4)));
                page.raw(Stream::Out, "\n");
            }
            _ => {}
        }
    }
}

impl Json {
    /// The entry of a task in the play that runs, made at first sight.
    fn task(&mut self, info: &Arc<TaskInfo>) -> Option<&mut Task> {
        if self.plays.is_empty() {
            self.plays.push(Play { name: String::new(), tasks: Vec::new() });
        }
        let play = self.plays.last_mut()?;
        // Hosts of one task report close together: the search from the end is short.
        let known = play.tasks.iter().rposition(|task| task.info.id == info.id);
        if known.is_none() {
            play.tasks.push(Task { info: Arc::clone(info), hosts: Dict::new() });
        }
        let last = play.tasks.len().checked_sub(1)?;
        play.tasks.get_mut(known.unwrap_or(last))
    }

    fn document(&self, stats: &Stats) -> Dict {
        let hosts: Dict = stats.iter().map(|(host, counts)| (&**host, counts_dict(*counts))).collect();
        [
            ("custom_stats", Value::from(self.custom.clone())),
            ("global_custom_stats", Value::from(self.global_custom.clone())),
            ("plays", Value::list(self.plays.iter().map(play_value).collect())),
            ("stats", Value::from(hosts)),
        ]
        .into_iter()
        .collect()
    }
}

fn play_value(play: &Play) -> Value {
    let about: Dict = [("name", Value::from(play.name.as_str()))].into_iter().collect();
    let tasks = play.tasks.iter().map(task_value).collect();
    let entries: Dict = [("play", Value::from(about)), ("tasks", Value::list(tasks))].into_iter().collect();
    Value::from(entries)
}

fn task_value(task: &Task) -> Value {
    let place = task.info.place.as_ref();
    let path = place.map(|place| format!("{}:{}", place.source.path.display(), place.line));
    let about: Dict = [
        ("id", Value::from(task.info.id.to_string())),
        ("name", Value::from(task.info.name.as_str())),
        ("path", path.map_or(Value::None, Value::from)),
    ]
    .into_iter()
    .collect();
    let entries: Dict =
        [("hosts", Value::from(task.hosts.clone())), ("task", Value::from(about))].into_iter().collect();
    Value::from(entries)
}

fn host_fields(task: &TaskInfo, result: &TaskResult) -> Dict {
    // Everything, the items of a loop too, unless it is hidden.
    let mut fields =
        if task.no_log { shown::fields(task, result, Scope::Whole) } else { result.fields.clone() };
    fields.insert("action", task.action.as_str());
    let (key, applies) = match result.status {
        Status::Failed => ("failed", true),
        Status::Unreachable => ("unreachable", true),
        Status::Skipped => ("skipped", true),
        Status::Ok | Status::Changed => ("", false),
    };
    if applies {
        fields.insert(key, true);
    }
    if !fields.contains("changed") {
        fields.insert("changed", result.status == Status::Changed);
    }
    fields
}

fn counts_dict(counts: Counts) -> Dict {
    let counts = [
        ("ok", counts.ok),
        ("changed", counts.changed),
        ("unreachable", counts.unreachable),
        ("failures", counts.failed),
        ("skipped", counts.skipped),
        ("rescued", counts.rescued),
        ("ignored", counts.ignored),
    ];
    counts.into_iter().map(|(name, count)| (name, i64::from(count))).collect()
}
