//! Diagnostics as text: message, excerpt with caret, notes, hints, the way rustc writes them.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet, Title};

use super::{Diagnostic, Place, as_ansible};

/// How many lines before the one pointed at are shown: YAML seldom makes sense without its parent.
const CONTEXT_LINES: usize = 2;

impl Diagnostic {
    /// The whole story of an error, without a final newline. `styled` adds ANSI colours.
    pub fn report(&self, styled: bool) -> String {
        if as_ansible::is_written_as_ansible() {
            return self.as_ansible("ERROR");
        }
        self.render(Level::ERROR, styled)
    }

    /// The same for something that does not stop the run.
    pub fn report_warning(&self, styled: bool) -> String {
        if as_ansible::is_written_as_ansible() {
            return self.as_ansible("WARNING");
        }
        self.render(Level::WARNING, styled)
    }

    fn render(&self, level: Level<'_>, styled: bool) -> String {
        let mut groups = vec![group(level.primary_title(self.message()), self.place())];
        for (note, place) in self.notes() {
            groups.push(group(Level::NOTE.secondary_title(note.as_str()), place.as_ref()));
        }
        for hint in self.hints() {
            groups.push(group(Level::HELP.secondary_title(hint.as_str()), None));
        }
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        if self.place().is_some() {
            return renderer.render(&groups);
        }
        // Together they would be drawn along a gutter that nothing stands in.
        let parts: Vec<String> = groups.into_iter().map(|group| renderer.render(&[group])).collect();
        parts.join("\n")
    }
}

fn group<'a>(title: Title<'a>, place: Option<&'a Place>) -> Group<'a> {
    let group = Group::with_title(title);
    match place {
        Some(place) if place.source.secret => group.element(
            Origin::path(place.source.path.to_string_lossy().into_owned())
                .line(place.line as usize)
                .char_column(place.column as usize),
        ),
        Some(place) => group.element(excerpt(place)),
        None => group,
    }
}

/// The lines around a place with the caret beneath it.
fn excerpt(place: &Place) -> Snippet<'_, Annotation<'_>> {
    let text = &*place.source.text;
    let line = (place.line.max(1) as usize).min(text.split('\n').count());
    let first = line.saturating_sub(CONTEXT_LINES).max(1);
    let start = line_offset(text, first);
    let target = line_offset(text, line);
    let rest = text.get(target..).unwrap_or_default();
    let length = rest.find('\n').unwrap_or(rest.len());
    let line_text = rest.get(..length).unwrap_or_default();
    let shown = text.get(start..target + length).unwrap_or_default();

    let column = place.column.max(1) as usize - 1;
    let from = target - start + char_offset(line_text, column);
    let to = target - start + char_offset(line_text, column + place.length as usize);
    Snippet::source(shown)
        .line_start(first)
        .path(place.source.path.to_string_lossy().into_owned())
        .fold(false)
        .annotation(AnnotationKind::Primary.span(from..to))
}

/// The byte where a line, counted from 1, begins.
fn line_offset(text: &str, line: usize) -> usize {
    text.split_inclusive('\n').take(line - 1).map(str::len).sum()
}

/// The byte of a character, counted from 0; the end of the text when there are fewer.
fn char_offset(text: &str, index: usize) -> usize {
    text.char_indices().nth(index).map_or(text.len(), |(byte, _)| byte)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use insta::assert_snapshot;

    use super::super::Source;
    use super::*;

    fn place(text: &str, line: u32, column: u32, length: u32) -> Place {
        let source = Arc::new(Source { path: "site.yml".into(), text: text.into(), secret: false });
        Place { source, line, column, length }
    }

    #[test]
    fn says_what_where_and_what_next() {
        let text = "- hosts: all\n  vars:\n    port: 1\n    port: 2\n  tasks: []\n";
        let warning = Diagnostic::new("duplicate key `port`")
            .at(&place(text, 4, 5, 4))
            .note("first defined here", Some(place(text, 3, 5, 4)))
            .hint("remove one of the two");
        assert_snapshot!(warning.report_warning(false), @r"
        warning: duplicate key `port`
         --> site.yml:4:5
          |
        2 |   vars:
        3 |     port: 1
        4 |     port: 2
          |     ^^^^
          |
        note: first defined here
         --> site.yml:3:5
          |
        1 | - hosts: all
        2 |   vars:
        3 |     port: 1
          |     ^^^^
        help: remove one of the two
        ");
        assert_snapshot!(warning.report(true).contains('\u{1b}'), @"true");
    }

    #[test]
    fn without_place_only_the_message() {
        assert_snapshot!(Diagnostic::new("no such host").report(false), @"error: no such host");
        assert_snapshot!(Diagnostic::new("no such host").hint("look again").report(false), @r"
        error: no such host
        help: look again
        ");
    }

    /// Places come from many hands: none may make the report panic, and the caret stays on the line.
    #[test]
    fn any_place_is_drawn() {
        for text in ["", "a", "a\n", "ü: ö\nß", "a\r\nb\r\n", "\t\tx", "日本: 語", "a\u{1b}[31m\0"] {
            for line in 0..5 {
                for column in 0..7 {
                    for length in [0, 1, 3, 90] {
                        let report =
                            Diagnostic::new("x").at(&place(text, line, column, length)).report(false);
                        assert!(report.contains("site.yml") && report.contains('^'), "{report}");
                        assert!(!report.contains('\u{1b}'), "{report}");
                    }
                }
            }
        }
    }
}
