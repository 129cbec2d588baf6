//! `wordwrap`: Python's `textwrap`.

use std::sync::Arc;

use fanfare_modules::kit::regex::{Flags, Regex};

use super::regex::engine_error;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;
use crate::value::split_lines;

pub(super) static TABLE: &[FilterEntry] = &[FilterEntry::new(
    "wordwrap",
    &["width", "break_long_words", "wrapstring", "break_on_hyphens"],
    wordwrap,
)];

/// Blanks, words that may break after a hyphen, and dashes between words.
const CHUNKS: &str = r#"[ \t\n\x0b\x0c\r]+|(?<=[\w!"'&.,?])-{2,}(?=\w)|[^ \t\n\x0b\x0c\r]+?(?:-(?:(?<=[^\d\W]{2}-)|(?<=[^\d\W]-[^\d\W]-))(?=[^\d\W]-?[^\d\W])|(?=[ \t\n\x0b\x0c\r]|\Z)|(?<=[\w!"'&.,?])(?=-{2,}\w))"#;
const WORDS: &str = r"[ \t\n\x0b\x0c\r]+|[^ \t\n\x0b\x0c\r]+";

#[derive(Clone, Copy)]
struct Wrap {
    width: usize,
    break_long_words: bool,
    break_on_hyphens: bool,
}

fn wordwrap(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let width = args.int("width")?.unwrap_or(79);
    let wrap = Wrap {
        width: usize::try_from(width)
            .ok()
            .filter(|width| *width > 0)
            .ok_or_else(|| Diagnostic::new(format!("invalid width {width} (must be > 0)")))?,
        break_long_words: args.flag("break_long_words", true),
        break_on_hyphens: args.flag("break_on_hyphens", true),
    };
    let joint = args.string("wrapstring").unwrap_or("\n".into());
    let pattern = if wrap.break_on_hyphens { CHUNKS } else { WORDS };
    let regex = Regex::cached(pattern, Flags::default()).map_err(engine_error)?;
    let text = super::text(subject, "wordwrap")?;
    let lines: Result<Vec<String>> =
        split_lines(text).into_iter().map(|line| Ok(wrap.lines(line, &regex)?.join(&joint))).collect();
    Ok(lines?.join(&joint).into())
}

impl Wrap {
    fn lines(self, text: &str, chunks: &Arc<Regex>) -> Result<Vec<String>> {
        let found = chunks.find_all(text).map_err(engine_error)?;
        let mut chunks: Vec<String> = found.iter().rev().map(|chunk| chunk.as_str().to_owned()).collect();
        let mut lines: Vec<String> = Vec::new();
        while !chunks.is_empty() {
            if !lines.is_empty() && chunks.last().is_some_and(|chunk| is_blank(chunk)) {
                chunks.pop();
            }
            let mut line: Vec<String> = Vec::new();
            let mut length = 0;
            while let Some(chunk) = chunks.pop_if(|chunk| length + chunk.chars().count() <= self.width) {
                length += chunk.chars().count();
                line.push(chunk);
            }
            if let Some(chunk) = chunks.pop_if(|chunk| chunk.chars().count() > self.width) {
                let (taken, left) = self.cut(chunk, self.width - length, line.is_empty());
                line.extend(taken);
                chunks.extend(left);
            }
            line.pop_if(|chunk| is_blank(chunk));
            if !line.is_empty() {
                lines.push(line.concat());
            }
        }
        Ok(lines)
    }

    /// What of a word longer than a line goes onto this one, and what is left of it.
    fn cut(self, chunk: String, room: usize, alone: bool) -> (Option<String>, Option<String>) {
        if !self.break_long_words {
            return if alone { (Some(chunk), None) } else { (None, Some(chunk)) };
        }
        let chars: Vec<char> = chunk.chars().collect();
        let mut end = room;
        if self.break_on_hyphens && chars.len() > room {
            let hyphen = chars.iter().take(room).rposition(|c| *c == '-').filter(|hyphen| *hyphen > 0);
            if let Some(hyphen) = hyphen.filter(|hyphen| chars.iter().take(*hyphen).any(|c| *c != '-')) {
                end = hyphen + 1;
            }
        }
        let (taken, left) = chars.split_at(end.min(chars.len()));
        (Some(taken.iter().collect()), (!left.is_empty()).then(|| left.iter().collect()))
    }
}

fn is_blank(chunk: &str) -> bool {
    chunk.trim().is_empty()
}
