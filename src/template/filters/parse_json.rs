//! JSON as Python's `json.loads` reads it, with its messages: numbers of any size, `NaN`, `Infinity`.

use num_bigint::BigInt;

use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Value};

/// The one value in the text.
pub(in crate::template) fn parse(text: &str) -> Result<Value> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    parser.skip_blanks();
    let value = parser.value()?;
    parser.skip_blanks();
    if parser.at < text.len() {
        return Err(parser.error("Extra data", parser.at));
    }
    Ok(value)
}

/// Deeper nesting is refused: it would exhaust the stack.
const DEPTH: usize = 500;

struct Parser<'a> {
    text: &'a str,
    /// In bytes.
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn error(&self, message: &str, at: usize) -> Diagnostic {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
        Diagnostic::new(format!("{message}: line {line} column {column} (char {})", before.chars().count()))
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|c| b" \t\n\r".contains(&c)) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<Value> {
        const WORDS: [(&str, Value); 6] = [
            ("null", Value::None),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Float(f64::NAN)),
            ("Infinity", Value::Float(f64::INFINITY)),
            ("-Infinity", Value::Float(f64::NEG_INFINITY)),
        ];
        match self.peek() {
            Some(b'"') => self.string().map(Value::from),
            Some(b'[') => self.nested(Self::list),
            Some(b'{') => self.nested(Self::dict),
            _ => {
                if let Some((_, value)) = WORDS.into_iter().find(|(word, _)| self.take(word)) {
                    return Ok(value);
                }
                self.number()
            }
        }
    }

    fn nested(&mut self, parse: fn(&mut Self) -> Result<Value>) -> Result<Value> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.error("Nested too deeply", self.at));
        }
        self.at += 1;
        self.skip_blanks();
        let value = parse(self);
        self.depth -= 1;
        value
    }

    fn list(&mut self) -> Result<Value> {
        let mut items = Vec::new();
        if self.take("]") {
            return Ok(Value::list(items));
        }
        loop {
            items.push(self.value()?);
            self.skip_blanks();
            if self.take("]") {
                return Ok(Value::list(items));
            }
            self.comma("]", "array")?;
        }
    }

    fn dict(&mut self) -> Result<Value> {
        let mut entries = Dict::new();
        if self.take("}") {
            return Ok(entries.into());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.error("Expecting property name enclosed in double quotes", self.at));
            }
            let key = self.string()?;
            self.skip_blanks();
            if !self.take(":") {
                return Err(self.error("Expecting ':' delimiter", self.at));
            }
            self.skip_blanks();
            let value = self.value()?;
            entries.insert(key, value);
            self.skip_blanks();
            if self.take("}") {
                return Ok(entries.into());
            }
            self.comma("}", "object")?;
        }
    }

    fn comma(&mut self, close: &str, of: &str) -> Result<()> {
        let comma = self.at;
        if !self.take(",") {
            return Err(self.error("Expecting ',' delimiter", comma));
        }
        self.skip_blanks();
        if self.rest().starts_with(close) {
            return Err(self.error(&format!("Illegal trailing comma before end of {of}"), comma));
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value> {
        let start = self.at;
        let bytes = self.rest().as_bytes();
        let digits = |from: usize| bytes.iter().skip(from).take_while(|c| c.is_ascii_digit()).count();
        let is = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|c| wanted.contains(c));
        let mut end = usize::from(is(0, b"-"));
        let whole = if is(end, b"0") { 1 } else { digits(end) };
        if whole == 0 {
            return Err(self.error("Expecting value", start));
        }
        end += whole;
        let integer = end;
        if is(end, b".") && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
        }
        if is(end, b"eE") {
            let sign = usize::from(is(end + 1, b"+-"));
            let power = digits(end + 1 + sign);
            if power > 0 {
                end += 1 + sign + power;
            }
        }
        let text = self.rest().get(..end).unwrap_or_default();
        let value = if end == integer {
            match text.parse() {
                Ok(number) => Some(Value::Int(number)),
                Err(_) => text.parse::<BigInt>().ok().map(Value::from),
            }
        } else {
            text.parse().ok().map(Value::Float)
        };
        self.at += end;
        value.ok_or_else(|| self.error("Expecting value", start))
    }

    fn string(&mut self) -> Result<String> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else {
                return Err(self.error("Unterminated string starting at", start));
            };
            let at = self.at;
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(out),
                '\\' => {
                    let escaped = self.escape(start, at)?;
                    out.push(escaped);
                }
                c if c < ' ' => return Err(self.error("Invalid control character at", at)),
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self, start: usize, at: usize) -> Result<char> {
        let Some(c) = self.rest().chars().next() else {
            return Err(self.error("Unterminated string starting at", start));
        };
        self.at += c.len_utf8();
        Ok(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = self.code_unit()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return char::from_u32(high).ok_or_else(|| self.error("Invalid surrogate", at));
                }
                let low = if self.take("\\u") { self.code_unit()? } else { 0 };
                let pair = low.checked_sub(0xdc00).filter(|low| *low < 0x400);
                return pair
                    .and_then(|low| char::from_u32(0x10000 + ((high - 0xd800) << 10) + low))
                    .ok_or_else(|| self.error("Invalid surrogate", at));
            }
            _ => return Err(self.error("Invalid \\escape", at)),
        })
    }

    fn code_unit(&mut self) -> Result<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.error("Invalid \\uXXXX escape", self.at))?;
        self.at += 4;
        Ok(unit)
    }
}
