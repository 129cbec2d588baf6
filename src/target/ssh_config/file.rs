//! A file of `ssh_config`, understood once for all hosts.

use super::keys::{find, nearest};
use super::{Use, line};

/// Its lines that say something, each with its number.
#[derive(Debug)]
pub(super) struct File(pub Vec<(usize, Directive)>);

#[derive(Debug)]
pub(super) enum Directive {
    Host(Vec<String>),
    Match(Vec<String>),
    Include(Vec<String>),
    /// By its name as written, in lower case.
    Option(String, Setting),
    /// An option that `IgnoreUnknown` may allow, by its name.
    Unknown(String),
    Wrong(String),
}

/// An option with its value.
#[derive(Debug)]
pub(in crate::target) struct Setting {
    pub key: &'static str,
    pub usage: Use,
    pub words: Vec<String>,
}

impl File {
    pub(super) fn new(text: &str) -> Self {
        let understood = |(index, line)| Some((index + 1, Directive::of(line)?));
        Self(text.lines().enumerate().filter_map(understood).collect())
    }
}

impl Directive {
    /// `None` for what says nothing.
    fn of(text: &str) -> Option<Self> {
        let (name, rest) = line::keyword(text)?;
        Some(Self::named(name, rest).unwrap_or_else(Self::Wrong))
    }

    fn named(name: String, rest: &str) -> Result<Self, String> {
        Ok(match name.as_str() {
            "host" => match line::words(rest)? {
                patterns if patterns.is_empty() => return Err("Host needs a pattern".to_owned()),
                patterns => Self::Host(patterns),
            },
            "match" => Self::Match(line::words(rest)?),
            "include" => Self::Include(line::words(rest)?),
            _ => match setting(&name, rest)? {
                Some(setting) => Self::Option(name, setting),
                None => Self::Unknown(name),
            },
        })
    }
}

/// Reads `Key=Value` or `Key Value`, as after `-o`; gives the name as written, too.
pub(in crate::target) fn option(text: &str) -> Result<(String, Setting), String> {
    let (name, rest) = line::keyword(text).ok_or("empty option")?;
    let written = text.trim().get(..name.len()).unwrap_or(&name).to_owned();
    Ok((written, setting(&name, rest)?.ok_or_else(|| unknown(&name))?))
}

/// `name` in lower case; `None` where there is no such option.
fn setting(name: &str, rest: &str) -> Result<Option<Setting>, String> {
    let Some((key, usage)) = find(name) else { return Ok(None) };
    let words = if usage == Use::Command { vec![rest.to_owned()] } else { line::words(rest)? };
    if words.first().is_none_or(String::is_empty) {
        return Err(format!("missing argument to {name}"));
    }
    let several = matches!(key, "userknownhostsfile" | "globalknownhostsfile");
    if words.len() > 1 && !several && !matches!(usage, Use::Meaningless | Use::Unsupported) {
        return Err(format!("extra arguments to {name}"));
    }
    Ok(Some(Setting { key, usage, words }))
}

pub(super) fn unknown(name: &str) -> String {
    let hint = nearest(name).map(|key| format!(" (did you mean {key}?)")).unwrap_or_default();
    format!("Bad configuration option: {name}{hint}")
}
