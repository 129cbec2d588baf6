//! PEP 440, Python's own versions: `1!2.3rc1.post2.dev4+local.5`.

use std::cmp::Ordering;
use std::sync::Arc;

use fanfare_modules::kit::regex::{Anchor, Flags, Match, Regex};

use super::super::super::filters::engine_error;
use crate::diagnostic::{Diagnostic, Result};

pub(super) fn compare(a: &str, b: &str) -> Result<Ordering> {
    Ok(parse(a)?.cmp(&parse(b)?))
}

const PATTERN: &str = r"\s*v?(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)(?P<pre>[-_\.]?(?P<pre_l>alpha|a|beta|b|preview|pre|c|rc)[-_\.]?(?P<pre_n>[0-9]+)?)?(?P<post>(?:-(?P<post_n1>[0-9]+))|(?:[-_\.]?(?P<post_l>post|rev|r)[-_\.]?(?P<post_n2>[0-9]+)?))?(?P<dev>[-_\.]?(?P<dev_l>dev)[-_\.]?(?P<dev_n>[0-9]+)?)?(?:\+(?P<local>[a-z0-9]+(?:[-_\.][a-z0-9]+)*))?\s*";

/// Ordered as written: absent parts sort where the PEP puts them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    epoch: u64,
    /// Without the zeros at the end.
    release: Vec<u64>,
    pre: Pre,
    /// `None` first.
    post: Option<u64>,
    dev: Dev,
    local: Option<Vec<Local>>,
}

/// A development release without a pre-release comes before all of them, a final one after.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Pre {
    OnlyDev,
    Before(char, u64),
    Final,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Dev {
    Dev(u64),
    Final,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Local {
    Word(String),
    Number(u64),
}

fn regex() -> Result<Arc<Regex>> {
    let flags = Flags { ignore_case: true, anchor: Anchor::Whole, ..Flags::default() };
    Regex::cached(PATTERN, flags).map_err(engine_error)
}

fn parse(text: &str) -> Result<Version> {
    let regex = regex()?;
    let lower = text.to_lowercase();
    let found = regex.search(&lower).map_err(engine_error)?;
    let version = found.and_then(|found| version(&found, &regex));
    version.ok_or_else(|| Diagnostic::new(format!("Invalid version: '{text}'")))
}

fn version(found: &Match<'_>, regex: &Regex) -> Option<Version> {
    let group = |name: &str| regex.group_number(name).and_then(|number| found.group(number));
    let number = |name: &str| group(name).map_or(Some(0), |digits| digits.parse::<u64>().ok());
    let mut release: Vec<u64> =
        group("release")?.split('.').map(|digits| digits.parse().ok()).collect::<Option<_>>()?;
    while release.pop_if(|last| *last == 0).is_some() {}
    let post = match group("post") {
        Some(_) => Some(number("post_n1")?.max(number("post_n2")?)),
        None => None,
    };
    let dev = match group("dev") {
        Some(_) => Dev::Dev(number("dev_n")?),
        None => Dev::Final,
    };
    let pre = match group("pre_l") {
        Some("alpha" | "a") => Pre::Before('a', number("pre_n")?),
        Some("beta" | "b") => Pre::Before('b', number("pre_n")?),
        Some(_) => Pre::Before('r', number("pre_n")?),
        None if post.is_none() && dev != Dev::Final => Pre::OnlyDev,
        None => Pre::Final,
    };
    let part = |part: &str| part.parse().map_or_else(|_| Local::Word(part.to_owned()), Local::Number);
    let local = group("local").map(|local| local.split(['-', '_', '.']).map(part).collect());
    Some(Version { epoch: number("epoch")?, release, pre, post, dev, local })
}
