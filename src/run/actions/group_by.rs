//! `group_by`: puts the host into a group named by a key.

use super::manual::{Manual, Opt, What};
use std::sync::Arc;

use crate::diagnostic::Result;
use crate::run::call::Call;
use crate::run::outcome::Raw;
use crate::value::{Dict, Value};

pub(super) const MANUAL: Manual = Manual {
    text: "Puts hosts into groups named by a key.\n\nFor plays that come later: hosts that give the same key share a group.",
    options: &[
        Opt::new("key", What::Text, "The group's name. Blanks become dashes.").required(),
        Opt::new("parents", What::Texts, "The groups that the new group is within.").or("all"),
    ],
    open: false,
    examples: "- name: A group for each distribution\n  group_by: {key: 'os_{{ ansible_facts.distribution }}'}\n",
};

pub(super) fn run(call: &Call<'_>) -> Result<Raw> {
    let key = match call.args.get("key") {
        Some(Value::Str(key)) => key,
        Some(other) if !other.is_none() => {
            return Err(call.misuse(format!("key must be text, not {}", other.type_name())));
        }
        _ => return Err(call.misuse("the 'key' param is required when using group_by")),
    };
    if key.is_empty() {
        return Err(call.misuse("Invalid empty/false group name provided:").context("Task failed"));
    }
    let group = dashed(key);
    let parents: Vec<Arc<str>> = match call.args.get("parents") {
        None => vec!["all".into()],
        Some(Value::Str(parent)) => vec![dashed(parent)],
        Some(given) => given
            .as_list()
            .and_then(|parents| parents.iter().map(|parent| parent.as_str().map(dashed)).collect())
            .ok_or_else(|| call.misuse(format!("parents must be a list of texts, not {}", given.repr())))?,
    };
    let host = call.job.host;
    let changed = call.job.batch.run.inventory.write().add_to_group(host, &group, &parents)?;
    let mut fields = Dict::new();
    fields.insert("add_group", Value::Str(group));
    fields.insert("changed", changed);
    fields.insert("parent_groups", parents.into_iter().map(Value::Str).collect::<Vec<_>>());
    Ok(Raw::ok(fields))
}

fn dashed(name: &str) -> Arc<str> {
    name.replace(' ', "-").into()
}
