//! `assert`: fails unless every condition holds.

use super::manual::{Manual, Opt, What};
use crate::diagnostic::Result;
use crate::run::call::Call;
use crate::run::outcome::Raw;
use crate::template;
use crate::value::{Dict, Value};

pub(super) const MANUAL: Manual = Manual {
    text: "Fails unless every condition holds.",
    options: &[
        Opt::new("that", What::Texts, "Conditions as in `when`, without braces.").required(),
        Opt::new("fail_msg", What::Text, "What to say when one does not hold.").also(&["msg"]),
        Opt::new("success_msg", What::Text, "What to say when all hold."),
        Opt::new("quiet", What::Truth, "Whether success is told without its message.").or("false"),
    ],
    open: false,
    examples: "- name: The machine is large enough\n  assert:\n    that: [ansible_facts.memtotal_mb > 900, disk is defined]\n    fail_msg: '{{ inventory_hostname }} is too small'\n",
};

pub(super) fn run(call: &Call<'_>) -> Result<Raw> {
    let context = call.context();
    let place = &call.job.task.action.place;
    let that = call.args.get("that").cloned().unwrap_or(Value::None);
    let conditions = match &that {
        Value::List(conditions) => conditions.to_vec(),
        // A list that a variable holds.
        Value::Template(template) => match template::resolve(&that, &context)? {
            Value::List(conditions) => {
                for condition in conditions.iter() {
                    template::trusted(template, condition, &context)?;
                }
                conditions.to_vec()
            }
            _ => vec![that],
        },
        single => vec![single.clone()],
    };
    let rendered = |name: &str| -> Result<Option<Value>> {
        match call.args.get(name) {
            None | Some(Value::None) => Ok(None),
            Some(value) => Ok(Some(template::render_all(value, &context)?).filter(|value| !value.is_omit())),
        }
    };
    let quiet = match rendered("quiet")? {
        Some(quiet) => crate::run::settings::truth(&quiet)
            .ok_or_else(|| call.misuse(format!("quiet: {} is not a valid boolean", quiet.repr())))?,
        None => false,
    };
    let text = |name: &str| match rendered(name)? {
        Some(Value::List(texts)) if texts.iter().all(|text| text.as_str().is_some()) => {
            Ok(Some(Value::List(texts)))
        }
        Some(message) if message.as_str().is_none() => {
            let kind = message.type_name();
            Err(call.misuse(format!(
                "argument '{name}' is of type {kind}: a string or list of strings is required"
            )))
        }
        message => Ok(message),
    };
    let fail_message = text("fail_msg")?.or(text("msg")?);
    let success_message = text("success_msg")?;
    for condition in &conditions {
        let holds = template::condition(condition, Some(place), &context);
        if holds.map_err(|error| error.context("Task failed"))? {
            continue;
        }
        let mut fields = Dict::new();
        fields.insert("assertion", condition_text(condition));
        fields.insert("changed", false);
        fields.insert("evaluated_to", false);
        fields.insert("failed", true);
        fields.insert("msg", fail_message.unwrap_or_else(|| "Assertion failed".into()));
        return Ok(Raw::ok(fields));
    }
    let mut fields = Dict::new();
    fields.insert("changed", false);
    fields.insert("msg", success_message.unwrap_or_else(|| "All assertions passed".into()));
    if quiet {
        fields.insert("_ansible_verbose_override", true);
    } else {
        fields.insert("_ansible_verbose_always", true);
    }
    Ok(Raw::ok(fields))
}

fn condition_text(condition: &Value) -> Value {
    match condition {
        Value::Template(template) => Value::Str(template.source().clone()),
        other => other.clone(),
    }
}
