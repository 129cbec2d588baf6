//! `'{0:>8} {name!r}'.format(…)`.

use super::number::{Digits, Plus, ascii, float, float_digits, integer, integer_digits};
use super::percent::size;
use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Value};

/// `text.format(*positional, **named)`.
pub fn str_format(text: &str, positional: &[Value], named: &Dict) -> Result<String> {
    let mut fields = Fields { positional, named, numbering: Numbering::Unknown };
    fields.expand(text, 3)
}

/// `{}` and `{0}` do not mix.
enum Numbering {
    Unknown,
    Automatic(usize),
    Manual,
}

struct Fields<'a> {
    positional: &'a [Value],
    named: &'a Dict,
    numbering: Numbering,
}

impl Fields<'_> {
    fn expand(&mut self, text: &str, depth: usize) -> Result<String> {
        if depth == 0 {
            return Err(Diagnostic::new("Max string recursion exceeded"));
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, mark) = rest.split_at(at);
            out.push_str(before);
            let brace = if mark.starts_with('{') { '{' } else { '}' };
            let after = mark.get(1..).unwrap_or_default();
            if after.starts_with(brace) {
                out.push(brace);
                rest = after.get(1..).unwrap_or_default();
                continue;
            }
            if brace == '}' {
                return Err(Diagnostic::new("Single '}' encountered in format string"));
            }
            let Some(end) = closing(after) else {
                let incomplete = if after.is_empty() {
                    "Single '{' encountered in format string"
                } else {
                    "expected '}' before end of string"
                };
                return Err(Diagnostic::new(incomplete));
            };
            out.push_str(&self.field(after.get(..end).unwrap_or_default(), depth)?);
            rest = after.get(end + 1..).unwrap_or_default();
        }
        out.push_str(rest);
        Ok(out)
    }

    fn field(&mut self, field: &str, depth: usize) -> Result<String> {
        let (path, conversion, spec) = split_field(field)?;
        let value = self.value(path)?;
        let value = match conversion {
            None => value,
            Some('s') => Value::str(value.to_string()),
            Some('r') => Value::str(value.repr()),
            Some('a') => Value::str(ascii(&value)),
            Some(other) => {
                return Err(Diagnostic::new(format!("Unknown conversion specifier {other}")));
            }
        };
        let spec = self.expand(spec, depth - 1)?;
        format_value(&value, &spec)
    }

    fn value(&mut self, path: &str) -> Result<Value> {
        let (first, mut rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
        let mut value = self.argument(first)?;
        while !rest.is_empty() {
            if let Some(indexed) = rest.strip_prefix('[') {
                let Some((key, after)) = indexed.split_once(']') else {
                    return Err(Diagnostic::new("expected '}' before end of string"));
                };
                value = item(&value, key)?;
                rest = after;
            } else {
                let dotted = rest.strip_prefix('.').ok_or_else(|| {
                    Diagnostic::new("Only '.' or '[' may follow ']' in format field specifier")
                })?;
                let (name, after) = dotted.split_at(dotted.find(['.', '[']).unwrap_or(dotted.len()));
                value = attribute(&value, name)?;
                rest = after;
            }
        }
        Ok(value)
    }

    fn argument(&mut self, name: &str) -> Result<Value> {
        let index = if name.is_empty() {
            let next = match self.numbering {
                Numbering::Manual => {
                    return Err(Diagnostic::new(
                        "cannot switch from manual field specification to automatic field numbering",
                    ));
                }
                Numbering::Unknown => 0,
                Numbering::Automatic(next) => next,
            };
            self.numbering = Numbering::Automatic(next + 1);
            next
        } else if let Ok(index) = name.parse() {
            if let Numbering::Automatic(_) = self.numbering {
                return Err(Diagnostic::new(
                    "cannot switch from automatic field numbering to manual field specification",
                ));
            }
            self.numbering = Numbering::Manual;
            index
        } else {
            return self.named.get(name).cloned().ok_or_else(|| Diagnostic::new(format!("'{name}'")));
        };
        self.positional.get(index).cloned().ok_or_else(|| {
            Diagnostic::new(format!("Replacement index {index} out of range for positional args tuple"))
        })
    }
}

