//! `LooseVersion` of Python's distutils: numbers and words in a row.

use std::cmp::Ordering;

use crate::diagnostic::{Diagnostic, Result};

#[derive(PartialEq)]
enum Part<'a> {
    Number(&'a str),
    Word(&'a str),
}

/// Compares part by part. A number does not compare with a word: Python's error.
pub(in crate::template) fn compare(a: &str, b: &str) -> Result<Ordering> {
    let (a, b) = (parts(a), parts(b));
    for (a, b) in a.iter().zip(&b) {
        let order = match (a, b) {
            // Leading zeros are gone, so the longer number is the greater.
            (Part::Number(a), Part::Number(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
            (Part::Word(a), Part::Word(b)) => a.cmp(b),
            (Part::Number(_), Part::Word(_)) => return Err(mixed("int", "str")),
            (Part::Word(_), Part::Number(_)) => return Err(mixed("str", "int")),
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(a.len().cmp(&b.len()))
}

fn mixed(a: &str, b: &str) -> Diagnostic {
    Diagnostic::new(format!("'<' not supported between instances of '{a}' and '{b}'"))
        .hint("Compare such versions with version_type='semver' or 'pep440'.")
}

/// Runs of digits, of small letters, and of anything else but dots.
fn parts(text: &str) -> Vec<Part<'_>> {
    let class = |c: char| match c {
        '0'..='9' => 0,
        'a'..='z' => 1,
        '.' => 2,
        _ => 3,
    };
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| class(c) != class(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        match class(first) {
            0 => parts.push(Part::Number(run.trim_start_matches('0'))),
            2 => {}
            _ => parts.push(Part::Word(run)),
        }
    }
    parts
}
