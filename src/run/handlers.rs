//! Handlers: notified by changes, run at the end of each section.

use std::collections::HashSet;
use std::sync::Arc;

use super::batch::Batch;
use super::event::{Event, TaskKind};
use super::outcome::Notice;
use super::task::Job;
use super::walk::{Fate, HostList, Place, in_order};
use crate::diagnostic::{Diagnostic, Result};
use crate::nearest::nearest;
use crate::playbook::{Setting, Task};
use crate::template::{self, Context};
use crate::value::Value;
use crate::vars::Scope;

/// What a task, or one item of its loop, notifies.
pub(super) fn notices(job: &Job<'_>, scope: &Scope) -> Result<Vec<Notice>> {
    let notify = &job.task.keywords.notify;
    if notify.is_empty() {
        return Ok(Vec::new());
    }
    let context = Context::new(scope);
    let mut notices = Vec::with_capacity(notify.len());
    for setting in notify {
        let names = match super::settings::rendered(setting, &context)? {
            Value::List(items) => items.to_vec(),
            Value::None | Value::Omit => Vec::new(),
            other => vec![other],
        };
        notices
            .extend(names.iter().map(|name| Notice { name: name.to_string(), place: setting.place.clone() }));
    }
    Ok(notices)
}

/// Notifies the handlers of those names. A name that no handler has is an error of the playbook.
pub(super) fn notify(job: &Job<'_>, notices: &[Notice]) -> Result<()> {
    for Notice { name, place } in notices {
        let found = job.batch.find_handlers(name, job.host);
        if found.is_empty() {
            let unknown = job.batch.unknown_handler(name).at(place);
            if job.batch.run.options.run.error_on_missing_handler {
                return Err(unknown);
            }
            job.batch.run.warn(unknown);
            continue;
        }
        if job.place.kind == TaskKind::Handler {
            job.batch.notify(found, job.host);
        } else {
            let notice = (job.host.clone(), name.clone());
            job.batch.notices.lock().insert(notice);
        }
        job.batch.run.emit(Event::Notified { handler: name.clone(), host: job.host.clone() });
    }
    Ok(())
}

/// What to tell of a handler that nobody can notify.
fn unusable(name: &Setting, error: &Diagnostic) -> Diagnostic {
    let shown = match &name.value {
        Value::Template(template) => template.source().to_string(),
        other => other.to_string(),
    };
    Diagnostic::new(format!(
        "Handler '{shown}' is unusable because it has no listen topics and the name could not be templated \
         (host-specific variables are not supported in handler names). The error: {}",
        error.message()
    ))
    .at(&name.place)
}

/// Whether two handlers come from one list of one use of a role.
fn stand_together(one: &Task, other: &Task) -> bool {
    let identity = |task: &Task| task.role.as_ref().map(|role| role.identity.clone());
    Arc::ptr_eq(&one.place.source, &other.place.source) && identity(one) == identity(other)
}

/// What `role : name` wants of the role; that of a collection is also called without it.
fn of_role<'a>(role: &str, wanted: &'a str) -> Option<&'a str> {
    let (prefix, name) = wanted.split_once(" : ")?;
    let short = match role.splitn(3, '.').collect::<Vec<_>>()[..] {
        [_, _, short] => short,
        _ => role,
    };
    (prefix == role || prefix == short).then_some(name)
}

