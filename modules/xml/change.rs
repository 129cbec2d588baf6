//! What the module changes of a document.

use serde_json::Value as Json;

use super::children::{self, as_text, named};
use super::look::{elements, no_node, nodes};
use super::make;
use super::namespaces::{set_attribute, settle};
use super::tree::{Id, Name, ROOT, Tree};
use super::xpath::{Expr, Node, Value, evaluate};
use super::{Args, Selector};
use crate::kit::args::python_repr;
use crate::kit::{Failure, Result};
use crate::lineinfile::State;

/// Makes the document what the task wants. Says whether it was not.
pub fn change(args: &Args, selector: &Selector, tree: &mut Tree) -> Result<bool> {
    if args.state == State::Absent {
        return remove(selector, tree);
    }
    if let Some(given) = &args.set_children {
        return set_children(args, selector, given, tree);
    }
    if let Some(given) = &args.add_children {
        return add_children(args, selector, given, tree);
    }
    if args.value.is_null() {
        return ensure(selector, tree);
    }
    set_value(args, selector, tree)
}

fn remove(selector: &Selector, tree: &mut Tree) -> Result<bool> {
    let unable = |why: &str| Failure::new(format!("Couldn't delete xpath target: {} ({why})", selector.text));
    let found = nodes(selector, tree)?;
    // Attributes are known by their places: the last one goes first.
    for node in found.iter().rev() {
        match *node {
            Node::Attribute(id, at) => {
                if let Some(element) = tree.element_mut(id)
                    && at < element.attributes.len()
                {
                    element.attributes.remove(at);
                }
            }
            Node::Of(id) if tree.characters(id).is_some() => {
                return Err(unable("text cannot be removed: set the value of its element"));
            }
            Node::Of(id) if tree.node(id).parent == Some(ROOT) => {
                return Err(unable("it stands outermost in the document"));
            }
            Node::Of(id) => tree.remove(id),
        }
    }
    Ok(!found.is_empty())
}

fn set_children(args: &Args, selector: &Selector, given: &[Json], tree: &mut Tree) -> Result<bool> {
    let wanted = children::make(tree, given, args.input_type)?;
    let wanted_text: Vec<String> = wanted.iter().map(|id| super::write::element(tree, *id)).collect();
    let mut changed = false;
    for parent in elements(selector, tree)? {
        let old: Vec<Id> = element_children(tree, parent);
        if has_children(tree, parent, &old, &wanted_text) {
            continue;
        }
        changed = true;
        for child in old {
            tree.remove(child);
        }
        // As with lxml new elements move on to the next parent.
        for child in &wanted {
            tree.append(parent, *child);
        }
    }
    for child in wanted {
        settle(tree, child);
    }
    Ok(changed)
}

/// What lxml takes for children: all but text.
fn element_children(tree: &Tree, parent: Id) -> Vec<Id> {
    tree.node(parent).children.iter().copied().filter(|id| tree.characters(*id).is_none()).collect()
}

/// Whether an element holds just these, and no text between them but blanks.
fn has_children(tree: &Tree, parent: Id, old: &[Id], wanted: &[String]) -> bool {
    let behind_first = tree.node(parent).children.iter().skip_while(|id| tree.characters(**id).is_some());
    let blank = behind_first.filter_map(|id| tree.characters(*id)).all(|text| text.trim().is_empty());
    let same = || old.iter().map(|id| super::write::element(tree, *id)).eq(wanted.iter().cloned());
    old.len() == wanted.len() && blank && same()
}

