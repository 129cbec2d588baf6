//! From wishes to one call of apt-get.

use std::collections::BTreeSet;

use super::installed::{Installed, is_version};
use super::{Apt, State, UNKNOWN};
use crate::kit::{Command, Failure, Output, Result, System, glob};

/// One name of the `name` option, taken apart.
#[derive(Clone)]
pub(super) struct Wish {
    /// Without version and release; may be a pattern.
    name: String,
    version: Option<String>,
    /// `>=`: that version or any later one.
    at_least: bool,
    /// As apt-get takes it.
    spec: String,
}

impl Wish {
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let (name, version) = match text.split_once('=') {
            Some((name, version)) => (name, Some(version.to_owned())),
            None => (text, None),
        };
        let (name, at_least) = match name.strip_suffix('>') {
            Some(name) => (name, true),
            None => (name, false),
        };
        if name.is_empty() || name.starts_with('-') {
            return Err(Failure::new(format!("'{text}' is no package name")));
        }
        Ok(Self { name: name.to_owned(), version, at_least, spec: text.to_owned() })
    }

    fn named(name: String) -> Self {
        Self { spec: name.clone(), name, version: None, at_least: false }
    }

    fn with_version(&self, version: &str) -> Self {
        Self {
            name: self.name.clone(),
            version: Some(version.to_owned()),
            at_least: false,
            spec: format!("{}={version}", self.name),
        }
    }

    fn is_pattern(&self) -> bool {
        self.name.contains(['*', '?'])
    }

    /// The version is not one but many.
    fn is_open(&self) -> bool {
        self.at_least || self.version.as_ref().is_some_and(|version| version.contains(['*', '?', '[']))
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
        for wish in wishes.iter().filter(|wish| wish.is_pattern()) {
            demand_known(wish, installed, sys)?;
        }
        let goes: Vec<String> = wishes.iter().flat_map(|wish| removals(apt, wish, installed)).collect();
        return if goes.is_empty() { Ok(None) } else { apt.run(sys, &["remove"], &goes) };
    }
    let wishes = &expanded(apt, wishes, installed, sys)?;
    let mut missing = Vec::new();
    let mut present = Vec::new();
    let mut settled = Vec::with_capacity(wishes.len());
    for wish in wishes {
        settled.push(if wish.is_open() { settle(wish, installed, sys)? } else { None });
    }
    for (wish, settled) in wishes.iter().zip(&settled) {
        let wish = settled.as_ref().unwrap_or(wish);
        if is_satisfied(wish, installed, sys)? {
            present.push(wish);
        } else {
            missing.push(wish.spec.clone());
        }
    }
    if apt.args.options.only_upgrade {
        let mut upgrades = Vec::new();
        for spec in missing {
            let wish = Wish::parse(&spec)?;
            if is_there(&wish, installed) {
                upgrades.push(spec);
            } else {
                demand_known(&wish, installed, sys)?;
            }
        }
        missing = upgrades;
    }
    if apt.args.state == State::Latest {
        missing.extend(outdated(apt, &present, installed, sys)?);
    }
    if missing.is_empty() { Ok(None) } else { apt.run(sys, &["install"], &missing) }
}

/// The wishes with the names that patterns stand for: with `only_upgrade` of what is installed, else of all that apt
/// knows.
fn expanded(
    apt: &Apt<'_>,
    wishes: &[Wish],
    installed: &Installed,
    sys: &mut System<'_>,
) -> Result<Vec<Wish>> {
    let mut all = Vec::with_capacity(wishes.len());
    for wish in wishes {
        if wish.name.contains('/') {
            return Err(Failure::new(format!("{UNKNOWN} '{}' is available", wish.spec)));
        }
        if !wish.is_pattern() || wish.version.is_some() {
            all.push(wish.clone());
            continue;
        }
        let mut names = BTreeSet::from_iter(installed.matching(&wish.name));
        if !apt.args.options.only_upgrade {
            let known = sys.query(Command::new("apt-cache").arg("pkgnames").env("LC_ALL", "C"))?;
            let known = known.stdout().into_owned();
            names.extend(known.lines().filter(|name| glob::matches(&wish.name, name)).map(str::to_owned));
        }
        if names.is_empty() {
            demand_known(wish, installed, sys)?;
        }
        all.extend(names.into_iter().map(Wish::named));
    }
    Ok(all)
}

