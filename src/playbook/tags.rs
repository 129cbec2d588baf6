//! `--tags` and `--skip-tags`.

use super::{Keywords, Task};

/// Whether `--tags` and `--skip-tags` let a task run. No `only` means all.
pub fn is_selected(task: &Task, only: &[String], skip: &[String]) -> bool {
    select(&effective(&task.keywords), only, skip)
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
