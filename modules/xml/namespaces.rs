//! Which prefix a namespace gets where something is added, as lxml chooses it.

use super::names::XML_URI;
use super::tree::{Attribute, Declared, Element, Id, Name, Tree};

/// Prefixes that lxml has for well-known namespaces.
const KNOWN: &[(&str, &str)] = &[
    ("http://www.w3.org/1999/xhtml", "html"),
    ("http://www.w3.org/1999/XSL/Transform", "xsl"),
    ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf"),
    ("http://schemas.xmlsoap.org/wsdl/", "wsdl"),
    ("http://www.w3.org/2001/XMLSchema", "xs"),
    ("http://www.w3.org/2001/XMLSchema-instance", "xsi"),
    ("http://purl.org/dc/elements/1.1/", "dc"),
    ("http://codespeak.net/lxml/objectify/pytype", "py"),
];

/// The prefix in force at a node that stands for the namespace. That of an attribute is never empty.
fn in_force(tree: &Tree, at: Id, uri: &str, of_attribute: bool) -> Option<String> {
    if uri == XML_URI {
        return Some("xml".to_owned());
    }
    let here = std::iter::once(at).chain(tree.ancestors(at));
    let mut declared = here.filter_map(|id| tree.element(id)).flat_map(|element| &element.declared);
    let found = declared.find(|one| {
        one.uri == uri
            && !(of_attribute && one.prefix.is_empty())
            && tree.namespace(at, &one.prefix) == Some(uri)
    })?;
    Some(found.prefix.clone())
}

/// The prefix for a namespace at an element, declared there if need be.
fn prefix_at(tree: &mut Tree, at: Id, uri: &str, wished: Option<&str>, of_attribute: bool) -> String {
    if let Some(prefix) = in_force(tree, at, uri, of_attribute) {
        return prefix;
    }
    let known = KNOWN.iter().find(|(known, _)| *known == uri).map(|(_, prefix)| *prefix);
    let numbered = (0..).map(|number| format!("ns{number}"));
    let mut names = wished.or(known).map(str::to_owned).into_iter().chain(numbered);
    let prefix = names.find(|name| tree.namespace(at, name).is_none()).unwrap_or_default();
    if let Some(element) = tree.element_mut(at) {
        element.declared.push(Declared { prefix: prefix.clone(), uri: uri.to_owned() });
    }
    prefix
}

/// Gives an element that stands nowhere yet its name.
pub fn name_element(tree: &mut Tree, id: Id, name: &Name) {
    let prefix =
        if name.uri.is_empty() { String::new() } else { prefix_at(tree, id, &name.uri, None, false) };
    if let Some(element) = tree.element_mut(id) {
        element.name = Name { prefix, ..name.clone() };
    }
}

/// Ensures an attribute. Says whether it was otherwise.
pub fn set_attribute(tree: &mut Tree, id: Id, name: &Name, value: &str) -> bool {
    if tree.attribute(id, name) == Some(value) {
        return false;
    }
    let has = tree.attribute(id, name).is_some();
    let prefix =
        if has || name.uri.is_empty() { String::new() } else { prefix_at(tree, id, &name.uri, None, true) };
    let Some(element) = tree.element_mut(id) else { return false };
    match element.attributes.iter_mut().find(|attribute| attribute.name.is(name)) {
        Some(attribute) => value.clone_into(&mut attribute.value),
        None => element
            .attributes
            .push(Attribute { name: Name { prefix, ..name.clone() }, value: value.to_owned() }),
    }
    true
}

/// Drops declarations of what was put somewhere that are in force there anyway, under whatever prefix.
pub fn settle(tree: &mut Tree, top: Id) {
    for id in tree.subtree(top) {
        let (Some(parent), Some(element)) = (tree.node(id).parent, tree.element(id)) else { continue };
        let mut element = element.clone();
        let mut kept: Vec<Declared> = Vec::new();
        let mut dropped: Vec<Declared> = Vec::new();
        for declared in &element.declared {
            let prefix = in_force(tree, parent, &declared.uri, false);
            // Another prefix is of use only if this element does not give it another meaning.
            let is_hidden = |prefix: &String| {
                element.declared.iter().any(|own| own.prefix == *prefix && own.uri != declared.uri)
            };
            let drops = !declared.uri.is_empty() && prefix.is_some_and(|prefix| !is_hidden(&prefix));
            if drops { dropped.push(declared.clone()) } else { kept.push(declared.clone()) }
        }
        if dropped.is_empty() && element_is_bound(tree, id, &element) {
            continue;
        }
        if let Some(place) = tree.element_mut(id) {
            place.declared = kept;
        }
        if tree.namespace(id, &element.name.prefix).unwrap_or_default() != element.name.uri {
            element.name.prefix = in_force(tree, id, &element.name.uri, false).unwrap_or_default();
        }
        for attribute in element.attributes.iter_mut().filter(|attribute| !attribute.name.uri.is_empty()) {
            let name = &mut attribute.name;
            if tree.namespace(id, &name.prefix) != Some(&name.uri) {
                let found = in_force(tree, id, &name.uri, true);
                name.prefix = found.unwrap_or_else(|| {
                    let prefix = prefix_at(tree, top, &name.uri, Some(&name.prefix), true);
                    let holds = tree.namespace(id, &prefix) == Some(&name.uri);
                    if holds { prefix } else { prefix_at(tree, id, &name.uri, None, true) }
                });
            }
        }
        if let Some(place) = tree.element_mut(id) {
            place.name = element.name;
            place.attributes = element.attributes;
        }
    }
}

/// Whether all prefixes of an element mean what its names say.
fn element_is_bound(tree: &Tree, id: Id, element: &Element) -> bool {
    let means = |name: &Name| tree.namespace(id, &name.prefix).unwrap_or_default() == name.uri;
    means(&element.name)
        && element.attributes.iter().all(|attribute| attribute.name.uri.is_empty() || means(&attribute.name))
}
