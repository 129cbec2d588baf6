//! Python's `str()` and `repr()`.

use std::fmt::{self, Display, Formatter, Write};

use super::number::float_repr;
use super::{Dict, Value};

/// `str(value)`.
impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) => f.write_str(text),
            Self::Template(template) => f.write_str(template.source()),
            Self::Undefined(_) => Ok(()),
            other => write_repr(f, other),
        }
    }
}

/// `repr(value)`.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_repr(f, self)
    }
}

impl Value {
    /// `repr(value)`.
    pub fn repr(&self) -> String {
        format!("{self:?}")
    }
}

fn write_repr(f: &mut Formatter<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::None => f.write_str("None"),
        Value::Bool(true) => f.write_str("True"),
        Value::Bool(false) => f.write_str("False"),
        Value::Int(number) => write!(f, "{number}"),
        Value::BigInt(number) => write!(f, "{number}"),
        Value::Float(number) => f.write_str(&float_repr(*number)),
        Value::Str(text) => write_quoted(f, text),
        Value::Template(template) => write_quoted(f, template.source()),
        Value::Tuple(items) if items.len() == 1 => write_items(f, items, "(", ",)"),
        Value::Tuple(items) => write_items(f, items, "(", ")"),
        Value::List(items) => write_items(f, items, "[", "]"),
        Value::Dict(entries) => write_dict(f, entries),
        Value::Undefined(_) => f.write_str("Undefined"),
        Value::Vault(_) => f.write_str("<vaulted>"),
        Value::Object(object) => f.write_str(&object.repr()),
        Value::Omit => f.write_str("<<Omit>>"),
    }
}

fn write_items(f: &mut Formatter<'_>, items: &[Value], open: &str, close: &str) -> fmt::Result {
    f.write_str(open)?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write_repr(f, item)?;
    }
    f.write_str(close)
}

fn write_dict(f: &mut Formatter<'_>, entries: &Dict) -> fmt::Result {
    f.write_char('{')?;
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write_repr(f, key)?;
        f.write_str(": ")?;
        write_repr(f, value)?;
    }
    f.write_char('}')
}

fn write_quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    f.write_char(quote)?;
    for c in text.chars() {
        match c {
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c == quote => write!(f, "\\{c}")?,
            c if !is_printable(c) => match c as u32 {
                code @ 0..0x100 => write!(f, "\\x{code:02x}")?,
                code @ 0x100..0x1_0000 => write!(f, "\\u{code:04x}")?,
                code => write!(f, "\\U{code:08x}")?,
            },
            c => f.write_char(c)?,
        }
    }
    f.write_char(quote)
}

/// Whether Python's `repr` shows the character as it is: no control, format or private character, no blank
/// but the space.
fn is_printable(c: char) -> bool {
    let is_format = matches!(c, '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}');
    let is_private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
    c == ' ' || !(c.is_control() || c.is_whitespace() || is_format || is_private)
}

/// The lines of `str.splitlines()`.
pub fn split_lines(text: &str) -> Vec<&str> {
    const ENDS: &[char] =
        &['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some((line, after)) = rest.split_once(ENDS) {
        let crlf = rest.get(line.len()..).is_some_and(|end| end.starts_with("\r\n"));
        lines.push(line);
        rest = if crlf { after.get(1..).unwrap_or_default() } else { after };
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}
