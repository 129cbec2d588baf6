//! Gathering facts at the start of a play.

use std::sync::Arc;

use super::batch::Batch;
use super::event::TaskKind;
use super::settings;
use super::walk::{HostList, Place, in_order};
use crate::config::Gathering;
use crate::diagnostic::Result;
use crate::playbook::{self, Action, Keywords, LoopControl, Setting, Task};
use crate::template::Context;
use crate::value::Dict;

/// Gathers facts for the hosts that want them; gives back those that are still alive.
pub(super) async fn gather(batch: &Arc<Batch>, hosts: HostList, free: bool) -> HostList {
    let mut task = setup_task(batch, Dict::new());
    let options = &batch.run.options;
    if !playbook::is_selected(&task, &options.run.tags, &options.run.skip_tags) {
        return hosts;
    }
    let mut wanting = HostList::new();
    let mut args = Dict::new();
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
    if let Some(first) = wanting.first()
        && let Ok(scope) = batch.scope(first, None, &[])
    {
        args = arguments(batch, &Context::new(&scope)).unwrap_or_default();
    }
    task.action.args = args;
    let place = Place { kind: TaskKind::Gathering, free, ..Place::default() };
    let fate = batch.task_on(&Arc::new(task), wanting.clone(), &place).await;
    let left: HostList =
        hosts.iter().filter(|host| !wanting.contains(host) || fate.alive.contains(host)).cloned().collect();
    in_order(&hosts, &left)
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

fn arguments(batch: &Batch, context: &Context<'_>) -> Result<Dict> {
    let play = &batch.play;
    let given = [
        ("gather_subset", &play.gather_subset),
        ("gather_timeout", &play.gather_timeout),
        ("fact_path", &play.fact_path),
    ];
    let mut args = Dict::new();
    for (name, setting) in given {
        if let Some(setting) = setting {
            args.insert(name, settings::rendered(setting, context)?);
        }
    }
    Ok(args)
}

/// The task `Gathering Facts`, tagged `always` besides the play's tags.
fn setup_task(batch: &Batch, args: Dict) -> Task {
    let place = batch.play.place.clone();
    let mut keywords: Keywords = batch.play.keywords.as_ref().clone();
    keywords.tags.push(Setting { value: "always".into(), place: place.clone() });
    Task {
        place: place.clone(),
        name: Some(Setting { value: "Gathering Facts".into(), place: place.clone() }),
        action: Action {
            name: "setup".to_owned(),
            written: "setup".to_owned(),
            place,
            args,
            computed: None,
            dynamic: None,
        },
        keywords: Arc::new(keywords),
        role: None,
        repeat: None,
        loop_control: LoopControl::default(),
        register: None,
        until: Vec::new(),
        retries: None,
        delay: None,
        background: None,
        poll: None,
        changed_when: Vec::new(),
        failed_when: Vec::new(),
        listen: Vec::new(),
        is_handler: false,
        include: None,
    }
}
