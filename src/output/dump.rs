//! Results as JSON text.

use std::convert::Infallible;

use crate::value::dumps::{Part, Style, dumps_dict_with, dumps_with};
use crate::value::{Dict, Value};

/// Everything on one line, or spread over lines with this many columns a level.
pub fn json(value: &Value, indent: Option<usize>) -> String {
    let Ok(text) = dumps_with::<Infallible>(value, &Style::of(indent), &|part| Ok(placeholder(part)));
    text
}

/// [`json`] for the fields of a result.
pub fn json_dict(fields: &Dict, indent: Option<usize>) -> String {
    let Ok(text) = dumps_dict_with::<Infallible>(fields, &Style::of(indent), &|part| Ok(placeholder(part)));
    text
}

/// Ciphertext is of no use to anybody who reads results.
fn placeholder(part: Part<'_>) -> Option<Value> {
    matches!(part, Part::Value(Value::Vault(_))).then(|| "<vaulted>".into())
}
