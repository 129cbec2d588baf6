//! Host patterns: `web:&prod:!db`, `web[0:3]`, `~regex`, globs.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use fanfare_modules::kit::regex::{Flags, Regex};
use indexmap::IndexSet;

use super::data::Inventory;
use super::range;
use crate::config::OnMismatch;
use crate::diagnostic::{Diagnostic, Result};
use crate::nearest::nearest;
use crate::yaml;

/// The hosts a pattern means, in order, each once.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub hosts: Vec<Arc<str>>,
    /// The parts of the pattern that no host or group matches.
    pub unmatched: Vec<Unmatched>,
    /// What else is worth a warning.
    pub remarks: Vec<String>,
}

/// A part of a pattern that means nobody.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unmatched {
    pub pattern: String,
    /// The host or group that may be meant.
    near: Option<String>,
}

impl Unmatched {
    fn told(&self, what: &str) -> Diagnostic {
        let told = Diagnostic::new(format!("Could not match supplied host pattern{what}: {}", self.pattern));
        match &self.near {
            Some(near) => told.hint(format!("did you mean '{near}'?")),
            None => told,
        }
    }
}

impl Selection {
    /// Ansible's sentences about what did not match, and the remarks.
    pub fn warnings(&self) -> impl Iterator<Item = Diagnostic> {
        let unmatched = self.unmatched.iter().map(|unmatched| unmatched.told(", ignoring"));
        unmatched.chain(self.remarks.iter().map(Diagnostic::new))
    }
}

impl Selection {
    /// What the user is told about it: the warnings, or an error where a pattern that matches nothing is one.
    pub fn judge(&self, on_mismatch: OnMismatch) -> Result<Vec<Diagnostic>> {
        let remarks = self.remarks.iter().map(Diagnostic::new);
        match (on_mismatch, self.unmatched.first()) {
            (OnMismatch::Error, Some(unmatched)) => Err(unmatched.told("")),
            (OnMismatch::Ignore, _) => Ok(remarks.collect()),
            _ => Ok(self.warnings().collect()),
        }
    }
}

impl Inventory {
    /// The hosts that `pattern` means, of those that every pattern in `limits` means too. In a limit,
    /// `@file` stands for the lines of a file.
    pub fn select(&self, pattern: &str, limits: &[String]) -> Result<Selection> {
        let mut selection = self.resolve(&parts(pattern))?;
        for limit in limits.iter().filter(|limit| !limit.trim().is_empty()) {
            let allowed = self.resolve(&limit_parts(limit)?)?;
            let hosts: HashSet<Arc<str>> = allowed.hosts.into_iter().collect();
            selection.hosts.retain(|host| hosts.contains(host));
            selection.unmatched.extend(allowed.unmatched);
            selection.remarks.extend(allowed.remarks);
        }
        let mut told = HashSet::new();
        selection.unmatched.retain(|pattern| told.insert(pattern.clone()));
        selection.remarks.dedup();
        Ok(selection)
    }

    /// Unions first, then intersections, then exclusions, whatever the order in which they are written.
    fn resolve(&self, parts: &[String]) -> Result<Selection> {
        let mut hosts: IndexSet<Arc<str>> = IndexSet::new();
        let mut unmatched = Vec::new();
        let is_old =
            |part: &&String| matches!(subscript(part), Some((_, Subscript::Slice { is_old: true, .. })));
        let remarks = parts
            .iter()
            .filter(is_old)
            .map(|_| "Use [x:y] inclusive subscripts instead of [x-y] which has been removed".to_owned());
        let remarks = remarks.collect();
        let is_regular = |part: &&String| !part.starts_with(['&', '!']);
        if !parts.iter().any(|part| is_regular(&part)) {
            hosts.extend(self.hosts_of("all"));
        }
        for part in parts.iter().filter(is_regular) {
            hosts.extend(self.matching(part, &mut unmatched)?);
        }
        for part in parts.iter().filter_map(|part| part.strip_prefix('&')) {
            let kept: HashSet<_> = self.matching(part, &mut unmatched)?.into_iter().collect();
            hosts.retain(|host| kept.contains(host));
        }
        for part in parts.iter().filter_map(|part| part.strip_prefix('!')) {
            let dropped: HashSet<_> = self.matching(part, &mut unmatched)?.into_iter().collect();
            hosts.retain(|host| !dropped.contains(host));
        }
        Ok(Selection { hosts: hosts.into_iter().collect(), unmatched, remarks })
    }

