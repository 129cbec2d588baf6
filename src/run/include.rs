//! Dynamic includes: `include_tasks`, `include_role`.

use std::sync::Arc;

use super::batch::Batch;
use super::call::Call;
use super::event::{Event, TaskInfo, TaskKind};
use super::outcome::{HostOutcome, Included, Inclusion, Raw};
use super::walk::{HostList, Place};
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::{Node, Task};
use crate::value::{Dict, Value};

/// What a result asks to include, with the loop's variables.
pub(super) fn of(raw: &Raw, vars: &[(&str, Value)], label: Option<String>) -> Option<Inclusion> {
    if raw.is("failed") || raw.is("skipped") {
        return None;
    }
    let what = raw.inclusion.clone()?;
    let vars: Dict = vars.iter().map(|(name, value)| (*name, value.clone())).collect();
    Some(Inclusion { what, vars: Arc::new(vars), label })
}

/// The tags under `apply` that were templates: the others are the loader's.
pub(super) fn applied_tags(call: &Call<'_>) -> Result<Vec<String>> {
    let applied = call.args.get("apply").and_then(Value::as_dict).and_then(|applied| applied.get("tags"));
    match applied {
        None | Some(Value::None) => Ok(Vec::new()),
        Some(Value::List(tags)) => Ok(tags.iter().map(ToString::to_string).collect()),
        Some(Value::Str(tags)) => {
            Ok(tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect())
        }
        Some(_) => Err(call.misuse("tags must be specified as a list")),
    }
}

/// Hosts that asked for the same.
pub(super) struct Group {
    pub inclusion: Inclusion,
    pub hosts: HostList,
}

impl Group {
    /// Whether what cannot be had is a task that failed.
    pub fn is_rescuable(&self) -> bool {
        !matches!(self.inclusion.what, Included::Role { rescuable: false, .. })
    }
}

/// Brings together hosts that include the same with the same loop variables, in order of first appearance.
pub(super) fn group(outcomes: Vec<HostOutcome>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for outcome in outcomes {
        for inclusion in outcome.inclusions {
            // A host's inclusions come one after the other: it is the last of a group, or not in it.
            let same = groups
                .iter_mut()
                .find(|group| group.inclusion == inclusion && group.hosts.last() != Some(&outcome.host));
            match same {
                Some(group) => group.hosts.push(outcome.host.clone()),
                None => groups.push(Group { inclusion, hosts: vec![outcome.host.clone()] }),
            }
        }
    }
    groups
}

/// Tasks that have been brought in, for the hosts that asked for them.
pub(super) struct Arrival {
    pub nodes: Arc<[Node]>,
    pub hosts: HostList,
    pub place: Place,
}

/// Far more than files that include themselves, to try something again, come to; the run's stack holds as many.
const DEEPEST: u32 = 1000;

/// Loads what a group asked for, and tells so.
pub(super) fn arrive(
    batch: &Arc<Batch>,
    task: &Arc<Task>,
    info: &Arc<TaskInfo>,
    group: &Group,
    hosts: HostList,
    place: &Place,
) -> Result<Arrival> {
    if place.depth >= DEEPEST {
        let message =
            format!("{DEEPEST} includes within one another: this is taken to be a loop without an end");
        return Err(Diagnostic::new(message)
            .at(&task.place)
            .hint("what includes itself needs a condition that ends it, such as a `when` on the include"));
    }
    let loaded = load(batch, task, &group.inclusion.what);
    for warning in batch.run.loader.take_warnings() {
        batch.run.warn(warning);
    }
    let (what, nodes) = loaded?;
    super::report::included(batch, info, &hosts, place);
    let censored = info.no_log.then(|| "(censored due to no_log)".to_owned());
    let item = censored.or_else(|| group.inclusion.label.clone());
    batch.run.emit(Event::Included { what, hosts: hosts.clone(), item });
    let mut inner = place.inner.clone();
    if !group.inclusion.vars.is_empty() {
        inner.push(group.inclusion.vars.clone());
    }
    let kind = if place.kind == TaskKind::Handler { TaskKind::Handler } else { TaskKind::Task };
    Ok(Arrival { nodes, hosts, place: Place { kind, inner, depth: place.depth + 1, ..place.clone() } })
}

fn load(batch: &Arc<Batch>, task: &Arc<Task>, what: &Included) -> Result<(String, Arc<[Node]>)> {
    let loader = &batch.run.loader;
    match what {
        Included::Tasks { file, tags } => {
            let loaded = loader.include_tasks(task, file, tags)?;
            batch.adopt(&loaded.roles, &loaded.handlers);
            Ok((loaded.path.to_string_lossy().into_owned(), loaded.tasks.clone()))
        }
        Included::Role { request, public, .. } => {
            let loaded = loader.include_role(task, request)?;
            batch.facts.role_names.write().push(loaded.role.name.clone());
            batch.facts.add_dependencies(loaded.role.dependencies.iter());
            batch.adopt(&loaded.roles, &loaded.handlers);
            if *public {
                batch.adopt(std::slice::from_ref(&loaded.role), &[]);
            }
            Ok((request.name.clone(), loaded.tasks.clone()))
        }
    }
}
