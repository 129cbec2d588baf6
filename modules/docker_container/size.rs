//! Sizes and spans of time, as they are written.

use serde_json::Value as Json;

use crate::kit::args::Kind;
use crate::kit::{Failure, Result};

/// `512M` in bytes.
pub fn bytes(option: &str, text: &str) -> Result<Json> {
    Kind::Bytes
        .convert(&text.into())
        .map_err(|why| Failure::new(format!("Failed to convert {option} to bytes: {why}")))
}

/// `1m30s` in nanoseconds.
pub fn nanoseconds(text: &str) -> Result<i64> {
    let invalid = || Failure::new(format!("Invalid time duration - \"{text}\""));
    let units: [(&str, i64); 5] = [
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
    ];
    let (mut rest, mut total, mut next) = (text.trim(), 0i64, 0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?;
        let (number, after) = rest.split_at_checked(digits).ok_or_else(invalid)?;
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters).ok_or_else(invalid)?;
        let at = units.iter().position(|(name, _)| *name == unit).ok_or_else(invalid)?;
        let (_, each) = units.get(at).filter(|_| at >= next).ok_or_else(invalid)?;
        let number: i64 = number.parse().map_err(|_| invalid())?;
        total = number.checked_mul(*each).and_then(|part| total.checked_add(part)).ok_or_else(invalid)?;
        (rest, next) = (after, at + 1);
    }
    if text.trim().is_empty() { Err(invalid()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_by_units() {
        for (text, expected) in [
            ("1m30s", 90_000_000_000),
            ("5h34m56s", 20_096_000_000_000),
            ("10ms", 10_000_000),
            ("1s500us", 1_000_500_000),
        ] {
            assert_eq!(nanoseconds(text).unwrap(), expected, "{text}");
        }
        for bad in ["", "30", "s", "1s1m", "1x", "1.5s", "-1s"] {
            assert!(nanoseconds(bad).is_err(), "{bad}");
        }
    }
}