    /// The hosts of one part, without its `&` or `!`.
    fn matching(&self, part: &str, unmatched: &mut Vec<Unmatched>) -> Result<Vec<Arc<str>>> {
        if let Some((name, _)) = self.hosts.get_key_value(part) {
            return Ok(vec![Arc::clone(name)]);
        }
        let Some((base, subscript)) = subscript(part) else {
            return self.named(part, unmatched);
        };
        let mut ignored = Vec::new();
        let hosts = self.named(base, &mut ignored)?;
        if hosts.is_empty() {
            unmatched.extend(ignored);
            return Ok(hosts);
        }
        let length = hosts.len();
        let picked = match subscript {
            Subscript::One(index) => {
                let index = if index < 0 {
                    length.checked_sub(index.unsigned_abs())
                } else {
                    Some(index.unsigned_abs())
                };
                index.and_then(|index| hosts.get(index..=index))
            }
            Subscript::Slice { first, last, .. } => {
                let end = last.map_or(length, |last| last.saturating_add(1).min(length));
                hosts.get(first.min(end)..end).filter(|hosts| !hosts.is_empty())
            }
        };
        match picked {
            Some(hosts) => Ok(hosts.to_vec()),
            None => Err(Diagnostic::new(format!("No hosts matched the subscripted pattern '{part}'"))
                .hint(format!("`{base}` has {length} hosts, counted from 0"))),
        }
    }

    /// The hosts of a name, glob or regular expression.
    fn named(&self, pattern: &str, unmatched: &mut Vec<Unmatched>) -> Result<Vec<Arc<str>>> {
        let matcher = Matcher::new(pattern)?;
        let mut hosts: IndexSet<Arc<str>> = IndexSet::new();
        let mut is_group = false;
        match &matcher {
            Matcher::Exact(name) => {
                if self.groups.contains_key(*name) {
                    is_group = true;
                    hosts.extend(self.hosts_of(name));
                }
            }
            Matcher::Regex(regex) => {
                for name in self.groups.keys() {
                    if matches(regex, name)? {
                        is_group = true;
                        hosts.extend(self.hosts_of(name));
                    }
                }
                for name in self.hosts.keys() {
                    if matches(regex, name)? {
                        hosts.insert(Arc::clone(name));
                    }
                }
            }
        }
        if hosts.is_empty() && !is_group {
            if let Some(name) = self.localhost(pattern) {
                hosts.insert(name);
            } else {
                let names = self.groups.keys().chain(self.hosts.keys()).map(AsRef::as_ref);
                let near = nearest(pattern, names).map(str::to_owned);
                unmatched.push(Unmatched { pattern: pattern.to_owned(), near });
            }
        }
        Ok(hosts.into_iter().collect())
    }
}

enum Matcher<'p> {
    Exact(&'p str),
    Regex(Arc<Regex>),
}

impl<'p> Matcher<'p> {
    fn new(pattern: &'p str) -> Result<Self> {
        let regex = if let Some(regex) = pattern.strip_prefix('~') {
            format!("(?:{regex})")
        } else if pattern.contains(['*', '?', '[']) {
            glob(pattern)
        } else {
            return Ok(Self::Exact(pattern));
        };
        // Python's `match`: from the start, not necessarily to the end.
        let regex = Regex::cached(&format!(r"\A{regex}"), Flags::default()).map_err(|error| {
            Diagnostic::new(format!("the host pattern `{pattern}` is not a regular expression: {error}"))
        })?;
        Ok(Self::Regex(regex))
    }
}

fn matches(regex: &Regex, name: &str) -> Result<bool> {
    regex.is_match(name).map_err(|error| Diagnostic::new(format!("host pattern: {error}")))
}

/// A glob as a regular expression, as Python's `fnmatch` translates it.
fn glob(pattern: &str) -> String {
    let mut regex = "(?s:".to_owned();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => {
                let (negated, inner) = match rest.strip_prefix('!') {
                    Some(inner) => (true, inner),
                    None => (false, rest),
                };
                // A `]` right at the start belongs to the set.
                let close = inner.char_indices().skip(1).find(|(_, c)| *c == ']').map(|(at, _)| at);
                if let Some(close) = close {
                    let set = character_set(inner.get(..close).unwrap_or_default());
                    match (set.is_empty(), negated) {
                        (true, true) => regex.push('.'),
                        (true, false) => regex.push_str("(?!)"),
                        (false, true) => regex.extend(["[^", &set, "]"]),
                        (false, false) => regex.extend(["[", &set, "]"]),
                    }
                    rest = inner.get(close + 1..).unwrap_or_default();
                } else {
                    regex.push_str(r"\[");
                }
            }
            c if c.is_alphanumeric() || c == '_' => regex.push(c),
            c if c.is_ascii() => regex.extend(['\\', c]),
            c => regex.push(c),
        }
    }
    regex.push_str(r")\Z");
    regex
}

