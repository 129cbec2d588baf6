use super::Task;

/// Whether `--start-at-task` means this task: its name as written, `role : name`, or a glob over either.
pub fn name_matches(task: &Task, wanted: &str) -> bool {
    let name = match &task.name {
        Some(name) => name.value.to_string(),
        None => task.action.written.clone(),
    };
    let full = task.role.as_ref().map(|role| format!("{} : {name}", role.name));
    let glob = globset::Glob::new(wanted).ok().map(|glob| glob.compile_matcher());
    [Some(name), full]
        .into_iter()
        .flatten()
        .any(|candidate| candidate == wanted || glob.as_ref().is_some_and(|glob| glob.is_match(&candidate)))
}
