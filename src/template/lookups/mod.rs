//! The lookups of ansible-core, one file each.

use super::Context;
use super::call::{Args, LookupEntry};
use super::names::{plain_name, unknown};
use crate::diagnostic::Result;
use crate::value::{Dict, Value};

static LOOKUPS: &[LookupEntry] = &[];

/// The lookup of that name, with or without `ansible.builtin.`.
pub fn find(name: &str) -> Option<&'static LookupEntry> {
    let name = plain_name(name);
    LOOKUPS.iter().find(|entry| entry.name == name)
}

pub fn names() -> impl Iterator<Item = &'static str> {
    LOOKUPS.iter().map(|entry| entry.name)
}

/// `query('name', terms…, options…)`: the list of results. Terms and options are rendered already.
pub fn apply(name: &str, terms: &[Value], options: &Dict, context: &Context<'_>) -> Result<Vec<Value>> {
    let entry = find(name).ok_or_else(|| unknown("lookup", name, names()))?;
    Args::bind(entry.name, entry.params, &[], options)
        .and_then(|args| (entry.run)(terms, &args, context))
        .map_err(|error| {
            if error.is_undefined() {
                error
            } else {
                error.context(format_args!("The lookup plugin '{name}' failed"))
            }
        })
}
