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
    let groups = object(&answer)?;
    let meta = match groups.get("_meta") {
        None => None,
        Some(meta) => match meta.as_dict().and_then(|meta| meta.get("hostvars")).and_then(Value::as_dict) {
            Some(vars) => Some(vars),
            None => return Err(Diagnostic::new("`_meta.hostvars` must be an object").at(&place)),
        },
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
            vars.get(&host).and_then(Value::as_dict)
        } else {
            let answer = ask(source, &["--host", &host])?;
            // No answer at all says: no variables.
            single = if answer.text.trim().is_empty() { Dict::new() } else { object(&answer)? };
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
    let wrong = |what: &str, value: &Value| {
        Diagnostic::new(format!("{what} of the group `{name}` is of type {}", value.type_name())).at(place)
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
                Some(other) => Err(wrong(&format!("`{key}` (it must be a list)"), other)),
            };
            let vars = match group.get("vars") {
                None | Some(Value::None) => &empty,
                Some(Value::Dict(vars)) => vars,
                Some(other) => return Err(wrong("`vars` (it must be an object)", other)),
            };
            (list("hosts")?, list("children")?, vars)
        }
        other => return Err(wrong("the content", other)),
    };
    for host in hosts {
        let Some(host) = host.as_str() else { return Err(wrong("a host", host)) };
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
        let Some(child) = child.as_str() else { return Err(wrong("a child", child)) };
        inventory.add_group(child);
        located(inventory.add_child(name, child), place)?;
    }
    Ok(())
}

fn object(answer: &Arc<Source>) -> Result<Dict> {
    json::object(answer).map_err(|error| error.hint("an inventory script answers with one JSON object"))
}

/// What the script prints. Its errors are ours.
fn ask(script: &Path, arguments: &[&str]) -> Result<Arc<Source>> {
    let call = format!("{} {}", script.display(), arguments.join(" "));
    let output = Command::new(script).args(arguments).output();
    let output = output.map_err(|error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        let error = Diagnostic::new(format!("could not run `{call}`: {error}"));
        // The script is there: it was found to be executable.
        if missing { error.hint("the program in its first line, after `#!`, is not there") } else { error }
    })?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let error = Diagnostic::new(format!("the inventory script `{call}` failed with {}", output.status));
        let errors = errors.trim();
        return Err(if errors.is_empty() { error } else { error.note(format!("it said: {errors}"), None) });
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| Diagnostic::new(format!("the answer of `{call}` is not UTF-8 text")))?;
    Ok(Arc::new(Source { path: format!("<{call}>").into(), text: text.into(), secret: false }))
}