/// The inside of `[…]`, its ranges kept where they run upwards, everything escaped.
fn character_set(inside: &str) -> String {
    fn push(set: &mut String, c: char) {
        if c.is_ascii() && !c.is_alphanumeric() {
            set.push('\\');
        }
        set.push(c);
    }
    let mut set = String::new();
    let mut chars = inside.chars().peekable();
    while let Some(first) = chars.next() {
        let mut ahead = chars.clone();
        let last = if ahead.next() == Some('-') { ahead.next() } else { None };
        let Some(last) = last else {
            push(&mut set, first);
            continue;
        };
        chars = ahead;
        if first <= last {
            push(&mut set, first);
            set.push('-');
            push(&mut set, last);
        }
    }
    set
}

enum Subscript {
    One(isize),
    Slice { first: usize, last: Option<usize>, is_old: bool },
}

/// `base[1]`, `base[-1]`, `base[1:3]`, `base[1:]`; the end of a slice belongs to it. A regular expression
/// takes no subscript.
fn subscript(part: &str) -> Option<(&str, Subscript)> {
    if part.starts_with('~') {
        return None;
    }
    let (base, inside) = part.strip_suffix(']')?.rsplit_once('[')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if base.is_empty() {
        return None;
    }
    if is_number(inside.strip_prefix('-').unwrap_or(inside)) {
        return Some((base, Subscript::One(inside.parse().ok()?)));
    }
    let (first, last) = inside.split_once([':', '-'])?;
    if !is_number(first) || !(last.is_empty() || is_number(last)) {
        return None;
    }
    let last = if last.is_empty() { None } else { Some(last.parse().ok()?) };
    Some((base, Subscript::Slice { first: first.parse().ok()?, last, is_old: inside.contains('-') }))
}

/// The parts of a pattern: between commas, else between colons that are not inside brackets.
pub(super) fn parts(pattern: &str) -> Vec<String> {
    let clean = |part: &str| {
        let part = part.trim();
        (!part.is_empty()).then(|| part.to_owned())
    };
    if pattern.contains(',') {
        return pattern.split(',').filter_map(clean).collect();
    }
    let whole = pattern.trim();
    // An IPv6 address, or a host with a port: its colons separate nothing.
    if whole.parse::<std::net::Ipv6Addr>().is_ok() || range::split_port(whole).1.is_some() {
        return vec![whole.to_owned()];
    }
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let bracketed =
            rest.strip_prefix('[').and_then(|inner| inner.split_once(']')).map(|(inside, _)| inside);
        if let Some(inside) = bracketed {
            let length = inside.len() + 2;
            part.push_str(rest.get(..length).unwrap_or_default());
            rest = rest.get(length..).unwrap_or_default();
            continue;
        }
        if c.is_whitespace() || matches!(c, ':' | '[' | ']') {
            parts.extend(clean(&std::mem::take(&mut part)));
        } else {
            part.push(c);
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    parts.extend(clean(&part));
    parts
}

/// The same for a limit, with the lines of `@file` in its place.
fn limit_parts(limit: &str) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for part in parts_of_limit(limit) {
        let Some(file) = part.strip_prefix('@') else {
            all.push(part);
            continue;
        };
        if file.is_empty() || !Path::new(file).exists() {
            return Err(Diagnostic::new(format!("Unable to find limit file {file}")));
        }
        if !Path::new(file).is_file() {
            return Err(Diagnostic::new(format!(
                "Limit starting with \"@\" must be a file, not a directory: {file}"
            )));
        }
        let text = yaml::read_source(Path::new(file))?;
        all.extend(text.text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
    }
    Ok(all)
}

/// A path may hold colons: a limit that is one file alone is not taken apart.
fn parts_of_limit(limit: &str) -> Vec<String> {
    let whole = limit.trim();
    if whole.starts_with('@') && !whole.contains(',') { vec![whole.to_owned()] } else { parts(limit) }
}
