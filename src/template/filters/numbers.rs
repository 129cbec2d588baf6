//! Numbers: rounding, powers, sizes for people.

use num_bigint::BigInt;
use num_traits::{FromPrimitive, Signed, ToPrimitive};

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("abs", &[], abs),
    FilterEntry::new("filesizeformat", &["binary"], filesizeformat),
    FilterEntry::new("human_readable", &["isbits", "unit"], human_readable),
    FilterEntry::new("human_to_bytes", &["default_unit", "isbits"], human_to_bytes),
    FilterEntry::new("log", &["base"], log),
    FilterEntry::new("pow", &["y"], pow),
    FilterEntry::new("root", &["base"], root),
    FilterEntry::new("round", &["precision", "method"], round),
];

fn abs(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    match subject {
        Value::Float(number) => Ok(Value::Float(number.abs())),
        Value::BigInt(number) => Ok(number.abs().into()),
        other => match other.as_int() {
            Some(number) => Ok(i128::from(number).abs().into()),
            None => Err(Diagnostic::new(format!("bad operand type for abs(): '{}'", other.type_name()))),
        },
    }
}

fn round(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let precision = args.int("precision")?.unwrap_or(0).clamp(-400, 400);
    let method = args.string("method").unwrap_or("common".into());
    let down = match &*method {
        "common" => return round_half_even(subject, precision),
        "ceil" => false,
        "floor" => true,
        _ => return Err(Diagnostic::new("method must be common, ceil or floor")),
    };
    let scale = 10_f64.powi(i32::try_from(precision).unwrap_or(0));
    let scaled = number(subject, "round")? * scale;
    Ok(Value::Float(if down { scaled.floor() } else { scaled.ceil() } / scale))
}

/// Python's `round`: integers stay integers, halves go to the even neighbour of what the float really is.
fn round_half_even(subject: &Value, precision: i64) -> Result<Value> {
    let negative = usize::try_from(-precision).unwrap_or(0);
    match subject {
        Value::Float(number) if !number.is_finite() => Ok(subject.clone()),
        Value::Float(number) if negative == 0 => {
            let precision = usize::try_from(precision).unwrap_or(0);
            let text = format!("{number:.precision$}");
            Ok(Value::Float(text.parse().unwrap_or(*number)))
        }
        Value::Float(number) => {
            // Doubled, so that any fraction still breaks a tie.
            let whole = BigInt::from_f64(number.trunc()).unwrap_or_default();
            let fraction = i32::from(number.fract() > 0.0) - i32::from(number.fract() < 0.0);
            let rounded: BigInt = round_to(&(whole * 2 + fraction), &(power_of_ten(negative) * 2)) / 2;
            Ok(Value::Float(rounded.to_f64().unwrap_or(*number)))
        }
        Value::Int(_) | Value::Bool(_) | Value::BigInt(_) => {
            let whole = match subject {
                Value::BigInt(number) => (**number).clone(),
                other => BigInt::from(other.as_int().unwrap_or(0)),
            };
            Ok(round_to(&whole, &power_of_ten(negative)).into())
        }
        other => Err(Diagnostic::new(format!("type {} doesn't define __round__ method", other.type_name()))),
    }
}

/// To a multiple of the unit, ties to the even one.
fn round_to(number: &BigInt, unit: &BigInt) -> BigInt {
    let magnitude = number.abs();
    let (quotient, rest) = (&magnitude / unit, (&magnitude % unit) * 2);
    let odd = quotient.bit(0);
    let up = rest > *unit || (rest == *unit && odd);
    (quotient + i32::from(up)) * unit * number.signum()
}

fn power_of_ten(places: usize) -> BigInt {
    BigInt::from(10).pow(u32::try_from(places).unwrap_or(u32::MAX).min(500))
}

/// The subject as a float, for the functions of `math`.
fn number(value: &Value, function: &str) -> Result<f64> {
    match value {
        Value::Float(number) => Some(*number),
        Value::BigInt(number) => number.to_f64(),
        #[expect(clippy::cast_precision_loss, reason = "as Python does")]
        other => other.as_int().map(|number| number as f64),
    }
    .ok_or_else(|| {
        Diagnostic::new(format!(
            "{function}() can only be used on numbers: must be real number, not {}",
            value.type_name()
        ))
    })
}

/// What a function of `math` gave, which must be a number when its arguments were.
fn result(number: f64, domain_error: &str) -> Result<Value> {
    if number.is_nan() || number.is_infinite() {
        return Err(Diagnostic::new(domain_error));
    }
    Ok(Value::Float(number))
}

fn log(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let x = number(subject, "log")?;
    let given = match args.some("base") {
        None => x.ln(),
        Some(base) => match number(base, "log")? {
            10.0 => x.log10(),
            base => x.ln() / base.ln(),
        },
    };
    result(given, "math domain error")
}

fn pow(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let (x, y) = (number(subject, "pow")?, number(args.required("y")?, "pow")?);
    let overflow = x != 0.0 && x.is_finite() && y.is_finite() && x.powf(y).is_infinite();
    if overflow {
        return Err(Diagnostic::new("math range error"));
    }
    result(x.powf(y), "math domain error")
}

