//! Plays: hosts, batches, facts, sections, handlers.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use futures::StreamExt;
use parking_lot::RwLock;

use super::batch::Batch;
use super::event::{Event, NoHosts};
use super::lost::Lost;
use super::shared::Shared;
use super::walk::{HostList, Place, in_order};
use super::{facts, prompts, settings, vars_files};
use crate::config::Strategy;
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::{Play, Playbook, Role};
use crate::template::Context;
use crate::value::{Dict, Value};
use crate::vars::{Magic, PlayFacts, Scope, ScopeParts, export};

/// How a run ended.
#[derive(Debug)]
pub struct RunEnd {
    pub lost: Lost,
    pub interrupted: bool,
    /// A play could not even begin: a bad pattern, an undefined variable in `hosts`.
    pub error: Option<Diagnostic>,
}

/// What a play leaves to the next.
enum After {
    Continue,
    Stop,
}

/// Runs playbooks one after the other. `stop` resolves when the user wants out.
pub async fn run(shared: Arc<Shared>, playbooks: Vec<Playbook>, stop: impl Future<Output = ()>) -> RunEnd {
    let started = Instant::now();
    let mut error = None;
    let interrupted = tokio::select! {
        result = all(&shared, playbooks) => {
            error = result.err();
            false
        }
        () = stop => true,
    };
    if interrupted {
        if shared.asking.load(Ordering::Relaxed) {
            shared.emit(Event::Said { text: String::new() });
        }
        shared.warn(Diagnostic::new("User interrupted execution: what was under way is ended"));
    }
    shared.links.close().await;
    super::report::custom_stats(&shared);
    let stats = shared.stats.lock().clone();
    let broken = error.is_some();
    shared.emit(Event::RunEnded { stats, interrupted, broken, elapsed: started.elapsed() });
    let lost = shared.lost.lock().clone();
    RunEnd { lost, interrupted, error }
}

async fn all(shared: &Arc<Shared>, playbooks: Vec<Playbook>) -> Result<()> {
    for playbook in playbooks {
        for play in playbook.plays {
            if let After::Stop = whole(shared, play).await? {
                return Ok(());
            }
        }
        // Another playbook begins only where all went well so far; another play of the same one does.
        if !shared.lost.lock().is_empty() {
            return Ok(());
        }
    }
    Ok(())
}