/// Where the brace that closes this field stands; braces within the field nest.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// `path!conversion:spec`.
fn split_field(field: &str) -> Result<(&str, Option<char>, &str)> {
    let mut bracket = false;
    let end = field.find(|c| {
        bracket = (bracket || c == '[') && c != ']';
        !bracket && (c == '!' || c == ':')
    });
    let Some(end) = end else { return Ok((field, None, "")) };
    let (path, rest) = field.split_at(end);
    if let Some(spec) = rest.strip_prefix(':') {
        return Ok((path, None, spec));
    }
    let mut chars = rest.chars();
    chars.next();
    let Some(conversion) = chars.next() else {
        return Err(Diagnostic::new("unmatched '{' in format spec"));
    };
    match chars.as_str() {
        "" => Ok((path, Some(conversion), "")),
        spec if spec.starts_with(':') => Ok((path, Some(conversion), spec.get(1..).unwrap_or_default())),
        _ => Err(Diagnostic::new("expected ':' after conversion specifier")),
    }
}

fn item(value: &Value, key: &str) -> Result<Value> {
    let index = key.parse::<i64>().ok();
    let found = match value {
        Value::Dict(entries) => {
            let key = index.map_or_else(|| Value::from(key), Value::Int);
            entries.get_value(&key).cloned()
        }
        Value::Object(object) => object.get(&index.map_or_else(|| Value::from(key), Value::Int)),
        Value::List(items) | Value::Tuple(items) => {
            let at = index.and_then(|index| usize::try_from(index).ok()).ok_or_else(|| {
                Diagnostic::new(format!("{} indices must be integers or slices, not str", value.type_name()))
            })?;
            return items
                .get(at)
                .cloned()
                .ok_or_else(|| Diagnostic::new(format!("{} index out of range", value.type_name())));
        }
        Value::Str(text) => {
            let at = index
                .and_then(|index| usize::try_from(index).ok())
                .ok_or_else(|| Diagnostic::new("string indices must be integers, not 'str'"))?;
            return text
                .chars()
                .nth(at)
                .map(|c| Value::str(c.to_string()))
                .ok_or_else(|| Diagnostic::new("string index out of range"));
        }
        other => {
            return Err(Diagnostic::new(format!("'{}' object is not subscriptable", other.type_name())));
        }
    };
    found.ok_or_else(|| Diagnostic::new(format!("'{key}'")))
}

fn attribute(value: &Value, name: &str) -> Result<Value> {
    match value {
        Value::Object(object) => object.get(&Value::from(name)),
        _ => None,
    }
    .ok_or_else(|| Diagnostic::new(format!("'{}' object has no attribute '{name}'", value.type_name())))
}

/// A parsed format specification.
#[derive(Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    plus: Plus,
    alternate: bool,
    zeros: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

/// `format(value, spec)`.
fn format_value(value: &Value, spec: &str) -> Result<String> {
    if spec.is_empty() {
        return Ok(value.to_string());
    }
    let wanted = parse_spec(spec, value)?;
    match value {
        Value::Str(text) => wanted.text(text),
        Value::Int(_) | Value::BigInt(_) | Value::Bool(_) => wanted.integer(value),
        Value::Float(number) => wanted.float(*number),
        other => Err(Diagnostic::new(format!(
            "unsupported format string passed to {}.__format__",
            other.type_name()
        ))),
    }
}

const DIGITS: [char; 10] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

fn parse_spec(spec: &str, value: &Value) -> Result<Spec> {
    let chars: Vec<char> = spec.chars().collect();
    let at = |index: usize| chars.get(index).copied();
    let is_align = |c: Option<char>| c.filter(|c| "<>=^".contains(*c));
    let mut wanted = Spec::default();
    let mut next = 0;
    if let Some(align) = is_align(at(1)) {
        (wanted.fill, wanted.align) = (at(0), Some(align));
        next = 2;
    } else if let Some(align) = is_align(at(0)) {
        wanted.align = Some(align);
        next = 1;
    }
    let mut take = |wanted: &[char]| match at(next) {
        Some(c) if wanted.contains(&c) => {
            next += 1;
            Some(c)
        }
        _ => None,
    };
    wanted.plus = match take(&['+', '-', ' ']) {
        Some('+') => Plus::Sign,
        Some(' ') => Plus::Space,
        _ => Plus::Nothing,
    };
    wanted.alternate = take(&['#']).is_some();
    wanted.zeros = take(&['0']).is_some();
    let mut width = 0_i64;
    while let Some(digit) = take(&DIGITS).and_then(|c| c.to_digit(10)) {
        width = width.saturating_mul(10).saturating_add(i64::from(digit));
    }
    wanted.width = size(width)?;
    wanted.grouping = take(&[',', '_']);
    if take(&['.']).is_some() {
        let mut precision = None;
        while let Some(digit) = take(&DIGITS).and_then(|c| c.to_digit(10)) {
            precision = Some(precision.unwrap_or(0_i64).saturating_mul(10).saturating_add(i64::from(digit)));
        }
        let precision = precision.ok_or_else(|| Diagnostic::new("Format specifier missing precision"))?;
        wanted.precision = Some(size(precision)?);
    }
    wanted.kind = at(next);
    if chars.len() > next + 1 {
        return Err(Diagnostic::new(format!(
            "Invalid format specifier '{spec}' for object of type '{}'",
            value.type_name()
        )));
    }
    Ok(wanted)
}

