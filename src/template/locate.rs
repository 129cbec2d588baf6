//! From a spot in a template to the line and column of the file it stands in.

use std::str::Chars;

use super::ast::Span;
use crate::diagnostic::Place;

/// Where a template stands, for the places in errors.
#[derive(Debug)]
pub(super) struct Origin {
    pub source: std::sync::Arc<str>,
    pub place: Option<Place>,
}

impl Origin {
    /// The place of a part of the template: exact where the template's text can be followed in the file,
    /// else that of the whole.
    pub fn place(&self, span: Span) -> Option<Place> {
        let whole = self.place.as_ref()?;
        let before = self.source.get(..span.start as usize)?;
        let part = self.source.get(span.start as usize..span.end as usize).unwrap_or_default();
        let file = from_place(whole)?;
        let inside = || Some(scalar(file, whole)?.find(&*self.source)? + before.len());
        let Some(skipped) = follow(file, before).or_else(inside) else { return Some(whole.clone()) };
        let (mut line, mut column) = (whole.line, whole.column);
        for c in file.get(..skipped).unwrap_or_default().chars() {
            if c == '\n' {
                line += 1;
                column = 1;
            } else {
                column += 1;
            }
        }
        let first_line = part.lines().next().unwrap_or_default();
        let length = u32::try_from(first_line.chars().count()).unwrap_or(0);
        Some(Place { source: std::sync::Arc::clone(&whole.source), line, column, length })
    }
}

/// The file's text from the place on.
fn from_place(place: &Place) -> Option<&str> {
    let line = usize::try_from(place.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(place.column).ok()?.checked_sub(1)?;
    let mut rest: &str = &place.source.text;
    for _ in 0..line {
        rest = rest.split_once('\n')?.1;
    }
    let start = rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
    rest.get(start..)
}

/// The file's text from the place on, as far as the scalar there may reach: to the end of the line, and over the
/// lines that are indented deeper than it.
fn scalar<'f>(file: &'f str, place: &Place) -> Option<&'f str> {
    let start = place.source.text.len() - file.len();
    let before = place.source.text.get(..start)?.rsplit('\n').next()?;
    let indent = before.len() - before.trim_start_matches([' ', '-']).len();
    let mut end = file.find('\n').unwrap_or(file.len());
    for line in file.get(end..)?.split_inclusive('\n').skip(1) {
        let deep = line.len() - line.trim_start_matches(' ').len();
        if deep <= indent && !line.trim().is_empty() {
            break;
        }
        end += line.len();
    }
    file.get(..end)
}

/// How many bytes of the file hold `text`, read as the scalar that begins there. YAML folds and indents, so
/// any whitespace stands for any other. `None` when they do not run together.
fn follow(file: &str, text: &str) -> Option<usize> {
    let mut file_chars = file.chars();
    let mut quote = None;
    match file_chars.clone().next() {
        Some(open @ ('"' | '\'')) if !text.starts_with(open) => {
            file_chars.next();
            quote = Some(open);
        }
        Some('|' | '>') if !text.starts_with(['|', '>']) => {
            file_chars = file.split_once('\n')?.1.chars();
        }
        _ => {}
    }
    let mut text_chars = text.chars();
    loop {
        skip_whitespace(&mut text_chars);
        let Some(wanted) = text_chars.next() else { break };
        skip_whitespace(&mut file_chars);
        if !same(wanted, &mut file_chars, quote)? {
            return None;
        }
    }
    // What follows the text is what is asked for: it never begins with whitespace.
    skip_whitespace(&mut file_chars);
    Some(file.len() - file_chars.as_str().len())
}

fn skip_whitespace(chars: &mut Chars<'_>) {
    while chars.clone().next().is_some_and(char::is_whitespace) {
        chars.next();
    }
}

/// Whether the file's next character, with its escape, is that one.
fn same(wanted: char, file: &mut Chars<'_>, quote: Option<char>) -> Option<bool> {
    let c = file.next()?;
    if quote == Some('\'') && c == '\'' {
        return Some(file.next()? == '\'' && wanted == '\'');
    }
    if quote == Some('"') && c == '\\' {
        return Some(match file.next()? {
            'n' | 't' | 'r' => false,
            escaped => escaped == wanted,
        });
    }
    Some(c == wanted)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::Source;

    /// The place of `needle` in `template`, which stands at the `@` of the file.
    fn check(file: &str, template: &str, needle: &str, expect: &str) {
        let at = file.find('@').unwrap();
        let before = &file[..at];
        let line = u32::try_from(before.matches('\n').count()).unwrap() + 1;
        let column = u32::try_from(before.rsplit('\n').next().unwrap().chars().count()).unwrap() + 1;
        let text: Arc<str> = file.replacen('@', "", 1).into();
        let source = Arc::new(Source { path: "f.yml".into(), text, secret: false });
        let origin =
            Origin { source: template.into(), place: Some(Place { source, line, column, length: 0 }) };
        let start = u32::try_from(template.find(needle).unwrap()).unwrap();
        let span = Span { start, end: start + u32::try_from(needle.len()).unwrap() };
        let place = origin.place(span).unwrap();
        assert_eq!(format!("{}:{}+{}", place.line, place.column, place.length), expect);
    }

    #[test]
    fn scalars_of_every_style_are_followed() {
        check("msg: @hello {{ foo }}", "hello {{ foo }}", "foo", "1:15+3");
        check("msg: @\"hello {{ foo }}\"", "hello {{ foo }}", "foo", "1:16+3");
        check("msg: @'it''s {{ foo }}'", "it's {{ foo }}", "foo", "1:16+3");
        check("msg: @\"a \\\"b\\\" {{ foo }}\"", "a \"b\" {{ foo }}", "foo", "1:18+3");
        check("msg: |\n  @line é\n  {{ foo }}\n", "line é\n{{ foo }}\n", "foo", "3:6+3");
        check("msg: @|\n  line\n  {{ foo }}\n", "line\n{{ foo }}\n", "foo", "3:6+3");
        check("msg: >-\n  @one\n  two {{ foo }}\n", "one two {{ foo }}", "foo", "3:10+3");
    }

    #[test]
    fn options_within_a_text_are_found() {
        check("- debug: @msg=\"{{ foo }}\"", "{{ foo }}", "foo", "1:18+3");
        check("- copy: @src=a\n    dest={{ foo }}\n", "{{ foo }}", "foo", "2:13+3");
        check("- copy: @src=a\n- debug: msg={{ foo }}\n", "{{ foo }}", "foo", "1:9+0");
    }

    #[test]
    fn what_cannot_be_followed_keeps_the_whole_place() {
        check("shell: @echo x", "completely {{ foo }}", "foo", "1:8+0");
        check("msg: @\"a\\nb {{ foo }}\"", "a\nb {{ foo }}", "foo", "1:6+0");
    }
}
