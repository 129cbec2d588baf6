//! The filters of Jinja and of ansible-core, one file per family.

mod attributes;
#[expect(clippy::unnecessary_wraps, reason = "all filters share one signature")]
mod choice;
mod combinatorics;
mod comment;
pub(super) mod dates;
mod dicts;
#[expect(clippy::unnecessary_wraps, reason = "all filters share one signature")]
mod encoding;
#[expect(clippy::unnecessary_wraps, reason = "all filters share one signature")]
mod hashing;
mod json;
mod lists;
mod mapping;
#[expect(clippy::unnecessary_wraps, reason = "all filters share one signature")]
mod markup;
mod numbers;
mod parse_json;
mod passwords;
mod paths;
mod regex;
mod sets;
mod sorting;
#[expect(clippy::unnecessary_wraps, reason = "all filters share one signature")]
mod text;
#[expect(clippy::unnecessary_wraps, reason = "all filters share one signature")]
mod types;
mod vault;
mod wordwrap;
mod yaml;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::call::{Args, FilterEntry, Operands};
use super::names::{plain_name, unknown};
use super::{Context, iterate, resolve};
use crate::diagnostic::Result;
use crate::value::{Dict, Value};

pub(super) use encoding::url_parts;
pub use passwords::hash_password;
pub(super) use passwords::{encrypt, fresh_salt};
pub(super) use paths::{expanduser, glob};
pub(super) use regex::engine_error;

/// Every family's table.
static FAMILIES: &[&[FilterEntry]] = &[
    attributes::TABLE,
    choice::TABLE,
    combinatorics::TABLE,
    comment::TABLE,
    dates::TABLE,
    dicts::TABLE,
    encoding::TABLE,
    hashing::TABLE,
    json::TABLE,
    lists::TABLE,
    mapping::TABLE,
    markup::TABLE,
    numbers::TABLE,
    passwords::TABLE,
    paths::TABLE,
    regex::TABLE,
    sets::TABLE,
    sorting::TABLE,
    text::TABLE,
    types::TABLE,
    vault::TABLE,
    wordwrap::TABLE,
    yaml::TABLE,
];

/// The filter of that name, with or without `ansible.builtin.`.
pub fn find(name: &str) -> Option<&'static FilterEntry> {
    static INDEX: LazyLock<HashMap<&str, &FilterEntry>> =
        LazyLock::new(|| FAMILIES.iter().copied().flatten().map(|entry| (entry.name, entry)).collect());
    INDEX.get(plain_name(name)).copied()
}

pub fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().flat_map(|family| family.iter()).map(|entry| entry.name)
}

/// `subject | name(positional…, named…)`.
///
/// An undefined subject or argument is passed through as the result, unless the filter takes it; so is
/// the reading of something undefined inside them. Every other error names the filter.
pub fn apply(
    name: &str,
    subject: &Value,
    positional: &[Value],
    named: &Dict,
    context: &Context<'_>,
) -> Result<Value> {
    let entry = find(name).ok_or_else(|| unknown("filter", name, names()))?;
    if !entry.takes_undefined
        && let Some(undefined) = std::iter::once(subject)
            .chain(positional)
            .chain(named.values())
            .find(|value| value.is_undefined())
    {
        return Ok(undefined.clone());
    }
    let operands = if entry.lazy {
        Ok(Operands::stored(subject, positional, named))
    } else {
        Operands::rendered(subject, positional, named, context)
    };
    let result = operands.and_then(|operands| {
        let args = Args::bind(entry.name, entry.params, &operands.positional, &operands.named)?;
        (entry.run)(&operands.subject, &args, context)
    });
    result.or_else(|error| {
        if error.is_undefined() {
            return Ok(Value::from(error));
        }
        Err(error.context(format_args!("The filter plugin 'ansible.builtin.{}' failed", entry.name)))
    })
}

/// The items a `for` would walk over, each rendered (its own parts are not); one that is undefined stays so.
fn items(value: &Value, context: &Context<'_>) -> Result<Vec<Value>> {
    let mut items = iterate(value, context)?;
    for item in &mut items {
        if matches!(item, Value::Template(_) | Value::Vault(_)) {
            *item = read(item, context)?;
        }
    }
    Ok(items)
}

/// The value rendered; one that reads something undefined is undefined itself.
fn read(value: &Value, context: &Context<'_>) -> Result<Value> {
    resolve(value, context).or_else(|error| if error.is_undefined() { Ok(error.into()) } else { Err(error) })
}
