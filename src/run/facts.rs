//! Gathering facts at the start of a play.

use std::collections::HashSet;
use std::sync::Arc;

use super::batch::Batch;
use super::event::TaskKind;
use super::settings;
use super::walk::{HostList, Place};
use crate::config::Gathering;
use crate::diagnostic::Result;
use crate::playbook::{self, Action, Keywords, Setting, Task};
use crate::template::Context;

/// Gathers facts for the hosts that want them; gives back those that are still alive.
pub(super) async fn gather(batch: &Arc<Batch>, hosts: HostList, free: bool) -> HostList {
    let task = setup_task(batch);
    let options = &batch.run.options;
    if !playbook::is_selected(&task, &options.run.tags, &options.run.skip_tags) {
        return hosts;
    }
    let mut wanting = HostList::new();
    for host in &hosts {
        match wants(batch, host) {
            Ok(true) => wanting.push(host.clone()),
            Ok(false) => {}
            Err(error) => {
                batch.run.break_off(error);
                return HostList::new();
            }
        }
    }
    if wanting.is_empty() {
        return hosts;
    }
    let place = Place { kind: TaskKind::Gathering, free, ..Place::default() };
    let fate = batch.task_on(&Arc::new(task), wanting.clone(), &place).await;
    let (wanting, alive): (HashSet<_>, HashSet<_>) = (wanting.iter().collect(), fate.alive.iter().collect());
    hosts.iter().filter(|host| !wanting.contains(host) || alive.contains(host)).cloned().collect()
}

fn wants(batch: &Batch, host: &Arc<str>) -> Result<bool> {
    let scope = batch.scope(host, None, &[])?;
    let context = Context::new(&scope);
    let explicit = batch.play.gather_facts.as_ref();
    Ok(match batch.run.options.run.gathering {
        Gathering::Implicit => settings::flag(explicit, true, &context)?,
        Gathering::Explicit => settings::flag(explicit, false, &context)?,
        Gathering::Smart => {
            // Facts that tasks set do not count.
            let known = batch.run.hosts.state(host).facts().injected.contains("module_setup");
            settings::flag(explicit, !known, &context)? && !known
        }
    })
}

/// The task `Gathering Facts`, tagged `always` besides the play's tags.
fn setup_task(batch: &Batch) -> Task {
    let play = &batch.play;
    let given = [
        ("gather_subset", &play.gather_subset),
        ("gather_timeout", &play.gather_timeout),
        ("fact_path", &play.fact_path),
    ];
    let args = given.into_iter().filter_map(|(name, setting)| Some((name, setting.as_ref()?.value.clone())));
    let place = play.place.clone();
    let mut keywords: Keywords = play.keywords.as_ref().clone();
    keywords.tags.push(Setting::new("always".into(), place.clone()));
    Task::new("Gathering Facts", Action::new("setup", place, args.collect()), Arc::new(keywords), None)
}
