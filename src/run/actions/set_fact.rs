//! `set_fact`: sets variables for the rest of the run.

use super::manual::{Manual, Opt, What};
use crate::diagnostic::Result;
use crate::playbook::keyword::{invalid_name, is_variable_name};
use crate::playbook::reserved;
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
        match name.as_str() {
            Some("cacheable") => {}
            Some(text) if is_variable_name(text) => {
                if let Some(warning) = reserved::warning(text, Some(&call.job.task.action.place)) {
                    call.job.batch.run.warn(warning);
                }
                facts.insert(name.clone(), value.clone());
            }
            _ => return Err(invalid_name(name).at(&call.job.task.action.place).context("Task failed")),
        }
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
