use std::collections::HashSet;
use std::sync::Arc;

use super::event::Status;

/// The hosts that later plays leave out. What is here when the run ends makes its exit code.
#[derive(Clone, Debug, Default)]
pub struct Lost {
    pub failed: HashSet<Arc<str>>,
    pub unreachable: HashSet<Arc<str>>,
}

impl Lost {
    /// Adds a host that ended a task with `status`; only failures count.
    pub fn add(&mut self, host: &Arc<str>, status: Status) {
        match status {
            Status::Failed => self.failed.insert(host.clone()),
            Status::Unreachable => self.unreachable.insert(host.clone()),
            Status::Ok | Status::Changed | Status::Skipped => false,
        };
    }

    pub fn contains(&self, host: &Arc<str>) -> bool {
        self.failed.contains(host) || self.unreachable.contains(host)
    }

    pub fn is_empty(&self) -> bool {
        self.failed.is_empty() && self.unreachable.is_empty()
    }

    /// `meta: clear_host_errors`.
    pub fn clear(&mut self) {
        self.failed.clear();
        self.unreachable.clear();
    }
}
