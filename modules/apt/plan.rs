//! From wishes to one call of apt-get.

use super::installed::Installed;
use super::{Apt, State};
use crate::kit::{Command, Failure, Output, Result, System, glob};

/// One name of the `name` option, taken apart.
pub(super) struct Wish {
    /// Without version and release; may be a pattern.
    name: String,
    version: Option<String>,
    /// As apt-get takes it.
    spec: String,
}

impl Wish {
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let (name, version) = match text.split_once('=') {
            // `name>=version` is not apt's.
            Some((name, version)) => (name.trim_end_matches(['>', '<']), Some(version.to_owned())),
            None => (text.split('/').next().unwrap_or(text), None),
        };
        if name.is_empty() || name.starts_with('-') {
            return Err(Failure::new(format!("'{text}' is no package name")));
        }
        Ok(Self { name: name.to_owned(), version, spec: text.to_owned() })
    }

    fn is_pattern(&self) -> bool {
        self.name.contains(['*', '?'])
    }
}

/// Brings the packages into the state that is asked for.
pub(super) fn ensure(
    apt: &Apt<'_>,
    wishes: &[Wish],
    installed: &Installed,
    sys: &mut System<'_>,
) -> Result<Option<Output>> {
    if apt.args.state == State::Absent {
        let goes: Vec<String> = wishes.iter().flat_map(|wish| removals(apt, wish, installed)).collect();
        return if goes.is_empty() { Ok(None) } else { apt.run(sys, &["remove"], &goes) };
    }
    let mut missing = Vec::new();
    let mut present = Vec::new();
    for wish in wishes {
        if is_satisfied(wish, installed) {
            present.push(wish);
        } else {
            missing.push(wish.spec.clone());
        }
    }
    if apt.args.only_upgrade {
        missing.retain(|spec| Wish::parse(spec).is_ok_and(|wish| is_there(&wish, installed)));
    }
    if apt.args.state == State::Latest {
        missing.extend(outdated(&present, installed, sys)?);
    }
    if missing.is_empty() { Ok(None) } else { apt.run(sys, &["install"], &missing) }
}

fn is_there(wish: &Wish, installed: &Installed) -> bool {
    installed.get(&wish.name).is_some_and(|package| package.installed)
}

fn is_satisfied(wish: &Wish, installed: &Installed) -> bool {
    if wish.is_pattern() {
        return !installed.matching(&wish.name).is_empty() && wish.version.is_none();
    }
    match (installed.get(&wish.name), &wish.version) {
        (Some(package), Some(version)) if package.installed => glob::matches(version, &package.version),
        (Some(package), None) if package.installed => !wish.spec.contains('/'),
        (_, None) => installed.is_provided(&wish.name),
        _ => false,
    }
}

fn removals(apt: &Apt<'_>, wish: &Wish, installed: &Installed) -> Vec<String> {
    if wish.is_pattern() {
        return installed.matching(&wish.name);
    }
    let goes = installed
        .get(&wish.name)
        .is_some_and(|package| package.installed || (apt.args.purge && package.config_files));
    if goes { vec![wish.name.clone()] } else { Vec::new() }
}

/// The installed packages of which apt knows a newer version: one question for all.
fn outdated(present: &[&Wish], installed: &Installed, sys: &mut System<'_>) -> Result<Vec<String>> {
    let names: Vec<String> = present
        .iter()
        .flat_map(
            |wish| if wish.is_pattern() { installed.matching(&wish.name) } else { vec![wish.name.clone()] },
        )
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let output =
        sys.query(Command::new("apt-cache").arg("policy").args(names.iter().cloned()).env("LC_ALL", "C"))?;
    let mut outdated = Vec::new();
    let mut current = String::new();
    let mut is = String::new();
    for line in output.stdout().lines() {
        if let Some(name) = line.strip_suffix(':').filter(|name| !name.starts_with(' ')) {
            name.clone_into(&mut current);
        } else if let Some(version) = line.trim().strip_prefix("Installed: ") {
            version.clone_into(&mut is);
        } else if let Some(candidate) = line.trim().strip_prefix("Candidate: ")
            && candidate != "(none)"
            && candidate != is
        {
            outdated.push(current.clone());
        }
    }
    Ok(outdated)
}