impl Spec {
    fn text(&self, text: &str) -> Result<String> {
        if let Some(kind) = self.kind.filter(|kind| *kind != 's') {
            return Err(unknown_code(kind, "str"));
        }
        if self.align == Some('=') {
            return Err(Diagnostic::new("'=' alignment not allowed in string format specifier"));
        }
        if self.plus != Plus::Nothing {
            return Err(Diagnostic::new("Sign not allowed in string format specifier"));
        }
        let shown: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        Ok(self.pad("", &shown, '<'))
    }

    fn integer(&self, value: &Value) -> Result<String> {
        let Some(number) = integer(value, false) else {
            return Err(unknown_code(self.kind.unwrap_or('d'), value.type_name()));
        };
        match self.kind {
            Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => {
                self.float(float(value).unwrap_or(f64::INFINITY))
            }
            None | Some('b' | 'd' | 'o' | 'x' | 'X' | 'n') => {
                if self.precision.is_some() {
                    return Err(Diagnostic::new("Precision not allowed in integer format specifier"));
                }
                Ok(self.number(integer_digits(&number, self.kind.unwrap_or('d'), self.alternate)))
            }
            Some('c') => {
                let code = value.as_int().and_then(|code| u32::try_from(code).ok()).and_then(char::from_u32);
                let code = code.ok_or_else(|| Diagnostic::new("%c arg not in range(0x110000)"))?;
                Ok(self.pad("", &code.to_string(), '<'))
            }
            Some(other) => Err(unknown_code(other, "int")),
        }
    }

    fn float(&self, number: f64) -> Result<String> {
        let digits = match (self.kind, self.precision) {
            (None, None) => {
                let text = Value::Float(number.abs()).to_string();
                Digits { negative: number.is_sign_negative() && !number.is_nan(), prefix: "", text }
            }
            (None, Some(precision)) => {
                let mut digits = float_digits(number, 'g', precision, self.alternate);
                if digits.text.bytes().all(|c| c.is_ascii_digit()) {
                    digits.text.push_str(".0");
                }
                digits
            }
            (Some('%'), precision) => {
                let mut digits = float_digits(number * 100.0, 'f', precision.unwrap_or(6), self.alternate);
                digits.text.push('%');
                digits
            }
            (Some('n'), precision) => float_digits(number, 'g', precision.unwrap_or(6), self.alternate),
            (Some(kind @ ('e' | 'E' | 'f' | 'F' | 'g' | 'G')), precision) => {
                float_digits(number, kind, precision.unwrap_or(6), self.alternate)
            }
            (Some(other), _) => return Err(unknown_code(other, "float")),
        };
        Ok(self.number(digits))
    }

    fn number(&self, mut digits: Digits) -> String {
        let lead = digits.lead(self.plus);
        if let Some(separator) = self.grouping {
            let size = if matches!(self.kind, Some('b' | 'o' | 'x' | 'X')) { 4 } else { 3 };
            let zeros = self.zeros && self.align.is_none();
            let width = if zeros { self.width.saturating_sub(lead.len()) } else { 0 };
            digits.group(separator, size, width);
        }
        self.pad(&lead, &digits.text, '>')
    }

    /// Fills up to the width; `=` (which a leading `0` means) fills between the sign and the digits.
    fn pad(&self, lead: &str, text: &str, natural: char) -> String {
        let zeros = self.zeros && self.align.is_none() && natural == '>';
        let align = self.align.unwrap_or(if zeros { '=' } else { natural });
        let fill = self.fill.unwrap_or(if self.zeros { '0' } else { ' ' });
        let missing = self.width.saturating_sub(lead.chars().count() + text.chars().count());
        let filling = |count: usize| std::iter::repeat_n(fill, count).collect::<String>();
        match align {
            '<' => format!("{lead}{text}{}", filling(missing)),
            '^' => format!("{}{lead}{text}{}", filling(missing / 2), filling(missing - missing / 2)),
            '=' => format!("{lead}{}{text}", filling(missing)),
            _ => format!("{}{lead}{text}", filling(missing)),
        }
    }
}

fn unknown_code(kind: char, of: &str) -> Diagnostic {
    Diagnostic::new(format!("Unknown format code '{kind}' for object of type '{of}'"))
}
