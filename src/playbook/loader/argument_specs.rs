//! `argument_specs` of a role: the task that checks them, put before the role's own.

use std::path::Path;
use std::sync::Arc;

use super::Loader;
use super::around::Around;
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::{Action, Role, Setting, Task};
use crate::value::{Dict, Value};
use crate::yaml::Node;

impl Loader {
    /// What `meta/argument_specs.yml` holds, by entry point; `None` when there is no such file.
    pub(super) fn specs_file(&self, role: &Path) -> Result<Option<Node>> {
        let file = ["argument_specs.yml", "argument_specs.yaml", "argument_specs.json", "argument_specs"]
            .iter()
            .map(|file| role.join("meta").join(file))
            .find(|path| path.is_file());
        let Some(node) = file.map(|file| self.file(&file)).transpose()?.flatten() else { return Ok(None) };
        if node.is_null() {
            return Ok(None);
        }
        let Some(entries) = node.as_map() else {
            return Err(Diagnostic::new(format!(
                "a role's argument specs must be a dictionary, not {}",
                node.describe()
            ))
            .at(&node.place));
        };
        Ok(get(entries, "argument_specs").map(|(_, specs)| specs.clone()))
    }
}

fn get<'a>(entries: &'a [(Node, Node)], name: &str) -> Option<&'a (Node, Node)> {
    entries.iter().find(|(key, _)| key.as_str() == Some(name))
}

/// The task that checks a role's variables by the spec of its entry point; `None` when it has no spec.
pub(super) fn validation(
    specs: &Node,
    entry: &str,
    role: &Arc<Role>,
    around: &Around,
) -> Result<Option<Task>> {
    let malformed = |node: &Node, what: &str| {
        Diagnostic::new(format!("{what} must be a dictionary, not {}", node.describe())).at(&node.place)
    };
    if specs.is_null() {
        return Ok(None);
    }
    let entries = specs.as_map().ok_or_else(|| malformed(specs, "argument_specs"))?;
    let Some((key, spec)) = get(entries, entry).filter(|(_, spec)| !spec.is_null()) else { return Ok(None) };
    let fields = spec.as_map().ok_or_else(|| malformed(spec, "the argument spec of an entry point"))?;
    if fields.is_empty() {
        return Ok(None);
    }
    let options = match get(fields, "options").filter(|(_, options)| !options.is_null()) {
        Some((_, options)) => options.to_dict().ok_or_else(|| malformed(options, "options"))?,
        None => Dict::new(),
    };
    let mut name = format!("Validating arguments against arg spec '{entry}'");
    if let Some((_, description)) = get(fields, "short_description") {
        name.push_str(" - ");
        name.push_str(&description.to_value().to_string());
    }
    let place = key.place.clone();
    let mut keywords = around.keywords.clone();
    Arc::make_mut(&mut keywords).tags.push(Setting::new("always".into(), place.clone()));
    let mut context = Dict::new();
    context.insert("argument_spec_name", entry);
    // That of a collection goes by its own name here.
    let own = role.name.splitn(3, '.').nth(2).unwrap_or(&role.name);
    context.insert("name", own);
    context.insert("path", role.path.to_string_lossy().into_owned());
    context.insert("type", "role");
    let mut args = Dict::new();
    args.insert("argument_spec", Value::dict(options));
    args.insert("provided_arguments", Value::Dict(role.params.clone()));
    args.insert("validate_args_context", Value::dict(context));
    let action = Action::new("ansible.builtin.validate_argument_spec", place, args);
    Ok(Some(Task::new(&name, action, keywords, Some(role.clone()))))
}
