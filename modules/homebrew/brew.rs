//! How Homebrew is called, by the modules that do.

use std::path::Path;

use crate::kit::{Command, Failure, Result, System};

/// The program: in the first of the directories that has it, else where programs are.
pub(crate) fn find(dirs: &str, sys: &System<'_>) -> Result<Command> {
    for dir in dirs.split(':').filter(|dir| !dir.is_empty()) {
        let path = Path::new(&sys.expand(dir)?).join("brew");
        if let Some(program) = path.to_str().and_then(|path| sys.which(path)) {
            return Ok(Command::new(program));
        }
    }
    sys.need("brew").map(Command::new)
}

/// Brings Homebrew itself up to date, and tells whether it was not.
pub(crate) fn update(brew: &Command, sys: &mut System<'_>) -> Result<bool> {
    let is_news = |said: &str| !said.contains("Already up-to-date.");
    let done = sys.exec_judged(brew.clone().arg("update"), |output| is_news(&output.stdout()));
    Ok(done.map_err(Failure::as_said)?.is_none_or(|output| is_news(&output.stdout())))
}

/// Options as users write them, `with-x`, as Homebrew takes them.
pub(crate) fn flags(options: &[String]) -> impl Iterator<Item = String> {
    options.iter().map(|option| match option.strip_prefix("--") {
        Some(_) => option.clone(),
        None => format!("--{option}"),
    })
}

/// Names as Homebrew may have them; `what` they are of.
pub(crate) fn names(given: &[String], what: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for name in given {
        if name.is_empty() || name.chars().any(|c| !c.is_alphanumeric() && !"_./+-:@".contains(c)) {
            return Err(Failure::new(format!("Invalid {what}: {name}.")));
        }
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(names)
}
