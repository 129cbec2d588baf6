//! The times of certificates, in seconds since 1970.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::der::{self, Element};
use crate::kit::{Failure, Result};

/// What four digits of a year can tell, as far as times are reckoned: 0001-01-01 to 9999-12-30.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_207_200;

const UNITS: [(char, i64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

pub fn read(element: &Element<'_>) -> Option<i64> {
    let text = element.text()?;
    let text = text.strip_suffix('Z')?;
    match element.tag {
        der::UTC_TIME => {
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
            absolute(&format!("{century}{text}"))
        }
        der::GENERALIZED_TIME => absolute(text),
        _ => None,
    }
}

/// Of a time before 2050 the short form, as the standard has it.
pub fn der(seconds: i64) -> Vec<u8> {
    let text = asn1(seconds);
    match text.strip_prefix("20").filter(|short| *short < "50") {
        Some(short) => der::element(der::UTC_TIME, short.as_bytes()),
        None => der::element(der::GENERALIZED_TIME, text.as_bytes()),
    }
}

/// `20240131235959Z`.
pub fn asn1(seconds: i64) -> String {
    let time = jiff::Timestamp::new(seconds, 0).map(|at| at.to_zoned(TimeZone::UTC));
    time.map(|at| at.strftime("%Y%m%d%H%M%SZ").to_string()).unwrap_or_default()
}

/// From `+32w1d2h`, counted from `now`, or `20240131235959Z`.
pub fn parse(text: &str, now: i64, option: &str) -> Result<i64> {
    let wrong = || {
        Failure::new(format!(
            "The time spec \"{text}\" for {option} is invalid: it is neither as +32w1d2h nor as 20240131235959Z"
        ))
    };
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return absolute(text.strip_suffix('Z').unwrap_or(text)).ok_or_else(wrong),
    };
    let (mut seconds, mut digits) = (0i64, String::new());
    for c in rest.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let (_, unit) = UNITS.iter().find(|(letter, _)| letter.eq_ignore_ascii_case(&c)).ok_or_else(wrong)?;
        let count: i64 = digits.parse().map_err(|_| wrong())?;
        seconds = count.checked_mul(*unit).and_then(|more| seconds.checked_add(more)).ok_or_else(wrong)?;
        digits.clear();
    }
    if !digits.is_empty() {
        return Err(wrong());
    }
    let far = || {
        Failure::new(format!(
            "The time spec \"{text}\" for {option} is out of range: no certificate tells of a year beyond 9999"
        ))
    };
    now.checked_add(sign * seconds).filter(|at| (FIRST..=LAST).contains(at)).ok_or_else(far)
}

/// From `20240131235959`, or without seconds.
fn absolute(text: &str) -> Option<i64> {
    let full = if text.len() == 12 { format!("{text}00") } else { text.to_owned() };
    let at = DateTime::strptime("%Y%m%d%H%M%S", full).ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_relative_or_not() {
        assert_eq!(parse("+1w2d3h4m5s", 0, "x").unwrap(), 788_645);
        assert_eq!(parse("-1d", 86_400, "x").unwrap(), 0);
        assert_eq!(parse("+0s", 7, "x").unwrap(), 7);
        assert_eq!(parse("20240131235959Z", 0, "x").unwrap(), 1_706_745_599);
        assert_eq!(asn1(1_706_745_599), "20240131235959Z");
        for wrong in ["+1x", "+5", "today", "2024"] {
            assert!(parse(wrong, 0, "x").unwrap_err().msg.contains(wrong), "{wrong}");
        }
    }

    #[test]
    fn no_time_is_beyond_its_digits() {
        for far in ["+9999999w", "-9999999w", "+9223372036854775807s"] {
            assert!(parse(far, 86_400, "x").unwrap_err().msg.contains("out of range"), "{far}");
        }
        assert_eq!((asn1(LAST).as_str(), asn1(FIRST).as_str()), ("99991230220000Z", "00010101000000Z"));
    }

    #[test]
    fn what_is_written_is_read() {
        for (seconds, tag) in [(1_706_745_599, der::UTC_TIME), (2_556_143_999, der::GENERALIZED_TIME)] {
            let bytes = der(seconds);
            let element = Element::of(&bytes).unwrap();
            assert_eq!((element.tag, read(&element)), (tag, Some(seconds)));
        }
    }
}
