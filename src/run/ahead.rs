//! Where one host goes its own way, the calls of several tasks are sent at once: they cost one round trip.
//!
//! A task is sent before those ahead of it are done only where nothing that comes of them can make it another task, or keep
//! it from running but that one of them fails: then the worker does not begin it. So the results are those of tasks that
//! are sent one after the other.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use fanfare_modules::kit::wire::Reply;

use super::batch::Batch;
use super::call::{self, Sending};
use super::content::Contents;
use super::keywords;
use super::meanwhile::watched;
use super::shared::StartAt;
use super::task::{Job, unmet};
use super::walk::Place;
use crate::config::Strategy;
use crate::diagnostic::Diagnostic;
use crate::playbook::{self, Node, Task};
use crate::target::{CallError, Replies, Transport};
use crate::template::Context;
use crate::value::Value;
use crate::vars::Unknown;

/// How many tasks are under way at once, at most.
const MOST: usize = 256;

/// Modules whose results are variables of all later tasks.
const FACTS: &[&str] = &["getent", "hostname", "mount_facts", "package_facts", "service_facts", "setup"];

/// Tasks that were sent to a host, whose replies are still to be taken.
pub(super) struct Convoy {
    tasks: VecDeque<Member>,
    replies: Replies,
}

struct Member {
    task: Arc<Task>,
    /// Not where it will be skipped.
    sent: bool,
}

/// The convoys under way, and the hosts that there are none for.
#[derive(Default)]
pub(super) struct Convoys {
    under_way: HashMap<Arc<str>, Convoy>,
    /// Round trips to them cost nothing.
    near: HashSet<Arc<str>>,
}

impl Convoy {
    /// Whether the task is the next one, but for those that are skipped.
    fn comes_to(&mut self, task: &Arc<Task>) -> bool {
        while let Some(next) = self.tasks.front() {
            if Arc::ptr_eq(&next.task, task) {
                return true;
            }
            if next.sent {
                return false;
            }
            self.tasks.pop_front();
        }
        false
    }
}

impl Batch {
    /// Sends the first of the nodes, a task whose turn it is, and with it those that follow as far as they may be. Does
    /// nothing where that has been sent already, or may not be.
    pub fn send_ahead(self: &Arc<Self>, nodes: &[Node], host: &Arc<str>, place: &Place) {
        let Some(Node::Task(first)) = nodes.first() else { return };
        {
            let mut convoys = self.convoys.lock();
            if convoys.under_way.get_mut(host).is_some_and(|convoy| convoy.comes_to(first)) {
                return;
            }
            if let Some(convoy) = convoys.under_way.remove(host) {
                self.let_go(convoy);
            }
            if convoys.near.contains(host) {
                return;
            }
        }
        if !is_plain(first) || !self.may_send_ahead(place) {
            return;
        }
        let (tasks, sendings) = self.load(nodes, host, place);
        let Some(to) = sendings.first().map(|sending| sending.to.clone()) else { return };
        let mut requests = Vec::with_capacity(sendings.len());
        let mut contents = Vec::with_capacity(sendings.len());
        for mut sending in sendings {
            sending.request.chained = !requests.is_empty();
            requests.push(sending.request);
            contents.push(sending.contents);
        }
        let info = Arc::new(self.plain_info(first, place.kind));
        let contents = watched(Contents::merge(contents), false, &self.run, host, &info);
        let replies = self.run.links.stream(&to, requests, contents);
        self.convoys.lock().under_way.insert(host.clone(), Convoy { tasks, replies });
    }

    /// The reply to a task's call where that was sent ahead; `None` where it was not, or was not begun.
    pub async fn reply_ahead(&self, host: &Arc<str>, task: &Arc<Task>) -> Option<Result<Reply, CallError>> {
        let mut convoy = {
            let mut convoys = self.convoys.lock();
            let is_next = convoys.under_way.get_mut(host).is_some_and(|convoy| convoy.comes_to(task));
            is_next.then(|| convoys.under_way.remove(host)).flatten()?
        };
        convoy.tasks.pop_front();
        let reply = match convoy.replies.next().await {
            Ok(reply) => reply?,
            Err(error) => return Some(Err(error)),
        };
        let is_last = !convoy.tasks.iter().any(|member| member.sent);
        if is_last || reply.not_run || reply.result.get("failed") == Some(&true.into()) {
            self.let_go(convoy);
        } else {
            self.convoys.lock().under_way.insert(host.clone(), convoy);
        }
        (!reply.not_run).then_some(Ok(reply))
    }

    /// Sees a convoy out whose tasks nobody comes to any more: none of them was begun.
    fn let_go(&self, mut convoy: Convoy) {
        let run = self.run.clone();
        tokio::spawn(async move {
            convoy.tasks.retain(|member| member.sent);
            while let Ok(Some(reply)) = convoy.replies.next().await {
                let member = convoy.tasks.pop_front();
                if let Some(member) = member.filter(|_| !reply.not_run) {
                    let error = Diagnostic::new("A task ran though its turn never came; please report it");
                    run.warn(error.at(&member.task.place));
                }
            }
        });
    }

