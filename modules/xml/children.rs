//! New elements from what the task gives: names, mappings, or XML.

use serde_json::{Map, Value as Json};

use super::make::new_element;
use super::names::{is_char, is_name};
use super::namespaces::set_attribute;
use super::read::{self, read};
use super::tree::{Id, Name, Tree};
use crate::kit::{Failure, Result};

/// How children are given.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum InputType {
    /// As text of XML.
    Xml,
    /// As names, or mappings of a name to text, or to attributes, `+value` and `_`.
    #[default]
    Yaml,
}

/// The elements, which stand nowhere yet.
pub fn make(tree: &mut Tree, given: &[Json], input: InputType) -> Result<Vec<Id>> {
    given
        .iter()
        .map(|child| match input {
            InputType::Xml => from_xml(tree, child),
            InputType::Yaml => from_yaml(tree, child),
        })
        .collect()
}

fn from_xml(tree: &mut Tree, child: &Json) -> Result<Id> {
    let Json::String(text) = child else {
        return Err(Failure::new(format!("Error while parsing child element: {child} is no text of XML")));
    };
    let options = read::Options { strip_cdata: true, ..read::Options::default() };
    let parsed = read(text, options)
        .map_err(|why| Failure::new(format!("Error while parsing child element: {why} ({text})")))?;
    let own = parsed.document_element().ok_or_else(|| Failure::new("a child element is empty"))?;
    Ok(tree.import(&parsed, own))
}

fn from_yaml(tree: &mut Tree, child: &Json) -> Result<Id> {
    let (name, content) = match child {
        Json::String(name) => (name, &Json::Null),
        Json::Object(map) => match map.iter().next() {
            Some(only) if map.len() == 1 => only,
            _ => return Err(Failure::new("Can only create children from hashes with one key")),
        },
        other => {
            return Err(Failure::new(format!(
                "Invalid child type: {other}. Children must be either strings or hashes."
            )));
        }
    };
    let id = new_element(tree, &named(name, "tag")?);
    match content {
        Json::Null => {}
        Json::Object(content) => fill(tree, id, name, content)?,
        text => tree.set_text(id, &as_text(text, name)?),
    }
    Ok(id)
}

fn fill(tree: &mut Tree, id: Id, name: &str, content: &Map<String, Json>) -> Result<()> {
    for (key, value) in content {
        match (key.as_str(), value) {
            ("+value", Json::Null) => {}
            ("+value", text) => tree.set_text(id, &as_text(text, name)?),
            ("_", Json::Array(children)) => {
                for child in children {
                    let child = from_yaml(tree, child)?;
                    tree.append(id, child);
                    super::namespaces::settle(tree, child);
                }
            }
            ("_", other) => {
                return Err(Failure::new(format!("Invalid children type: {other}, must be list.")));
            }
            (key, value) => {
                let value = as_text(value, key)?;
                set_attribute(tree, id, &named(key, "attribute")?, &value);
            }
        }
    }
    Ok(())
}

/// Text that XML can hold. Numbers and truths are none: nobody knows how they were written.
pub fn as_text(value: &Json, what: &str) -> Result<String> {
    let Json::String(text) = value else {
        return Err(Failure::new(format!("{what}: {value} is no text: quote it")));
    };
    match text.chars().find(|char| !is_char(*char)) {
        Some(char) => Err(Failure::new(format!(
            "{what}: the character U+{:04X} is not allowed in XML",
            u32::from(char)
        ))),
        None => Ok(text.clone()),
    }
}

/// A name, of a namespace as in `{uri}name`.
pub fn named(written: &str, what: &str) -> Result<Name> {
    let spaced = written.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    let (uri, local) = spaced.unwrap_or(("", written));
    if !is_name(local) {
        let hint = if local.contains(':') { ": of a namespace it is {uri}name" } else { "" };
        return Err(Failure::new(format!("Invalid {what} name '{written}'{hint}")));
    }
    Ok(Name { prefix: String::new(), uri: uri.to_owned(), local: local.to_owned() })
}
