//! `key=value` texts, split as Ansible splits them.

use std::mem;

use crate::diagnostic::{Diagnostic, Result};

/// A text of options taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// `key=value`, in order, quotes taken off and escapes resolved.
    pub options: Vec<(String, String)>,
    /// What is no `key=value`; its spacing is kept.
    pub rest: Option<String>,
}

/// Options that `command` and its like take out of their text; any other `a=b` there belongs to the command.
const COMMAND_OPTIONS: [&str; 8] =
    ["creates", "removes", "chdir", "executable", "warn", "stdin", "stdin_add_newline", "strip_empty_ends"];

/// Splits `a=b c="d e"`. Quotes and Jinja blocks hold together what is within. With `is_command`, only the
/// options of commands are taken out and the rest is left as written.
pub fn parse(text: &str, is_command: bool) -> Result<Parsed> {
    let mut parsed = Parsed::default();
    let mut rest = String::new();
    let mut tokens = tokens(text)?.into_iter().peekable();
    while let Some(Token { word, trailing }) = tokens.next() {
        let option = option(&word);
        let is_option =
            option.as_ref().is_some_and(|(key, _)| !is_command || COMMAND_OPTIONS.contains(&key.as_str()));
        match option {
            Some((key, value)) if is_option => parsed.options.push((key.trim().to_owned(), value)),
            other => {
                if !rest.is_empty() && !rest.ends_with('\n') {
                    rest.push(' ');
                }
                // Quirk: a word with an `=` that makes no option loses its escapes.
                if other.is_none() && word.contains('=') {
                    rest.push_str(&unescape(&word).replace("\\=", "="));
                } else {
                    rest.push_str(&word);
                }
                // One space parts it from the next word, and goes with that.
                let kept = trailing.strip_suffix(' ').filter(|_| tokens.peek().is_some());
                rest.push_str(kept.unwrap_or(&trailing));
            }
        }
    }
    parsed.rest = Some(rest).filter(|rest| !rest.trim().is_empty());
    Ok(parsed)
}

/// A word with the white space after it.
#[derive(Default)]
struct Token {
    word: String,
    trailing: String,
}

/// Words between spaces and line ends, outside of quotes and Jinja blocks. A lone backslash is dropped, with
/// the end of the line when it stands there.
fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut found = Vec::new();
    let mut current = Token::default();
    let mut nesting = Nesting::default();
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        if matches!(c, ' ' | '\n') && !nesting.is_inside() {
            current.trailing.push(c);
            nesting.before = '\0';
            continue;
        }
        if !current.trailing.is_empty() {
            found.push(mem::take(&mut current));
        }
        let is_lone = current.word.is_empty() && letters.peek().is_none_or(|next| matches!(next, ' ' | '\n'));
        if c == '\\' && is_lone && !nesting.is_inside() {
            letters.next_if_eq(&'\n');
            current = found.pop().unwrap_or_default();
            if letters.peek().is_none_or(|next| matches!(next, ' ' | '\n')) && current.trailing.ends_with(' ')
            {
                current.trailing.pop();
            }
            continue;
        }
        nesting.see(c);
        current.word.push(c);
    }
    if nesting.is_inside() {
        return Err(Diagnostic::new(format!(
            "failed at splitting arguments, either an unbalanced jinja2 block or quotes: {text}"
        )));
    }
    if !current.word.is_empty() || !current.trailing.is_empty() {
        found.push(current);
    }
    Ok(found)
}

/// What is open while a text is read.
#[derive(Default)]
struct Nesting {
    quote: Option<char>,
    /// Open `{{`, `{%` and `{#`.
    blocks: [u32; 3],
    before: char,
}

impl Nesting {
    fn is_inside(&self) -> bool {
        self.quote.is_some() || self.blocks.iter().any(|open| *open > 0)
    }

    fn see(&mut self, c: char) {
        if matches!(c, '\'' | '"') && self.before != '\\' {
            match self.quote {
                None => self.quote = Some(c),
                Some(open) if open == c => self.quote = None,
                Some(_) => {}
            }
        }
        let [print, statement, comment] = &mut self.blocks;
        let change: Option<(&mut u32, bool)> = match (self.before, c) {
            ('{', '{') => Some((print, true)),
            ('{', '%') => Some((statement, true)),
            ('{', '#') => Some((comment, true)),
            ('}', '}') => Some((print, false)),
            ('%', '}') => Some((statement, false)),
            ('#', '}') => Some((comment, false)),
            _ => None,
        };
        // A mark's second character is not the first one of another: `}}}` closes once.
        self.before = if change.is_some() { '\0' } else { c };
        if let Some((open, opens)) = change {
            *open = if opens { *open + 1 } else { open.saturating_sub(1) };
        }
    }
}

/// `key=value`, the key as it stands: the first `=` that no backslash protects counts, and a key must stand before it.
fn option(word: &str) -> Option<(String, String)> {
    let text = unescape(word);
    let mut before = '\0';
    for (index, c) in text.char_indices() {
        if c == '=' && before != '\\' && index > 0 {
            let (key, value) = text.split_at(index);
            let value = value.strip_prefix('=').unwrap_or(value);
            return Some((key.to_owned(), unquote(value.trim()).to_owned()));
        }
        before = c;
    }
    None
}

fn unquote(text: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| {
            text.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.ends_with('\\'))
        })
        .unwrap_or(text)
}

/// Resolves Python's escapes; a backslash before anything else stays.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let (resolved, length) = escape(after).unwrap_or(('\\', 0));
        out.push(resolved);
        rest = after.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The character that an escape stands for, and the length of what follows the backslash.
fn escape(after: &str) -> Option<(char, usize)> {
    let hex = |digits: usize| {
        let code = after.get(1..=digits).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()))?;
        Some((char::from_u32(u32::from_str_radix(code, 16).ok()?)?, digits + 1))
    };
    match after.chars().next()? {
        c @ ('\\' | '\'' | '"') => Some((c, 1)),
        'a' => Some(('\x07', 1)),
        'b' => Some(('\x08', 1)),
        'f' => Some(('\x0c', 1)),
        'n' => Some(('\n', 1)),
        'r' => Some(('\r', 1)),
        't' => Some(('\t', 1)),
        'v' => Some(('\x0b', 1)),
        'x' => hex(2),
        'u' => hex(4),
        'U' => hex(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    /// Every case was asked of ansible-core's `parse_kv`: `tests/data/key_values.json` holds text, answer as
    /// options, and answer as a command; `null` stands for an error.
    #[test]
    fn like_ansible() {
        let cases: Vec<(String, serde_json::Value, serde_json::Value)> =
            serde_json::from_str(include_str!("../../tests/data/key_values.json")).unwrap();
        let wrong: Vec<_> = cases
            .iter()
            .flat_map(|(text, options, command)| [(text, options, false), (text, command, true)])
            .filter_map(|(text, expect, is_command)| {
                let ours = json(text, is_command);
                (ours != *expect).then(|| format!("{text:?} {is_command}: {ours} instead of {expect}"))
            })
            .collect();
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len() * 2, wrong.join("\n"));
    }

    fn json(text: &str, is_command: bool) -> serde_json::Value {
        let Ok(parsed) = parse(text, is_command) else { return serde_json::Value::Null };
        let mut map: serde_json::Map<_, _> =
            parsed.options.into_iter().map(|(key, value)| (key, value.into())).collect();
        if let Some(rest) = parsed.rest {
            map.insert("_raw_params".into(), rest.into());
        }
        map.into()
    }
}
