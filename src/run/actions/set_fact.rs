//! `set_fact`: sets variables for the rest of the run.

use super::manual::{Manual, Opt, What};
use crate::diagnostic::Result;
use crate::run::call::Call;
use crate::run::outcome::Raw;
use crate::value::{Dict, Value};

pub(super) const MANUAL: Manual = Manual {
    text: "Sets variables of the host, for the rest of the run.\n\nEvery other option is a variable.",
    options: &[Opt::new(
        "cacheable",
        What::Truth,
        "Makes them facts, too, so that they may outlast the play.",
    )
    .or("false")],
    open: true,
    examples: "- set_fact: {one_fact: something, other_fact: '{{ local_var * 2 }}'}\n",
};

pub(super) fn run(call: &Call<'_>) -> Result<Raw> {
    let cacheable = call.flag("cacheable", false)?;
    let mut facts = Dict::new();
    for (name, value) in &call.args {
        let name = name.to_string();
        if name == "cacheable" {
            continue;
        }
        if !is_identifier(&name) {
            return Err(call.misuse(format!(
                "The variable name '{name}' is not valid. Variables must start with a letter or underscore \
                 character, and contain only letters, numbers and underscores."
            )));
        }
        facts.insert(name, value.clone());
    }
    if facts.is_empty() {
        return Err(
            call.misuse("No key/value pairs provided, at least one is required for this action to succeed")
        );
    }
    let mut fields = Dict::new();
    fields.insert("ansible_facts", Value::dict(facts));
    fields.insert("_ansible_facts_cacheable", cacheable);
    fields.insert("changed", false);
    Ok(Raw::ok(fields))
}

/// Whether a name can be a variable's.
pub(super) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