/// Runs a play on all its batches.
async fn whole(shared: &Arc<Shared>, mut play: Play) -> Result<After> {
    let dir = play.path.parent().unwrap_or(Path::new("")).to_owned();
    let dir = std::path::absolute(&dir).unwrap_or(dir);
    shared.set_playbook_dir(dir.clone());
    if !play.prompts.is_empty() {
        let scope = play_scope(shared, &play);
        prompts::ask(shared, &mut play, &Context::new(&scope)).await?;
    }
    let play = Arc::new(play);
    let scope = play_scope(shared, &play);
    let context = Context::new(&scope);
    let wanted = settings::rendered(&play.hosts, &context)?;
    let pattern = pattern_text(&wanted);
    // What a template comes to is named as Python shows it.
    let shown = if matches!(play.hosts.value, Value::List(_)) { pattern.clone() } else { wanted.to_string() };
    let selection = shared
        .inventory
        .read()
        .select(&pattern, &shared.options.inventory.limit)
        .map_err(|error| error.at(&play.hosts.place))?;
    for warning in selection.judge(shared.options.inventory.on_mismatch)? {
        shared.warn(warning);
    }
    let most_failed = settings::number(play.max_fail_percentage.as_ref(), &context)
        .map_err(|error| error.context("Error processing keyword 'max_fail_percentage'"))?;
    let name = settings::text(play.name.as_ref(), &context)?.unwrap_or(shown);
    let all = selection.hosts;
    let free = play.strategy.unwrap_or(shared.options.run.strategy) == Strategy::Free;
    let check = shared.options.run.check;
    let started = Event::PlayStarted { name: name.clone(), hosts: all.clone(), check, free };
    if all.is_empty() {
        shared.emit(started);
        shared.emit(Event::NoHosts { reason: NoHosts::NoneMatched });
        return Ok(After::Continue);
    }
    let alive: HostList = {
        let mut lost = shared.lost.lock();
        lost.begin(&all);
        all.iter().filter(|host| !lost.contains(host)).cloned().collect()
    };
    if alive.is_empty() {
        shared.emit(started);
        return Ok(After::Continue);
    }
    vars_files::check(&play, &context)?;
    let active = Arc::new(RwLock::new(alive.clone()));
    let alive = ordered(alive, settings::text(play.order.as_ref(), &context)?.as_deref(), &play)?;
    let batches = batches(&play, alive, &context)?;
    let names = |wanted: fn(&Role) -> bool| {
        play.roles.iter().filter(|role| wanted(role)).map(|role| role.name.clone()).collect()
    };
    for hosts in batches {
        let facts = Arc::new(PlayFacts {
            name: name.clone(),
            playbook_dir: dir.to_string_lossy().into_owned(),
            role_names: RwLock::new(names(|role| role.parent.is_none())),
            dependent_role_names: RwLock::default(),
            hosts_all: all.clone(),
            batch: hosts.clone(),
            active: active.clone(),
            ended: RwLock::default(),
        });
        facts.add_dependencies(play.roles.iter().filter(|role| role.is_dependency));
        shared.emit(started.clone());
        let batch = Arc::new(Batch::new(shared.clone(), play.clone(), facts, most_failed));
        batch.run_all(hosts.clone(), free, &context).await?;
        if let Some(error) = shared.take_broken() {
            return Err(error);
        }
        let everyone_lost = {
            let lost = shared.lost.lock();
            let followers = batch.followers.lock();
            hosts.iter().all(|host| lost.contains(host) && !followers.contains(host))
        };
        if batch.is_fatal_end() || everyone_lost {
            return Ok(After::Stop);
        }
        if *batch.play_over.lock() {
            break;
        }
    }
    Ok(After::Continue)
}

/// The variables a play's own keywords are rendered with: no host's.
fn play_scope(shared: &Arc<Shared>, play: &Play) -> Scope {
    let magic = Magic {
        world: Arc::new(shared.clone()),
        run: shared.facts.clone(),
        play: None,
        host: Arc::from(""),
        role: None,
        files_dir: "files",
        task_dir: None,
        check: shared.options.run.check,
        diff: shared.options.run.diff,
        keywords: None,
        reached: None,
    };
    let merges = shared.options.run.merges;
    let (mut defaults, mut vars) = (Dict::new(), Dict::new());
    play.roles.iter().for_each(|role| export(role, &mut defaults, &mut vars, merges));
    let parts = ScopeParts {
        extra: shared.extra_vars.clone(),
        merges,
        play_role_vars: Arc::new(vars),
        vars_files: shared.loader.files_of(play),
        play_vars: play.vars.clone(),
        play_role_defaults: Arc::new(defaults),
        ..ScopeParts::default()
    };
    Scope::new(magic, parts)
}

