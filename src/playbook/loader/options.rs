//! What a task gives to the module it calls.

use super::Loader;
use super::called::{Called, Given};
use super::fields::{Fields, setting_of};
use super::merge::piece;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::playbook::{Setting, split};
use crate::value::Value;
use crate::yaml::Node;

/// Actions whose text is a command line: only their own options are taken out of it.
pub(super) const COMMANDS: [&str; 6] = ["command", "shell", "raw", "script", "win_command", "win_shell"];

/// An option with its places.
pub(super) struct GivenOption<'a> {
    pub name: String,
    pub value: Value,
    pub key: &'a Place,
    pub node: &'a Node,
}

/// All options of a task.
pub(super) struct Options<'a> {
    pub all: Vec<GivenOption<'a>>,
    pub computed: Option<Setting>,
}

impl<'a> Options<'a> {
    fn all(all: Vec<GivenOption<'a>>) -> Self {
        Self { all, computed: None }
    }

    pub fn get(&self, name: &str) -> Option<&GivenOption<'a>> {
        self.all.iter().find(|option| option.name == name)
    }
}

impl Loader {
    /// The options under the module's name and those of `args:`.
    pub(super) fn options<'a>(called: &Called<'a>, fields: &Fields<'a>) -> Result<Options<'a>> {
        let Options { all: mut options, mut computed } = match &called.given {
            Given::Node(node) => given(called, node)?,
            Given::Text(..) if called.dynamic => Options::all(Vec::new()),
            Given::Text(node, text) => text_options(called, node, text)?,
            Given::Rest(entries) => {
                let nested = |(key, value): &'a (Node, Node)| match (key.as_str(), value.as_map()) {
                    (Some("args"), Some(inner)) => inner.iter().collect(),
                    _ => Vec::new(),
                };
                let own = entries.iter().filter(|(key, value)| match key.as_str() {
                    Some("module") => false,
                    Some("args") => value.as_map().is_none(),
                    _ => true,
                });
                Options::all(own.chain(entries.iter().flat_map(nested)).map(entry).collect::<Result<_>>()?)
            }
        };
        if let Some(field) = fields.get("args").filter(|field| !field.value.is_null()) {
            match (field.value.as_map(), field.value.as_scalar()) {
                (Some(entries), _) => {
                    for option in entries.iter().map(entry) {
                        let option = option?;
                        if !options.iter().any(|given| given.name == option.name) {
                            options.push(option);
                        }
                    }
                }
                (None, Some(Value::Template(_))) => {
                    if let Some(first) = computed.replace(setting_of(field.value)) {
                        return Err(Diagnostic::new(
                            "The options of a task can be given by one template only.",
                        )
                        .at(&field.value.place)
                        .note("the first one", Some(first.place)));
                    }
                }
                _ => {
                    return Err(Diagnostic::new("The value of the task `args` keyword is invalid.")
                        .at(&field.value.place)
                        .hint("a mapping or template which resolves to a mapping is required"));
                }
            }
        }
        Ok(Options { all: options, computed })
    }
}

fn entry((key, value): &(Node, Node)) -> Result<GivenOption<'_>> {
    let name = key.as_str().ok_or_else(|| {
        Diagnostic::new(format!("the name of an option must be text, not {}", key.describe())).at(&key.place)
    })?;
    Ok(GivenOption { name: name.to_owned(), value: value.to_value(), key: &key.place, node: value })
}

/// What stands under a module's name: a mapping, or a text.
fn given<'a>(called: &Called<'_>, node: &'a Node) -> Result<Options<'a>> {
    if let Some(entries) = node.as_map() {
        return entries.iter().map(entry).collect::<Result<_>>().map(Options::all);
    }
    match node.as_scalar() {
        Some(Value::None) => Ok(Options::all(Vec::new())),
        Some(Value::Str(_) | Value::Template(_)) => {
            text_options(called, node, node.as_str().unwrap_or_default())
        }
        _ => Err(Diagnostic::new(format!("unexpected parameter type in action: {}", node.describe()))
            .at(&node.place)
            .hint(format!("'{}' takes its options as a mapping or as key=value", called.written))),
    }
}

/// Options written as `key=value`, and the free text beside them.
fn text_options<'a>(called: &Called<'_>, node: &'a Node, text: &str) -> Result<Options<'a>> {
    let is_command = COMMANDS.contains(&called.name.as_str());
    let parsed = split::parse(text, is_command).map_err(|error| error.at(&node.place))?;
    let option =
        |name: String, text: &str| GivenOption { name, value: piece(text, node), key: &node.place, node };
    let mut options: Vec<_> = parsed.options.into_iter().map(|(name, value)| option(name, &value)).collect();
    if let Some(rest) = parsed.rest {
        if !called.free_form && is_one_template(node, &rest) {
            let computed = Setting::new(piece(rest.trim(), node), node.place.clone());
            return Ok(Options { all: options, computed: Some(computed) });
        }
        options.push(option("_raw_params".to_owned(), &rest));
    }
    Ok(Options::all(options))
}

/// Whether a text is a template from end to end, which may come to a dictionary of options.
fn is_one_template(node: &Node, text: &str) -> bool {
    let text = text.trim();
    matches!(node.as_scalar(), Some(Value::Template(_))) && text.starts_with("{{") && text.ends_with("}}")
}
