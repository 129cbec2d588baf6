//! Walking a play's tree with a set of hosts.

use std::collections::HashSet;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use super::batch::Batch;
use super::event::{Event, NoHosts, Status, TaskInfo, TaskKind};
use super::outcome::HostOutcome;
use super::{failed_task, include, register, report, settings, task};
use crate::diagnostic::Result;
use crate::playbook::{self, Block, Layer, Node, Task};
use crate::template::Context;
use crate::value::Value;

pub(super) type HostList = Vec<Arc<str>>;

/// How hosts come out of a piece of a play. Those in neither list have left it: unreachable, or ended.
#[derive(Default)]
pub(super) struct Fate {
    pub alive: HostList,
    pub failed: HostList,
}

impl Fate {
    /// What became of some of the hosts that were alive.
    pub fn follow(&mut self, entered: &[Arc<str>], after: Self) {
        let entered: HashSet<_> = entered.iter().collect();
        let still: HashSet<_> = after.alive.iter().collect();
        self.alive.retain(|host| !entered.contains(host) || still.contains(host));
        let known: HashSet<_> = self.failed.iter().cloned().collect();
        self.failed.extend(after.failed.into_iter().filter(|host| !known.contains(host)));
    }
}

/// Where in the play a walk is.
#[derive(Clone, Default)]
pub(super) struct Place {
    pub kind: TaskKind,
    /// A failure here will be rescued: it counts as `rescued`, and the host stays in the play.
    pub rescuable: bool,
    /// A `rescue` or `always` is still to come for hosts that fail here.
    pub guarded: bool,
    /// The loop variables of the includes around.
    pub inner: Vec<Layer>,
    /// How many dynamic includes are around.
    pub depth: u32,
    /// Every host goes its own way (`strategy: free`): banners come with results.
    pub free: bool,
}

