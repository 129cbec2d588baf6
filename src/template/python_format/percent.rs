//! `'%s-%03d' % (name, number)`.

use super::number::{Digits, Plus, ascii, float, float_digits, integer, integer_digits};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::Value;

/// `format % args`: a tuple gives one value per conversion, a dict the named ones, anything else the only one.
pub fn percent(format: &str, args: &Value) -> Result<String> {
    let mut operands = Operands { args, next: 0, named: false };
    let mut chars = format.char_indices().peekable();
    let mut out = String::with_capacity(format.len());
    while let Some((_, c)) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut key = None;
        if chars.next_if(|(_, c)| *c == '(').is_some() {
            key = Some(name(&mut chars)?);
        }
        let mut conversion = Conversion::default();
        while let Some((_, flag)) = chars.next_if(|(_, c)| "#0- +".contains(*c)) {
            match flag {
                '#' => conversion.alternate = true,
                '0' => conversion.zeros = true,
                '-' => conversion.left = true,
                '+' => conversion.plus = Plus::Sign,
                _ if conversion.plus == Plus::Nothing => conversion.plus = Plus::Space,
                _ => {}
            }
        }
        let width = count(&mut chars, &mut operands)?.unwrap_or(0);
        conversion.left |= width < 0;
        conversion.width = size(width.abs())?;
        if chars.next_if(|(_, c)| *c == '.').is_some() {
            conversion.precision = Some(size(count(&mut chars, &mut operands)?.unwrap_or(0).max(0))?);
        }
        while chars.next_if(|(_, c)| "hlL".contains(*c)).is_some() {}
        let Some((at, kind)) = chars.next() else {
            return Err(Diagnostic::new("incomplete format"));
        };
        if kind == '%' {
            out.push('%');
            continue;
        }
        if !"diouxXeEfFgGcrsa".contains(kind) {
            return Err(Diagnostic::new(format!(
                "unsupported format character '{kind}' (0x{:x}) at index {}",
                kind as u32,
                format.get(..at).unwrap_or_default().chars().count()
            )));
        }
        let value = match key {
            Some(key) => operands.named(&key)?,
            None => operands.next()?,
        };
        conversion.write(kind, value, &mut out)?;
    }
    operands.finish()?;
    Ok(out)
}

struct Operands<'a> {
    args: &'a Value,
    next: usize,
    named: bool,
}

impl<'a> Operands<'a> {
    fn next(&mut self) -> Result<&'a Value> {
        let value = match self.args {
            Value::Tuple(items) => items.get(self.next),
            one => (self.next == 0).then_some(one),
        };
        self.next += 1;
        value.ok_or_else(|| Diagnostic::new("not enough arguments for format string"))
    }

    fn named(&mut self, key: &str) -> Result<&'a Value> {
        self.named = true;
        let Value::Dict(entries) = self.args else {
            return Err(Diagnostic::new("format requires a mapping"));
        };
        entries.get(key).ok_or_else(|| Diagnostic::new(format!("'{key}'")))
    }

    /// Values that nothing asked for are an error, but for those of a dict or list.
    fn finish(&self) -> Result<()> {
        let left = match self.args {
            Value::Tuple(items) => self.next < items.len(),
            Value::Dict(_) | Value::List(_) => false,
            _ => self.next == 0 && !self.named,
        };
        if left {
            Err(Diagnostic::new("not all arguments converted during string formatting"))
        } else {
            Ok(())
        }
    }
}

type Chars<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

/// The name up to the closing parenthesis; inner ones are part of it.
fn name(chars: &mut Chars<'_>) -> Result<String> {
    let mut depth = 1;
    let mut name = String::new();
    for (_, c) in chars.by_ref() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok(name);
        }
        name.push(c);
    }
    Err(Diagnostic::new("incomplete format key"))
}

/// A width or precision: digits, or `*` for the next value.
fn count(chars: &mut Chars<'_>, operands: &mut Operands<'_>) -> Result<Option<i64>> {
    if chars.next_if(|(_, c)| *c == '*').is_some() {
        return match operands.next()? {
            Value::Int(number) => Ok(Some(*number)),
            _ => Err(Diagnostic::new("* wants int")),
        };
    }
    let mut number = None;
    while let Some((_, digit)) = chars.next_if(|(_, c)| c.is_ascii_digit()) {
        let digit = i64::from(digit.to_digit(10).unwrap_or(0));
        number = Some(number.unwrap_or(0_i64).saturating_mul(10).saturating_add(digit));
    }
    Ok(number)
}

/// A width or precision within reason.
pub(super) fn size(number: i64) -> Result<usize> {
    const LIMIT: usize = 1 << 20;
    usize::try_from(number)
        .ok()
        .filter(|size| *size <= LIMIT)
        .ok_or_else(|| Diagnostic::new(format!("width or precision {number} is too big")))
}

#[derive(Default)]
struct Conversion {
    alternate: bool,
    zeros: bool,
    left: bool,
    plus: Plus,
    width: usize,
    precision: Option<usize>,
}

impl Conversion {
    fn write(&self, kind: char, value: &Value, out: &mut String) -> Result<()> {
        match kind {
            's' => self.text(&value.to_string(), out),
            'r' => self.text(&value.repr(), out),
            'a' => self.text(&ascii(value), out),
            'c' => self.text(&character(value)?, out),
            'd' | 'i' | 'u' | 'o' | 'x' | 'X' => {
                let truncate = matches!(kind, 'd' | 'i' | 'u');
                let Some(number) = integer(value, truncate) else {
                    let wanted = if truncate { "a real number" } else { "an integer" };
                    return Err(Diagnostic::new(format!(
                        "%{kind} format: {wanted} is required, not {}",
                        value.type_name()
                    )));
                };
                let mut digits = integer_digits(&number, kind, self.alternate);
                if let Some(precision) = self.precision {
                    digits.text = format!("{:0>precision$}", digits.text);
                }
                self.number(&digits, out);
            }
            _ => {
                let Some(number) = float(value) else {
                    return Err(Diagnostic::new(format!("must be real number, not {}", value.type_name())));
                };
                self.number(&float_digits(number, kind, self.precision.unwrap_or(6), self.alternate), out);
            }
        }
        Ok(())
    }

    fn text(&self, text: &str, out: &mut String) {
        let limit = self.precision.unwrap_or(usize::MAX);
        let shown: String = text.chars().take(limit).collect();
        self.pad(&shown, out);
    }

    fn number(&self, digits: &Digits, out: &mut String) {
        let lead = digits.lead(self.plus);
        if self.zeros && !self.left {
            let width = self.width.saturating_sub(lead.len());
            out.push_str(&lead);
            let zeros = width.saturating_sub(digits.text.len());
            out.extend(std::iter::repeat_n('0', zeros));
            out.push_str(&digits.text);
        } else {
            self.pad(&(lead + &digits.text), out);
        }
    }

    fn pad(&self, text: &str, out: &mut String) {
        let spaces = std::iter::repeat_n(' ', self.width.saturating_sub(text.chars().count()));
        if self.left {
            out.push_str(text);
            out.extend(spaces);
        } else {
            out.extend(spaces);
            out.push_str(text);
        }
    }
}

fn character(value: &Value) -> Result<String> {
    let c = match value {
        Value::Str(text) if text.chars().count() == 1 => return Ok(text.to_string()),
        Value::Int(code) => u32::try_from(*code).ok().and_then(char::from_u32),
        _ => return Err(Diagnostic::new("%c requires int or char")),
    };
    c.map(String::from).ok_or_else(|| Diagnostic::new("%c arg not in range(0x110000)"))
}
