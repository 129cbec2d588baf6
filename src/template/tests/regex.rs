//! `match`, `search`, `regex`.

use fanfare_modules::kit::regex::{Anchor, Flags, Regex};

use super::super::filters::engine_error;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, TestEntry};
use crate::value::Value;

pub(super) static TABLE: &[TestEntry] = &[
    TestEntry::new("match", &["pattern", "ignorecase", "multiline"], matches),
    TestEntry::new("regex", &["value", "ignorecase", "multiline", "match_type"], regex),
    TestEntry::new("search", &["pattern", "ignorecase", "multiline"], search),
];

fn matches(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    test(subject, args, "pattern", Anchor::Start)
}

fn search(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    test(subject, args, "pattern", Anchor::Anywhere)
}

fn regex(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    let anchor = match args.string("match_type").as_deref() {
        None | Some("search") => Anchor::Anywhere,
        Some("match") => Anchor::Start,
        Some("fullmatch") => Anchor::Whole,
        Some(_) => {
            return Err(Diagnostic::new(
                "Invalid match_type specified. Expected one of: search, match, fullmatch.",
            ));
        }
    };
    test(subject, args, "value", anchor)
}

fn test(subject: &Value, args: &Args<'_>, pattern: &str, anchor: Anchor) -> Result<bool> {
    let flags = Flags {
        ignore_case: args.flag("ignorecase", false),
        multiline: args.flag("multiline", false),
        anchor,
        ..Flags::default()
    };
    let pattern = match args.get(pattern) {
        None => "",
        Some(Value::Str(text)) => text,
        Some(_) => return Err(Diagnostic::new("first argument must be string or compiled pattern")),
    };
    let regex = Regex::cached(pattern, flags)
        .map_err(|error| engine_error(error).hint(format!("The pattern is {pattern}")))?;
    match subject {
        Value::Str(text) => regex.is_match(text),
        other => regex.is_match(&other.to_string()),
    }
    .map_err(engine_error)
}
