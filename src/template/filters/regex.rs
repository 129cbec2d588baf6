//! `regex_replace`, `regex_search`, `regex_findall`, `regex_escape`.

use std::sync::Arc;

use fanfare_modules::kit::regex::{Flags, Match, Regex, RegexError};

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("regex_escape", &["re_type"], regex_escape),
    FilterEntry::new("regex_findall", &["regex", "multiline", "ignorecase"], regex_findall),
    FilterEntry::new(
        "regex_replace",
        &["pattern", "replacement", "ignorecase", "multiline", "count", "mandatory_count"],
        regex_replace,
    ),
    FilterEntry::new("regex_search", &["regex", "*", "ignorecase", "multiline"], regex_search),
];

/// A bad pattern, as a template error.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
pub(in crate::template) fn engine_error(error: RegexError) -> Diagnostic {
    Diagnostic::new(error.to_string())
}

fn compile(pattern: &Value, args: &Args<'_>) -> Result<Arc<Regex>> {
    let flags = Flags {
        ignore_case: args.flag("ignorecase", false),
        multiline: args.flag("multiline", false),
        ..Flags::default()
    };
    let Value::Str(pattern) = pattern else {
        return Err(Diagnostic::new("first argument must be string or compiled pattern"));
    };
    Regex::cached(pattern, flags)
        .map_err(|error| engine_error(error).hint(format!("The pattern is {pattern}")))
}

fn regex_replace(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let empty = Value::from("");
    let regex = compile(args.get("pattern").unwrap_or(&empty), args)?;
    let replacement = match args.get("replacement") {
        None => "",
        Some(text) => super::text(text, "the replacement")?,
    };
    let count = usize::try_from(args.int("count")?.unwrap_or(0)).unwrap_or(0);
    let (text, replaced) = regex.replace(&subject.to_string(), replacement, count).map_err(engine_error)?;
    let wanted = args.int("mandatory_count")?.unwrap_or(0);
    if wanted != 0 && usize::try_from(wanted).ok() != Some(replaced) {
        return Err(Diagnostic::new(format!(
            "'{}' should match {wanted} times, but matches {replaced} times in '{subject}'",
            args.string("pattern").unwrap_or_default()
        )));
    }
    Ok(text.into())
}

/// The first match, or the list of the groups asked for (`'\\1'`, `'\\g<name>'`); `None` without a match.
fn regex_search(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let regex = compile(args.required("regex")?, args)?;
    let text = subject.to_string();
    let mut wanted = Vec::new();
    for group in args.rest() {
        wanted.push(group_number(&group.to_string(), &regex)?);
    }
    let Some(found) = regex.search(&text).map_err(engine_error)? else { return Ok(Value::None) };
    if wanted.is_empty() {
        return Ok(found.as_str().into());
    }
    Ok(wanted.into_iter().map(|group| group_value(&found, group)).collect::<Vec<_>>().into())
}

fn group_value(found: &Match<'_>, group: usize) -> Value {
    found.group(group).map_or(Value::None, Value::from)
}

fn group_number(wanted: &str, regex: &Regex) -> Result<usize> {
    if let Some(name) = wanted.strip_prefix(r"\g<").and_then(|rest| rest.strip_suffix('>')) {
        let number = regex.group_number(name).or_else(|| name.parse().ok());
        return number
            .filter(|number| *number <= regex.groups())
            .ok_or_else(|| Diagnostic::new("no such group"));
    }
    match wanted.strip_prefix('\\').and_then(|digits| digits.parse().ok()) {
        Some(number) if number <= regex.groups() => Ok(number),
        Some(_) => Err(Diagnostic::new("no such group")),
        None => Err(Diagnostic::new("Unknown argument")),
    }
}

/// `re.findall`: texts, or with several groups lists of their texts.
fn regex_findall(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let regex = compile(args.required("regex")?, args)?;
    let text = subject.to_string();
    let matches = regex.find_all(&text).map_err(engine_error)?;
    let group = |found: &Match<'_>, group: usize| Value::from(found.group(group).unwrap_or_default());
    let value = |found: &Match<'_>| match regex.groups() {
        0 => found.as_str().into(),
        1 => group(found, 1),
        groups => Value::Tuple((1..=groups).map(|number| group(found, number)).collect::<Vec<_>>().into()),
    };
    Ok(matches.iter().map(value).collect::<Vec<_>>().into())
}

fn regex_escape(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let special = match args.string("re_type").as_deref() {
        None | Some("python") => "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}",
        Some("posix_basic") => "[]().*^$\\",
        Some("posix_extended") => {
            return Err(Diagnostic::new("Regex type (posix_extended) not yet implemented"));
        }
        Some(other) => return Err(Diagnostic::new(format!("Invalid regex type ({other})"))),
    };
    let mut out = String::new();
    for c in subject.to_string().chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(out.into())
}