fn add_children(args: &Args, selector: &Selector, given: &[Json], tree: &mut Tree) -> Result<bool> {
    let new = children::make(tree, given, args.input_type)?;
    let found: Vec<Id> = match nodes(selector, tree)?
        .into_iter()
        .map(|node| match node {
            Node::Of(id) if tree.element(id).is_some() => Some(id),
            _ => None,
        })
        .collect::<Option<_>>()
    {
        Some(found) => found,
        None => return Err(no_node(selector)),
    };
    let target = if args.insertbefore { found.first() } else { found.last() };
    let (Some(target), false) = (target.copied(), new.is_empty()) else { return Ok(false) };
    if !args.insertbefore && !args.insertafter {
        for child in new {
            tree.append(target, child);
            settle(tree, child);
        }
        return Ok(true);
    }
    let outermost = || {
        Failure::new(format!("Xpath {} is the outermost element: nothing stands beside it", selector.text))
    };
    let (parent, mut at) = tree.place(target).filter(|(parent, _)| *parent != ROOT).ok_or_else(outermost)?;
    if args.insertafter {
        let behind = tree.node(parent).children.iter().skip(at + 1);
        at += 1 + behind.take_while(|id| tree.characters(**id).is_some()).count();
    }
    for (offset, child) in new.into_iter().enumerate() {
        tree.insert(parent, at + offset, child);
        settle(tree, child);
    }
    Ok(true)
}

/// Without a value the path itself says what there is to be.
fn ensure(selector: &Selector, tree: &mut Tree) -> Result<bool> {
    let failed = |why: String| {
        Failure::new(format!("Can't process Xpath {} in order to spawn nodes: {why}", selector.text))
    };
    let sets = matches!(&selector.expr, Expr::Path(path) if make::is_attribute(path));
    let at = tree.document_element().unwrap_or(ROOT);
    let there = match evaluate(&selector.expr, tree, at).map_err(failed)? {
        Value::Nodes(_) if sets => false,
        Value::Nodes(found) => {
            found.iter().any(|node| matches!(node, Node::Of(id) if tree.element(*id).is_some()))
        }
        Value::Boolean(truth) => truth,
        _ => return Err(failed("it computes a value".to_owned())),
    };
    if there { Ok(false) } else { make::ensure(tree, &selector.expr, at).map_err(failed) }
}

fn set_value(args: &Args, selector: &Selector, tree: &mut Tree) -> Result<bool> {
    let attribute = match &args.attribute {
        Json::Null => None,
        Json::String(name) => Some(attribute_name(name, selector)?),
        other => return Err(Failure::new(format!("Invalid attribute name '{other}'"))),
    };
    if !args.value.is_string() {
        let what = match &args.attribute {
            Json::String(name) => format!("attribute '{name}'"),
            _ => "element text".to_owned(),
        };
        return Err(Failure::new(format!(
            "A non-string value {} was parsed for {what} at xpath '{}'. YAML values for booleans, octals, floats may not \
             yield the string you intended. Quote the value to be explicit, like `value: \"yes\"`.",
            python_repr(&args.value),
            selector.text
        )));
    }
    let value = as_text(&args.value, "value")?;
    let mut changed = false;
    let mut found = elements(selector, tree)?;
    if found.is_empty() {
        if !args.create_if_missing {
            return Ok(false);
        }
        changed = ensure(selector, tree)?;
        found = elements(selector, tree)?;
    }
    for id in found {
        if tree.element(id).is_none() {
            return Err(no_node(selector));
        }
        if let Some(name) = &attribute {
            changed |= set_attribute(tree, id, name, &value);
        } else if let text = tree.text(id)
            && text.as_ref() != Some(&value)
        {
            // No text is no other than an empty one, but is written otherwise.
            changed |= text.unwrap_or_default() != value;
            tree.set_text(id, &value);
        }
    }
    Ok(changed)
}

/// `name`, `prefix:name` or `{uri}name`.
fn attribute_name(written: &str, selector: &Selector) -> Result<Name> {
    let Some((prefix, local)) = written.split_once(':').filter(|_| !written.starts_with('{')) else {
        return named(written, "attribute");
    };
    let uri = match selector.namespaces.get(prefix) {
        Some(uri) => uri.as_str(),
        None if prefix == "xml" => super::names::XML_URI,
        None => {
            return Err(Failure::new(format!(
                "Invalid attribute name '{written}': namespaces has no {prefix}"
            )));
        }
    };
    named(&format!("{{{uri}}}{local}"), "attribute")
}