fn pattern_text(pattern: &Value) -> String {
    match pattern {
        Value::List(items) => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn ordered(mut hosts: HostList, order: Option<&str>, play: &Play) -> Result<HostList> {
    match order {
        None | Some("inventory") => {}
        Some("reverse_inventory") => hosts.reverse(),
        Some("sorted") => hosts.sort(),
        Some("reverse_sorted") => {
            hosts.sort();
            hosts.reverse();
        }
        Some("shuffle") => {
            use std::hash::{BuildHasher, RandomState};
            let random = RandomState::new();
            hosts.sort_by_cached_key(|host| random.hash_one(host));
        }
        Some(other) => {
            let error = Diagnostic::new(format!("Invalid 'order' specified: '{other}'"))
                .hint("one of: inventory, reverse_inventory, sorted, reverse_sorted, shuffle");
            return Err(match &play.order {
                Some(setting) => error.at(&setting.place),
                None => error,
            });
        }
    }
    Ok(hosts)
}

/// Splits hosts by `serial`: numbers and percentages, the last one repeated.
fn batches(play: &Play, hosts: HostList, context: &Context<'_>) -> Result<Vec<HostList>> {
    let mut sizes = Vec::new();
    for setting in &play.serial {
        let values = match settings::rendered(setting, context)? {
            Value::Omit | Value::None => Vec::new(),
            Value::List(items) => items.to_vec(),
            other => vec![other],
        };
        for value in values {
            let size = batch_size(&value.to_string(), hosts.len()).ok_or_else(|| {
                Diagnostic::new(format!("serial: {} is no number and no percentage", value.repr()))
                    .at(&setting.place)
            })?;
            sizes.push(size);
        }
    }
    let mut sizes = sizes.into_iter().peekable();
    let mut rest = hosts.as_slice();
    let mut batches = Vec::new();
    let mut size = rest.len();
    while !rest.is_empty() {
        size = sizes.next().unwrap_or(size);
        // Zero or less means all that are left.
        let take = if size == 0 { rest.len() } else { size.min(rest.len()) };
        let (now, later) = rest.split_at(take);
        batches.push(now.to_vec());
        rest = later;
    }
    Ok(batches)
}

fn batch_size(text: &str, hosts: usize) -> Option<usize> {
    match text.trim().strip_suffix('%') {
        Some(percentage) => {
            let percentage: f64 = percentage.trim().parse().ok()?;
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "host counts are small and positive"
            )]
            let size = (hosts as f64 * percentage / 100.0).max(0.0) as usize;
            Some(size.max(1))
        }
        None => text.trim().parse::<i64>().ok().map(|size| usize::try_from(size).unwrap_or(0)),
    }
}

impl Batch {
    async fn run_all(self: &Arc<Self>, hosts: HostList, free: bool, context: &Context<'_>) -> Result<()> {
        let force =
            settings::flag(self.play.force_handlers.as_ref(), self.run.options.run.force_handlers, context)?;
        if free {
            let width = self.run.options.width();
            futures::stream::iter(hosts)
                .map(|host| self.sections(vec![host], true, force))
                .buffer_unordered(width)
                .collect::<Vec<()>>()
                .await;
        } else {
            self.sections(hosts, false, force).await;
        }
        Ok(())
    }

    /// Facts, then the sections of the play with handlers flushed after pre_tasks, tasks and post_tasks.
    async fn sections(self: &Arc<Self>, hosts: HostList, free: bool, force: bool) {
        let place = Place { free, ..Place::default() };
        let mut alive = facts::gather(self, hosts.clone(), free).await;
        let [pre_tasks, roles, tasks, post_tasks] = &self.play.sections;
        // With forced handlers, hosts that failed run theirs once, together with the others.
        let mut forced = HostList::new();
        let validation = self.play.validation.as_slice();
        let in_order_of_run =
            [(validation, false), (pre_tasks, true), (roles, false), (tasks, true), (post_tasks, true)];
        for (section, flush) in in_order_of_run {
            let after = self.walk(section, alive, &place).await;
            alive = after.alive;
            if force {
                forced.extend(after.failed);
            }
            if flush {
                let failed = std::mem::take(&mut forced);
                let flushing = in_order(&hosts, &[alive.clone(), failed.clone()].concat());
                let after = self.flush_handlers(flushing, &Place { free, ..Place::default() }).await.alive;
                alive = after.into_iter().filter(|host| !failed.contains(host)).collect();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::batch_size;

    #[test]
    fn sizes_of_batches() {
        for (text, hosts, expected) in
            [("2", 10, Some(2)), ("30%", 10, Some(3)), ("1%", 10, Some(1)), ("0", 5, Some(0)), ("x", 5, None)]
        {
            assert_eq!(batch_size(text, hosts), expected, "{text}");
        }
    }
}
