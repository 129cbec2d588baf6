//! The line at the bottom of a terminal: how many hosts are done with the task, and who is waited for.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::run::event::Event;

/// Names shown before the rest becomes a number.
const NAMES: usize = 5;

/// Shows nothing at first: a task that is done at once needs no progress line.
pub struct Progress {
    bar: ProgressBar,
    hosts: usize,
    waiting: BTreeSet<Arc<str>>,
    done: HashSet<Arc<str>>,
    task: Option<u64>,
}

impl Progress {
    /// On stderr when both streams are terminals and this is no CI; else it stays silent.
    pub fn new(visible: bool) -> Self {
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        if visible {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self { bar, hosts: 0, waiting: BTreeSet::new(), done: HashSet::new(), task: None }
    }

    /// Takes the line away while `write` writes.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    pub fn on(&mut self, event: &Event) {
        if self.bar.is_hidden() {
            return;
        }
        match event {
            Event::PlayStarted { hosts, .. } => {
                self.hosts = hosts.len();
                self.waiting.clear();
            }
            Event::TaskStarted(task) if self.task != Some(task.id) => {
                self.task = Some(task.id);
                self.done.clear();
            }
            Event::HostStarted { host, .. } => {
                self.waiting.insert(Arc::clone(host));
            }
            Event::HostDone { host, .. } => {
                self.waiting.remove(host);
                self.done.insert(Arc::clone(host));
            }
            Event::RunEnded { .. } => {
                self.bar.finish_and_clear();
                return;
            }
            _ => return,
        }
        self.bar.set_message(self.message());
    }

    fn message(&self) -> String {
        if self.waiting.is_empty() {
            return String::new();
        }
        let names: Vec<&str> = self.waiting.iter().take(NAMES).map(|host| &**host).collect();
        let more = self.waiting.len().saturating_sub(NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}/{} hosts done, waiting for {}{more}", self.done.len(), self.hosts, names.join(", "))
    }
}
