//! The filters of Jinja and of ansible-core, one file per family.

mod attributes;
#[expect(clippy::unnecessary_wraps, reason = "all filters share one signature")]
mod choice;
mod combinatorics;
mod comment;
pub(super) mod dates;
mod dicts;
mod encoding;
mod general;
#[expect(clippy::unnecessary_wraps, reason = "all filters share one signature")]
mod hashing;
mod ip;
mod json;
mod json_query;
mod keys;
mod lists;
mod mapping;
#[expect(clippy::unnecessary_wraps, reason = "all filters share one signature")]
mod markup;
mod numbers;
mod parse_json;
mod passwords;
mod paths;
mod places;
mod protomatter;
mod records;
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

use super::table::{FilterEntry, Table};
use super::{Context, iterate, resolve};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::Value;

pub(super) use encoding::url_parts;
pub use passwords::hash_password;
pub(super) use passwords::{encrypt, fresh_salt};
pub(super) use paths::{expanduser, glob};
pub(super) use regex::engine_error;

/// Every family's table.
const FAMILIES: &[&[FilterEntry]] = &[
    attributes::TABLE,
    choice::TABLE,
    combinatorics::TABLE,
    comment::TABLE,
    dates::TABLE,
    dicts::TABLE,
    encoding::TABLE,
    general::TABLE,
    hashing::TABLE,
    ip::HARDWARE,
    ip::IPADDR,
    ip::MERGE,
    ip::NETWORKS,
    ip::SUBNETS,
    json::TABLE,
    json_query::TABLE,
    keys::TABLE,
    lists::TABLE,
    mapping::TABLE,
    markup::TABLE,
    numbers::TABLE,
    passwords::TABLE,
    paths::TABLE,
    places::TABLE,
    protomatter::TABLE,
    records::TABLE,
    regex::TABLE,
    sets::TABLE,
    sorting::TABLE,
    text::TABLE,
    types::TABLE,
    vault::TABLE,
    wordwrap::TABLE,
    yaml::TABLE,
];

/// Every filter.
pub static TABLE: Table<Value> = Table::new("filter", FAMILIES);

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

/// The subject of a filter that takes text alone.
fn text<'a>(subject: &'a Value, name: &str) -> Result<&'a str> {
    subject
        .as_str()
        .ok_or_else(|| Diagnostic::new(format!("{name} takes text, not '{}'", subject.type_name())))
}

/// The value rendered; one that reads something undefined is undefined itself.
fn read(value: &Value, context: &Context<'_>) -> Result<Value> {
    resolve(value, context).or_else(|error| if error.is_undefined() { Ok(error.into()) } else { Err(error) })
}