impl Batch {
    /// Runs nodes one after the other, each on the hosts that are still alive.
    pub fn walk<'a>(
        self: &'a Arc<Self>,
        nodes: &'a [Node],
        hosts: HostList,
        place: &'a Place,
    ) -> BoxFuture<'a, Fate> {
        async move {
            let mut fate = Fate { alive: hosts, failed: Vec::new() };
            for (at, node) in nodes.iter().enumerate() {
                if fate.alive.is_empty() || self.is_over() {
                    break;
                }
                let hosts = std::mem::take(&mut fate.alive);
                if let [host] = hosts.as_slice() {
                    self.send_ahead(nodes.get(at..).unwrap_or_default(), host, place);
                }
                let after = match node {
                    Node::Task(task) => self.task(task, hosts, place).await,
                    Node::Block(block) => self.block(block, hosts, place).await,
                    Node::RoleEnd(role) => {
                        self.end_role(&hosts, role);
                        Fate { alive: hosts, failed: Vec::new() }
                    }
                };
                fate.alive = after.alive;
                fate.failed.extend(after.failed);
            }
            if self.is_over() {
                fate.alive.clear();
            }
            fate
        }
        .boxed()
    }

    async fn block(self: &Arc<Self>, block: &Block, hosts: HostList, place: &Place) -> Fate {
        let has_always = place.guarded || !block.always.is_empty();
        let rescue = Place { guarded: has_always, ..place.clone() };
        let body = Place {
            rescuable: place.rescuable || !block.rescue.is_empty(),
            guarded: has_always || !block.rescue.is_empty(),
            ..place.clone()
        };
        let mut fate = self.walk(&block.block, hosts.clone(), &body).await;
        if !block.rescue.is_empty() && !fate.failed.is_empty() {
            let failed = std::mem::take(&mut fate.failed);
            let after = self.walk(&block.rescue, in_order(&hosts, &failed), &rescue).await;
            fate.alive = in_order(&hosts, &[fate.alive, after.alive].concat());
            fate.failed = after.failed;
        }
        if !block.always.is_empty() {
            let all = in_order(&hosts, &[fate.alive.clone(), fate.failed.clone()].concat());
            let after = self.walk(&block.always, all, place).await;
            // A `clear_host_errors` frees them. As in Ansible, `ansible_play_hosts` does not get them back.
            let failing = self.failing.lock();
            let gone: HashSet<_> =
                fate.failed.iter().filter(|host| failing.contains(*host)).cloned().collect();
            let (failed_before, alive) = after.alive.into_iter().partition(|host| gone.contains(host));
            fate = Fate { alive, failed: [failed_before, after.failed].concat() };
        }
        fate
    }

    async fn task(self: &Arc<Self>, task: &Arc<Task>, hosts: HostList, place: &Place) -> Fate {
        let options = &self.run.options;
        let is_meta = task.action.name == "meta";
        // What a handler brings in is asked for by a notice: neither tags nor the end of its role are in its way.
        let is_handler = place.kind == TaskKind::Handler;
        let is_selected = || playbook::is_selected(task, &options.run.tags, &options.run.skip_tags);
        if !(is_handler || is_selected() && self.start_at_reached(task)) {
            return Fate { alive: hosts, failed: Vec::new() };
        }
        let (skipping, running): (HostList, HostList) =
            hosts.iter().cloned().partition(|host| !is_handler && self.role_is_over(host, task));
        if running.is_empty() {
            return Fate { alive: skipping, failed: Vec::new() };
        }
        let fate = if is_meta {
            self.meta(task, running, place).await
        } else {
            self.task_on(task, running, place).await
        };
        Fate { alive: in_order(&hosts, &[skipping, fate.alive].concat()), failed: fate.failed }
    }

    /// Runs a task that is no `meta` on hosts that all want it.
    pub async fn task_on(self: &Arc<Self>, task: &Arc<Task>, hosts: HostList, place: &Place) -> Fate {
        let Some(first) = hosts.first().cloned() else { return Fate::default() };
        let info = match self.scope(&first, Some(task), &place.inner) {
            Ok(scope) => {
                // Where nobody can say what it will be, it is shown as it is written.
                let shown = task::named(self, task, &scope).unwrap_or_else(|_| task.clone());
                let info = Arc::new(self.info(&shown, &scope, place.kind));
                if self.run.options.step && !self.run.ask_step(&info.name).await {
                    return Fate { alive: hosts, failed: Vec::new() };
                }
                info
            }
            Err(_) => Arc::new(self.plain_info(task, place.kind)),
        };
        if !place.free {
            self.run.emit(Event::TaskStarted(info.clone()));
        }
        let (once, width) = match self.breadth(task, &first, place) {
            Ok(breadth) => breadth,
            Err(error) => {
                self.run.break_off(error);
                return Fate::default();
            }
        };
        let turns = place.free.then(|| self.turns(task, width)).flatten();
        let _turn = match &turns {
            Some(turns) => turns.acquire().await.ok(),
            None => None,
        };
        let runners: HostList = if once { vec![first] } else { hosts.clone() };
        let mut outcomes: Vec<HostOutcome> = futures::stream::iter(runners)
            .map(|host| task::run_on_host(self, host, task, &info, place))
            .buffer_unordered(width)
            .collect()
            .await;
        if once {
            self.share(task, &hosts, &mut outcomes);
        }
        let fate = self.settle(task, &hosts, &outcomes, place);
        self.bring_in(task, &info, fate, outcomes, place).await
    }

    /// Whether the task runs for one host only, and how many hosts may work at it at once.
    fn breadth(&self, task: &Task, host: &Arc<str>, place: &Place) -> Result<(bool, usize)> {
        let forks = self.run.options.width();
        let keywords = &task.keywords;
        if matches!(task.action.name.as_str(), "add_host" | "pause") && !place.free {
            // These concern the run, not a host.
            return Ok((true, forks));
        }
        // Whether a failure is to be fatal must be known before there is one.
        let fatal =
            keywords.any_errors_fatal.as_ref().filter(|fatal| matches!(fatal.value, Value::Template(_)));
        let is_plain = keywords.throttle.is_none() && fatal.is_none();
        if (place.free || keywords.run_once.is_none()) && is_plain {
            return Ok((false, forks));
        }
        let Ok(scope) = self.scope(host, Some(task), &place.inner) else { return Ok((false, forks)) };
        let context = Context::new(&scope);
        settings::flag(fatal, false, &context)?;
        let once = !place.free && settings::flag(keywords.run_once.as_ref(), false, &context)?;
        let throttle = settings::number(keywords.throttle.as_ref(), &context)
            .map_err(|error| error.context("Failed to convert the throttle value to an integer"))?
            .unwrap_or(0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive count")]
        let width = if throttle >= 1.0 { forks.min(throttle as usize) } else { forks };
        Ok((once, width))
    }

    /// Gives every host what the one that ran a `run_once` task got.
    fn share(&self, task: &Task, hosts: &[Arc<str>], outcomes: &mut Vec<HostOutcome>) {
        let Some(ran) = outcomes.first().cloned() else { return };
        for host in hosts.iter().filter(|host| **host != ran.host) {
            register::share(self, task, &ran, host);
            // What is included is for the one host alone.
            if ran.is_lost() {
                outcomes.push(HostOutcome { host: host.clone(), ..ran.clone() });
            }
        }
    }

    /// Sorts hosts by how they fared, and stops the play where a failure is to stop it.
    fn settle(&self, task: &Task, hosts: &[Arc<str>], outcomes: &[HostOutcome], place: &Place) -> Fate {
        let mut fate = Fate { alive: hosts.to_vec(), failed: Vec::new() };
        let is_lost = |outcome: &HostOutcome| outcome.is_lost();
        let lost: HashSet<_> =
            outcomes.iter().filter(|outcome| is_lost(outcome)).map(|outcome| &outcome.host).collect();
        fate.alive.retain(|host| !lost.contains(host));
        let mut gone = HashSet::new();
        for outcome in outcomes.iter().filter(|outcome| is_lost(outcome)) {
            if outcome.status == Status::Failed {
                fate.failed.push(outcome.host.clone());
                self.failing.lock().insert(outcome.host.clone());
            }
            if outcome.status == Status::Unreachable || !place.rescuable {
                gone.insert(&outcome.host);
                self.run.lost.lock().add(&outcome.host, outcome.status);
            } else {
                self.remember_failure(task, outcome);
            }
        }
        self.leave(&gone);
        let has_failed = outcomes.iter().any(|outcome| is_lost(outcome) && outcome.status == Status::Failed);
        if !place.free && outcomes.iter().any(is_lost) && self.is_fatal(task, hosts) {
            self.drag_down(&mut fate, hosts, has_failed, place);
        } else if has_failed && !place.guarded && self.too_many_failed() {
            // Ansible says it twice.
            self.run.emit(Event::NoHosts { reason: NoHosts::NoneLeft });
            self.run.emit(Event::NoHosts { reason: NoHosts::NoneLeft });
            self.stop_fatally();
        }
        let ended = self.facts.ended.read();
        fate.alive.retain(|host| !ended.contains(host));
        fate
    }

    /// These hosts are no longer among those the play goes on with.
    pub fn leave(&self, gone: &HashSet<&Arc<str>>) {
        if !gone.is_empty() {
            self.facts.active.write().retain(|host| !gone.contains(host));
        }
    }

    /// `any_errors_fatal`: all fail with those that did, and go the way of the block around them. As in Ansible,
    /// those that only followed are left out of later plays even when they are rescued; and where the cause was that
    /// a host could not be reached, there are later plays.
    fn drag_down(&self, fate: &mut Fate, hosts: &[Arc<str>], has_failed: bool, place: &Place) {
        let dragged = std::mem::take(&mut fate.alive);
        {
            let mut lost = self.run.lost.lock();
            for host in &dragged {
                lost.leave(host, place.rescuable);
            }
        }
        self.failing.lock().extend(dragged.iter().cloned());
        if !has_failed {
            self.followers.lock().extend(dragged.iter().cloned());
        }
        if !place.rescuable {
            self.leave(&dragged.iter().collect());
        }
        fate.failed = in_order(hosts, &[std::mem::take(&mut fate.failed), dragged].concat());
    }

    fn is_fatal(&self, task: &Task, hosts: &[Arc<str>]) -> bool {
        let default = self.run.options.run.any_errors_fatal;
        if task.keywords.any_errors_fatal.is_none() {
            return default;
        }
        let Some(scope) = hosts.first().and_then(|host| self.scope(host, Some(task), &[]).ok()) else {
            return default;
        };
        settings::flag(task.keywords.any_errors_fatal.as_ref(), default, &Context::new(&scope))
            .unwrap_or(true)
    }

    fn too_many_failed(&self) -> bool {
        let Some(limit) = self.most_failed else { return false };
        let batch = &self.facts.batch;
        let lost = self.run.lost.lock();
        let failed = batch.iter().filter(|host| lost.failed.contains(*host)).count();
        #[expect(clippy::cast_precision_loss, reason = "host counts are small")]
        let percentage = failed as f64 / batch.len().max(1) as f64 * 100.0;
        percentage > limit
    }

    /// `ansible_failed_task` and `ansible_failed_result`, for the rescue section.
    fn remember_failure(&self, task: &Task, outcome: &HostOutcome) {
        let state = self.run.hosts.state(&outcome.host);
        let failed = failed_task::describe(self, task, &outcome.host);
        state.set_var("ansible_failed_task", Value::dict(failed));
        state.set_var("ansible_failed_result", Value::dict(outcome.fields.clone()));
    }

    /// Runs what a dynamic include asked for: loads for all hosts and items, then runs one after the other.
    async fn bring_in(
        self: &Arc<Self>,
        task: &Arc<Task>,
        info: &Arc<TaskInfo>,
        mut fate: Fate,
        outcomes: Vec<HostOutcome>,
        place: &Place,
    ) -> Fate {
        let groups = include::group(outcomes);
        let hosts = fate.alive.clone();
        let mut arrivals = Vec::new();
        for group in groups {
            // Those that another item failed for fail once more.
            let members = in_order(&hosts, &group.hosts);
            if members.is_empty() || self.is_over() {
                continue;
            }
            match include::arrive(self, task, info, &group, members.clone(), place) {
                Ok(arrival) => arrivals.push(arrival),
                // A file that is wrong is wrong for every host, and no rescue's matter.
                Err(error) if !group.is_rescuable() || !error.is_missing() && !error.is_undefined() => {
                    self.run.break_off(error);
                    return Fate::default();
                }
                Err(error) => {
                    let after = report::fail_all(self, task, info, members.clone(), place, &error);
                    fate.follow(&members, after);
                    if !place.free && self.is_fatal(task, &hosts) {
                        self.drag_down(&mut fate, &hosts, true, place);
                    }
                }
            }
        }
        for arrival in arrivals {
            let members = in_order(&fate.alive, &arrival.hosts);
            if members.is_empty() || self.is_over() {
                continue;
            }
            let after = self.walk(&arrival.nodes, members.clone(), &arrival.place).await;
            fate.follow(&members, after);
        }
        fate.alive = in_order(&hosts, &fate.alive);
        fate
    }
}

/// Those of `hosts` that are in `wanted`, in the order of `hosts`.
pub(super) fn in_order(hosts: &[Arc<str>], wanted: &[Arc<str>]) -> HostList {
    let wanted: HashSet<_> = wanted.iter().collect();
    hosts.iter().filter(|host| wanted.contains(host)).cloned().collect()
}
