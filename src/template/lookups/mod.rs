//! The lookups of ansible-core, and the most used of community.general, one file each.

mod config;
mod csvfile;
mod dict;
mod env;
mod file;
mod fileglob;
mod filetree;
mod first_found;
mod flattened;
mod indexed_items;
mod ini;
mod inline;
mod inventory_hostnames;
mod items;
mod lines;
mod list;
mod nested;
mod options;
mod password;
mod pipe;
mod random_choice;
mod random_string;
mod search;
mod sequence;
mod subelements;
mod template;
mod together;
mod unvault;
mod url;
mod varnames;
mod vars;

use super::Context;
use super::call::{Args, LookupEntry};
use super::names::{own_name, plain_name, unknown};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Value};

static LOOKUPS: &[&LookupEntry] = &[
    &nested::CARTESIAN,
    &config::ENTRY,
    &csvfile::ENTRY,
    &dict::ENTRY,
    &env::ENTRY,
    &file::ENTRY,
    &fileglob::ENTRY,
    &filetree::ENTRY,
    &first_found::ENTRY,
    &flattened::ENTRY,
    &indexed_items::ENTRY,
    &ini::ENTRY,
    &inventory_hostnames::ENTRY,
    &items::ENTRY,
    &lines::ENTRY,
    &list::ENTRY,
    &nested::ENTRY,
    &password::ENTRY,
    &pipe::ENTRY,
    &random_choice::ENTRY,
    &random_string::ENTRY,
    &sequence::ENTRY,
    &subelements::ENTRY,
    &template::ENTRY,
    &together::ENTRY,
    &unvault::ENTRY,
    &url::ENTRY,
    &varnames::ENTRY,
    &vars::ENTRY,
];

/// The lookup of that name, with or without `ansible.builtin.`.
pub fn find(name: &str) -> Option<&'static LookupEntry> {
    let name = match name {
        "ansible._protomatter.config" => "config",
        name => own_name(name),
    };
    LOOKUPS.iter().copied().find(|entry| entry.name == name)
}

/// Whether an option may be undefined: a default that is not needed.
pub fn takes_undefined(name: &str, option: &Value) -> bool {
    plain_name(name) == "env" && option.as_str() == Some("default")
}

pub fn names() -> impl Iterator<Item = &'static str> {
    LOOKUPS.iter().map(|entry| entry.name)
}

/// `query('name', terms…, options…)`: the list of results. Terms and options are rendered already.
pub fn apply(name: &str, terms: &[Value], options: &Dict, context: &Context<'_>) -> Result<Vec<Value>> {
    let entry = find(name).ok_or_else(|| unknown("lookup", name, names()))?;
    if !context.names.may_look_up() {
        return Err(Diagnostic::new(format!("it is not yet time for the lookup '{name}'")));
    }
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
