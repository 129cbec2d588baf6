//! Numbers as text: the parts that `%` formatting and `str.format` share.

use num_bigint::{BigInt, Sign};
use num_traits::{FromPrimitive, ToPrimitive};

use crate::value::Value;

/// How a positive number shows its sign.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Plus {
    #[default]
    Nothing,
    Sign,
    Space,
}

/// A number apart from its sign, so that zeros can be put between them.
pub(super) struct Digits {
    pub negative: bool,
    /// `0x` and its like.
    pub prefix: &'static str,
    pub text: String,
}

impl Digits {
    /// The sign and the prefix.
    pub(super) fn lead(&self, plus: Plus) -> String {
        let sign = match (self.negative, plus) {
            (true, _) => "-",
            (false, Plus::Sign) => "+",
            (false, Plus::Space) => " ",
            (false, Plus::Nothing) => "",
        };
        format!("{sign}{}", self.prefix)
    }

    /// Puts a separator between groups of digits of the whole part, and zeros in front (which are separated
    /// too) until the text is `width` characters long.
    pub(super) fn group(&mut self, separator: char, size: usize, width: usize) {
        let split = self.text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(self.text.len());
        let (whole, rest) = self.text.split_at(split);
        let mut grouped: Vec<char> = Vec::new();
        let mut digits = whole.chars().rev();
        let mut count = 0;
        loop {
            let digit = match digits.next() {
                Some(digit) => digit,
                None if grouped.len() + rest.len() < width => '0',
                None => break,
            };
            if count > 0 && count % size == 0 {
                grouped.push(separator);
            }
            grouped.push(digit);
            count += 1;
        }
        self.text = grouped.into_iter().rev().chain(rest.chars()).collect();
    }
}

/// The integer a value holds; floats are cut off when `truncate`.
pub(super) fn integer(value: &Value, truncate: bool) -> Option<BigInt> {
    match value {
        Value::Bool(flag) => Some(BigInt::from(i64::from(*flag))),
        Value::Int(number) => Some(BigInt::from(*number)),
        Value::BigInt(number) => Some((**number).clone()),
        Value::Float(number) if truncate => BigInt::from_f64(number.trunc()),
        _ => None,
    }
}

pub(super) fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        other => integer(other, false)?.to_f64(),
    }
}

/// An integer in a base, with its prefix when `alternate`.
pub(super) fn integer_digits(number: &BigInt, kind: char, alternate: bool) -> Digits {
    let (radix, prefix) = match kind {
        'b' => (2, "0b"),
        'o' => (8, "0o"),
        'x' => (16, "0x"),
        'X' => (16, "0X"),
        _ => (10, ""),
    };
    let text = number.magnitude().to_str_radix(radix);
    let text = if kind == 'X' { text.to_uppercase() } else { text };
    Digits { negative: number.sign() == Sign::Minus, prefix: if alternate { prefix } else { "" }, text }
}

/// A float as `e`, `f` or `g` (or their capitals) show it.
pub(super) fn float_digits(number: f64, kind: char, precision: usize, alternate: bool) -> Digits {
    let magnitude = number.abs();
    let text = if number.is_nan() {
        "nan".to_owned()
    } else if number.is_infinite() {
        "inf".to_owned()
    } else {
        match kind.to_ascii_lowercase() {
            'e' => exponential(magnitude, precision, alternate),
            'g' => general(magnitude, precision.max(1), alternate),
            _ => with_point(format!("{magnitude:.precision$}"), alternate),
        }
    };
    let text = if kind.is_ascii_uppercase() { text.to_uppercase() } else { text };
    Digits { negative: number.is_sign_negative() && !number.is_nan(), prefix: "", text }
}

fn with_point(text: String, alternate: bool) -> String {
    if alternate && !text.contains('.') { text + "." } else { text }
}

fn exponential(number: f64, precision: usize, alternate: bool) -> String {
    let text = format!("{number:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = with_point(mantissa.to_owned(), alternate);
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn general(number: f64, precision: usize, alternate: bool) -> String {
    let text = format!("{number:.*e}", precision - 1);
    let exponent: i64 = text.rsplit('e').next().and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let places = i64::try_from(precision).unwrap_or(i64::MAX);
    let shown = if (-4..places).contains(&exponent) {
        let decimals = usize::try_from(places - 1 - exponent).unwrap_or(0);
        with_point(format!("{number:.decimals$}"), alternate)
    } else {
        exponential(number, precision - 1, alternate)
    };
    if alternate {
        return shown;
    }
    let (mantissa, exponent) = shown.split_at(shown.find('e').unwrap_or(shown.len()));
    let mantissa =
        if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    format!("{mantissa}{exponent}")
}

/// `ascii(value)`: `repr` with everything beyond ASCII escaped.
pub(super) fn ascii(value: &Value) -> String {
    let escape = |c: char| match c as u32 {
        0..0x80 => c.to_string(),
        code @ 0x80..0x100 => format!("\\x{code:02x}"),
        code @ 0x100..0x10000 => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    };
    value.repr().chars().map(escape).collect()
}
