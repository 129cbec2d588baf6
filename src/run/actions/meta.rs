//! `meta`: steers the play itself.

use super::manual::Manual;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Result};
use crate::inventory::Inventory;
use crate::playbook::Task;
use crate::run::batch::Batch;
use crate::run::call::Call;
use crate::run::destination;
use crate::run::event::{Event, TaskKind};
use crate::run::outcome::Raw;
use crate::run::report;
use crate::run::task::{Job, unmet};
use crate::run::walk::{Fate, HostList, Place};

pub(super) const MANUAL: Manual = Manual {
    text: "Steers the play itself.\n\n\
           - `flush_handlers`: the handlers that are notified run now\n\
           - `end_host`: the play ends for the host\n\
           - `end_batch`, `end_play`: it ends for the hosts of the batch, or for all\n\
           - `end_role`: the rest of the role is left out\n\
           - `clear_facts`: what was gathered is forgotten\n\
           - `clear_host_errors`: hosts that failed are used again\n\
           - `reset_connection`: the connection is made anew\n\
           - `noop`: nothing",
    options: &[],
    open: false,
    examples: "- name: Handlers now\n  meta: flush_handlers\n\n- name: Nothing to do on such hosts\n  meta: end_host\n  when: ansible_facts.distribution == 'CentOS'\n",
};

/// A `meta` never comes here: the walk handles it, since it concerns hosts as a group.
pub(super) fn run(call: &Call<'_>) -> Result<Raw> {
    Err(call.misuse("meta cannot be called in this place"))
}

/// These concern all hosts at once: their condition is asked of the first host, for all.
const FOR_ALL: &[&str] = &["clear_facts", "clear_host_errors", "end_batch", "end_play", "refresh_inventory"];

/// These are done whatever their condition says. Ansible warns of it, and so do we.
const UNCONDITIONAL: &[&str] = &["noop", "refresh_inventory", "reset_connection"];

impl Batch {
    /// Carries out a `meta` task.
    pub async fn meta(self: &Arc<Self>, task: &Arc<Task>, hosts: HostList, place: &Place) -> Fate {
        let what = task.action.args.get("_raw_params").map(ToString::to_string).unwrap_or_default();
        let what = what.trim();
        let mut fate = Fate { alive: hosts.clone(), failed: Vec::new() };
        let flushes_within = what == "flush_handlers" && place.kind == TaskKind::Handler;
        let for_all = FOR_ALL.contains(&what) || flushes_within;
        let mut wanted = HostList::new();
        for host in hosts.iter().take(if for_all { 1 } else { hosts.len() }) {
            match self.is_meta_wanted(task, what, host, place) {
                Ok(true) => wanted.push(host.clone()),
                Ok(false) => {}
                Err(error) => {
                    self.run.break_off(error);
                    return Fate::default();
                }
            }
        }
        let Some(first) = wanted.first().cloned() else { return fate };
        if for_all {
            wanted = hosts;
        }
        for host in wanted.iter().take(if for_all { 1 } else { wanted.len() }) {
            if let Some(text) = done(what, task, host) {
                self.run.emit(Event::Meta { text });
            }
        }
        match what {
            "noop" => {}
            "flush_handlers" if flushes_within => {
                let error = Diagnostic::new("flush_handlers cannot be used as a handler");
                self.run.break_off(error.note("it stands here", Some(task.action.place.clone())));
                return Fate::default();
            }
            "flush_handlers" => {
                let after = self.flush_handlers(wanted.clone(), place).await;
                fate.alive.retain(|host| !wanted.contains(host) || after.alive.contains(host));
                fate.failed.extend(after.failed);
            }
            "end_host" => {
                self.facts.ended.write().extend(wanted.iter().cloned());
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
                self.failing.lock().clear();
            }
            "refresh_inventory" => match self.refresh_inventory().await {
                Ok(()) => self.run.emit(Event::Meta { text: "inventory successfully refreshed".to_owned() }),
                Err(error) => {
                    let error = error.at(&task.action.place);
                    fate = report::include_failed(self, task, vec![first], place, error);
                }
            },
            "reset_connection" => {
                for host in &wanted {
                    self.reset_connection(task, host, place).await;
                }
            }
            _ => {
                let error =
                    Diagnostic::new(format!("meta: '{what}' is not supported yet")).at(&task.action.place);
                fate = report::include_failed(self, task, vec![first], place, error);
            }
        }
        fate
    }

