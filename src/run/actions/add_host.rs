//! `add_host`: adds a host, and groups for it, to the inventory of this run.

use super::manual::{Manual, Opt, What};
use std::sync::Arc;

use crate::diagnostic::Result;
use crate::run::call::Call;
use crate::run::outcome::Raw;
use crate::value::{Dict, Value};

pub(super) const MANUAL: Manual = Manual {
    text: "Adds a host to the inventory of this run.\n\nPlays that come later, and `delegate_to`, can use it. Every other \
           option becomes a variable of the host. It runs once, whatever the number of hosts.",
    options: &[
        Opt::new("name", What::Text, "The host's name, perhaps with a port: `web:2222`.")
            .required()
            .also(&["hostname", "host"]),
        Opt::new("groups", What::Texts, "Groups to put it into. New ones are made.")
            .also(&["group", "groupname"]),
    ],
    open: true,
    examples: "- name: The new machine is of the web servers\n  add_host: {name: '{{ address }}', groups: [web], colour: blue}\n",
};

pub(super) fn run(call: &Call<'_>) -> Result<Raw> {
    let name = call
        .text("name")
        .or_else(|| call.text("hostname"))
        .or_else(|| call.text("host"))
        .ok_or_else(|| call.misuse("name, host or hostname needs to be provided"))?;
    if name.is_empty() {
        return Err(call.misuse("Invalid empty host name provided:").context("Task failed"));
    }
    let groups: Vec<Arc<str>> =
        match ["groupname", "groups", "group"].iter().find_map(|key| call.args.get(key)) {
            Some(given) => names(given).ok_or_else(|| call.misuse("Groups must be specified as a list."))?,
            None => Vec::new(),
        };
    if groups.iter().any(|name| name.is_empty()) {
        return Err(call.misuse("Invalid empty/false group name provided:").context("Task failed"));
    }
    // `host` and `group` name them, too, but stay variables of the host.
    let reserved = ["name", "hostname", "groups", "groupname"];
    let mut vars: Dict = call
        .args
        .iter()
        .filter(|(key, _)| !key.as_str().is_some_and(|key| reserved.contains(&key)))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let (name, port) = split_port(&name);
    if let Some(port) = port {
        vars.insert("ansible_ssh_port", port);
    }
    let changed = call.job.batch.run.inventory.write().add_host(&name, &groups, &vars)?;
    let mut added = Dict::new();
    added.insert("groups", groups.into_iter().map(Value::Str).collect::<Vec<_>>());
    added.insert("host_name", name);
    added.insert("host_vars", vars);
    let mut fields = Dict::new();
    fields.insert("add_host", added);
    fields.insert("changed", changed);
    Ok(Raw::ok(fields))
}

/// The groups of a list, or of text with commas; `None` for anything else.
fn names(value: &Value) -> Option<Vec<Arc<str>>> {
    match value {
        Value::List(items) => Some(items.iter().map(|item| Arc::from(item.to_string().trim())).collect()),
        Value::None => Some(Vec::new()),
        Value::Str(text) if text.is_empty() => Some(Vec::new()),
        Value::Str(text) => Some(text.split(',').map(|name| Arc::from(name.trim())).collect()),
        _ => None,
    }
}

/// Splits `host:port`; an IPv6 address has more than one colon.
fn split_port(name: &str) -> (String, Option<i64>) {
    match name.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => match port.parse() {
            Ok(port) => (host.to_owned(), Some(port)),
            Err(_) => (name.to_owned(), None),
        },
        _ => (name.to_owned(), None),
    }
}
