//! `--tags` and `--skip-tags`.

use std::collections::BTreeSet;

use super::{Keywords, Node, Playbook, Task};
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;

/// Whether `--tags` and `--skip-tags` let a task run. No `only` means all.
pub fn is_selected(task: &Task, only: &[String], skip: &[String]) -> bool {
    select(&effective(&task.keywords), only, skip)
}

/// Warnings of tags that were asked for and that no task has, where all tasks are known.
pub fn unknown_tags(playbooks: &[Playbook], only: &[String]) -> Vec<Diagnostic> {
    const SPECIAL: [&str; 5] = ["all", "always", "never", "tagged", "untagged"];
    let mut known = BTreeSet::new();
    let plays = playbooks.iter().flat_map(|playbook| &playbook.plays);
    if only.is_empty() || !plays.flat_map(|play| &play.sections).all(|nodes| collect(nodes, &mut known)) {
        return Vec::new();
    }
    let unknown = only.iter().filter(|tag| !SPECIAL.contains(&tag.as_str()) && !known.contains(*tag));
    unknown
        .map(|tag| {
            let warning = Diagnostic::new(format!("no task has the tag '{tag}'"));
            match nearest(tag, known.iter().map(String::as_str)) {
                Some(near) => warning.hint(format!("did you mean '{near}'?")),
                None => warning.hint("--list-tags shows what there is"),
            }
        })
        .collect()
}

/// The tags of all tasks; `false` when includes may bring in others.
fn collect(nodes: &[Node], known: &mut BTreeSet<String>) -> bool {
    nodes.iter().all(|node| match node {
        Node::Task(task) => {
            known.extend(effective(&task.keywords));
            task.include.is_none() && !task.keywords.tags.iter().any(|tag| tag.value.holds_template())
        }
        Node::Block(block) => {
            [&block.block, &block.rescue, &block.always].into_iter().all(|nodes| collect(nodes, known))
        }
        Node::RoleEnd(_) => true,
    })
}

/// A task's tags, its own and those around it, each once, in order of appearance.
pub fn effective(keywords: &Keywords) -> Vec<String> {
    let mut tags = Vec::new();
    for tag in keywords.tags.iter().map(|tag| tag.value.to_string()) {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

fn select(tags: &[String], only: &[String], skip: &[String]) -> bool {
    is_wanted(tags, only) && !is_skipped(tags, skip)
}

/// `always` runs whatever is asked for; `never` only when one of the task's tags is asked for by name.
fn is_wanted(tags: &[String], only: &[String]) -> bool {
    let has_always = has(tags, "always");
    let is_general = !has(tags, "never");
    has_always
        || tags.iter().any(|tag| has(only, tag))
        || (only.is_empty() || has(only, "all")) && is_general
        || has(only, "tagged") && is_tagged(tags) && is_general
        || has(only, "untagged") && !is_tagged(tags)
}

fn is_skipped(tags: &[String], skip: &[String]) -> bool {
    if has(skip, "all") {
        return !has(tags, "always") || has(skip, "always");
    }
    tags.iter().any(|tag| has(skip, tag))
        || has(skip, "tagged") && is_tagged(tags)
        || has(skip, "untagged") && !is_tagged(tags)
}

/// A task tagged `untagged` counts as having no tags.
fn is_tagged(tags: &[String]) -> bool {
    !tags.is_empty() && !has(tags, "untagged")
}

fn has(tags: &[String], wanted: &str) -> bool {
    tags.iter().any(|tag| tag == wanted)
}

#[cfg(test)]
mod tests {
    use super::select;

    #[derive(serde::Deserialize)]
    struct Cases {
        sets: Vec<Vec<String>>,
        /// `--tags`, `--skip-tags`, and the sets that ansible-playbook then runs.
        cases: Vec<(Vec<String>, Vec<String>, Vec<usize>)>,
    }

    #[test]
    fn like_ansible() {
        let cases: Cases = serde_json::from_str(include_str!("../../tests/data/tags.json")).unwrap();
        for (only, skip, expect) in cases.cases {
            let ours: Vec<_> =
                (0..cases.sets.len()).filter(|index| select(&cases.sets[*index], &only, &skip)).collect();
            assert_eq!(ours, expect, "--tags {only:?} --skip-tags {skip:?}");
        }
    }
}
