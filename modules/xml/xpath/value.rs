//! What expressions come to, and how one type becomes another.

use crate::xml::names::is_space;
use crate::xml::tree::Id;

/// A node as expressions see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    Of(Id),
    /// The attribute at that place of an element.
    Attribute(Id, usize),
}

#[derive(Clone, Debug)]
pub enum Value {
    /// In the order of the document, each once.
    Nodes(Vec<Node>),
    Boolean(bool),
    Number(f64),
    Text(String),
}

/// A text as a number. As libxml2 has it, it may have an exponent.
pub fn number(text: &str) -> f64 {
    let text = text.trim_matches(is_space);
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if numeral(unsigned).is_some_and(|length| length == unsigned.len()) {
        text.parse().unwrap_or(f64::NAN)
    } else {
        f64::NAN
    }
}

/// The length of the number a text begins with: `1`, `1.5`, `.5`, `1e-3`.
pub fn numeral(text: &str) -> Option<usize> {
    let digits = |text: &str| text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let whole = digits(text);
    let after = |end: usize| text.get(end..).unwrap_or_default();
    let fraction = after(whole).strip_prefix('.').map(digits);
    if whole == 0 && fraction.unwrap_or_default() == 0 {
        return None;
    }
    let mut end = whole + fraction.map_or(0, |length| length + 1);
    if let Some(exponent) = after(end).strip_prefix(['e', 'E']) {
        let signs = usize::from(exponent.starts_with(['+', '-']));
        let length = digits(exponent.get(signs..).unwrap_or_default());
        if length > 0 {
            end += 1 + signs + length;
        }
    }
    Some(end)
}

/// A number as text.
pub fn text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else if number == 0.0 {
        "0".to_owned()
    } else {
        rounded(number)
    }
}

/// To fifteen digits, as libxml2 does; large and small ones with an exponent.
fn rounded(number: f64) -> String {
    let scientific = format!("{number:.14e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let trimmed = |digits: &str| {
        let is_fraction = digits.contains('.');
        if is_fraction { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }.to_owned()
    };
    let is_whole = super::evaluate::is(number.trunc(), number) && number.abs() < f64::from(i32::MAX);
    if is_whole {
        return format!("{number:.0}");
    }
    if number.abs() > 1e9 || number.abs() < 1e-5 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs());
    }
    let places = usize::try_from(14 - exponent).unwrap_or_default();
    trimmed(&format!("{number:.places$}"))
}
