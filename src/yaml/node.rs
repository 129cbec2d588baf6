use std::sync::Arc;

use crate::diagnostic::Place;
use crate::value::Value;

/// A node of a YAML document, with where it stands.
#[derive(Clone)]
pub struct Node {
    pub kind: Kind,
    pub place: Place,
}

/// What a node is.
#[derive(Clone)]
pub enum Kind {
    /// Null, bool, number, string, template, vaulted text: anything without parts. Dates are strings, as
    /// Ansible makes them.
    Scalar(Value),
    List(Arc<Vec<Node>>),
    /// In file order, merge keys applied, the last of duplicate keys kept.
    Map(Arc<Vec<(Node, Node)>>),
}
