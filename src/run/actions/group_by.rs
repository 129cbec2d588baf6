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
    let key =
        call.text("key").ok_or_else(|| call.misuse("the 'key' param is required when using group_by"))?;
    if key.is_empty() {
        return Err(call.misuse("Invalid empty group name provided"));
    }
    let group = dashed(&key);
    let parents: Vec<Arc<str>> = match call.args.get("parents") {
        Some(Value::List(parents)) => parents.iter().map(|parent| dashed(&parent.to_string())).collect(),
        None | Some(Value::None) => vec!["all".into()],
        Some(other) => vec![dashed(&other.to_string())],
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
