//! Semantic versioning 2.0: `1.2.3-rc.1+build`.

use std::cmp::Ordering;

use crate::diagnostic::{Diagnostic, Result};

pub(super) fn compare(a: &str, b: &str) -> Result<Ordering> {
    let (a, b) = (parse(a)?, parse(b)?);
    Ok(a.0.cmp(&b.0).then_with(|| match (a.1.is_empty(), b.1.is_empty()) {
        (true, true) => Ordering::Equal,
        // Without a pre-release it is final, and so later.
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => a.1.cmp(&b.1),
    }))
}

/// Numbers come before words.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identifier<'a> {
    Number(u64),
    Word(&'a str),
}

fn parse(text: &str) -> Result<([u64; 3], Vec<Identifier<'_>>)> {
    let parsed = (|| {
        let (rest, build) = match text.split_once('+') {
            Some((rest, build)) => (rest, Some(build)),
            None => (text, None),
        };
        let (core, pre) = match rest.split_once('-') {
            Some((core, pre)) => (core, Some(pre)),
            None => (rest, None),
        };
        let numbers: Vec<u64> = core.split('.').map(number).collect::<Option<_>>()?;
        let numbers = <[u64; 3]>::try_from(numbers).ok()?;
        let word =
            |word: &str| !word.is_empty() && word.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        if !build.is_none_or(|build| build.split('.').all(word)) {
            return None;
        }
        let identifier = |text| match text {
            digits if word(digits) && digits.bytes().all(|c| c.is_ascii_digit()) => {
                number(digits).map(Identifier::Number)
            }
            text => word(text).then_some(Identifier::Word(text)),
        };
        let pre = pre.map_or(Some(Vec::new()), |pre| pre.split('.').map(identifier).collect())?;
        Some((numbers, pre))
    })();
    parsed.ok_or_else(|| Diagnostic::new(format!("invalid semantic version '{text}'")))
}

/// A number without leading zeros.
fn number(digits: &str) -> Option<u64> {
    let plain = digits == "0" || (!digits.starts_with('0') && digits.bytes().all(|c| c.is_ascii_digit()));
    digits.parse().ok().filter(|_| plain)
}
