//! Literals as Python reads them.

use num_bigint::BigInt;

use crate::diagnostic::{Diagnostic, Result};
use crate::value::Value;

/// Decodes the escapes of the text between the quotes of a string.
pub(super) fn unescape(text: &str) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('\n') => {}
            Some(quoted @ ('\\' | '\'' | '"')) => out.push(quoted),
            Some('a') => out.push('\x07'),
            Some('b') => out.push('\x08'),
            Some('f') => out.push('\x0c'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('v') => out.push('\x0b'),
            Some('x') => out.push(hex(&mut rest, 2, "\\xXX")?),
            Some('u') => out.push(hex(&mut rest, 4, "\\uXXXX")?),
            Some('U') => out.push(hex(&mut rest, 8, "\\UXXXXXXXX")?),
            Some('N') => out.push(named(&mut rest)?),
            Some(first @ '0'..='7') => {
                let mut code = first.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = rest.clone().next().and_then(|c| c.to_digit(8)) else { break };
                    code = code * 8 + digit;
                    rest.next();
                }
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
            None => out.push('\\'),
        }
    }
    Ok(out)
}

fn hex(rest: &mut std::str::Chars<'_>, length: usize, form: &str) -> Result<char> {
    let digits: String = rest.take(length).collect();
    Some(digits.as_str())
        .filter(|digits| digits.len() == length && digits.chars().all(|c| c.is_ascii_hexdigit()))
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .and_then(char::from_u32)
        .ok_or_else(|| Diagnostic::new(format!("truncated or invalid {form} escape")))
}

/// The few characters people name; the whole table would be larger than the rest of this program.
fn named(rest: &mut std::str::Chars<'_>) -> Result<char> {
    let text = rest.as_str();
    let name = text.strip_prefix('{').and_then(|text| Some(text.split_once('}')?.0)).unwrap_or_default();
    let known = match name.to_ascii_uppercase().as_str() {
        "SNOWMAN" => '\u{2603}',
        "NO-BREAK SPACE" => '\u{a0}',
        "BULLET" => '\u{2022}',
        "EM DASH" => '\u{2014}',
        "EN DASH" => '\u{2013}',
        "HORIZONTAL ELLIPSIS" => '\u{2026}',
        "ZERO WIDTH SPACE" => '\u{200b}',
        "CHECK MARK" => '\u{2713}',
        "COPYRIGHT SIGN" => '\u{a9}',
        "DEGREE SIGN" => '\u{b0}',
        "EURO SIGN" => '\u{20ac}',
        _ => {
            return Err(Diagnostic::new(format!("unknown Unicode character name '{name}'"))
                .hint("Write the character itself, or \\uXXXX."));
        }
    };
    rest.nth(name.chars().count() + 1);
    Ok(known)
}

/// A number as it stands in an expression; underscores are allowed between digits.
pub(super) fn number(text: &str) -> Option<Value> {
    let digits = text.replace('_', "");
    let radix = match digits.get(..2) {
        Some("0b" | "0B") => 2,
        Some("0o" | "0O") => 8,
        Some("0x" | "0X") => 16,
        _ if digits.contains(['.', 'e', 'E']) => return digits.parse().ok().map(Value::Float),
        _ => return digits.parse::<BigInt>().ok().map(Value::from),
    };
    BigInt::parse_bytes(digits.get(2..)?.as_bytes(), radix).map(Value::from)
}

/// How long the number at the start of the text is for Jinja; `0` when there is none. After a dot only a
/// plain integer counts.
pub(super) fn number_length(text: &[u8], after_dot: bool) -> usize {
    let at = |i: usize| text.get(i).copied().unwrap_or(0);
    let run = |from: usize, digit: fn(&u8) -> bool| {
        let mut end = from;
        while digit(&at(end)) || (at(end) == b'_' && end > from && digit(&at(end + 1))) {
            end += 1;
        }
        end
    };
    let radix: Option<fn(&u8) -> bool> = match (at(0), at(1)) {
        (b'0', b'b' | b'B') => Some(|c| matches!(c, b'0' | b'1')),
        (b'0', b'o' | b'O') => Some(|c| matches!(c, b'0'..=b'7')),
        (b'0', b'x' | b'X') => Some(u8::is_ascii_hexdigit),
        _ => None,
    };
    if let Some(digit) = radix {
        let start = if at(2) == b'_' { 3 } else { 2 };
        let end = run(start, digit);
        return if end > start { end } else { 1 };
    }
    let whole = run(0, u8::is_ascii_digit);
    if whole == 0 {
        return 0;
    }
    if !after_dot {
        let fraction = if at(whole) == b'.' { run(whole + 1, u8::is_ascii_digit) } else { whole };
        let mantissa = if fraction > whole + 1 { fraction } else { whole };
        if matches!(at(mantissa), b'e' | b'E') {
            let sign = usize::from(matches!(at(mantissa + 1), b'+' | b'-'));
            let end = run(mantissa + 1 + sign, u8::is_ascii_digit);
            if end > mantissa + 1 + sign {
                return end;
            }
        }
        if mantissa > whole {
            return mantissa;
        }
    }
    if at(0) == b'0' { run(0, |c| *c == b'0') } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_pythons() {
        let check = |text: &str, expect: &str| assert_eq!(unescape(text).unwrap(), expect);
        check(r"a\tb\n", "a\tb\n");
        check(r"\d+\.", r"\d+\.");
        check(r"\x41\u00e9\U0001F600", "Aé😀");
        check(r"\0\101", "\0A");
        check("a\\\nb", "ab");
        check(r"\N{SNOWMAN}!", "☃!");
        check(r"\\n", r"\n");
        assert!(unescape(r"\users").is_err());
        assert!(unescape(r"\xé").is_err());
    }

    #[test]
    fn numbers_end_where_jinja_ends_them() {
        let check =
            |text: &str, length: usize| assert_eq!(number_length(text.as_bytes(), false), length, "{text}");
        check("12 ", 2);
        check("1_000", 5);
        check("1__0", 1);
        check("1.5.3", 3);
        check("1.", 1);
        check("1.foo", 1);
        check("1e3", 3);
        check("1.5E-3x", 6);
        check("1e", 1);
        check("007", 2);
        check("0.5", 3);
        check("0xfF", 4);
        check("0xg", 1);
        check("0b102", 4);
        check("x", 0);
        assert_eq!(number_length(b"1.0", true), 1);
    }

    #[test]
    fn numbers_have_any_size() {
        let check = |text: &str, expect: &str| assert_eq!(number(text).unwrap().repr(), expect);
        check("0x1F", "31");
        check("1_000", "1000");
        check("1e22", "1e+22");
        check("99999999999999999999", "99999999999999999999");
    }
}
