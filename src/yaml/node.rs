use std::sync::Arc;

use crate::diagnostic::Place;
use crate::value::{Dict, Value};

/// A node of a YAML document, with where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    pub kind: Kind,
    pub place: Place,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Null, bool, number, string, template, vaulted text: anything without parts. Dates are strings, as
    /// Ansible makes them.
    Scalar(Value),
    List(Arc<Vec<Node>>),
    /// In file order, merge keys applied, the last of duplicate keys kept.
    Map(Arc<Vec<(Node, Node)>>),
}

impl Node {
    /// The data without the places. Cheap for scalars; containers are built anew.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => Value::list(items.iter().map(Self::to_value).collect()),
            Kind::Map(entries) => {
                Value::dict(entries.iter().map(|(key, value)| (key.to_value(), value.to_value())).collect())
            }
        }
    }

    /// The entries of a mapping as data, without the places; `None` for anything else.
    pub fn to_dict(&self) -> Option<Dict> {
        let entries = self.as_map()?;
        Some(entries.iter().map(|(key, value)| (key.to_value(), value.to_value())).collect())
    }

    pub fn as_scalar(&self) -> Option<&Value> {
        match &self.kind {
            Kind::Scalar(value) => Some(value),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// The text of a string scalar; for a template its source.
    pub fn as_str(&self) -> Option<&str> {
        match self.as_scalar()? {
            Value::Str(text) => Some(text),
            Value::Template(template) => Some(template.source()),
            _ => None,
        }
    }

    /// The items, each with its place.
    pub fn as_list(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            Kind::Scalar(_) | Kind::Map(_) => None,
        }
    }

    /// The entries in file order, key nodes included.
    pub fn as_map(&self) -> Option<&[(Self, Self)]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            Kind::Scalar(_) | Kind::List(_) => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Scalar(Value::None))
    }

    /// The value under a string key. Linear: for a handful of known keys, not for data.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.get_entry(key).map(|(_, value)| value)
    }

    /// The same with the key's own node, for its place.
    pub fn get_entry(&self, key: &str) -> Option<(&Self, &Self)> {
        let entries = self.as_map()?;
        entries.iter().find(|(name, _)| name.as_str() == Some(key)).map(|(name, value)| (name, value))
    }

    /// What the node is, in a message's words: `a list`, `a mapping`, `a string`.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
            Kind::Scalar(value) => match value {
                Value::None => "nothing",
                Value::Bool(_) => "a boolean",
                Value::Int(_) | Value::BigInt(_) => "a number",
                Value::Float(_) => "a float",
                Value::Vault(_) => "vaulted text",
                _ => "a string",
            },
        }
    }
}
