//! What `package` and `service` stand for: the module that manages them on the host, as far as the user says.

use std::borrow::Cow;

use super::call;
use super::settings;
use super::task::Job;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::Context;
use crate::value::{Dict, Value};

/// The package managers that `package` knows by itself.
const PACKAGE: [&str; 7] = ["apt", "apk", "dnf", "dnf5", "pacman", "yum", "zypper"];

/// The service managers that `service` knows by itself.
const SERVICE: [&str; 5] = ["openrc", "service", "systemd", "systemd_service", "sysvinit"];

/// The module that runs, with its options: `use`, or the variable of that meaning, may name another one.
pub(super) fn module<'j>(job: &'j Job<'_>, context: &Context<'_>, args: &mut Dict) -> Result<Cow<'j, str>> {
    let action = job.task.action.name.as_str();
    let (known, variable): (&[&str], Option<&str>) = match action {
        "package" => (&PACKAGE, Some("ansible_package_use")),
        "service" => (&SERVICE, None),
        _ => return Ok(Cow::Borrowed(action)),
    };
    let is_own = |name: &str| !name.is_empty() && name != "auto";
    let given = args.get("use").filter(|value| !value.is_none()).map(ToString::to_string);
    let wanted = match (given.filter(|name| is_own(name)), variable) {
        (Some(name), _) => Some(name),
        (None, Some(variable)) => settings::variable_text(&[variable], context)?.filter(|name| is_own(name)),
        (None, None) => None,
    };
    let Some(wanted) = wanted else {
        if let Some(manager) = ruling(action, context) {
            inherit(job, context, &manager, args)?;
        }
        return Ok(Cow::Borrowed(action));
    };
    let short = wanted.rsplit('.').next().unwrap_or(&wanted);
    inherit(job, context, short, args)?;
    if known.contains(&short) {
        args.insert("use", Value::from(short));
        return Ok(Cow::Borrowed(action));
    }
    args.remove("use");
    match fanfare_modules::find(&wanted) {
        Some(module) => Ok(Cow::Borrowed(module.name)),
        // A service manager that nobody knows leaves it to the host's.
        None if action == "service" => Ok(Cow::Borrowed(action)),
        None => {
            let message = format!("Could not find a matching action for the \"{wanted}\" package manager.");
            Err(Diagnostic::new(message).at(&job.task.action.place).context("Task failed"))
        }
    }
}

/// What rules the host, where facts tell.
fn ruling(action: &str, context: &Context<'_>) -> Option<String> {
    let fact = if action == "package" { "pkg_mgr" } else { "service_mgr" };
    let facts = context.names.get("ansible_facts")?;
    facts.as_dict()?.get(fact).map(ToString::to_string)
}

/// Adds what `module_defaults` gives the manager's own module.
fn inherit(job: &Job<'_>, context: &Context<'_>, manager: &str, args: &mut Dict) -> Result<()> {
    let canonical = fanfare_modules::find(manager).map_or(manager, |module| module.name);
    for (name, value) in &call::defaults(job, context, canonical)? {
        if !args.contains(&name.to_string()) {
            args.insert(name.clone(), value.clone());
        }
    }
    Ok(())
}