impl Batch {
    /// The handlers that answer to a name: one that is so called, and those that listen to it, but of those with
    /// one name only one. The first of the last list counts (roles come before the play, `include_role` after it).
    fn find_handlers(&self, name: &str, host: &Arc<str>) -> Vec<usize> {
        let handlers = self.handlers.read();
        let all: Vec<(usize, &Arc<Task>)> = handlers.iter().enumerate().collect();
        let mut lists: Vec<_> = all.chunk_by(|(_, one), (_, next)| stand_together(one, next)).collect();
        lists.reverse();
        let in_turn = || lists.iter().flat_map(|list| list.iter());
        let named = in_turn().find(|(_, handler)| self.handler_is_named(handler, name, host));
        let mut names = HashSet::new();
        let listening = in_turn().filter(|(_, handler)| {
            // A name that cannot be rendered is nobody's.
            let own = |name| self.handler_name(handler, name, host).unwrap_or_default();
            Self::handler_listens(handler, name)
                && handler.name.as_ref().is_none_or(|name| names.insert(own(name)))
        });
        let mut found: Vec<usize> = listening.chain(named).map(|(index, _)| *index).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether there is somebody for all that the task notifies, as far as that stands in so many words: else a change
    /// ends the run.
    pub(super) fn has_handlers_for(&self, task: &Task, host: &Arc<str>) -> bool {
        let is_there =
            |name: &Value| name.as_str().is_some_and(|name| !self.find_handlers(name, host).is_empty());
        task.keywords.notify.iter().all(|setting| match &setting.value {
            Value::List(names) => names.iter().all(is_there),
            name => is_there(name),
        })
    }

    fn notify(&self, handlers: Vec<usize>, host: &Arc<str>) {
        let mut notified = self.notified.lock();
        for index in handlers {
            notified.entry(index).or_default().insert(host.clone());
        }
    }

    fn unknown_handler(&self, name: &str) -> Diagnostic {
        let error = Diagnostic::missing(format!(
            "The requested handler '{name}' was not found in either the main handlers list nor in the listening \
             handlers list"
        ));
        let handlers = self.handlers.read();
        let known = handlers.iter().flat_map(|handler| handler.name.iter().chain(&handler.listen));
        match nearest(name, known.filter_map(|setting| setting.value.as_str())) {
            Some(near) => error.hint(format!("did you mean '{near}'?")),
            None => error,
        }
    }

    fn handler_is_named(&self, handler: &Task, wanted: &str, host: &Arc<str>) -> bool {
        let Some(setting) = &handler.name else { return false };
        let name = match self.handler_name(handler, setting, host) {
            Ok(name) => name,
            Err(error) => {
                if handler.listen.is_empty() {
                    self.run.warn(unusable(setting, &error));
                }
                return false;
            }
        };
        match &handler.role {
            None => name == wanted,
            Some(role) => name == wanted || of_role(&role.name, wanted) == Some(&*name),
        }
    }

    fn handler_listens(handler: &Task, wanted: &str) -> bool {
        let of_role = handler.role.as_ref().and_then(|role| of_role(&role.name, wanted));
        let is_wanted = |topic: &str| topic == wanted || Some(topic) == of_role;
        // Topics are no templates: they are known before any host is.
        handler.listen.iter().any(|topic| match &topic.value {
            Value::List(topics) => topics.iter().any(|topic| is_wanted(&topic.to_string())),
            Value::Template(template) => is_wanted(template.source()),
            topic => is_wanted(&topic.to_string()),
        })
    }

    fn handler_name(&self, handler: &Task, setting: &Setting, host: &Arc<str>) -> Result<String> {
        if let Value::Str(text) = &setting.value {
            return Ok(text.to_string());
        }
        let scope = self.scope(host, Some(handler), &[])?;
        Ok(template::render_all(&setting.value, &Context::new(&scope))?.to_string())
    }

    /// Runs what has been notified, in the order in which handlers are defined.
    pub async fn flush_handlers(self: &Arc<Self>, hosts: HostList, from: &Place) -> Fate {
        let present: HashSet<_> = hosts.iter().collect();
        let due: Vec<_> = self.notices.lock().extract_if(.., |(host, _)| present.contains(host)).collect();
        for (host, name) in due {
            self.notify(self.find_handlers(&name, &host), &host);
        }
        let mut fate = Fate { alive: hosts.clone(), failed: Vec::new() };
        // What fails here goes the way of the block around the `meta`.
        let place = Place {
            kind: TaskKind::Handler,
            free: from.free,
            rescuable: from.rescuable,
            guarded: from.guarded,
            ..Place::default()
        };
        let mut index = 0;
        while !fate.alive.is_empty() && !self.is_over() {
            // A handler may bring in others, so the list is looked at anew each time.
            let Some(handler) = self.handlers.read().get(index).cloned() else { break };
            let members = {
                let mut notified = self.notified.lock();
                let waiting = notified.remove(&index).unwrap_or_default();
                let alive: HashSet<_> = fate.alive.iter().collect();
                let (now, later): (HostList, HostList) =
                    waiting.into_iter().partition(|host| alive.contains(host));
                if !later.is_empty() {
                    notified.insert(index, later.into_iter().collect());
                }
                in_order(&fate.alive, &now)
            };
            if !members.is_empty() {
                let after = if handler.action.name == "meta" {
                    Box::pin(self.meta(&handler, members.clone(), &place)).await
                } else {
                    self.task_on(&handler, members.clone(), &place).await
                };
                fate.follow(&members, after);
            }
            index += 1;
        }
        fate
    }
}
