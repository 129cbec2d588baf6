//! `config`: settings of Ansible, as its file and the environment have them.

use super::options::flag;
use crate::config::{asked_constant, asked_plugin_option, knows_plugin};
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry, resolve_deep};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry {
    name: "config",
    params: &["on_missing", "plugin_type", "plugin_name", "show_origin"],
    run: config,
};

fn config(terms: &[Value], args: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    let on_missing = args.text("on_missing")?.unwrap_or("error");
    if !["error", "skip", "warn"].contains(&on_missing) {
        return Err(Diagnostic::new(format!(
            "Invalid value '{on_missing}' for config 'on_missing' for 'config' lookup plugin."
        ))
        .hint("It takes error, skip or warn."));
    }
    let plugin = match (args.text("plugin_type")?, args.text("plugin_name")?) {
        (Some(kind), Some(name)) => Some((kind, name)),
        (None, None) => None,
        _ => {
            return Err(Diagnostic::new(
                "Both plugin_type and plugin_name are required, cannot use one without the other.",
            ));
        }
    };
    let mut found = Vec::new();
    for term in terms {
        let Some(name) = term.as_str() else {
            return Err(Diagnostic::new(format!(
                "Invalid setting identifier, {} is not a string, it is of type '{}'.",
                term.repr(),
                term.type_name()
            )));
        };
        match setting(name, plugin, context)? {
            Some((value, origin)) if flag(args, "show_origin", false) => {
                found.push(Value::list(vec![value, origin.into()]));
            }
            Some((value, _)) => found.push(value),
            None if on_missing == "error" => return Err(missing(name, plugin)),
            None if on_missing == "warn" => {
                context.warn(format!("Skipping, did not find setting '{name}'"));
            }
            None => {}
        }
    }
    Ok(found)
}

/// The value of a setting, and where it comes from.
fn setting(
    name: &str,
    plugin: Option<(&str, &str)>,
    context: &Context<'_>,
) -> Result<Option<(Value, String)>> {
    let Some((kind, plugin)) = plugin else {
        let found = asked_constant(name)?;
        return Ok(found.map(|setting| (setting.value.into(), setting.origin)));
    };
    if !knows_plugin(kind, plugin) {
        return Err(Diagnostic::new(format!("Unable to load {kind} plugin '{plugin}'")));
    }
    option(kind, plugin, name, context)
}

/// An option of a plugin, as the host's variables, the environment, the file or its default have it.
pub(super) fn option(
    kind: &str,
    plugin: &str,
    name: &str,
    context: &Context<'_>,
) -> Result<Option<(Value, String)>> {
    let Some((setting, variables)) = asked_plugin_option(kind, plugin, name)? else { return Ok(None) };
    for variable in variables {
        if let Some(value) = context.names.get(variable) {
            return Ok(Some((resolve_deep(&value, context)?, format!("var: {variable}"))));
        }
    }
    Ok(Some((setting.value.into(), setting.origin)))
}

fn missing(name: &str, plugin: Option<(&str, &str)>) -> Diagnostic {
    let of = plugin.map(|(kind, plugin)| format!(" for '{plugin}' {kind} plugin")).unwrap_or_default();
    Diagnostic::new(format!("No config definition exists for '{name}'{of}."))
}
