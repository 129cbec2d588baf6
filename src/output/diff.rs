//! Differences as unified diffs.

use similar::TextDiff;

use super::dump;
use super::page::{Page, Stream};
use super::style::Meaning;
use crate::run::event::Diff;
use crate::value::Value;

/// Shows the differences of one result; a blank line follows each.
pub fn show(diffs: &[Diff], context: usize, page: &mut Page) {
    for diff in diffs {
        for reason in &diff.skipped {
            page.line(Stream::Out, Meaning::Plain, &format!("diff skipped: {reason}"));
        }
        if !diff.skipped.is_empty() {
            continue;
        }
        let text = text(diff, context);
        if text.is_empty() {
            continue;
        }
        lines(&text, page);
        page.raw(Stream::Out, "\n");
    }
}

/// Shows the lines of a unified diff.
pub fn lines(text: &str, page: &mut Page) {
    for line in text.lines() {
        let meaning = match line.chars().next() {
            Some('+') => Meaning::Added,
            Some('-') => Meaning::Removed,
            Some('@') => Meaning::Hunk,
            _ => Meaning::Plain,
        };
        page.line(Stream::Out, meaning, line);
    }
}

fn text(diff: &Diff, context: usize) -> String {
    if let Some(prepared) = &diff.prepared {
        return prepared.clone();
    }
    // A side that nobody could read shows nothing.
    let (Some(before), Some(after)) = (&diff.before, &diff.after) else { return String::new() };
    let (before, after) = (side(before), side(after));
    let changes = TextDiff::from_lines(&before, &after);
    changes
        .unified_diff()
        .context_radius(context)
        .header(
            &header("before", diff.before_header.as_deref()),
            &header("after", diff.after_header.as_deref()),
        )
        .to_string()
}

fn side(value: &Value) -> String {
    match value {
        Value::None => String::new(),
        Value::Str(text) => text.to_string(),
        other => dump::json(other, Some(4)) + "\n",
    }
}

fn header(which: &str, title: Option<&str>) -> String {
    title.map_or_else(|| which.to_owned(), |title| format!("{which}: {title}"))
}
