//! From one type to another: `bool`, `int`, `float`, `string`, `type_debug`.

use num_bigint::BigInt;
use num_traits::{FromPrimitive, Num};

use crate::diagnostic::Result;
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("bool", &[], to_bool),
    FilterEntry::new("float", &["default"], to_float),
    FilterEntry::new("int", &["default", "base"], to_int),
    FilterEntry::new("string", &[], to_string),
    FilterEntry::new("type_debug", &[], type_debug).takes_undefined().lazy(),
];

/// True are `True`, 1 and the words `yes`, `on`, `true`, `1`; everything else is false.
fn to_bool(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(Value::Bool(match subject {
        Value::Str(text) => ["yes", "on", "1", "true"].iter().any(|word| text.to_lowercase() == *word),
        other => *other == Value::Bool(true),
    }))
}

fn to_int(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let base = args.int("base")?.unwrap_or(10);
    let number = match subject {
        Value::Bool(_) | Value::Int(_) => subject.as_int().map(BigInt::from),
        Value::BigInt(number) => Some((**number).clone()),
        Value::Float(number) => truncate(*number),
        Value::Str(text) => parse_int(text, base).or_else(|| parse_float(text).and_then(truncate)),
        _ => None,
    };
    Ok(number.map_or_else(|| args.get("default").cloned().unwrap_or(Value::Int(0)), Value::from))
}

fn truncate(number: f64) -> Option<BigInt> {
    number.is_finite().then(|| BigInt::from_f64(number.trunc())).flatten()
}

fn to_float(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let number = match subject {
        Value::Bool(_) | Value::Int(_) | Value::BigInt(_) => parse_float(&int_text(subject)),
        Value::Float(number) => Some(*number),
        Value::Str(text) => parse_float(text),
        _ => None,
    };
    Ok(number.map_or_else(|| args.get("default").cloned().unwrap_or(Value::Float(0.0)), Value::Float))
}

fn int_text(value: &Value) -> String {
    match value {
        Value::Bool(flag) => u8::from(*flag).to_string(),
        other => other.to_string(),
    }
}

fn to_string(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(match subject {
        Value::Str(_) => subject.clone(),
        other => Value::from(other.to_string()),
    })
}

fn type_debug(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(match subject {
        Value::Undefined(_) => "UndefinedMarker",
        other => other.type_name(),
    }
    .into())
}

/// `int(text, base)`: blanks around it, a sign, a prefix that fits the base, single underscores within.
fn parse_int(text: &str, base: i64) -> Option<BigInt> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let lower = digits.to_lowercase();
    let prefixed = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find(|(prefix, radix)| lower.starts_with(prefix) && (base == 0 || base == *radix));
    let (digits, radix) = match prefixed {
        Some((prefix, radix)) => (lower.get(prefix.len()..)?, radix),
        // `int('010', 0)` is an error in Python.
        None if base == 0 && lower.len() > 1 && lower.starts_with('0') => return None,
        None if base == 0 => (lower.as_str(), 10),
        None => (lower.as_str(), base),
    };
    let radix = u32::try_from(radix).ok().filter(|radix| (2..=36).contains(radix))?;
    let digits = plain_digits(digits.strip_prefix('_').filter(|_| prefixed.is_some()).unwrap_or(digits))?;
    let number = BigInt::from_str_radix(&digits, radix).ok()?;
    Some(if negative { -number } else { number })
}

/// `float(text)`.
fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    // Rust reads the same words for what is no number, and no underscores.
    if unsigned.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return text.to_lowercase().parse().ok();
    }
    plain_digits(text)?.parse().ok()
}

/// The text without its underscores, each of which stands between two digits.
fn plain_digits(text: &str) -> Option<String> {
    let misplaced = text.is_empty()
        || text.starts_with(['_', '-', '+'])
            && text.chars().nth(1).is_none_or(|c| matches!(c, '_' | '-' | '+'))
        || text.starts_with('_')
        || text.ends_with('_')
        || text.contains("__");
    let misplaced = misplaced || text.contains("_.") || text.contains("._");
    // Digits of other scripts count as well.
    let ascii = |c: char| decimal_digit(c).and_then(|digit| char::from_digit(digit, 10)).unwrap_or(c);
    (!misplaced).then(|| text.chars().filter(|c| *c != '_').map(ascii).collect())
}

/// The value of a decimal digit of the scripts in common use.
fn decimal_digit(c: char) -> Option<u32> {
    const ZEROS: [u32; 13] =
        [0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xe50, 0x0ed0, 0xff10];
    ZEROS.into_iter().find_map(|zero| (c as u32).checked_sub(zero).filter(|digit| *digit < 10))
}
