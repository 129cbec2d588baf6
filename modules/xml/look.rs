//! What the module tells of a document without changing it.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::tree::{Element, Id, Kind, ROOT, Tree};
use super::xpath::{Node, Value, evaluate};
use super::{Args, Content, Selector};
use crate::kit::{Failure, Result};

/// What was found.
#[derive(Serialize)]
pub struct Matches {
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "matches")]
    found: Option<Vec<Json>>,
    msg: Json,
}

/// `None` where the task does not ask.
pub fn look(args: &Args, selector: &Selector, tree: &Tree) -> Result<Option<Matches>> {
    if args.count {
        // What is counted is seen from the root of the document, all else from its outermost element: as ever.
        let count = nodes_from(ROOT, selector, tree)?.len();
        return Ok(Some(Matches {
            count: Some(count),
            found: None,
            msg: json!(format!("found {count} nodes")),
        }));
    }
    if args.print_match {
        let paths: Vec<Json> =
            elements(selector, tree)?.into_iter().map(|id| json!(path(tree, id))).collect();
        let list = paths.iter().map(Json::to_string).collect::<Vec<_>>().join(", ");
        let msg = json!(format!("selector '{}' match: [{list}]", selector.text));
        return Ok(Some(Matches { count: None, found: Some(paths), msg }));
    }
    let Some(content) = args.content else { return Ok(None) };
    let found = elements(selector, tree)?;
    if found.is_empty() {
        return Err(no_node(selector));
    }
    let matches = found.into_iter().map(|id| {
        let element = tree.element(id).ok_or_else(|| no_node(selector))?;
        let told = match content {
            Content::Text => json!(tree.text(id)),
            Content::Attribute => {
                let pairs = element.attributes.iter().map(|one| (one.name.full(), json!(one.value)));
                Json::Object(pairs.collect::<Map<_, _>>())
            }
        };
        Ok(Json::Object(Map::from_iter([(element.name.full(), told)])))
    });
    let matches = matches.collect::<Result<Vec<_>>>()?;
    Ok(Some(Matches { count: Some(matches.len()), msg: json!(matches.len()), found: Some(matches) }))
}

pub fn no_node(selector: &Selector) -> Failure {
    Failure::new(format!("Xpath {} does not reference a node!", selector.text))
}

/// All that is selected. The root of the document is nothing that lxml knows of.
pub fn nodes(selector: &Selector, tree: &Tree) -> Result<Vec<Node>> {
    nodes_from(tree.document_element().unwrap_or(ROOT), selector, tree)
}

fn nodes_from(at: Id, selector: &Selector, tree: &Tree) -> Result<Vec<Node>> {
    match evaluate(&selector.expr, tree, at) {
        Ok(Value::Nodes(nodes)) => Ok(nodes.into_iter().filter(|node| *node != Node::Of(ROOT)).collect()),
        Ok(_) => Err(Failure::new(format!("Xpath {} selects no nodes, it computes a value", selector.text))),
        Err(why) => Err(Failure::new(format!("Syntax error in xpath expression: {} ({why})", selector.text))),
    }
}

/// The elements, comments and instructions that are selected. Anything else is an error.
pub fn elements(selector: &Selector, tree: &Tree) -> Result<Vec<Id>> {
    let element = |node: Node| match node {
        Node::Of(id) if tree.characters(id).is_none() => Ok(id),
        _ => Err(no_node(selector)),
    };
    nodes(selector, tree)?.into_iter().map(element).collect()
}

/// The path of a node, as libxml2 writes it.
fn path(tree: &Tree, id: Id) -> String {
    let mut steps: Vec<String> = Vec::new();
    let mut at = id;
    while let Some(parent) = tree.node(at).parent {
        steps.push(step(tree, parent, at));
        at = parent;
    }
    steps.push(String::new());
    steps.reverse();
    steps.join("/")
}

fn step(tree: &Tree, parent: Id, id: Id) -> String {
    let own = &tree.node(id).kind;
    let name = match own {
        Kind::Element(element) if is_bare(element) => "*".to_owned(),
        Kind::Element(element) => super::read::written(&element.name.prefix, &element.name.local),
        Kind::Instruction { target, .. } => format!("processing-instruction('{target}')"),
        _ => "comment()".to_owned(),
    };
    let children = tree.node(parent).children.iter().copied();
    let alike: Vec<Id> = children.filter(|id| are_alike(own, &tree.node(*id).kind)).collect();
    match alike.iter().position(|other| *other == id) {
        Some(at) if alike.len() > 1 => format!("{name}[{}]", at + 1),
        _ => name,
    }
}

/// Whether an element has a namespace without a prefix: no path can name it.
fn is_bare(element: &Element) -> bool {
    element.name.prefix.is_empty() && !element.name.uri.is_empty()
}

/// Whether a step of a path means both.
fn are_alike(own: &Kind, other: &Kind) -> bool {
    match (own, other) {
        (Kind::Element(own), Kind::Element(other)) => {
            is_bare(own) || (own.name.local == other.name.local && own.name.prefix == other.name.prefix)
        }
        (Kind::Instruction { target: own, .. }, Kind::Instruction { target, .. }) => own == target,
        (Kind::Comment(_), Kind::Comment(_)) => true,
        _ => false,
    }
}
