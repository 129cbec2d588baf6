//! The filters of Jinja and of ansible-core, one file per family.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Context;
use super::call::{Args, FilterEntry, Operands};
use super::names::{plain_name, unknown};
use crate::diagnostic::Result;
use crate::value::{Dict, Value};

/// Every family's table.
static FAMILIES: &[&[FilterEntry]] = &[];

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
    let operands = match entry.lazy {
        true => Ok(Operands::stored(subject, positional, named)),
        false => Operands::rendered(subject, positional, named, context),
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
