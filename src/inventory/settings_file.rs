//! The options of a YAML file that configures a plugin.

use crate::diagnostic::{Diagnostic, Result};
use crate::nearest::nearest;
use crate::value::Value;
use crate::yaml::Node;

/// Typed reading of a mapping; each wrong type is an error at its place.
pub(super) struct Settings<'a>(&'a Node);

impl<'a> Settings<'a> {
    pub(super) fn new(node: &'a Node) -> Self {
        Self(node)
    }

    fn given(&self, key: &str) -> Option<&'a Node> {
        self.0.get(key).filter(|node| !node.is_null())
    }

    fn wrong<T>(key: &str, node: &Node, expected: &str) -> Result<T> {
        Err(Diagnostic::new(format!("`{key}` must be {expected}, this is {}", node.describe()))
            .at(&node.place))
    }

    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool> {
        let Some(node) = self.given(key) else { return Ok(default) };
        match node.as_scalar().and_then(Value::as_boolean) {
            Some(flag) => Ok(flag),
            None => Self::wrong(key, node, "yes or no"),
        }
    }

    /// A scalar as text; for a template its source.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        let node = self.given(key)?;
        Some(node.as_str().map_or_else(|| node.to_value().to_string(), str::to_owned))
    }

    pub(super) fn entries(&self, key: &str) -> Result<&'a [(Node, Node)]> {
        match self.given(key) {
            None => Ok(&[]),
            Some(node) => node.as_map().map_or_else(|| Self::wrong(key, node, "a mapping"), Ok),
        }
    }

    pub(super) fn list(&self, key: &str) -> Result<&'a [Node]> {
        match self.given(key) {
            None => Ok(&[]),
            Some(node) => node.as_list().map_or_else(|| Self::wrong(key, node, "a list"), Ok),
        }
    }

    /// A warning for each key that is none of those known.
    pub(super) fn unknown(&self, known: &'static [&'static str]) -> Vec<Diagnostic> {
        let unknown = self.0.as_map().unwrap_or_default().iter().filter_map(|(key, _)| {
            let name = key.to_value().to_string();
            if known.contains(&name.as_str()) {
                return None;
            }
            let warning = Diagnostic::new(format!("unknown option: {name}")).at(&key.place);
            Some(match nearest(&name, known.iter().copied()) {
                Some(near) => warning.hint(format!("did you mean {near}?")),
                None => warning,
            })
        });
        unknown.collect()
    }
}
