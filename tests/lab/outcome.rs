//! What came of a run.

use fanfare::diagnostic::Diagnostic;
use fanfare::run::event::{Counts, Event, Status, TaskResult};
use fanfare::value::Value;

use super::wire::Wire;

/// What came of a run.
pub struct Outcome {
    pub exit: u8,
    /// The error that ended it before its time.
    pub error: Option<Diagnostic>,
    pub stdout: String,
    pub stderr: String,
    pub events: Vec<Event>,
    pub wire: Wire,
}

impl Outcome {
    /// What was counted, hosts by name, zeros left out: `web1 ok=2 changed=1, web2 unreachable=1`.
    pub fn recap(&self) -> String {
        let stats = self.events.iter().rev().find_map(|event| match event {
            Event::RunEnded { stats, .. } => Some(stats),
            _ => None,
        });
        let Some(stats) = stats else { return format!("no end: {:?}\n{}", self.error, self.stderr) };
        let mut hosts: Vec<_> = stats.iter().collect();
        hosts.sort_by_key(|(host, _)| (*host).clone());
        let hosts = hosts.into_iter().map(|(host, counts)| format!("{host} {}", counted(counts)));
        hosts.collect::<Vec<_>>().join(", ")
    }

    /// What became of tasks, in order: `web1:one:ok web2:one:failed …`. Of skipped hosts and of loops the end only.
    pub fn order(&self) -> String {
        let ends = self.events.iter().filter_map(|event| match event {
            Event::HostDone { host, task, result } => {
                Some(format!("{host}:{}:{}", task.name, status(result.status)))
            }
            _ => None,
        });
        ends.collect::<Vec<_>>().join(" ")
    }

    /// The hosts' ends of one task, by name: `web1:ok web2:changed`.
    pub fn task(&self, name: &str) -> String {
        let mut ends: Vec<String> =
            self.ends(name).map(|(host, result)| format!("{host}:{}", status(result.status))).collect();
        ends.sort();
        ends.join(" ")
    }

    /// A value of a host's result of a task.
    pub fn result(&self, host: &str, task: &str, key: &str) -> Value {
        let found = self.ends(task).find(|(name, _)| *name == host);
        let (_, result) = found.unwrap_or_else(|| panic!("{host} did not run {task}\n{self}"));
        result.fields.get(key).cloned().unwrap_or(Value::None)
    }

    /// The message of a host's result of a task.
    pub fn message(&self, host: &str, task: &str) -> String {
        self.result(host, task, "msg").to_string()
    }

    fn ends(&self, name: &str) -> impl Iterator<Item = (&str, &TaskResult)> {
        self.events.iter().filter_map(move |event| match event {
            Event::HostDone { host, task, result } if task.name == name => Some((&**host, result)),
            _ => None,
        })
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let error = self.error.as_ref().map(|error| error.report(false)).unwrap_or_default();
        write!(f, "exit {}\n{}\n{}\n{error}", self.exit, self.stdout, self.stderr)
    }
}

fn counted(counts: &Counts) -> String {
    let Counts { ok, changed, unreachable, failed, skipped, rescued, ignored } = *counts;
    let all = [
        ("ok", ok),
        ("changed", changed),
        ("unreachable", unreachable),
        ("failed", failed),
        ("skipped", skipped),
        ("rescued", rescued),
        ("ignored", ignored),
    ];
    let told = all.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name}={count}"));
    told.collect::<Vec<_>>().join(" ")
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Changed => "changed",
        Status::Skipped => "skipped",
        Status::Failed => "failed",
        Status::Unreachable => "unreachable",
    }
}