fn root(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let x = number(subject, "root")?;
    let base = match args.some("base") {
        Some(base) => number(base, "root")?,
        None => 2.0,
    };
    #[expect(clippy::float_cmp, reason = "the square root is exact where a power is not")]
    let given = if base == 2.0 { x.sqrt() } else { x.powf(1.0 / base) };
    result(given, "root() can only be used on numbers: math domain error")
}

/// Decimal or binary units, as Jinja writes sizes.
fn filesizeformat(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let bytes = match subject {
        Value::Str(text) => text
            .trim()
            .parse()
            .map_err(|_| Diagnostic::new(format!("could not convert string to float: {}", subject.repr())))?,
        other => number(other, "float")?,
    };
    let binary = args.flag("binary", false);
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    let units = if binary {
        ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
    } else {
        ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
    };
    #[expect(clippy::float_cmp, reason = "exactly one byte")]
    if bytes == 1.0 {
        return Ok("1 Byte".into());
    }
    if bytes < base {
        return Ok(format!("{} Bytes", bytes.trunc()).into());
    }
    let mut size = bytes / base;
    let mut chosen = "";
    for (index, unit) in units.iter().enumerate() {
        chosen = unit;
        if size < base || index + 1 == units.len() {
            break;
        }
        size /= base;
    }
    Ok(format!("{size:.1} {chosen}").into())
}

const UNITS: [(char, i32, &str); 9] = [
    ('Y', 80, "yotta"),
    ('Z', 70, "zetta"),
    ('E', 60, "exa"),
    ('P', 50, "peta"),
    ('T', 40, "tera"),
    ('G', 30, "giga"),
    ('M', 20, "mega"),
    ('K', 10, "kilo"),
    ('B', 0, ""),
];

fn human_readable(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let size = match subject {
        Value::Int(_) | Value::Bool(_) | Value::BigInt(_) | Value::Float(_) => number(subject, "")?,
        other => {
            return Err(Diagnostic::new(format!(
                "human_readable() failed on bad input: '>=' not supported between instances of '{}' and 'int'",
                other.type_name()
            )));
        }
    };
    let base = if args.flag("isbits", false) { "bits" } else { "Bytes" };
    let wanted = args.string("unit");
    let wanted = wanted.as_deref().filter(|unit| !unit.is_empty());
    let fits = |(letter, power, _): &&(char, i32, &str)| match wanted {
        Some(unit) => unit.to_uppercase().starts_with(*letter),
        None => size >= 2_f64.powi(*power),
    };
    Ok(match UNITS.iter().find(fits) {
        Some((letter, power, _)) if *power > 0 => {
            let suffix = if base == "bits" { 'b' } else { 'B' };
            format!("{:.2} {letter}{suffix}", size / 2_f64.powi(*power))
        }
        _ => format!("{size:.2} {base}"),
    }
    .into())
}

fn human_to_bytes(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let text = subject.to_string();
    let default_unit = args.string("default_unit").unwrap_or_default();
    let bytes = parse_size(&text, &default_unit, args.flag("isbits", false))
        .map_err(|error| error.context("human_to_bytes() can't interpret the input"))?;
    Ok(bytes)
}

/// `1.5K`, `10 MB`, `1 megabyte`: a number and a binary unit.
fn parse_size(text: &str, default_unit: &str, bits: bool) -> Result<Value> {
    let trimmed = text.trim_start();
    let digits = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
    let rest = trimmed.get(digits..).unwrap_or_default();
    let fraction = rest
        .strip_prefix('.')
        .map(|after| after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len()))
        .filter(|length| *length > 0 || digits > 0)
        .map_or(0, |length| length + 1);
    let (number, unit) = trimmed.split_at(digits + fraction);
    let unit = unit.trim();
    let bad = || Diagnostic::new(format!("human_to_bytes() can't interpret following string: {text}"));
    let number: f64 = number.parse().map_err(|_| bad())?;
    if !unit.chars().all(|c| c.is_ascii_alphabetic()) {
        return Err(bad());
    }
    let unit = if unit.is_empty() { default_unit } else { unit };
    let Some(letter) = unit.chars().next() else {
        return Ok(whole(number));
    };
    let Some((letter, power, long)) = UNITS.iter().find(|(known, ..)| letter.to_ascii_uppercase() == *known)
    else {
        return Err(Diagnostic::new(format!(
            "human_to_bytes() failed to convert {text} (unit = {unit}). The suffix must be one of \
             Y, Z, E, P, T, G, M, K, B"
        )));
    };
    let (short, word) = if bits { ('b', "bit") } else { ('B', "byte") };
    let lower = unit.to_lowercase();
    let known = unit.len() == 1
        || lower == format!("{long}{word}")
        || lower == format!("{long}{word}s")
        || (*power > 0 && unit.starts_with(*letter) && unit.get(1..) == Some(&short.to_string()));
    if !known {
        let expected = if *power == 0 { word.to_owned() } else { format!("{letter}{short} or {letter}") };
        return Err(Diagnostic::new(format!(
            "human_to_bytes() failed to convert {text}. Value is not a valid string (expect {expected})"
        )));
    }
    Ok(whole(number * 2_f64.powi(*power)))
}

/// The nearest integer.
fn whole(number: f64) -> Value {
    BigInt::from_f64(number.round_ties_even()).map_or(Value::Float(number), Value::from)
}
