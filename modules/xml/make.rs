//! Makes what a path names and the document lacks.
//!
//! A path tells what to make by its last step: an element, an attribute, with `= 'text'` what they hold, with
//! predicates what the element has. What is before that step is made in the same way, if it is not there.

use super::namespaces::{name_element, set_attribute, settle};
use super::tree::{Element, Id, Kind, Name, Tree};
use super::xpath::{Axis, Expr, Node, Operator, Path, Step, Test, Value, evaluate};

type Made<T = bool> = Result<T, String>;

/// Ensures what an expression names. Says whether anything was made.
pub fn ensure(tree: &mut Tree, expr: &Expr, at: Id) -> Made {
    match wanted(expr) {
        Some((path, _)) if !path.absolute => Err("the path must begin with /".to_owned()),
        Some((path, value)) => ensure_path(tree, path, value, at),
        None => Err(cannot()),
    }
}

/// The path of an expression from which can be told what it wants, and the text it compares that with.
fn wanted(expr: &Expr) -> Option<(&Path, Option<&str>)> {
    match expr {
        Expr::Path(path) => Some((path, None)),
        Expr::Binary(Operator::Equal, path, value) => match (&**path, &**value) {
            (Expr::Path(path), Expr::Literal(value)) => Some((path, Some(value))),
            _ => None,
        },
        _ => None,
    }
}

fn cannot() -> String {
    "what it names cannot be made: give a path of names, with predicates like [@name='value' and text()='value']"
        .to_owned()
}

/// Whether the path ends with an attribute, which is set whether or not it is there.
pub fn is_attribute(path: &Path) -> bool {
    matches!(path.steps.last(), Some(Step { axis: Axis::Attribute, test: Test::Name(_), predicates }) if predicates.is_empty())
}

fn ensure_path(tree: &mut Tree, path: &Path, value: Option<&str>, at: Id) -> Made {
    let Some((last, before)) = path.steps.split_last() else { return Err(cannot()) };
    let inner = Path { absolute: path.absolute, steps: before.to_vec() };
    match (&last.axis, &last.test, value) {
        (Axis::Attribute, Test::Name(name), _) if last.predicates.is_empty() => {
            let (mut made, parents) = existing(tree, &inner, at)?;
            for parent in parents {
                made |= set_attribute(tree, parent, name, value.unwrap_or_default());
            }
            Ok(made)
        }
        (Axis::Child, Test::Text, Some(text)) if last.predicates.is_empty() => {
            ensure_text(tree, &inner, text, at)
        }
        (Axis::Child, Test::Name(name), None) => {
            let (_, parents) = existing(tree, &inner, at)?;
            add_element(tree, &parents, name, &last.predicates)?;
            Ok(true)
        }
        _ => Err(cannot()),
    }
}

/// `…/text()='text'`: a new element with that text where a name is before it, else what is there gets it.
fn ensure_text(tree: &mut Tree, inner: &Path, text: &str, at: Id) -> Made {
    if let Some((Step { axis: Axis::Child, test: Test::Name(name), predicates }, before)) =
        inner.steps.split_last()
        && predicates.is_empty()
    {
        let outer = Path { absolute: inner.absolute, steps: before.to_vec() };
        let (_, parents) = existing(tree, &outer, at)?;
        let element = add_element(tree, &parents, name, &[])?;
        tree.set_text(element, text);
        return Ok(true);
    }
    let (mut made, elements) = existing(tree, inner, at)?;
    for element in elements {
        if tree.text(element).as_deref() != Some(text) {
            tree.set_text(element, text);
            made = true;
        }
    }
    Ok(made)
}

/// The elements a path leads to, made where there are none.
fn existing(tree: &mut Tree, path: &Path, at: Id) -> Made<(bool, Vec<Id>)> {
    // `//name`: anything anywhere is no place to make something.
    if matches!(path.steps.last(), Some(Step { axis: Axis::DescendantOrSelf, test: Test::AnyNode, .. })) {
        return Err(cannot());
    }
    let found = elements(tree, path, at)?;
    if !found.is_empty() {
        return Ok((false, found));
    }
    if path.steps.is_empty() {
        return Err("a document has one outermost element, which is another".to_owned());
    }
    let made = ensure_path(tree, path, None, at)?;
    let found = elements(tree, path, at)?;
    if found.is_empty() { Err(cannot()) } else { Ok((made, found)) }
}

fn elements(tree: &Tree, path: &Path, at: Id) -> Made<Vec<Id>> {
    let Value::Nodes(nodes) = evaluate(&Expr::Path(path.clone()), tree, at)? else { return Ok(Vec::new()) };
    let element = |node: Node| match node {
        Node::Of(id) => tree.element(id).map(|_| id),
        Node::Attribute(..) => None,
    };
    Ok(nodes.into_iter().filter_map(element).collect())
}

/// A new element for which the predicates hold. With several parents it comes to be in the last of them.
fn add_element(tree: &mut Tree, parents: &[Id], name: &Name, predicates: &[Expr]) -> Made<Id> {
    let parent = parents.last().copied().ok_or_else(cannot)?;
    let id = new_element(tree, name);
    for predicate in predicates {
        fulfil(tree, id, predicate)?;
    }
    tree.append(parent, id);
    settle(tree, id);
    Ok(id)
}

/// An element that stands nowhere yet.
pub fn new_element(tree: &mut Tree, name: &Name) -> Id {
    let id = tree.make(Kind::Element(Element::default()));
    name_element(tree, id, name);
    id
}

fn fulfil(tree: &mut Tree, id: Id, predicate: &Expr) -> Made<()> {
    if let Expr::Binary(Operator::And, left, right) = predicate {
        fulfil(tree, id, left)?;
        return fulfil(tree, id, right);
    }
    match wanted(predicate) {
        Some((path, value)) if !path.absolute => ensure_path(tree, path, value, id).map(drop),
        _ => Err(cannot()),
    }
}
