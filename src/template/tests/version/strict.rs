//! `StrictVersion` of Python's distutils: `1.2`, `1.2.3`, `1.2b1`.

use std::cmp::Ordering;

use crate::diagnostic::{Diagnostic, Result};

pub(super) fn compare(a: &str, b: &str) -> Result<Ordering> {
    Ok(parse(a)?.cmp(&parse(b)?))
}

/// The three numbers, whether it is final, and the alpha or beta before that.
type Version = ([u64; 3], bool, Option<(char, u64)>);

fn parse(text: &str) -> Result<Version> {
    let bad = || Diagnostic::new(format!("invalid version number '{text}'"));
    let (numbers, pre) = match text.split_once(['a', 'b']) {
        Some((numbers, pre)) => {
            let letter =
                if text.get(numbers.len()..).is_some_and(|rest| rest.starts_with('a')) { 'a' } else { 'b' };
            (numbers, Some((letter, number(pre).ok_or_else(bad)?)))
        }
        None => (text, None),
    };
    let parsed: Option<Vec<u64>> = numbers.split('.').map(number).collect();
    let numbers = match parsed.as_deref() {
        Some([major, minor]) => [*major, *minor, 0],
        Some([major, minor, patch]) => [*major, *minor, *patch],
        _ => return Err(bad()),
    };
    Ok((numbers, pre.is_none(), pre))
}

fn number(digits: &str) -> Option<u64> {
    digits.parse().ok().filter(|_| digits.bytes().all(|c| c.is_ascii_digit()))
}
