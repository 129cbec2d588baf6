//! `set_stats`: data to show at the end of the run.

use super::manual::{Manual, Opt, What};
use std::sync::Arc;

use crate::diagnostic::Result;
use crate::playbook::keyword::{invalid_name, is_variable_name};
use crate::run::call::Call;
use crate::run::outcome::Raw;
use crate::value::{Dict, Value};

pub(super) const MANUAL: Manual = Manual {
    text: "Keeps data to show at the end of the run.\n\nShown where `show_custom_stats` is set.",
    options: &[
        Opt::new("data", What::Mapping, "Names and values."),
        Opt::new("per_host", What::Truth, "Whether each host has data of its own.").or("false"),
        Opt::new("aggregate", What::Truth, "Whether numbers add up and lists join; else they are replaced.")
            .or("true"),
    ],
    open: false,
    examples: "- name: What was deployed\n  set_stats: {data: {packages: 3}}\n",
};

pub(super) fn run(call: &Call<'_>) -> Result<Raw> {
    let nothing = Value::dict(Dict::new());
    let Value::Dict(data) = call.args.get("data").filter(|data| !data.is_none()).unwrap_or(&nothing) else {
        return Err(call.misuse("The 'data' option needs to be a dictionary/hash"));
    };
    if let Some(wrong) = data.keys().find(|name| !name.as_str().is_some_and(is_variable_name)) {
        return Err(invalid_name(wrong).at(&call.job.task.action.place).context("Task failed"));
    }
    // As in Ansible, what is no word for yes is a no here.
    let flag = |name: &str, default: bool| match call.args.get(name) {
        None | Some(Value::None) => default,
        Some(value) => value.as_boolean().unwrap_or(false),
    };
    let (per_host, aggregate) = (flag("per_host", false), flag("aggregate", true));
    let owner: Arc<str> = if per_host { call.job.host.clone() } else { "_run".into() };
    let mut all = call.job.batch.run.custom_stats.lock();
    let mut mine = all.get(&owner).and_then(Value::as_dict).cloned().unwrap_or_default();
    for (name, value) in data.iter() {
        let value = match mine.get_value(name) {
            Some(old) if aggregate => add(old, value),
            _ => value.clone(),
        };
        mine.insert(name.clone(), value);
    }
    all.insert(Value::Str(owner), mine);
    let mut stats = Dict::new();
    stats.insert("aggregate", aggregate);
    stats.insert("data", Value::Dict(data.clone()));
    stats.insert("per_host", per_host);
    let mut fields = Dict::new();
    fields.insert("ansible_stats", stats);
    fields.insert("changed", false);
    Ok(Raw::ok(fields))
}

/// Numbers add up, lists and text join, dictionaries merge; anything else is replaced.
fn add(old: &Value, new: &Value) -> Value {
    match (old, new) {
        (Value::Int(a), Value::Int(b)) => a.checked_add(*b).map_or_else(|| new.clone(), Value::Int),
        (Value::Float(a), Value::Float(b)) => Value::Float(a + b),
        (Value::Str(a), Value::Str(b)) => Value::from(format!("{a}{b}")),
        (Value::List(a), Value::List(b)) => Value::list([a.as_slice(), b.as_slice()].concat()),
        (Value::Dict(a), Value::Dict(b)) => {
            let mut merged = a.as_ref().clone();
            crate::vars::merge(&mut merged, b, false);
            Value::dict(merged)
        }
        _ => new.clone(),
    }
}
