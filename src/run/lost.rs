use std::collections::HashSet;
use std::sync::Arc;

use super::event::Status;

/// The hosts that later plays leave out. What is here when the run ends makes its exit code.
#[derive(Clone, Debug, Default)]
pub struct Lost {
    pub failed: HashSet<Arc<str>>,
    pub unreachable: HashSet<Arc<str>>,
    /// Those that failed and were rescued all the same: no failure, unless a later play is for them too.
    pub left_out: HashSet<Arc<str>>,
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
        self.failed.contains(host) || self.unreachable.contains(host) || self.left_out.contains(host)
    }

    /// Adds a host that failed outside of its own tasks; `rescued` where the play goes on with it.
    pub fn leave(&mut self, host: &Arc<str>, rescued: bool) {
        if rescued { &mut self.left_out } else { &mut self.failed }.insert(host.clone());
    }

    /// Begins a play that is for these hosts.
    pub fn begin(&mut self, hosts: &[Arc<str>]) {
        self.failed.extend(hosts.iter().filter(|host| self.left_out.contains(*host)).cloned());
    }

    /// Whether all has gone well.
    pub fn is_empty(&self) -> bool {
        self.failed.is_empty() && self.unreachable.is_empty()
    }

    /// `meta: clear_host_errors`.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
