//! An expression as tokens.

use super::value::{number, numeral};
use crate::xml::names::{is_space, split_name};

#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A bracket, a sign or an operator as written; `and`, `or`, `div`, `mod` and the `*` of a product are operators.
    Mark(&'static str),
    /// Prefix, which may be empty, and name.
    Name(String, String),
    /// `*` as a name, with its prefix, which may be empty.
    Star(String),
    Literal(String),
    Number(f64),
}

/// The longer before those they begin with.
const MARKS: &[&str] = &[
    "//", "::", "..", "!=", "<=", ">=", "/", "|", "+", "-", "=", "<", ">", "(", ")", "[", "]", ".", "@", ",",
];

/// After these an operand follows: what looks like an operator is a name there.
const OPENING: &[&str] = &["@", "::", "(", "[", ","];
const OPERATORS: &[&str] =
    &["and", "or", "mod", "div", "*", "/", "//", "|", "+", "-", "=", "!=", "<", "<=", ">", ">="];

pub fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(is_space);
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let after_operand = match tokens.last() {
            None => false,
            Some(Token::Mark(mark)) => !OPENING.contains(mark) && !OPERATORS.contains(mark),
            Some(_) => true,
        };
        let (token, after) = if let Some(length) = numeral(rest) {
            let (written, after) = rest.split_at(length);
            (Token::Number(number(written)), after)
        } else if let '"' | '\'' = first {
            let inside = rest.strip_prefix(first).unwrap_or_default();
            let (literal, after) = inside.split_once(first).ok_or("a literal is not closed")?;
            (Token::Literal(literal.to_owned()), after)
        } else if let Some((name, after)) = split_name(rest) {
            let operator = OPERATORS.iter().find(|operator| after_operand && **operator == name);
            match operator {
                Some(operator) => (Token::Mark(operator), after),
                None if after_operand => return Err(format!("an operator is expected, not {name}")),
                None => qualified(name, after),
            }
        } else if let Some(after) = rest.strip_prefix('*') {
            (if after_operand { Token::Mark("*") } else { Token::Star(String::new()) }, after)
        } else if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            (Token::Mark(mark), rest.strip_prefix(mark).unwrap_or_default())
        } else if first == '$' {
            return Err("there are no variables".to_owned());
        } else {
            return Err(format!("{first} has no place here"));
        };
        tokens.push(token);
        rest = after;
    }
}

/// A name that may be a prefix.
fn qualified<'a>(name: &str, after: &'a str) -> (Token, &'a str) {
    let prefixed = after.strip_prefix(':').filter(|rest| !rest.starts_with(':'));
    if let Some(rest) = prefixed {
        if let Some(rest) = rest.strip_prefix('*') {
            return (Token::Star(name.to_owned()), rest);
        }
        if let Some((local, rest)) = split_name(rest) {
            return (Token::Name(name.to_owned(), local.to_owned()), rest);
        }
    }
    (Token::Name(String::new(), name.to_owned()), after)
}