/// The wish with the one version that is best: the newest that fits, of those apt knows and the one installed.
fn settle(wish: &Wish, installed: &Installed, sys: &mut System<'_>) -> Result<Option<Wish>> {
    let Some(wanted) = &wish.version else { return Ok(None) };
    if wish.at_least
        && let Some(package) = installed.get(&wish.name).filter(|package| package.installed)
        && is_version(&package.version, "ge", wanted, sys)?
    {
        return Ok(Some(wish.with_version(&package.version)));
    }
    let policy = Command::new("apt-cache").args(["policy", &wish.name]).env("LC_ALL", "C");
    let known = sys.query(policy)?.stdout().into_owned();
    // Newest first: `     1.1 500`, ` *** 1.0 100`.
    let table = known.lines().skip_while(|line| line.trim() != "Version table:").skip(1);
    for line in table
        .filter(|line| line.starts_with("     ") && !line.starts_with("      ") || line.starts_with(" ***"))
    {
        let Some(version) = line.trim_start_matches([' ', '*']).split_whitespace().next() else { continue };
        let fits = if wish.at_least {
            is_version(version, "ge", wanted, sys)?
        } else {
            glob::matches(wanted, version)
        };
        if fits {
            return Ok(Some(wish.with_version(version)));
        }
    }
    Err(Failure::new(format!("no available installation candidate for {}", wish.spec)))
}

/// Whether a pattern is of any package: one that is installed, or one that apt has heard of.
fn knows(pattern: &str, installed: &Installed, sys: &mut System<'_>) -> Result<bool> {
    if !installed.matching(pattern).is_empty() {
        return Ok(true);
    }
    let names = sys.query(Command::new("apt-cache").arg("pkgnames").env("LC_ALL", "C"))?;
    Ok(names.stdout().lines().any(|name| glob::matches(pattern, name)))
}

/// A name that is not upgraded because it is not installed has to be a package all the same.
fn demand_known(wish: &Wish, installed: &Installed, sys: &mut System<'_>) -> Result<()> {
    let name = &wish.name;
    if wish.is_pattern() {
        return if knows(name, installed, sys)? {
            Ok(())
        } else {
            Err(Failure::new(format!("No package(s) matching '{name}' available")))
        };
    }
    let policy = sys.query(Command::new("apt-cache").args(["policy", name]).env("LC_ALL", "C"))?;
    if policy.stdout().trim().is_empty() {
        return Err(Failure::new(format!("No package matching '{name}' is available")));
    }
    Ok(())
}

fn is_there(wish: &Wish, installed: &Installed) -> bool {
    installed.get(&wish.name).is_some_and(|package| package.installed)
}

fn is_satisfied(wish: &Wish, installed: &Installed, sys: &mut System<'_>) -> Result<bool> {
    if wish.is_pattern() {
        return Ok(!installed.matching(&wish.name).is_empty() && wish.version.is_none());
    }
    Ok(match (installed.get(&wish.name), &wish.version) {
        (Some(package), Some(version)) if package.installed => glob::matches(version, &package.version),
        (Some(package), None) if package.installed => true,
        // Others may go by the name of a package that there is besides.
        (_, None) => installed.is_provided(&wish.name) && !has_candidate(&wish.name, sys)?,
        _ => false,
    })
}

/// Whether apt could install a package of that very name.
fn has_candidate(name: &str, sys: &mut System<'_>) -> Result<bool> {
    let policy = sys.query(Command::new("apt-cache").args(["policy", name]).env("LC_ALL", "C"))?;
    let candidate =
        policy.stdout().lines().find_map(|line| line.trim().strip_prefix("Candidate: ").map(str::to_owned));
    Ok(candidate.is_some_and(|version| version != "(none)"))
}

fn removals(apt: &Apt<'_>, wish: &Wish, installed: &Installed) -> Vec<String> {
    if wish.is_pattern() {
        return installed.matching(&wish.name);
    }
    let goes = installed
        .get(&wish.name)
        .is_some_and(|package| package.installed || (apt.args.options.purge && package.config_files));
    if goes { vec![wish.name.clone()] } else { Vec::new() }
}

/// The installed packages of which apt knows a newer version: one question for all.
fn outdated(
    apt: &Apt<'_>,
    present: &[&Wish],
    installed: &Installed,
    sys: &mut System<'_>,
) -> Result<Vec<String>> {
    let names: Vec<String> = present
        .iter()
        .flat_map(
            |wish| if wish.is_pattern() { installed.matching(&wish.name) } else { vec![wish.name.clone()] },
        )
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let release = apt.args.options.default_release.as_ref();
    let ask = Command::new("apt-cache").arg("policy").env("LC_ALL", "C");
    let ask = ask.opt("-o", release.map(|release| format!("APT::Default-Release={release}")));
    let output = sys.query(ask.args(names.iter().cloned()))?;
    if !output.ok() {
        return Err(Failure::new(output.stderr().trim().trim_start_matches("E: ")));
    }
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
