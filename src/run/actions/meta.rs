//! `meta`: steers the play itself.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::Task;
use crate::run::batch::Batch;
use crate::run::call::Call;
use crate::run::destination;
use crate::run::event::{Event, TaskKind};
use crate::run::outcome::Raw;
use crate::run::task::{Job, unmet};
use crate::run::walk::{Fate, HostList, Place};

/// A `meta` never comes here: the walk handles it, since it concerns hosts as a group.
pub(super) fn run(call: &Call<'_>) -> Result<Raw> {
    Err(call.misuse("meta cannot be called in this place"))
}

impl Batch {
    /// Carries out a `meta` task.
    pub async fn meta(self: &Arc<Self>, task: &Arc<Task>, hosts: HostList, place: &Place) -> Fate {
        let what = task.action.args.get("_raw_params").map(ToString::to_string).unwrap_or_default();
        let mut wanted = HostList::new();
        let mut fate = Fate { alive: hosts.clone(), failed: Vec::new() };
        for host in &hosts {
            let condition = self
                .scope(host, Some(task), &place.inner)
                .and_then(|scope| unmet(&task.keywords.when, &scope));
            match condition {
                Ok(None) => wanted.push(host.clone()),
                Ok(Some(_)) => {}
                Err(error) => {
                    let failed =
                        crate::run::report::include_failed(self, task, vec![host.clone()], place, error);
                    fate.alive.retain(|alive| alive != host);
                    fate.failed.extend(failed.failed);
                }
            }
        }
        let Some(first) = wanted.first().cloned() else { return fate };
        if let Ok(scope) = self.scope(&first, Some(task), &place.inner) {
            self.run.emit(Event::TaskStarted(Arc::new(self.info(task, &scope, place.kind))));
        }
        match what.as_str() {
            "noop" => {}
            "flush_handlers" => {
                let after = self.flush_handlers(wanted.clone(), place.free).await;
                fate.alive.retain(|host| !wanted.contains(host) || after.alive.contains(host));
                fate.failed.extend(after.failed);
            }
            "end_host" => {
                self.ended.lock().extend(wanted.iter().cloned());
                fate.alive.retain(|host| !wanted.contains(host));
            }
            "end_play" | "end_batch" => {
                *self.over.lock() = true;
                if what == "end_play" {
                    *self.play_over.lock() = true;
                }
                fate.alive.clear();
            }
            "end_role" => {
                if let Some(role) = &task.role {
                    self.roles_left
                        .lock()
                        .extend(wanted.iter().map(|host| (host.clone(), role.identity.clone())));
                }
            }
            "clear_facts" => wanted.iter().for_each(|host| self.run.hosts.state(host).clear_facts()),
            "clear_host_errors" => {
                self.run.lost.lock().clear();
            }
            "reset_connection" => {
                for host in &wanted {
                    self.reset_connection(task, host, place).await;
                }
            }
            _ => {
                let error =
                    Diagnostic::new(format!("meta: '{what}' is not supported yet")).at(&task.action.place);
                fate = crate::run::report::include_failed(self, task, vec![first], place, error);
            }
        }
        fate
    }

    async fn reset_connection(self: &Arc<Self>, task: &Arc<Task>, host: &Arc<str>, place: &Place) {
        let Ok(scope) = self.scope(host, Some(task), &place.inner) else { return };
        let info = Arc::new(self.info(task, &scope, TaskKind::Task));
        let job = Job { batch: self, host, task, info: &info, place };
        match destination::of(&job, &scope, None) {
            Ok(to) => self.run.links.reset(&to).await,
            Err(error) => self.run.emit(Event::Warning(error)),
        }
    }
}