    /// Announces a `meta` for a host, and asks its condition.
    fn is_meta_wanted(
        self: &Arc<Self>,
        task: &Arc<Task>,
        what: &str,
        host: &Arc<str>,
        place: &Place,
    ) -> Result<bool> {
        let scope = self.scope(host, Some(task), &place.inner)?;
        let info = Arc::new(self.info(task, &scope, place.kind));
        if !place.free {
            self.run.emit(Event::TaskStarted(info.clone()));
        }
        if UNCONDITIONAL.contains(&what) {
            if let Some(condition) = task.keywords.when.first() {
                let warning = format!("{what} task does not support when conditional");
                self.run.warn(Diagnostic::new(warning).at(&condition.place));
            }
            return Ok(true);
        }
        let wanted = unmet(&task.keywords.when, &scope)?.is_none();
        if !wanted {
            let reason = format!("{what} conditional evaluated to False, {}", goes_on(what, task, host));
            self.run.emit(Event::Meta { text: reason.clone() });
            report::meta_skipped(&Job { batch: self, host, task, info: &info, place }, what, &reason);
        }
        Ok(wanted)
    }

    /// Reads the inventory's sources anew. What `add_host` and `group_by` made stays.
    async fn refresh_inventory(&self) -> Result<()> {
        let options = self.run.options.inventory.clone();
        // Sources may be programs that take their time.
        let loaded = tokio::task::spawn_blocking(move || Inventory::load(&options)).await;
        let (mut inventory, warnings) = loaded
            .map_err(|error| Diagnostic::new(format!("the inventory could not be read: {error}")))??;
        for warning in warnings {
            self.run.warn(warning);
        }
        let mut current = self.run.inventory.write();
        inventory.repeat_additions(&current)?;
        *current = inventory;
        Ok(())
    }

    async fn reset_connection(self: &Arc<Self>, task: &Arc<Task>, host: &Arc<str>, place: &Place) {
        let Ok(scope) = self.scope(host, Some(task), &place.inner) else { return };
        let info = Arc::new(self.info(task, &scope, place.kind));
        let job = Job { batch: self, host, task, info: &info, place };
        match destination::of(&job, &scope, None) {
            Ok(to) => self.run.links.reset(&to).await,
            Err(error) => self.run.warn(error),
        }
    }
}

/// What a `meta` does, in Ansible's words; `None` where that is known only afterwards.
fn done(what: &str, task: &Task, host: &str) -> Option<String> {
    Some(match what {
        "noop" => "noop".to_owned(),
        "flush_handlers" => format!("triggered running handlers for {host}"),
        "clear_facts" => "facts cleared".to_owned(),
        "clear_host_errors" => "cleared host errors".to_owned(),
        "end_batch" => "ending batch".to_owned(),
        "end_play" => "ending play".to_owned(),
        "end_host" => format!("ending play for {host}"),
        "end_role" => {
            let role = task.role.as_ref().map_or("", |role| &role.name);
            format!("ending role {role} for {host}")
        }
        "reset_connection" => "reset connection".to_owned(),
        _ => return None,
    })
}

/// What a condition that does not hold means.
fn goes_on(what: &str, task: &Task, host: &str) -> String {
    match what {
        "clear_facts" => format!("not clearing facts and fact cache for {host}"),
        "clear_host_errors" => format!("not clearing host error state for {host}"),
        "end_batch" => "continuing current batch".to_owned(),
        "end_play" => "continuing play".to_owned(),
        "end_role" => {
            let role = task.role.as_ref().map_or("", |role| &role.name);
            format!("continuing role {role} for {host}")
        }
        "flush_handlers" => format!("not running handlers for {host}"),
        _ => format!("continuing execution for {host}"),
    }
}
