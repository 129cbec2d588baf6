//! Values in INI inventories: Python literals where they are one, else text.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::Num;

use crate::diagnostic::Place;
use crate::template::Template;
use crate::value::{Dict, Value};

/// A value as `ast.literal_eval` reads it; text that is no literal stands for itself: `8080` is a number,
/// `True` a boolean, `yes` and `0644` are text. Strings, also inside lists, may be templates.
pub(super) fn value(text: &str, place: &Place) -> Value {
    literal(text, place).unwrap_or_else(|| string(text, place))
}

/// A value as `ast.literal_eval` reads it; `None` for text that is no literal.
pub fn literal(text: &str, place: &Place) -> Option<Value> {
    let mut parser = Parser { rest: text.trim_start_matches([' ', '\t']), place, depth: 0 };
    parser.expression().filter(|_| parser.at_end())
}

fn string(text: &str, place: &Place) -> Value {
    if Template::is_template(text) {
        Value::Template(Arc::new(Template::new(text, Some(place.clone()))))
    } else {
        Value::from(text)
    }
}

const MAX_DEPTH: usize = 100;

/// A parser for literals. `None` means: this is none.
struct Parser<'t> {
    rest: &'t str,
    place: &'t Place,
    depth: usize,
}

impl Parser<'_> {
    fn expression(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        self.skip_space();
        if let Some(rest) = self.rest.strip_prefix("...") {
            self.rest = rest;
            self.depth -= 1;
            return Some("...".into());
        }
        let value = match self.rest.chars().next()? {
            '[' => Value::list(self.sequence(']')?.0),
            '(' => {
                let (mut items, has_comma) = self.sequence(')')?;
                if has_comma || items.is_empty() { Value::list(items) } else { items.pop()? }
            }
            '{' => self.braces()?,
            '-' => negative(&self.signed()?)?,
            '+' => match self.signed()? {
                number @ (Value::Int(_) | Value::BigInt(_) | Value::Float(_)) => number,
                _ => return None,
            },
            '0'..='9' | '.' => self.number()?,
            '\'' | '"' => self.strings()?,
            c if c.is_alphabetic() || c == '_' => self.word()?,
            _ => return None,
        };
        self.depth -= 1;
        Some(value)
    }

    /// What follows a sign: a number, nothing else.
    fn signed(&mut self) -> Option<Value> {
        self.rest = self.rest.get(1..)?;
        self.skip_space();
        if self.rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '(')) {
            self.expression()
        } else {
            None
        }
    }

    /// The items up to the closing bracket, and whether there was a comma.
    fn sequence(&mut self, close: char) -> Option<(Vec<Value>, bool)> {
        self.rest = self.rest.get(1..)?;
        let (mut items, mut has_comma) = (Vec::new(), false);
        loop {
            if self.eat(close) {
                return Some((items, has_comma));
            }
            items.push(self.expression()?);
            if self.eat(',') {
                has_comma = true;
            } else if !self.peek(close) {
                return None;
            }
        }
    }

    /// A dict, or a set, which becomes a list.
    fn braces(&mut self) -> Option<Value> {
        self.rest = self.rest.get(1..)?;
        if self.eat('}') {
            return Some(Value::dict(Dict::new()));
        }
        let first = self.expression()?;
        if self.peek(':') {
            let mut entries = Dict::new();
            let mut key = first;
            loop {
                if matches!(key, Value::List(_) | Value::Dict(_)) || !self.eat(':') {
                    return None;
                }
                let key_value = match key {
                    Value::Template(template) => Value::Str(Arc::clone(template.source())),
                    other => other,
                };
                entries.insert(key_value, self.expression()?);
                let more = self.eat(',');
                if self.eat('}') {
                    return Some(Value::dict(entries));
                }
                if !more {
                    return None;
                }
                key = self.expression()?;
            }
        }
        let mut items: Vec<Value> = Vec::new();
        let mut item = first;
        loop {
            if matches!(item, Value::List(_) | Value::Dict(_)) {
                return None;
            }
            if !items.contains(&item) {
                items.push(item);
            }
            let more = self.eat(',');
            if self.eat('}') {
                return Some(Value::list(items));
            }
            if !more {
                return None;
            }
            item = self.expression()?;
        }
    }

    fn number(&mut self) -> Option<Value> {
        let end = self.number_end();
        let token = self.rest.get(..end)?;
        self.rest = self.rest.get(end..)?;
        let lower = token.to_ascii_lowercase();
        if let Some(imaginary) = lower.strip_suffix('j')
            && !lower.starts_with("0x")
        {
            // There are no complex numbers: one is the text that Python writes for it.
            let number: f64 = without_underscores(imaginary)?.parse().ok()?;
            return Some(format!("{number}j").into());
        }
        for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] {
            if let Some(digits) = lower.strip_prefix(prefix) {
                let digits = digits.strip_prefix('_').unwrap_or(digits);
                return Some(Value::from(BigInt::from_str_radix(&without_underscores(digits)?, base).ok()?));
            }
        }
        let bare = without_underscores(&lower)?;
        if bare.contains(['.', 'e']) {
            return bare.parse().ok().map(Value::Float);
        }
        // `010` is no number in Python, `00` is.
        if bare.len() > 1 && bare.starts_with('0') && bare.bytes().any(|b| b != b'0') {
            return None;
        }
        Some(Value::from(BigInt::from_str_radix(&bare, 10).ok()?))
    }

    fn number_end(&self) -> usize {
        let bytes = self.rest.as_bytes();
        let mut end = 0;
        while let Some(byte) = bytes.get(end) {
            let after_exponent = end > 0
                && matches!(bytes.get(end - 1), Some(b'e' | b'E'))
                && !self.rest.starts_with("0x")
                && !self.rest.starts_with("0X");
            let belongs = byte.is_ascii_alphanumeric()
                || matches!(byte, b'.' | b'_')
                || (after_exponent && matches!(byte, b'+' | b'-'));
            if !belongs {
                break;
            }
            end += 1;
        }
        end
    }

    /// One or more string literals in a row, which Python joins.
    fn strings(&mut self) -> Option<Value> {
        let mut text = self.quoted(false)?;
        loop {
            self.skip_space();
            let Some((raw, length)) = string_prefix(self.rest) else { break };
            self.rest = self.rest.get(length..)?;
            text.push_str(&self.quoted(raw)?);
        }
        Some(string(&text, self.place))
    }

    /// Bytes, which become the text they are in UTF-8.
    fn bytes(&mut self) -> Option<Value> {
        let text = self.quoted(false)?;
        text.is_ascii().then(|| string(&text, self.place))
    }

    fn quoted(&mut self, raw: bool) -> Option<String> {
        let quote = self.rest.get(..1)?;
        let triple = quote.repeat(3);
        let is_triple = self.rest.starts_with(&triple);
        let close = if is_triple { &triple } else { quote };
        self.rest = self.rest.get(close.len()..)?;
        let mut text = String::new();
        loop {
            if let Some(rest) = self.rest.strip_prefix(close) {
                self.rest = rest;
                return Some(text);
            }
            let c = self.take_char()?;
            match c {
                '\n' if !is_triple => return None,
                '\\' if raw => text.extend([c, self.take_char()?]),
                '\\' => self.escape(&mut text)?,
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Option<()> {
        let c = self.take_char()?;
        let simple = match c {
            '\n' => return Some(()),
            '\\' | '\'' | '"' => c,
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => self.code_point(2, 16)?,
            'u' => self.code_point(4, 16)?,
            'U' => self.code_point(8, 16)?,
            '0'..='7' => {
                let digits: String = std::iter::once(c)
                    .chain(self.rest.chars().take(2).take_while(|c| c.is_digit(8)))
                    .collect();
                self.rest = self.rest.get(digits.len() - 1..)?;
                char::from_u32(u32::from_str_radix(&digits, 8).ok()?)?
            }
            // Names of characters would take a table of them; such a string stays as it is written.
            'N' => return None,
            other => {
                text.extend(['\\', other]);
                return Some(());
            }
        };
        text.push(simple);
        Some(())
    }

    fn code_point(&mut self, length: usize, base: u32) -> Option<char> {
        let digits = self.rest.get(..length)?;
        self.rest = self.rest.get(length..)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        char::from_u32(u32::from_str_radix(digits, base).ok()?)
    }

    fn word(&mut self) -> Option<Value> {
        if let Some((raw, length)) = string_prefix(self.rest)
            && length > 0
        {
            self.rest = self.rest.get(length..)?;
            let text = self.quoted(raw)?;
            return Some(string(&text, self.place));
        }
        if let Some(rest) = self.rest.strip_prefix(['b', 'B'])
            && rest.starts_with(['"', '\''])
        {
            self.rest = rest;
            return self.bytes();
        }
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let word = self.rest.get(..end)?;
        self.rest = self.rest.get(end..)?;
        match word {
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            "None" => Some(Value::None),
            "set" => (self.eat('(') && self.eat(')')).then(|| Value::list(Vec::new())),
            _ => None,
        }
    }

    fn at_end(&mut self) -> bool {
        self.skip_space();
        self.rest.is_empty()
    }

    fn peek(&mut self, c: char) -> bool {
        self.skip_space();
        self.rest.starts_with(c)
    }

    fn eat(&mut self, c: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take_char(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..)?;
        Some(c)
    }

    /// Space and a comment up to the end: `8080 # http` is a number.
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\u{c}']);
        if self.rest.starts_with('#') {
            self.rest = "";
        }
    }
}

/// Whether a string literal begins here: whether it is raw, and the length of its prefix.
fn string_prefix(text: &str) -> Option<(bool, usize)> {
    let prefix = text.split(['\'', '"']).next()?;
    if prefix.len() == text.len() {
        return None;
    }
    match prefix.to_ascii_lowercase().as_str() {
        "" | "u" => Some((false, prefix.len())),
        "r" => Some((true, prefix.len())),
        _ => None,
    }
}

/// Digits without their underscores, which must stand between two digits.
fn without_underscores(digits: &str) -> Option<String> {
    let is_well_placed = !digits.starts_with('_')
        && !digits.ends_with('_')
        && !digits.contains("__")
        && !digits.contains("._")
        && !digits.contains("_.")
        && !digits.contains("_e")
        && !digits.contains("e_");
    is_well_placed.then(|| digits.replace('_', ""))
}

fn negative(number: &Value) -> Option<Value> {
    match number {
        Value::Int(number) => Some(Value::from(-i128::from(*number))),
        Value::BigInt(number) => Some(Value::from(-(**number).clone())),
        Value::Float(number) => Some(Value::Float(-number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::Source;

    fn check(text: &str, expected: &str) {
        let source = Arc::new(Source { path: "hosts".into(), text: text.into(), secret: false });
        let place = Place { source, line: 1, column: 1, length: 0 };
        assert_eq!(value(text, &place).repr(), expected, "{text}");
    }

    /// Each as ansible-core 2.21 reads it, tuples and sets being lists.
    #[test]
    fn reads_python_literals() {
        for (text, expected) in [
            ("80", "80"),
            ("-5", "-5"),
            ("+5", "5"),
            ("- 5", "-5"),
            ("-(1)", "-1"),
            ("1_000", "1000"),
            ("0x1F", "31"),
            ("0o644", "420"),
            ("0b11", "3"),
            ("00", "0"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("1.50", "1.5"),
            (".5", "0.5"),
            ("5.", "5.0"),
            ("1e3", "1000.0"),
            ("1e400", "inf"),
            ("True", "True"),
            ("None", "None"),
            ("'a' 'b'", "'ab'"),
            (r"'\x41\u00e9\t\101'", r"'Aé\tA'"),
            (r"r'a\n'", r"'a\\n'"),
            ("u'x'", "'x'"),
            ("'''x'''", "'x'"),
            ("''", "''"),
            ("[1, 2, 'three']", "[1, 2, 'three']"),
            ("[1,]", "[1]"),
            ("[]", "[]"),
            ("(1, 2)", "[1, 2]"),
            ("(1)", "1"),
            ("()", "[]"),
            ("(1,)", "[1]"),
            ("{1, 2, 1}", "[1, 2]"),
            ("set()", "[]"),
            ("{'a': 1, \"b\": [True, None]}", "{'a': 1, 'b': [True, None]}"),
            ("{'a': 1, 'a': 2}", "{'a': 2}"),
            ("{'x': {'y': (1,)}}", "{'x': {'y': [1]}}"),
            ("{}", "{}"),
            ("8080 # http", "8080"),
            ("'x' # c", "'x'"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn everything_else_is_text() {
        for text in [
            "yes",
            "true",
            "0644",
            "010",
            "1_",
            "1__0",
            "1+1",
            "1 2",
            "a=b=c",
            "not True",
            "f'x'",
            "...",
            "[1, 2",
            "{**{}}",
            "{[1]: 2}",
            "'a",
            "a'b'",
            "~",
            "null",
            "2020-01-01",
            "1.2.3",
            "--",
            "",
            "a b",
            "[,]",
            "(,)",
            "{1: 2, 3}",
            "value # not here",
            "é",
            "-True",
            "'\\N{BULLET}'",
        ] {
            let source = Arc::new(Source { path: "hosts".into(), text: text.into(), secret: false });
            let place = Place { source, line: 1, column: 1, length: 0 };
            assert_eq!(value(text, &place), Value::from(text), "{text}");
        }
    }

    #[test]
    fn strings_may_be_templates() {
        let source = Arc::new(Source { path: "hosts".into(), text: "".into(), secret: false });
        let place = Place { source, line: 1, column: 1, length: 0 };
        let list = value("['{{ a }}', 'b']", &place);
        assert!(matches!(list.as_list().unwrap()[0], Value::Template(_)));
        assert!(matches!(value("{{ [1] }}", &place), Value::Template(_)));
    }

    #[test]
    fn deep_nesting_is_text() {
        let text = "[".repeat(100_000);
        check(&text, &format!("'{text}'"));
    }
}
