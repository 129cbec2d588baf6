//! `validate_argument_spec`: judges variables by a spec. Roles that have one call it before their first task.

use super::manual::{Manual, Opt, What};
use crate::diagnostic::{Diagnostic, Result};
use crate::run::argument_spec;
use crate::run::call::Call;
use crate::run::outcome::Raw;
use crate::template::{self, Names};
use crate::value::{Dict, Value};

pub(super) const MANUAL: Manual = Manual {
    text: "Judges variables by a spec.\n\nRoles that have one in `meta/argument_specs.yml` do so before their first task.",
    options: &[
        Opt::new("argument_spec", What::Mapping, "The spec: options with `type`, `required`, `choices` …")
            .required(),
        Opt::new(
            "provided_arguments",
            What::Mapping,
            "Values to judge, besides the variables of those names.",
        ),
        Opt::new(
            "validate_args_context",
            What::Mapping,
            "What the result shall say of where the spec is from.",
        ),
    ],
    open: false,
    examples: "- name: What is given is good\n  validate_argument_spec:\n    argument_spec: {port: {type: int, required: true}}\n",
};

pub(super) fn run(call: &Call<'_>) -> Result<Raw> {
    let spec = dict(call, "argument_spec")?;
    let provided = dict(call, "provided_arguments")?;
    let mut arguments = Dict::new();
    for (name, option) in &spec {
        let name = name.to_string();
        if option.as_dict().is_none() {
            return Err(call.misuse(format!(
                "argument_spec: the option '{name}' must be a dictionary, not '{}'",
                option.type_name()
            )));
        }
        if let Some(value) = variable(call, &name)? {
            arguments.insert(name, value);
        }
    }
    arguments.extend(provided.iter().map(|(name, value)| (name.clone(), value.clone())));
    let findings = argument_spec::check(&spec, &arguments);
    for warning in findings.warnings {
        call.job.batch.run.warn(call.misuse(warning));
    }
    let mut raw = if findings.errors.is_empty() {
        let mut fields = Dict::new();
        fields.insert("msg", "The arg spec validation passed");
        Raw::ok(fields)
    } else {
        let message = format!("Validation of arguments failed:\n{}", findings.errors.join("\n"));
        let mut raw = Raw::error(call.misuse(message));
        raw.set("argument_errors", findings.errors.into_iter().map(Value::from).collect::<Vec<_>>());
        raw.set("argument_spec_data", Value::dict(spec));
        raw
    };
    raw.set("changed", false);
    raw.set("validate_args_context", Value::dict(dict(call, "validate_args_context")?));
    Ok(raw)
}

fn dict(call: &Call<'_>, name: &str) -> Result<Dict> {
    match call.args.get(name) {
        Some(Value::Dict(entries)) => Ok(entries.as_ref().clone()),
        Some(Value::None) | None if name != "argument_spec" => Ok(Dict::new()),
        Some(other) => Err(call.misuse(format!(
            "Incorrect type for {name}, expected dict and got <class '{}'>",
            other.type_name()
        ))),
        None => Err(call.misuse("\"argument_spec\" arg is required in args")),
    }
}

/// The variable that an option is about, rendered; `None` when there is none.
fn variable(call: &Call<'_>, name: &str) -> Result<Option<Value>> {
    let Some(value) = call.scope.get(name) else { return Ok(None) };
    let value = template::render_all(&value, &call.context())
        .map_err(|error: Diagnostic| error.context("Task failed").at(&call.job.task.action.place))?;
    Ok(Some(value).filter(|value| !value.is_omit()))
}
