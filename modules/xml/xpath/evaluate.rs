//! What an expression comes to at a node.

use std::cmp::Ordering;

use super::value::{self, Node, Value};
use super::{Axis, Expr, Operator, Step, Test};
use crate::xml::tree::{Id, Kind, Name, Tree};

/// Evaluates an expression at a node: the root of the document, or of what stands nowhere yet.
pub fn evaluate(expr: &Expr, tree: &Tree, at: Id) -> Result<Value, String> {
    let top = tree.ancestors(at).last().unwrap_or(at);
    let mut order = vec![0; tree.len()];
    for (number, id) in tree.subtree(top).into_iter().enumerate() {
        if let Some(place) = order.get_mut(id.index()) {
            *place = number;
        }
    }
    let evaluator = Evaluator { tree, top, order };
    evaluator.value(expr, Place { node: Node::Of(at), position: 1, size: 1 })
}

pub struct Evaluator<'a> {
    pub tree: &'a Tree,
    top: Id,
    /// Where each node stands in the order of the document.
    order: Vec<usize>,
}

/// The node an expression is evaluated at, and its place among those it was chosen with.
#[derive(Clone, Copy)]
pub struct Place {
    pub node: Node,
    pub position: usize,
    pub size: usize,
}

impl Evaluator<'_> {
    pub fn value(&self, expr: &Expr, place: Place) -> Result<Value, String> {
        match expr {
            Expr::Literal(text) => Ok(Value::Text(text.clone())),
            Expr::Number(number) => Ok(Value::Number(*number)),
            Expr::Negate(expr) => Ok(Value::Number(-self.number(&self.value(expr, place)?))),
            Expr::Call(function, args) => self.call(*function, args, place),
            Expr::Binary(operator, left, right) => self.binary(*operator, left, right, place),
            Expr::Path(path) => {
                let from = if path.absolute { Node::Of(self.top) } else { place.node };
                self.steps(vec![from], &path.steps).map(Value::Nodes)
            }
            Expr::Filter(expr, predicates, steps) => {
                let Value::Nodes(mut nodes) = self.value(expr, place)? else {
                    return Err("Invalid type: only nodes have predicates and steps".to_owned());
                };
                for predicate in predicates {
                    nodes = self.filter(nodes, predicate)?;
                }
                self.steps(nodes, steps).map(Value::Nodes)
            }
        }
    }

    fn binary(&self, operator: Operator, left: &Expr, right: &Expr, place: Place) -> Result<Value, String> {
        let left = self.value(left, place)?;
        match operator {
            Operator::Or if truth(&left) => return Ok(Value::Boolean(true)),
            Operator::And if !truth(&left) => return Ok(Value::Boolean(false)),
            _ => {}
        }
        let right = self.value(right, place)?;
        let number = |compute: fn(f64, f64) -> f64| {
            Ok(Value::Number(compute(self.number(&left), self.number(&right))))
        };
        match operator {
            Operator::Or | Operator::And => Ok(Value::Boolean(truth(&right))),
            Operator::Add => number(|left, right| left + right),
            Operator::Subtract => number(|left, right| left - right),
            Operator::Multiply => number(|left, right| left * right),
            Operator::Divide => number(|left, right| left / right),
            Operator::Modulo => number(|left, right| left % right),
            Operator::Union => {
                let (Value::Nodes(mut nodes), Value::Nodes(more)) = (left, right) else {
                    return Err("Invalid type: | joins sets of nodes".to_owned());
                };
                nodes.extend(more);
                Ok(Value::Nodes(self.in_order(nodes)))
            }
            _ => Ok(Value::Boolean(self.compare(operator, &left, &right))),
        }
    }

    fn compare(&self, operator: Operator, left: &Value, right: &Value) -> bool {
        let texts = |nodes: &[Node]| nodes.iter().map(|node| self.text_of(*node)).collect::<Vec<_>>();
        match (left, right) {
            // What is true of any node is true of all.
            (Value::Boolean(_), _) | (_, Value::Boolean(_)) if is_equality(operator) => {
                holds(operator, &truth(left), &truth(right))
            }
            (Value::Boolean(_), _) | (_, Value::Boolean(_)) => {
                let number = |value: &Value| match value {
                    Value::Nodes(nodes) => f64::from(u8::from(!nodes.is_empty())),
                    other => self.number(other),
                };
                holds(operator, &number(left), &number(right))
            }
            (Value::Nodes(left), Value::Nodes(right)) => {
                let right = texts(right);
                texts(left).iter().any(|left| {
                    right.iter().any(|right| {
                        if is_equality(operator) {
                            holds(operator, left, right)
                        } else {
                            holds(operator, &value::number(left), &value::number(right))
                        }
                    })
                })
            }
            (Value::Nodes(nodes), other) => {
                texts(nodes).into_iter().any(|text| self.compare(operator, &Value::Text(text), other))
            }
            (other, Value::Nodes(nodes)) => {
                texts(nodes).into_iter().any(|text| self.compare(operator, other, &Value::Text(text)))
            }
            (Value::Text(left), Value::Text(right)) if is_equality(operator) => holds(operator, left, right),
            _ => holds(operator, &self.number(left), &self.number(right)),
        }
    }

    pub fn number(&self, value: &Value) -> f64 {
        match value {
            Value::Number(number) => *number,
            Value::Boolean(truth) => f64::from(u8::from(*truth)),
            other => value::number(&self.text(other)),
        }
    }

    pub fn text(&self, value: &Value) -> String {
        match value {
            Value::Nodes(nodes) => nodes.first().map(|node| self.text_of(*node)).unwrap_or_default(),
            Value::Boolean(truth) => truth.to_string(),
            Value::Number(number) => value::text(*number),
            Value::Text(text) => text.clone(),
        }
    }

    pub fn text_of(&self, node: Node) -> String {
        match node {
            Node::Attribute(id, at) => {
                let attribute = self.tree.element(id).and_then(|element| element.attributes.get(at));
                attribute.map(|attribute| attribute.value.clone()).unwrap_or_default()
            }
            Node::Of(id) => match &self.tree.node(id).kind {
                Kind::Comment(text) => text.clone(),
                Kind::Instruction { data, .. } => data.clone(),
                _ => self.tree.text_below(id),
            },
        }
    }

    fn steps(&self, mut nodes: Vec<Node>, steps: &[Step]) -> Result<Vec<Node>, String> {
        for step in steps {
            let mut found = Vec::new();
            for node in nodes {
                let along = self.along(node, step.axis).into_iter();
                let mut chosen: Vec<Node> = along.filter(|node| self.passes(*node, step)).collect();
                for predicate in &step.predicates {
                    chosen = self.filter(chosen, predicate)?;
                }
                found.extend(chosen);
            }
            nodes = self.in_order(found);
        }
        Ok(nodes)
    }

    fn filter(&self, nodes: Vec<Node>, predicate: &Expr) -> Result<Vec<Node>, String> {
        let size = nodes.len();
        let mut kept = Vec::new();
        for (at, node) in nodes.into_iter().enumerate() {
            let place = Place { node, position: at + 1, size };
            let keeps = match self.value(predicate, place)? {
                Value::Number(number) => is(number, super::functions::length(place.position)),
                other => truth(&other),
            };
            if keeps {
                kept.push(node);
            }
        }
        Ok(kept)
    }

    fn in_order(&self, mut nodes: Vec<Node>) -> Vec<Node> {
        let order = |id: Id| self.order.get(id.index()).copied().unwrap_or_default();
        nodes.sort_by_key(|node| match node {
            Node::Of(id) => (order(*id), 0),
            Node::Attribute(id, at) => (order(*id), at + 1),
        });
        nodes.dedup();
        nodes
    }

    /// The nodes of an axis, the nearest first.
    fn along(&self, node: Node, axis: Axis) -> Vec<Node> {
        let id = match (node, axis) {
            (Node::Attribute(..), Axis::Itself | Axis::DescendantOrSelf) => return vec![node],
            (Node::Attribute(id, _), Axis::Parent) => return vec![Node::Of(id)],
            (Node::Attribute(id, _), Axis::Ancestor | Axis::AncestorOrSelf) => {
                let itself = (axis == Axis::AncestorOrSelf).then_some(node);
                return itself
                    .into_iter()
                    .chain([Node::Of(id)])
                    .chain(self.along(Node::Of(id), Axis::Ancestor))
                    .collect();
            }
            (Node::Attribute(id, _), Axis::Following | Axis::Preceding) => {
                return self.along(Node::Of(id), axis);
            }
            (Node::Attribute(..), _) => return Vec::new(),
            (Node::Of(id), _) => id,
        };
        let tree = self.tree;
        let below = |id: Id| tree.subtree(id).into_iter();
        let ids: Vec<Id> = match axis {
            Axis::Attribute => {
                let count = tree.element(id).map_or(0, |element| element.attributes.len());
                return (0..count).map(|at| Node::Attribute(id, at)).collect();
            }
            Axis::Itself => vec![id],
            Axis::Child => tree.node(id).children.clone(),
            Axis::Parent => tree.node(id).parent.into_iter().collect(),
            Axis::Ancestor => tree.ancestors(id).collect(),
            Axis::AncestorOrSelf => std::iter::once(id).chain(tree.ancestors(id)).collect(),
            Axis::Descendant => below(id).skip(1).collect(),
            Axis::DescendantOrSelf => below(id).collect(),
            Axis::FollowingSibling => self.behind(id),
            Axis::PrecedingSibling => self.before(id),
            Axis::Following => {
                let around = std::iter::once(id).chain(tree.ancestors(id));
                around.flat_map(|id| self.behind(id)).flat_map(below).collect()
            }
            Axis::Preceding => {
                let around = std::iter::once(id).chain(tree.ancestors(id));
                around.flat_map(|id| self.before(id)).flat_map(|id| below(id).rev()).collect()
            }
        };
        // The type of the document is no node of XPath's.
        let is_node = |id: &Id| !matches!(tree.node(*id).kind, Kind::Doctype { .. });
        ids.into_iter().filter(is_node).map(Node::Of).collect()
    }

    fn behind(&self, id: Id) -> Vec<Id> {
        let Some((parent, at)) = self.tree.place(id) else { return Vec::new() };
        self.tree.node(parent).children.iter().skip(at + 1).copied().collect()
    }

    fn before(&self, id: Id) -> Vec<Id> {
        let Some((parent, at)) = self.tree.place(id) else { return Vec::new() };
        self.tree.node(parent).children.iter().take(at).rev().copied().collect()
    }

    fn passes(&self, node: Node, step: &Step) -> bool {
        let kind = match node {
            Node::Attribute(id, at) => {
                let name = self.tree.element(id).and_then(|element| element.attributes.get(at));
                let principal = step.axis == Axis::Attribute;
                return match (&step.test, name) {
                    (Test::AnyNode, _) => true,
                    (test, Some(attribute)) if principal => is_named(test, &attribute.name),
                    _ => false,
                };
            }
            Node::Of(id) => &self.tree.node(id).kind,
        };
        match (&step.test, kind) {
            (Test::AnyNode, _)
            | (Test::Text, Kind::Text(_) | Kind::Cdata(_))
            | (Test::Comment, Kind::Comment(_))
            | (Test::Instruction(None), Kind::Instruction { .. }) => true,
            (Test::Instruction(Some(wanted)), Kind::Instruction { target, .. }) => wanted == target,
            (test, Kind::Element(element)) => is_named(test, &element.name),
            _ => false,
        }
    }
}

pub fn truth(value: &Value) -> bool {
    match value {
        Value::Nodes(nodes) => !nodes.is_empty(),
        Value::Boolean(truth) => *truth,
        Value::Number(number) => *number != 0.0 && !number.is_nan(),
        Value::Text(text) => !text.is_empty(),
    }
}

fn is_named(test: &Test, name: &Name) -> bool {
    match test {
        Test::Name(wanted) => wanted.is(name),
        Test::AnyName(uri) => uri.as_ref().is_none_or(|uri| *uri == name.uri),
        _ => false,
    }
}

#[expect(clippy::float_cmp, reason = "XPath compares exactly")]
pub fn is(left: f64, right: f64) -> bool {
    left == right
}

fn is_equality(operator: Operator) -> bool {
    matches!(operator, Operator::Equal | Operator::NotEqual)
}

fn holds<T: PartialOrd + ?Sized>(operator: Operator, left: &T, right: &T) -> bool {
    let order = left.partial_cmp(right);
    match operator {
        Operator::Equal => left == right,
        Operator::NotEqual => left != right,
        Operator::Less => order == Some(Ordering::Less),
        Operator::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Operator::Greater => order == Some(Ordering::Greater),
        Operator::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        _ => false,
    }
}
