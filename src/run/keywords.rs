//! A task's keywords for one host and item: each must come to a value of its type, needed or not.

use indexmap::IndexMap;

use super::{call, settings};
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::keyword::{convert, find};
use crate::playbook::{Keywords, Setting, Task};
use crate::template::Context;
use crate::value::{Dict, Value};

/// An error for the first keyword that does not: otherwise a mistake in one would show only where something comes to
/// depend on it.
pub(super) fn check(task: &Task, context: &Context<'_>) -> Result<()> {
    let keywords = &*task.keywords;
    let all = [
        ("async", &task.background),
        ("become", &keywords.r#become),
        ("become_exe", &keywords.become_exe),
        ("become_flags", &keywords.become_flags),
        ("become_method", &keywords.become_method),
        ("become_user", &keywords.become_user),
        ("check_mode", &keywords.check_mode),
        ("connection", &keywords.connection),
        ("delay", &task.delay),
        ("delegate_facts", &keywords.delegate_facts),
        ("diff", &keywords.diff),
        ("ignore_errors", &keywords.ignore_errors),
        ("ignore_unreachable", &keywords.ignore_unreachable),
        ("no_log", &keywords.no_log),
        ("poll", &task.poll),
        ("port", &keywords.port),
        ("remote_user", &keywords.remote_user),
        ("retries", &task.retries),
        ("timeout", &keywords.timeout),
    ];
    for (name, setting) in all {
        if let Some(setting) = setting
            && !matches!(setting.value, Value::Bool(_) | Value::Int(_) | Value::None)
        {
            of_type(name, setting, context).map_err(|error| error.context("Task failed"))?;
        }
    }
    // With a module of the worker it is rendered anyway.
    if !keywords.environment.is_empty() && !call::is_remote(&task.action.name) {
        environment(keywords, context)?;
    }
    Ok(())
}

fn of_type(name: &str, setting: &Setting, context: &Context<'_>) -> Result<()> {
    let value = settings::rendered(setting, context).map_err(|error| processing(name, error))?;
    match find(name) {
        Some(keyword) => convert(keyword, &value).map(drop).map_err(|error| error.at(&setting.place)),
        None => Ok(()),
    }
}

/// Merges the `environment` keywords, outermost first.
pub(super) fn environment(keywords: &Keywords, context: &Context<'_>) -> Result<IndexMap<String, String>> {
    let mut environment = IndexMap::new();
    for setting in &keywords.environment {
        if let Value::Dict(entries) = &setting.value {
            for (name, value) in entries.iter() {
                let setting = Setting::new(value.clone(), setting.place.clone());
                match settings::rendered(&setting, context) {
                    Ok(Value::Omit) => {}
                    Ok(value) => {
                        environment.insert(name.to_string(), value.to_string());
                    }
                    // What goes on from the environment of the host is left out until that is known.
                    Err(error) if error.is_undefined() && error.message().contains("'ansible_env'") => {}
                    Err(error) => return Err(failed("environment", error)),
                }
            }
            continue;
        }
        let value = settings::rendered(setting, context).map_err(|error| failed("environment", error))?;
        let mut add = |entries: &Dict| {
            for (name, value) in entries.iter().filter(|(_, value)| !value.is_omit()) {
                environment.insert(name.to_string(), value.to_string());
            }
        };
        match &value {
            Value::Dict(entries) => add(entries),
            Value::List(items) => items.iter().filter_map(Value::as_dict).for_each(add),
            Value::None | Value::Omit => {}
            other => {
                let message = format!("environment must be a dictionary, got {}", other.type_name());
                return Err(Diagnostic::new(message).at(&setting.place));
            }
        }
    }
    Ok(environment)
}

fn failed(name: &str, error: Diagnostic) -> Diagnostic {
    processing(name, error).context("Task failed")
}

fn processing(name: &str, error: Diagnostic) -> Diagnostic {
    error.context(format!("Error processing keyword '{name}'"))
}
