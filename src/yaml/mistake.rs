//! Syntax errors in the user's words: what is wrong here, and the usual mistake behind it.

use granit_parser::ErrorKind;

use super::Node;
use super::compose::narrow;
use crate::diagnostic::{Diagnostic, Place};

/// An error of the parser, with a hint where the line shows one of the mistakes people make.
pub(super) fn explain(kind: &ErrorKind, info: &str, mut place: Place) -> Diagnostic {
    let text = place.source.text.clone();
    let line_at = |number: u32| text.split('\n').nth((number as usize).wrapping_sub(1)).unwrap_or_default();
    let is_about_tabs = matches!(
        kind,
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInPlainScalar
            | ErrorKind::TabInIndentation
    );
    if is_about_tabs && indentation(line_at(place.line + 1)).contains('\t') {
        // The parser stops at the end of the text before.
        place.line += 1;
        place.column = 1;
    }
    // It stops behind a tab that indents.
    if is_about_tabs && let Some(tab) = indentation(line_at(place.line)).chars().position(|c| c == '\t') {
        place.column = narrow(tab + 1);
    }
    let (previous, line) = (line_at(place.line.wrapping_sub(1)), line_at(place.line));
    let error =
        Diagnostic::new(format!("YAML parsing failed: {}.", capitalized(&problem(kind, info, &text))))
            .at(&place);

    if is_about_tabs || indentation(line).contains('\t') {
        return error.hint(TABS);
    }
    if matches!(kind, ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar) {
        return error.hint("a quote that is opened here is never closed");
    }
    if matches!(kind, ErrorKind::UnknownQuotedScalarEscape) {
        return error.hint("in double quotes a backslash begins an escape: double it, or use single quotes");
    }
    if let Some(hint) = [line, previous].iter().find_map(|line| hint_for(line)) {
        return error.hint(hint);
    }
    match kind {
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation
        | ErrorKind::MappingValueNotAllowed
        | ErrorKind::BlockSequenceEntryNotAllowed => {
            error.hint("check the indentation: entries of one list or mapping begin in one column")
        }
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator => {
            error.hint("a bracket is not closed, or a comma is missing between two items")
        }
        ErrorKind::UnknownAnchor | ErrorKind::MissingAnchorOrAliasName => {
            error.hint("quote a value that begins with `*` or `&`")
        }
        _ => error,
    }
}

/// The problem in the words of libyaml, which callers look for; the parser's own where it knows better.
fn problem(kind: &ErrorKind, info: &str, text: &str) -> String {
    match info {
        // Nothing follows a whole document in brackets: JSON with one bracket too many.
        "misplaced bracket" if is_in_brackets(text) => "did not find expected <document start>".to_owned(),
        "simple key expected ':'" => "while scanning a simple key could not find expected ':'".to_owned(),
        _ => match kind {
            ErrorKind::UnclosedQuotedScalar => {
                "while scanning a quoted scalar found unexpected end of stream".to_owned()
            }
            ErrorKind::UnknownAnchor => "found undefined alias".to_owned(),
            ErrorKind::UnexpectedCharacter { .. } => {
                "while scanning for the next token found character that cannot start any token".to_owned()
            }
            _ => match info.split_once(", ") {
                Some((doing, what)) if doing.starts_with("while ") => format!("{doing} {what}"),
                _ => info.to_owned(),
            },
        },
    }
}

fn is_in_brackets(text: &str) -> bool {
    let text = text.trim_start();
    text.strip_prefix("---").unwrap_or(text).trim_start().starts_with(['{', '['])
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A list or mapping where a key should be: nearly always a template without quotes.
pub(super) fn unhashable(key: &Node) -> Diagnostic {
    let mut place = key.place.clone();
    let line = place.source.text.split('\n').nth(place.line as usize - 1).unwrap_or_default();
    let error = Diagnostic::new(format!("{} cannot be the key of a mapping", key.describe()));
    // The key of `{{ x }}` is the inner of two mappings.
    let outer = (place.column as usize).wrapping_sub(2);
    let template: String = line.chars().skip(outer).collect();
    if !template.starts_with("{{") {
        return error.at(&place);
    }
    place.column -= 1;
    let end = template.find("}}").map_or(template.len(), |end| end + 2);
    place.length = template.get(..end).map_or(0, |text| narrow(text.chars().count()));
    error.at(&place).hint(UNQUOTED_TEMPLATE)
}

pub(super) const TABS: &str = "indent with spaces: YAML does not take tabs";

const UNQUOTED_TEMPLATE: &str = "quote a value that begins with a template: `key: \"{{ value }}\"`";

fn hint_for(line: &str) -> Option<&'static str> {
    let line = line.trim_end_matches('\r');
    let content = line.trim_start();
    if content.starts_with('#') {
        return None;
    }
    let (key, value) = split_entry(content);
    if value.starts_with("{{") || value.starts_with("{%") {
        return Some(UNQUOTED_TEMPLATE);
    }
    if let Some(quote @ ('"' | '\'')) = value.chars().next() {
        let rest = value.get(1..).unwrap_or_default();
        if let Some(end) = rest.find(quote) {
            let after = rest.get(end + 1..).unwrap_or_default().trim_start();
            if !after.is_empty() && !after.starts_with(['#', ',', '}', ']', ':']) {
                return Some(
                    "a value that begins with a quote must end with the same quote: quote all of it",
                );
            }
        }
        return None;
    }
    if value.starts_with(['@', '`', '%']) {
        return Some("quote a value that begins with `@`, `` ` `` or `%`");
    }
    if !key.is_empty() && (value.contains(": ") || value.ends_with(':')) {
        return Some("quote a value that holds a colon and a space: `key: \"a: b\"`");
    }
    if key.is_empty() {
        let name = value.split(':').next().unwrap_or_default();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        if is_name && name.len() < value.len() {
            return Some("put a space after the colon: `key: value`");
        }
    }
    None
}

/// The key of a line like `- key: value` (empty when it has none) and the value, without `- `.
fn split_entry(content: &str) -> (&str, &str) {
    let mut rest = content;
    while let Some(item) = rest.strip_prefix("- ") {
        rest = item.trim_start();
    }
    match rest.split_once(": ") {
        Some((key, value)) if !key.contains(['"', '\'', '{', '[']) => (key, value.trim_start()),
        _ => match rest.strip_suffix(':') {
            Some(key) => (key, ""),
            None => ("", rest),
        },
    }
}

fn indentation(line: &str) -> &str {
    let end = line.find(|c: char| c != ' ' && c != '\t').unwrap_or(line.len());
    line.get(..end).unwrap_or_default()
}
