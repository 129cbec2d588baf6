//! Python's `re`: the language of patterns and replacements in playbooks, on fancy-regex.
//!
//! Searching, splitting into matches and replacing behave as `re.search`, `re.finditer` and `re.sub` do,
//! empty matches included. Where fancy-regex knows more than Python, the pattern is refused.

mod replacement;
mod translate;

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use replacement::Replacement;
use translate::{Translation, translate};

/// How a pattern is applied. `Default` is `re.search` without flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    /// `re.IGNORECASE`.
    pub ignore_case: bool,
    /// `re.MULTILINE`: `^` and `$` match at every line.
    pub multiline: bool,
    /// `re.DOTALL`: `.` matches a newline too.
    pub dot_all: bool,
    pub anchor: Anchor,
}

/// Where a match may begin and end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// `re.search`.
    #[default]
    Anywhere,
    /// `re.match`.
    Start,
    /// `re.fullmatch`.
    Whole,
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Regex {
    pattern: Translation,
    engine: fancy_regex::Regex,
    /// The same pattern where the match must not be empty at the place the search starts from.
    advancing: OnceLock<fancy_regex::Regex>,
}

/// Why a pattern or replacement is no good, in Python's words, or that matching was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegexError(String);

impl Display for RegexError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RegexError {}

type Result<T> = std::result::Result<T, RegexError>;

/// One match: the text of every group, the whole match being group 0.
#[derive(Debug)]
pub struct Match<'t> {
    text: &'t str,
    groups: Vec<Option<(usize, usize)>>,
}

impl<'t> Match<'t> {
    /// The text of a group; `None` when it took no part in the match or does not exist.
    pub fn group(&self, index: usize) -> Option<&'t str> {
        let (start, end) = (*self.groups.get(index)?)?;
        self.text.get(start..end)
    }

    /// Where a group begins and ends, in bytes; `None` when it took no part in the match.
    pub fn span(&self, index: usize) -> Option<(usize, usize)> {
        *self.groups.get(index)?
    }

    /// The whole match.
    pub fn as_str(&self) -> &'t str {
        self.group(0).unwrap_or_default()
    }

    /// Where the whole match begins, in bytes.
    pub fn start(&self) -> usize {
        self.groups.first().copied().flatten().map_or(0, |(start, _)| start)
    }

    /// Where the whole match ends, in bytes.
    pub fn end(&self) -> usize {
        self.groups.first().copied().flatten().map_or(0, |(_, end)| end)
    }
}

impl Regex {
    pub fn new(pattern: &str, flags: Flags) -> Result<Self> {
        let pattern = translate(pattern, flags)?;
        let engine = build(&pattern.source)?;
        Ok(Self { pattern, engine, advancing: OnceLock::new() })
    }

    /// The compiled pattern, compiled once for as long as it is in use.
    pub fn cached(pattern: &str, flags: Flags) -> Result<Arc<Self>> {
        /// Patterns kept. Playbooks use few; a loop that makes them up must not fill the memory.
        const KEPT: usize = 256;
        type Cache = HashMap<Flags, HashMap<String, Arc<Regex>>>;
        static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);
        let lock = || CACHE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lock().get(&flags).and_then(|patterns| patterns.get(pattern)) {
            return Ok(found.clone());
        }
        let regex = Arc::new(Self::new(pattern, flags)?);
        let mut cache = lock();
        let patterns = cache.entry(flags).or_default();
        if patterns.len() >= KEPT {
            patterns.clear();
        }
        patterns.insert(pattern.to_owned(), regex.clone());
        Ok(regex)
    }

    /// How many groups there are besides the whole match.
    pub fn groups(&self) -> usize {
        self.pattern.groups
    }

    /// The number of a named group.
    pub fn group_number(&self, name: &str) -> Option<usize> {
        self.pattern.names.iter().find(|(known, _)| known == name).map(|(_, number)| *number)
    }

    pub fn is_match(&self, text: &str) -> Result<bool> {
        self.engine.is_match(text).map_err(given_up)
    }

    /// The first match.
    pub fn search<'t>(&self, text: &'t str) -> Result<Option<Match<'t>>> {
        find(&self.engine, text, 0)
    }

    /// Every match, as `re.finditer` gives them: an empty match may follow a match, but not another empty one
    /// at the same place.
    pub fn find_all<'t>(&self, text: &'t str) -> Result<Vec<Match<'t>>> {
        self.find_up_to(text, 0)
    }

    /// `re.subn`: the text with up to `count` matches (0: all) replaced, and how many were.
    pub fn replace(&self, text: &str, replacement: &str, count: usize) -> Result<(String, usize)> {
        let replacement = Replacement::parse(replacement, self)?;
        let matches = self.find_up_to(text, count)?;
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for found in &matches {
            out.push_str(text.get(copied..found.start()).unwrap_or_default());
            replacement.expand(found, &mut out);
            copied = found.end();
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        Ok((out, matches.len()))
    }

    /// `match.expand(template)`: the template with the groups of a match filled in.
    pub fn expand(&self, found: &Match<'_>, template: &str) -> Result<String> {
        let mut out = String::new();
        Replacement::parse(template, self)?.expand(found, &mut out);
        Ok(out)
    }

    fn find_up_to<'t>(&self, text: &'t str, count: usize) -> Result<Vec<Match<'t>>> {
        let mut matches: Vec<Match<'t>> = Vec::new();
        let mut at = 0;
        let mut after_empty = false;
        while count == 0 || matches.len() < count {
            let regex = if after_empty { self.advancing()? } else { &self.engine };
            let Some(found) = find(regex, text, at)? else { break };
            at = found.end();
            after_empty = found.start() == at;
            matches.push(found);
        }
        Ok(matches)
    }

    fn advancing(&self) -> Result<&fancy_regex::Regex> {
        if let Some(regex) = self.advancing.get() {
            return Ok(regex);
        }
        // `\G` holds where the search began: the match must not end there.
        let regex = build(&format!(r"(?:{})(?!\G)", self.pattern.source))?;
        Ok(self.advancing.get_or_init(|| regex))
    }
}

fn build(source: &str) -> Result<fancy_regex::Regex> {
    fancy_regex::Regex::new(source).map_err(|error| RegexError(error.to_string()))
}

fn find<'t>(regex: &fancy_regex::Regex, text: &'t str, at: usize) -> Result<Option<Match<'t>>> {
    let captures = regex.captures_from_pos(text, at).map_err(given_up)?;
    Ok(captures.map(|captures| Match {
        text,
        groups: captures.iter().map(|group| group.map(|group| (group.start(), group.end()))).collect(),
    }))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn given_up(error: fancy_regex::Error) -> RegexError {
    RegexError(format!("matching was given up: {error}"))
}

#[cfg(test)]
mod tests;
