//! `debug`: prints a message or a variable.

use super::manual::{Manual, Opt, What};
use crate::diagnostic::{Diagnostic, Result};
use crate::run::call::Call;
use crate::run::outcome::Raw;
use crate::template::{self, Template};
use crate::value::{Dict, Value};

pub(super) const MANUAL: Manual = Manual {
    text: "Prints a message or a variable.",
    options: &[
        Opt::new("msg", What::Any, "What to print. Not together with `var`.").or("Hello world!"),
        Opt::new("var", What::Text, "The name of a variable, or an expression, to print with its value."),
        Opt::new("verbosity", What::Number, "How many `-v` it takes to print it.").or("0"),
    ],
    open: false,
    examples: "- name: What came of it\n  debug: {var: result}\n\n- name: A line for those who look closely\n  debug: {msg: 'System {{ inventory_hostname }}', verbosity: 2}\n",
};

pub(super) fn run(call: &Call<'_>) -> Result<Raw> {
    let context = call.context();
    let is_given = |value: &Value| -> bool {
        match value {
            Value::None => false,
            Value::Template(_) => !matches!(template::resolve(value, &context), Ok(Value::Omit)),
            _ => true,
        }
    };
    let given = |name: &str| call.args.get(name).filter(|value| is_given(value));
    if given("msg").is_some() && given("var").is_some() {
        return Err(call.misuse("parameters are mutually exclusive: msg|var"));
    }
    if let Some(verbosity) = given("verbosity") {
        let wanted = template::render_all(verbosity, &context)?;
        let wanted = wanted
            .to_string()
            .trim()
            .parse::<u8>()
            .map_err(|_| call.misuse(format!("verbosity: {} is no number", wanted.repr())))?;
        if call.job.batch.run.options.verbosity < wanted {
            let mut raw = Raw::passed_over();
            raw.set("skipped_reason", "Verbosity threshold not met.");
            return Ok(raw);
        }
    }
    let mut fields = Dict::new();
    fields.insert("_ansible_verbose_always", true);
    fields.insert("changed", false);
    if let Some(var) = given("var") {
        let (name, value) = variable(call, var, &mut fields)?;
        fields.insert(name, value);
    } else if call.args.get("msg").is_none_or(|message| !message.is_none()) {
        let message = match given("msg") {
            Some(message) => template::render_all(message, &context).map_err(|error| {
                error.context("Finalization of task args for 'ansible.builtin.debug' failed: Error while resolving value for 'msg'").context("Task failed")
            })?,
            None => "Hello world!".into(),
        };
        fields.insert("msg", message);
    }
    Ok(Raw::ok(fields))
}

/// The value of the expression that `var` holds; an undefined one is shown and warned of, not raised.
fn variable(call: &Call<'_>, var: &Value, fields: &mut Dict) -> Result<(String, Value)> {
    let context = call.context();
    let expression = match var {
        Value::Template(template) if template.is_unsafe() => {
            return Err(untrusted(template::untrusted(template)));
        }
        Value::Template(template) => match template::resolve(var, &context)? {
            Value::Str(name) => {
                template::trusted(template, &Value::Str(name.clone()), &context).map_err(untrusted)?;
                name.to_string()
            }
            value => return Ok((var.to_string(), value)),
        },
        Value::Str(name) => name.to_string(),
        other => {
            let repr = template::render_all(other, &context)?.repr();
            return Err(call.misuse(format!("var: {repr} is not a string and conversion is not allowed")));
        }
    };
    let place = call.job.task.action.place.clone();
    let template = Template::new(format!("{{{{ {expression} }}}}"), Some(place));
    let value = template::render(&template, &context)
        .and_then(|value| template::render_all(&value, &context))
        .or_else(|error| {
            if error.is_undefined() {
                let told = format!("error 1 - {}", error.message());
                warn(fields, format!("Encountered 1 template error.\n{told}"));
                Ok(Value::from(format!("<< {told} >>")))
            } else {
                Err(error.context("Error while resolving `var` expression").context("Task failed"))
            }
        })?;
    if value.is_omit() {
        let warning =
            "The result of the `var` expression could not be omitted; a placeholder was used instead.";
        warn(fields, warning.to_owned());
        return Ok((expression, "<<Omit>>".into()));
    }
    Ok((expression, value))
}

fn warn(fields: &mut Dict, warning: String) {
    fields.insert("warnings", Value::list(vec![warning.into()]));
}

fn untrusted(error: Diagnostic) -> Diagnostic {
    error.context("Error while resolving `var` expression").context("Task failed")
}
