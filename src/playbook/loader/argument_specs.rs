//! `argument_specs` of roles and plays: the task that checks variables against them, put before their own.

use std::path::Path;
use std::sync::Arc;

use super::Loader;
use super::around::Around;
use super::fields::Fields;
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::keyword::Object;
use crate::playbook::{Action, Keywords, Role, Setting, Task};
use crate::value::{Dict, Value};
use crate::yaml::Node;

impl Loader {
    /// What `meta/argument_specs.yml` holds, by entry point; `None` when there is no such file.
    pub(super) fn specs_file(&self, role: &Path) -> Result<Option<Node>> {
        let file = ENDINGS
            .iter()
            .map(|ending| role.join("meta").join(format!("argument_specs{ending}")))
            .find(|path| path.is_file());
        file.map(|file| self.specs(&file)).transpose().map(Option::flatten)
    }

    fn specs(&self, file: &Path) -> Result<Option<Node>> {
        let Some(node) = self.file(file)?.filter(|node| !node.is_null()) else { return Ok(None) };
        let entries = node.as_map().ok_or_else(|| malformed(&node, "a file of argument specs"))?;
        Ok(get(entries, "argument_specs").map(|(_, specs)| specs.clone()))
    }

    /// The task that `validate_argspec` of a play asks for: its spec stands in `<playbook>.meta.yml`, under the
    /// play's name or the one that is given.
    pub(super) fn play_validation(
        &self,
        fields: &Fields<'_>,
        path: &Path,
        around: &Around,
    ) -> Result<Option<Task>> {
        let Some(field) = fields.get("validate_argspec") else { return Ok(None) };
        let wrong = |error: Diagnostic| {
            error.context("Error processing keyword 'validate_argspec'").at(&field.value.place)
        };
        let spec_name = match self.render(around, &field.value.to_value()).map_err(wrong)? {
            Value::None | Value::Bool(false) => return Ok(None),
            Value::Bool(true) => match fields.setting("name", Object::Play)? {
                Some(name) => self.render_text(around, &name)?,
                None => {
                    return Err(wrong(
                        Diagnostic::new("A play name is required when validate_argspec is True").hint(
                            "Give the play a name, or set validate_argspec to the name of an argument spec.",
                        ),
                    ));
                }
            },
            Value::Str(name) => name.to_string(),
            other => {
                return Err(wrong(Diagnostic::new(format!(
                    "the name of an argument spec is needed, not '{}'",
                    other.type_name()
                ))));
            }
        };
        let beside = |ending: &str| path.with_extension(format!("meta{ending}"));
        let Some(file) = ENDINGS.iter().map(|ending| beside(ending)).find(|path| path.is_file()) else {
            let tried: Vec<_> =
                ENDINGS.iter().map(|ending| format!("\n  - {}", beside(ending).display())).collect();
            let message = format!("A playbook meta file is required. Considered:{}", tried.concat());
            return Err(wrong(Diagnostic::new(message)));
        };
        let missing = || {
            wrong(
                Diagnostic::new(format!("No argument spec named '{spec_name}' in {}", file.display()))
                    .hint(format!("It needs `argument_specs: {{{spec_name}: {{options: {{}}}}}}`.")),
            )
        };
        let specs = self.specs(&file)?.ok_or_else(missing)?;
        let entries = specs.as_map().ok_or_else(|| malformed(&specs, "argument_specs"))?;
        let (key, spec) = get(entries, &spec_name).ok_or_else(missing)?;
        let spec = spec.as_map().ok_or_else(|| malformed(spec, "an argument spec"))?;
        let mut context = Dict::new();
        context.insert("argument_spec_name", spec_name.as_str());
        context.insert("name", spec_name.as_str());
        context.insert("path", file.to_string_lossy().into_owned());
        context.insert("type", "play");
        let args = arguments(spec, Dict::new(), context)?;
        let action = Action::new("ansible.builtin.validate_argument_spec", key.place.clone(), args);
        let name = format!("Validating arguments against arg spec {spec_name}");
        Ok(Some(Task::new(&name, action, always(around, key), None)))
    }
}

/// What a file of argument specs may end with.
const ENDINGS: [&str; 4] = [".yml", ".yaml", ".json", ""];

fn malformed(node: &Node, what: &str) -> Diagnostic {
    Diagnostic::new(format!("{what} must be a dictionary, not {}", node.describe())).at(&node.place)
}

/// The options of the task that validates.
fn arguments(spec: &[(Node, Node)], provided: Dict, context: Dict) -> Result<Dict> {
    let options = match get(spec, "options").filter(|(_, options)| !options.is_null()) {
        Some((_, options)) => options.to_dict().ok_or_else(|| malformed(options, "options"))?,
        None => Dict::new(),
    };
    let mut args = Dict::new();
    args.insert("argument_spec", Value::dict(options));
    args.insert("provided_arguments", Value::dict(provided));
    args.insert("validate_args_context", Value::dict(context));
    Ok(args)
}

/// The keywords around, tagged `always`.
fn always(around: &Around, spec: &Node) -> Arc<Keywords> {
    let mut keywords = around.keywords.clone();
    Arc::make_mut(&mut keywords).tags.push(Setting::new("always".into(), spec.place.clone()));
    keywords
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
    if specs.is_null() {
        return Ok(None);
    }
    let entries = specs.as_map().ok_or_else(|| malformed(specs, "argument_specs"))?;
    let Some((key, spec)) = get(entries, entry).filter(|(_, spec)| !spec.is_null()) else { return Ok(None) };
    let fields = spec.as_map().ok_or_else(|| malformed(spec, "the argument spec of an entry point"))?;
    if fields.is_empty() {
        return Ok(None);
    }
    let mut name = format!("Validating arguments against arg spec '{entry}'");
    if let Some((_, description)) = get(fields, "short_description") {
        name.push_str(" - ");
        name.push_str(&description.to_value().to_string());
    }
    let mut context = Dict::new();
    context.insert("argument_spec_name", entry);
    // That of a collection goes by its own name here.
    let own = role.name.splitn(3, '.').nth(2).unwrap_or(&role.name);
    context.insert("name", own);
    context.insert("path", role.path.to_string_lossy().into_owned());
    context.insert("type", "role");
    let args = arguments(fields, role.params.as_ref().clone(), context)?;
    let action = Action::new("ansible.builtin.validate_argument_spec", key.place.clone(), args);
    Ok(Some(Task::new(&name, action, always(around, key), Some(role.clone()))))
}
