//! What a task's keywords and the connection variables come to for one host.

use super::options::RunOptions;
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::{Keywords, Setting};
use crate::target::hops::short_name;
use crate::target::{Hop, Secret};
use crate::template::{self, Context};
use crate::value::{Dict, Value};

/// Renders a keyword that is a truth value; absent or omitted is `default`.
pub(super) fn flag(setting: Option<&Setting>, default: bool, context: &Context<'_>) -> Result<bool> {
    let Some(setting) = setting else { return Ok(default) };
    let value = rendered(setting, context)?;
    if value.is_omit() {
        return Ok(default);
    }
    truth(&value)
        .ok_or_else(|| Diagnostic::new(format!("{} is not a valid boolean", value.repr())).at(&setting.place))
}

/// Renders a keyword that is text; `None` when absent, empty, null or omitted.
pub(super) fn text(setting: Option<&Setting>, context: &Context<'_>) -> Result<Option<String>> {
    let Some(setting) = setting else { return Ok(None) };
    let value = rendered(setting, context)?;
    Ok(match value {
        Value::None | Value::Omit => None,
        other => Some(other.to_string()).filter(|text| !text.is_empty()),
    })
}

/// Renders a keyword that is a number.
pub(super) fn number(setting: Option<&Setting>, context: &Context<'_>) -> Result<Option<f64>> {
    let Some(setting) = setting else { return Ok(None) };
    let value = rendered(setting, context)?;
    let number = match &value {
        Value::None | Value::Omit => return Ok(None),
        Value::Int(_) | Value::Float(_) | Value::Str(_) => {
            value.to_string().trim().trim_end_matches('%').parse::<f64>().ok()
        }
        _ => None,
    };
    match number {
        Some(number) => Ok(Some(number)),
        None => Err(Diagnostic::new(format!("{} is not a number", value.repr())).at(&setting.place)),
    }
}

/// Renders a keyword; where that comes to `omit`, the one around it.
pub(super) fn rendered(setting: &Setting, context: &Context<'_>) -> Result<Value> {
    let value = template::render_all(&setting.value, context).map_err(|error| error.at(&setting.place))?;
    match &setting.outer {
        Some(outer) if value.is_omit() => rendered(outer, context),
        _ => Ok(value),
    }
}

/// Ansible's loose truth: a boolean or a word for one; nothing is no.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::None => Some(false),
        Value::Str(text) if text.trim().is_empty() => Some(false),
        other => other.as_boolean(),
    }
}

/// The first of several variables that is set, rendered; `None` when none is.
pub(super) fn variable(names: &[&str], context: &Context<'_>) -> Result<Option<Value>> {
    for name in names {
        if let Some(value) = context.names.get(name) {
            let value = template::render_all(&value, context).map_err(|error| error.context(name))?;
            if !matches!(value, Value::None | Value::Omit) {
                return Ok(Some(value));
            }
        }
    }
    Ok(None)
}

pub(super) fn variable_text(names: &[&str], context: &Context<'_>) -> Result<Option<String>> {
    Ok(variable(names, context)?.map(|value| value.to_string()).filter(|text| !text.is_empty()))
}

/// How a host's tasks come to run as another user.
pub(super) fn hop(keywords: &Keywords, defaults: &RunOptions, context: &Context<'_>) -> Result<Option<Hop>> {
    let wanted = match variable(&["ansible_become"], context)? {
        Some(value) => truth(&value)
            .ok_or_else(|| Diagnostic::new(format!("ansible_become: {} is no boolean", value.repr())))?,
        None => flag(keywords.r#become.as_ref(), defaults.escalation.r#become, context)?,
    };
    if !wanted {
        return Ok(None);
    }
    let escalation = &defaults.escalation;
    let pick = |names: &[&str], keyword: Option<&Setting>| -> Result<Option<String>> {
        match variable_text(names, context)? {
            Some(value) => Ok(Some(value)),
            None => text(keyword, context),
        }
    };
    let method = pick(&["ansible_become_method"], keywords.become_method.as_ref())?
        .unwrap_or_else(|| escalation.method.clone());
    let method = short_name(&method).to_owned();
    let of_method = |option: &str| format!("ansible_{method}_{option}");
    let user = pick(&["ansible_become_user", &of_method("user")], keywords.become_user.as_ref())?;
    let exe = pick(&["ansible_become_exe", &of_method("exe")], keywords.become_exe.as_ref())?;
    let flags = pick(&["ansible_become_flags", &of_method("flags")], keywords.become_flags.as_ref())?;
    let password = variable_text(
        &["ansible_become_password", "ansible_become_pass", &of_method("pass"), &of_method("password")],
        context,
    )?;
    let chdir = match method.as_str() {
        "sudo" => variable_text(&["ansible_sudo_chdir"], context)?,
        _ => None,
    };
    let own = escalation.of(&method);
    let prompts = match method.as_str() {
        "su" => variable(&["ansible_su_prompt_l10n"], context)?,
        _ => None,
    };
    let prompts = match prompts {
        Some(Value::List(texts)) => texts.iter().map(ToString::to_string).collect(),
        Some(text) => vec![text.to_string()],
        None => own.prompts.clone(),
    };
    let patience = variable_text(&["ansible_local_become_success_timeout"], context)?
        .map(|text| {
            text.parse().map_err(|_| {
                Diagnostic::new(format!("ansible_local_become_success_timeout: '{text}' is no whole number"))
            })
        })
        .transpose()?;
    Ok(Some(Hop {
        user: user.or_else(|| own.user.clone()).unwrap_or_else(|| escalation.user.clone()),
        password: password
            .map(Secret::new)
            .or_else(|| own.password.clone())
            .or_else(|| escalation.password.clone()),
        exe: exe.or_else(|| own.exe.clone()).or_else(|| escalation.exe.clone()),
        flags: flags.or_else(|| own.flags.clone()).or_else(|| escalation.flags.clone()),
        chdir: chdir.or_else(|| own.chdir.clone()),
        prompts,
        patience,
        method,
    }))
}

/// The entries of a dictionary; nothing for anything else.
pub(super) fn dict_entries(value: &Value) -> Dict {
    value.as_dict().cloned().unwrap_or_default()
}
