//! The tests of Jinja and of ansible-core, one file per family.

#[expect(clippy::unnecessary_wraps, reason = "all tests share one signature")]
mod comparing;
#[expect(clippy::unnecessary_wraps, reason = "all tests share one signature")]
mod kinds;
#[expect(clippy::unnecessary_wraps, reason = "all tests share one signature")]
mod paths;
mod regex;
mod results;
mod urls;
#[expect(clippy::unnecessary_wraps, reason = "all tests share one signature")]
mod vault;
mod version;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Context;
use super::call::{Args, Operands, TestEntry};
use super::names::{plain_name, unknown};
use crate::diagnostic::Result;
use crate::value::{Dict, Value};

/// Every family's table.
static FAMILIES: &[&[TestEntry]] = &[
    comparing::TABLE,
    kinds::TABLE,
    paths::TABLE,
    regex::TABLE,
    results::TABLE,
    urls::TABLE,
    vault::TABLE,
    version::TABLE,
];

/// The test of that name, with or without `ansible.builtin.`.
pub fn find(name: &str) -> Option<&'static TestEntry> {
    static INDEX: LazyLock<HashMap<&str, &TestEntry>> =
        LazyLock::new(|| FAMILIES.iter().copied().flatten().map(|entry| (entry.name, entry)).collect());
    INDEX.get(plain_name(name)).copied()
}

pub fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().flat_map(|family| family.iter()).map(|entry| entry.name)
}

/// `subject is name(positional…, named…)`: a bool, or the undefined subject or argument the test does not take.
pub fn apply(
    name: &str,
    subject: &Value,
    positional: &[Value],
    named: &Dict,
    context: &Context<'_>,
) -> Result<Value> {
    let entry = find(name).ok_or_else(|| unknown("test", name, names()))?;
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
    match result {
        Ok(answer) => Ok(Value::Bool(answer)),
        Err(error) if error.is_undefined() => Ok(Value::from(error)),
        Err(error) => {
            Err(error.context(format_args!("The test plugin 'ansible.builtin.{}' failed", entry.name)))
        }
    }
}
