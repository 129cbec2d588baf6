use super::{Node, Playbook, Task};
use crate::diagnostic::{Diagnostic, Result};
use crate::nearest::nearest;

/// An error when no task has the name that `--start-at-task` gives: nothing at all would run.
pub fn find_start(playbooks: &[Playbook], wanted: &str) -> Result<()> {
    let mut tasks = Vec::new();
    let plays = playbooks.iter().flat_map(|playbook| &playbook.plays);
    plays.flat_map(|play| &play.sections).for_each(|nodes| collect(nodes, &mut tasks));
    if tasks.iter().any(|task| name_matches(task, wanted)) {
        return Ok(());
    }
    let names: Vec<String> = tasks.iter().map(|task| own_name(task)).collect();
    let error = Diagnostic::new(format!("No matching task \"{wanted}\" found."));
    let error = match nearest(wanted, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean \"{near}\"?")),
        None => error.hint("--list-tasks shows what there is"),
    };
    Err(error.hint("what include_tasks and include_role bring in cannot be the start"))
}

fn collect<'a>(nodes: &'a [Node], tasks: &mut Vec<&'a Task>) {
    for node in nodes {
        match node {
            Node::Task(task) => tasks.push(task),
            Node::Block(block) => {
                for nodes in [&block.block, &block.rescue, &block.always] {
                    collect(nodes, tasks);
                }
            }
            Node::RoleEnd(_) => {}
        }
    }
}

fn own_name(task: &Task) -> String {
    match &task.name {
        Some(name) => name.value.to_string(),
        None => task.action.written.clone(),
    }
}

/// Whether `--start-at-task` means this task: its name as written, `role : name`, or a glob over either.
pub fn name_matches(task: &Task, wanted: &str) -> bool {
    let name = own_name(task);
    let full = task.role.as_ref().map(|role| format!("{} : {name}", role.name));
    let glob = globset::Glob::new(wanted).ok().map(|glob| glob.compile_matcher());
    [Some(name), full]
        .into_iter()
        .flatten()
        .any(|candidate| candidate == wanted || glob.as_ref().is_some_and(|glob| glob.is_match(&candidate)))
}
