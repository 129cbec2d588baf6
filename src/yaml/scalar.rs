//! What a plain scalar means: YAML 1.1 as PyYAML resolves it.

use num_bigint::BigInt;
use num_traits::Num;

use crate::value::Value;

/// The value of an untagged plain scalar; `None` when it is just text.
///
/// `yes` is a boolean, `0644` is octal, `1:30` is 90, `1_000` is a number and `1e3` is not. Dates stay
/// text, in the form in which Ansible prints them.
pub(super) fn resolve(text: &str) -> Option<Value> {
    // Most scalars are words; only these can begin something else (PyYAML looks at the same letters).
    match text.as_bytes().first() {
        None => Some(Value::None),
        Some(b'~' | b'n' | b'N' | b'y' | b'Y' | b't' | b'T' | b'f' | b'F' | b'o' | b'O') => word(text),
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => float(text).map(Value::Float).or_else(|| int(text)),
        Some(_) => None,
    }
}

/// Whether plain text reads back as a string: no number, date, `=` or `<<`.
pub(super) fn is_plain_string(text: &str) -> bool {
    resolve(text).is_none() && !is_timestamp(text) && !matches!(text, "=" | "<<")
}

/// `2020-01-01`, or with a time of day after `T` or spaces, in the forms that YAML 1.1 gives.
fn is_timestamp(text: &str) -> bool {
    let digits = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    let date_end = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
    let (date, time) = text.split_at(date_end);
    let Ok([year, month, day]) = <[&str; 3]>::try_from(date.split('-').collect::<Vec<_>>()) else {
        return false;
    };
    if time.is_empty() {
        return digits(year, 4..=4) && digits(month, 2..=2) && digits(day, 2..=2);
    }
    if !(digits(year, 4..=4) && digits(month, 1..=2) && digits(day, 1..=2)) {
        return false;
    }
    let spaced = time.trim_start_matches([' ', '\t']);
    let time = if spaced.len() < time.len() { Some(spaced) } else { time.strip_prefix(['T', 't']) };
    let Some((hours, rest)) = time.and_then(|time| time.split_once(':')) else { return false };
    let Some((minutes, rest)) = rest.split_once(':') else { return false };
    let seconds_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (seconds, rest) = rest.split_at(seconds_end);
    let fraction = rest.strip_prefix('.').unwrap_or(rest);
    let zone =
        if rest.starts_with('.') { fraction.trim_start_matches(|c: char| c.is_ascii_digit()) } else { rest };
    let zone = zone.trim_start_matches([' ', '\t']);
    let is_zone = zone.is_empty()
        || zone == "Z"
        || zone.strip_prefix(['+', '-']).is_some_and(|offset| match offset.split_once(':') {
            Some((hours, minutes)) => digits(hours, 1..=2) && digits(minutes, 2..=2),
            None => digits(offset, 1..=2),
        });
    digits(hours, 1..=2) && digits(minutes, 2..=2) && digits(seconds, 2..=2) && is_zone
}

fn word(text: &str) -> Option<Value> {
    match text {
        "~" | "null" | "Null" | "NULL" => Some(Value::None),
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(Value::Bool(true)),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(Value::Bool(false)),
        _ => None,
    }
}

/// An integer in any of YAML 1.1's notations: decimal, `0b`, `0` (octal), `0x`, base 60.
pub(super) fn int(text: &str) -> Option<Value> {
    let (negative, digits) = sign(text);
    let number = if let Some(binary) = digits.strip_prefix("0b") {
        radix(binary, 2)
    } else if let Some(hex) = digits.strip_prefix("0x") {
        radix(hex, 16)
    } else if digits.contains(':') {
        if digits.starts_with('0') || !is_sexagesimal(digits) {
            return None;
        }
        digits.split(':').try_fold(BigInt::from(0), |sum, part| Some(sum * 60 + radix(part, 10)?))
    } else if let Some(octal) = digits.strip_prefix('0') {
        if octal.is_empty() { Some(BigInt::from(0)) } else { radix_or_zero(octal) }
    } else {
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        radix(digits, 10)
    }?;
    Some(Value::from(if negative { -number } else { number }))
}

/// A float: `1.5`, `.5`, `1.`, `1.0e+3` (the sign of the exponent is required), `1:30.5`, `.inf`, `.nan`.
pub(super) fn float(text: &str) -> Option<f64> {
    let (negative, digits) = sign(text);
    let number = match digits {
        ".inf" | ".Inf" | ".INF" => f64::INFINITY,
        ".nan" | ".NaN" | ".NAN" if digits.len() == text.len() => f64::NAN,
        _ => {
            let (mantissa, exponent) = match digits.find(['e', 'E']) {
                Some(at) => (digits.get(..at)?, Some(digits.get(at + 1..)?)),
                None => (digits, None),
            };
            if let Some(exponent) = exponent {
                let power = exponent.strip_prefix(['-', '+'])?;
                if power.is_empty() || !power.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
            }
            let (whole, fraction) = mantissa.split_once('.')?;
            if !is_digits(fraction) {
                return None;
            }
            if whole.contains(':') {
                if exponent.is_some() || !is_sexagesimal(whole) {
                    return None;
                }
                sexagesimal_float(whole, fraction)?
            } else {
                let leading = if whole.is_empty() { fraction } else { whole };
                let signed = digits.len() != text.len();
                let starts_well = leading.starts_with(|c: char| c.is_ascii_digit());
                if !starts_well || !is_digits(whole) || (whole.is_empty() && signed) {
                    return None;
                }
                digits.replace('_', "").parse().ok()?
            }
        }
    };
    Some(if negative { -number } else { number })
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Digits of a base with underscores anywhere, at least one of them a digit.
fn radix(digits: &str, base: u32) -> Option<BigInt> {
    let bare = digits.replace('_', "");
    // `from_str_radix` would take a second sign.
    if bare.is_empty() || !bare.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    BigInt::from_str_radix(&bare, base).ok()
}

/// What follows the `0` of an octal number: `0_` is a zero too.
fn radix_or_zero(digits: &str) -> Option<BigInt> {
    if digits.bytes().all(|b| b == b'_') { Some(BigInt::from(0)) } else { radix(digits, 8) }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

/// `[0-9][0-9_]*(:[0-5]?[0-9])+`
fn is_sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    first.starts_with(|c: char| c.is_ascii_digit())
        && is_digits(first)
        && text.contains(':')
        && parts.all(|part| match part.as_bytes() {
            [units] | [b'0'..=b'5', units] => units.is_ascii_digit(),
            _ => false,
        })
}

fn sexagesimal_float(whole: &str, fraction: &str) -> Option<f64> {
    let text = format!("{whole}.{fraction}").replace('_', "");
    let mut base = 1.0;
    let mut sum = 0.0;
    // From the right and in this order, so that the last bit agrees with Python's sum.
    for part in text.rsplit(':') {
        sum += part.parse::<f64>().ok()? * base;
        base *= 60.0;
    }
    Some(sum)
}
