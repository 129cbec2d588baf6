//! Inventories from executables: `--list`, and `--host` where `--list` has no `_meta`.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use super::data::{Inventory, located};
use super::json;
use crate::diagnostic::{Diagnostic, Place, Result, Source};
use crate::value::{Dict, Value};

/// Runs a script and adds what it says. The variables are the user's own: they may hold templates.
pub(super) fn load(inventory: &mut Inventory, source: &Arc<Path>) -> Result<()> {
    let answer = ask(source, &["--list"])?;
    let place = Place { source: Arc::clone(&answer), line: 1, column: 1, length: 0 };
    let groups = object(&answer, UNREADABLE)?;
    let meta = match groups.get("_meta") {
        None => None,
        Some(Value::Dict(meta)) => {
            check_profile(meta, &place)?;
            match meta.get("hostvars").unwrap_or(&Value::None) {
                Value::Dict(vars) => Some(vars),
                other => return Err(wrong("Value contains '_meta.hostvars'", other, "dict", &place)),
            }
        }
        Some(other) => {
            return Err(wrong(&format!("{UNREADABLE} Value contains '_meta'"), other, "dict", &place));
        }
    };
    let mut hosts = Vec::new();
    for (name, group) in &groups {
        let name = name.to_string();
        if name != "_meta" {
            read_group(inventory, &name, group, source, &place, &mut hosts)?;
        }
    }
    for host in hosts {
        let single;
        let vars = if let Some(vars) = meta {
            match vars.get(&host) {
                None => None,
                Some(Value::Dict(vars)) => Some(&**vars),
                Some(other) => {
                    return Err(Diagnostic::new(format!(
                        "Invalid data from file, expected dictionary and got: {} (the variables of '{host}')",
                        other.repr()
                    ))
                    .at(&place));
                }
            }
        } else {
            let answer = ask(source, &["--host", &host])?;
            // No answer at all says: no variables.
            single = if answer.text.trim().is_empty() {
                Dict::new()
            } else {
                object(
                    &answer,
                    &format!("Inventory script result for host '{host}' could not be parsed as JSON."),
                )?
            };
            Some(&single)
        };
        for (key, value) in vars.into_iter().flatten() {
            inventory.set_host_var(&host, key, value.clone());
        }
    }
    Ok(())
}

fn read_group(
    inventory: &mut Inventory,
    name: &str,
    group: &Value,
    source: &Arc<Path>,
    place: &Place,
    all_hosts: &mut Vec<String>,
) -> Result<()> {
    let wrong_type = |part: &str, value: &Value, wanted: &str| {
        wrong(&format!("Value contains '{name}{part}'"), value, wanted, place)
    };
    inventory.add_group(name);
    let empty = Dict::new();
    // A bare list is the oldest form: the group's hosts.
    let (hosts, children, vars) = match group {
        Value::List(hosts) => (hosts.as_slice(), &[][..], &empty),
        Value::Dict(group) => {
            let list = |key: &str| match group.get(key) {
                None | Some(Value::None) => Ok(&[][..]),
                Some(Value::List(items)) => Ok(items.as_slice()),
                Some(other) => Err(wrong_type(&format!(".{key}"), other, "list")),
            };
            let vars = match group.get("vars") {
                None | Some(Value::None) => &empty,
                Some(Value::Dict(vars)) => vars,
                Some(other) => return Err(wrong_type(".vars", other, "dict")),
            };
            (list("hosts")?, list("children")?, vars)
        }
        other => return Err(wrong_type("", other, "dict")),
    };
    for host in hosts {
        let Some(host) = host.as_str() else { return Err(wrong_type(".hosts[]", host, "str")) };
        inventory.name_host(host, Some(source));
        inventory.put(host, name);
        if !all_hosts.iter().any(|known| known == host) {
            all_hosts.push(host.to_owned());
        }
    }
    for (key, value) in vars {
        if let Some(warning) = inventory.set_group_var(name, key, value.clone()) {
            return Err(warning.at(place));
        }
    }
    for child in children {
        let Some(child) = child.as_str() else { return Err(wrong_type(".children[]", child, "str")) };
        inventory.add_group(child);
        located(inventory.add_child(name, child), place)?;
    }
    Ok(())
}

/// What begins the errors of an answer that is not understood.
const UNREADABLE: &str = "Unable to get JSON decoder for inventory script result.";

fn wrong(what: &str, value: &Value, wanted: &str, place: &Place) -> Diagnostic {
    Diagnostic::new(format!("{what} which is '{}' instead of '{wanted}'.", value.type_name())).at(place)
}

/// How the answer says what of it may be a template: there is one way to read it.
fn check_profile(meta: &Dict, place: &Place) -> Result<()> {
    let problem = match meta.get("profile") {
        None => return Ok(()),
        Some(Value::Str(name)) if &**name == "inventory_legacy" => return Ok(()),
        Some(Value::Str(name)) if !name.starts_with("inventory_") => {
            format!("Non-inventory profile '{name}' is not allowed.")
        }
        Some(Value::Str(name)) => format!("Unknown profile name '{name}'."),
        Some(other) => {
            return Err(wrong(&format!("{UNREADABLE} Value contains '_meta.profile'"), other, "str", place));
        }
    };
    Err(Diagnostic::new(format!("{UNREADABLE} {problem}")).at(place))
}

fn object(answer: &Arc<Source>, lead: &str) -> Result<Dict> {
    json::object(answer).map_err(|error| {
        let error = Diagnostic::new(format!("{lead} {}", error.message())).at(error
            .place()
            .unwrap_or(&Place { source: Arc::clone(answer), line: 1, column: 1, length: 0 }));
        error.hint("an inventory script answers with one JSON object")
    })
}

/// What the script prints. Its errors are ours.
fn ask(script: &Path, arguments: &[&str]) -> Result<Arc<Source>> {
    let call = format!("{} {}", script.display(), arguments.join(" "));
    let output = Command::new(script).args(arguments).output();
    let output = output.map_err(|error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        let error = Diagnostic::new(format!("Failed to execute inventory script command '{call}': {error}"));
        // The script is there: it was found to be executable.
        if missing { error.hint("the program in its first line, after `#!`, is not there") } else { error }
    })?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let error = Diagnostic::new(match output.status.code() {
            Some(code) => format!("Inventory script returned non-zero exit code {code}: {call}"),
            None => format!("the inventory script `{call}` failed with {}", output.status),
        });
        let errors = errors.trim();
        return Err(if errors.is_empty() { error } else { error.note(format!("it said: {errors}"), None) });
    }
    let text = String::from_utf8(output.stdout).map_err(|_| {
        Diagnostic::new(format!(
            "Inventory script result contained characters that cannot be interpreted as UTF-8: {call}"
        ))
    })?;
    Ok(Arc::new(Source { path: format!("<{call}>").into(), text: text.into(), secret: false }))
}
