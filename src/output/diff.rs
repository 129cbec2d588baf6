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
        let text = text(diff, context);
        if text.is_empty() {
            continue;
        }
        for line in text.lines() {
            let meaning = match line.chars().next() {
                Some('+') => Meaning::Added,
                Some('-') => Meaning::Removed,
                Some('@') => Meaning::Hunk,
                _ => Meaning::Plain,
            };
            page.line(Stream::Out, meaning, line);
        }
        page.raw(Stream::Out, "\n");
    }
}

fn text(diff: &Diff, context: usize) -> String {
    if let Some(prepared) = &diff.prepared {
        return prepared.clone();
    }
    let (before, after) = (side(diff.before.as_ref()), side(diff.after.as_ref()));
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

fn side(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::None) => String::new(),
        Some(Value::Str(text)) => text.to_string(),
        Some(other) => dump::json(other, Some(4)) + "\n",
    }
}

fn header(which: &str, title: Option<&str>) -> String {
    title.map_or_else(|| which.to_owned(), |title| format!("{which}: {title}"))
}