    /// Whether what other hosts, or the operator, do has no say in what this host does next.
    fn may_send_ahead(&self, place: &Place) -> bool {
        let options = &self.run.options;
        let strategy = self.play.strategy.unwrap_or(options.run.strategy);
        let is_attended = options.step || options.run.debugger || strategy == Strategy::Debug;
        let is_elsewhere = place.free && self.most_failed.is_some();
        !is_attended
            && !is_elsewhere
            && !options.run.hear
            && options.run.task_timeout.is_none()
            // Which files these are may depend on results.
            && self.play.vars_files.iter().all(|file| !matches!(file.value, Value::Template(_)))
            && matches!(*self.run.started.lock(), StartAt::Reached)
    }

    /// The calls of the first tasks among the nodes, up to the one that has to wait for its turn.
    fn load(
        self: &Arc<Self>,
        nodes: &[Node],
        host: &Arc<str>,
        place: &Place,
    ) -> (VecDeque<Member>, Vec<Sending>) {
        let options = &self.run.options.run;
        let (mut members, mut sendings) = (VecDeque::new(), Vec::<Sending>::new());
        let mut unknown = HashSet::new();
        for node in nodes {
            let Node::Task(task) = node else { break };
            if !playbook::is_selected(task, &options.tags, &options.skip_tags)
                || self.role_is_over(host, task)
            {
                // Those before the first one are looked at in their turn, so that none is looked at again and again.
                if sendings.is_empty() {
                    break;
                }
                members.push_back(Member { task: task.clone(), sent: false });
                continue;
            }
            if !is_plain(task) || sendings.len() == MOST {
                break;
            }
            match self.prepare_ahead(task, host, place, &unknown) {
                Some(Prepared::Sending(sending)) => {
                    if sendings.first().is_some_and(|first| first.to != sending.to) {
                        break;
                    }
                    if sendings.is_empty() && !is_far(&sending) {
                        self.convoys.lock().near.insert(host.clone());
                        break;
                    }
                    // It may be this machine's own files that those before it change.
                    if !sendings.is_empty() && !sending.contents.is_empty() && is_loopback(&sending) {
                        break;
                    }
                    members.push_back(Member { task: task.clone(), sent: true });
                    sendings.push(*sending);
                    if is_last(task) || !self.has_handlers_for(task, host) {
                        break;
                    }
                }
                Some(Prepared::Skipped) if sendings.is_empty() => break,
                Some(Prepared::Skipped) => members.push_back(Member { task: task.clone(), sent: false }),
                None => break,
            }
            unknown.extend(task.register.iter().map(|projection| Arc::from(projection.name.as_str())));
        }
        (members, sendings)
    }

    /// A task's call as it will be when its turn comes; `None` where that cannot be said yet.
    fn prepare_ahead(
        self: &Arc<Self>,
        task: &Arc<Task>,
        host: &Arc<str>,
        place: &Place,
        unknown: &HashSet<Arc<str>>,
    ) -> Option<Prepared> {
        let unknown = Arc::new(Unknown::new(unknown.clone()));
        let mut scope = self.scope(host, Some(task), &place.inner).ok()?;
        scope.set_unknown(unknown.clone());
        let info = Arc::new(self.plain_info(task, place.kind));
        let job = Job { batch: self, host, task, info: &info, place };
        let prepared = if unmet(&task.keywords.when, &scope).ok()?.is_some() {
            Prepared::Skipped
        } else {
            keywords::check(task, &Context::new(&scope)).ok()?;
            let (sending, plan) = call::prepare(&job, &scope, None).ok()?;
            if plan.is_some() {
                return None;
            }
            Prepared::Sending(Box::new(sending))
        };
        (!unknown.was_asked()).then_some(prepared)
    }
}

enum Prepared {
    Sending(Box<Sending>),
    Skipped,
}

/// Whether the task is one call of a module on its own host, and nothing around that.
fn is_plain(task: &Task) -> bool {
    let keywords = &task.keywords;
    let around = [
        &keywords.run_once,
        &keywords.throttle,
        &keywords.debugger,
        &keywords.timeout,
        &keywords.delegate_to,
        &keywords.delegate_facts,
        &task.retries,
        &task.background,
    ];
    task.action.dynamic.is_none()
        // What it tells may be facts.
        && task.action.custom.is_none()
        && call::is_remote(&task.action.name)
        && task.repeat.is_none()
        && task.until.is_empty()
        && around.iter().all(|setting| setting.is_none())
}

/// Whether what follows depends on more of the task than whether its module fails.
fn is_last(task: &Task) -> bool {
    FACTS.contains(&task.action.name.as_str())
        || !task.failed_when.is_empty()
        || !task.changed_when.is_empty()
        || task.register.iter().any(|projection| projection.value.is_some())
}

fn is_far(sending: &Sending) -> bool {
    matches!(sending.to.transport, Transport::Ssh(_))
}

fn is_loopback(sending: &Sending) -> bool {
    match &sending.to.transport {
        Transport::Ssh(options) => {
            options.host == "localhost" || options.host == "::1" || options.host.starts_with("127.")
        }
        Transport::Local | Transport::Program(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::FACTS;

    #[test]
    fn modules_that_give_facts_are_known() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/modules");
        let mut giving: Vec<String> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .filter(|path| std::fs::read_to_string(path).unwrap().contains("ansible_facts"))
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        giving.sort();
        assert_eq!(giving, FACTS);
    }
}
