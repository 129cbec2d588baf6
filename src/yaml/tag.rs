//! Explicit tags: YAML's own (`!!int`) and Ansible's (`!vault`, `!unsafe`).

use std::sync::Arc;

use granit_parser::Tag;

use super::{Kind, Node, scalar};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Object, Value};

const CORE: &str = "tag:yaml.org,2002:";

/// What a tag makes of a scalar.
pub(super) enum Scalar {
    Value(Value),
    /// A string like any other: it may be a template.
    Text(String),
    /// A string that is never rendered.
    Unsafe,
    Vault,
    Wrong(String),
}

pub(super) fn scalar(tag: &Tag, text: &str) -> Scalar {
    let Some(core) = tag.suffix_in_namespace(CORE) else {
        return match full_name(tag).as_str() {
            "!unsafe" => Scalar::Unsafe,
            "!vault" | "!vault-encrypted" => Scalar::Vault,
            other => Scalar::Wrong(unknown(other)),
        };
    };
    let wrong = |what: &str| Scalar::Wrong(format!("`{text}` is not {what}"));
    match core.as_ref() {
        // `!!merge` comes here on a key that is no `<<`.
        "str" | "merge" => Scalar::Text(text.to_owned()),
        "int" => scalar::int(text).map_or_else(|| wrong("an integer"), Scalar::Value),
        "float" => scalar::float(text)
            .or_else(|| text.replace('_', "").parse().ok())
            .map_or_else(|| wrong("a float"), |number| Scalar::Value(Value::Float(number))),
        "bool" => match text.to_lowercase().as_str() {
            "yes" | "true" | "on" => Scalar::Value(Value::Bool(true)),
            "no" | "false" | "off" => Scalar::Value(Value::Bool(false)),
            _ => wrong("a boolean"),
        },
        "null" => Scalar::Value(Value::None),
        "timestamp" => Scalar::Value(Value::from(text)),
        "binary" => match decode_base64(text).map(String::from_utf8) {
            Some(Ok(decoded)) => Scalar::Value(Value::from(decoded)),
            Some(Err(other)) => Scalar::Value(Value::Object(Arc::new(Bytes(other.into_bytes())))),
            None => Scalar::Wrong("the text under !!binary is not base64".to_owned()),
        },
        "map" | "set" => Scalar::Wrong(format!("!!{core} needs a mapping, this is a string")),
        "seq" | "omap" | "pairs" => Scalar::Wrong(format!("!!{core} needs a list, this is a string")),
        _ => Scalar::Wrong(unknown(&format!("!!{core}"))),
    }
}

/// Binary data that is no text: it may stand there, but nothing can be done with it.
struct Bytes(Vec<u8>);

impl Object for Bytes {
    fn type_name(&self) -> &'static str {
        "bytes"
    }

    fn repr(&self) -> String {
        format!("b'{}'", self.0.escape_ascii())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    List,
    Map,
}

/// What a tag makes of a list or mapping.
pub(super) struct Shape {
    pub(super) is_unsafe: bool,
    special: Special,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Special {
    None,
    /// `!!set`: the keys, as a list.
    Set,
    /// `!!omap` and `!!pairs`: one-entry mappings become lists of key and value.
    Pairs,
}

pub(super) fn container(tag: &Tag, container: Container) -> Result<Shape, String> {
    let shape = |is_unsafe, special| Ok(Shape { is_unsafe, special });
    let Some(core) = tag.suffix_in_namespace(CORE) else {
        return match full_name(tag).as_str() {
            "!" => shape(false, Special::None),
            "!unsafe" => shape(true, Special::None),
            name @ ("!vault" | "!vault-encrypted") => Err(format!("{name} needs a string")),
            other => Err(unknown(other)),
        };
    };
    match (core.as_ref(), container) {
        ("seq", Container::List) | ("map", Container::Map) => shape(false, Special::None),
        ("omap" | "pairs", Container::List) => shape(false, Special::Pairs),
        ("set", Container::Map) => shape(false, Special::Set),
        ("seq" | "omap" | "pairs", Container::Map) => {
            Err(format!("!!{core} needs a list, this is a mapping"))
        }
        ("map" | "set", Container::List) => Err(format!("!!{core} needs a mapping, this is a list")),
        ("str" | "int" | "float" | "bool" | "null" | "timestamp" | "binary", _) => {
            Err(format!("!!{core} needs a scalar"))
        }
        _ => Err(unknown(&format!("!!{core}"))),
    }
}

impl Shape {
    pub(super) fn plain() -> Self {
        Self { is_unsafe: false, special: Special::None }
    }

    pub(super) fn finish_list(&self, items: Vec<Node>) -> Result<Kind> {
        if self.special != Special::Pairs {
            return Ok(Kind::List(Arc::new(items)));
        }
        let pairs = items.into_iter().map(|item| match item.as_map() {
            Some([(key, value)]) => {
                let kind = Kind::List(Arc::new(vec![key.clone(), value.clone()]));
                Ok(Node { kind, place: item.place })
            }
            _ => Err(Diagnostic::new(format!(
                "expected a mapping with one entry, this is {}",
                item.describe()
            ))
            .at(&item.place)),
        });
        Ok(Kind::List(Arc::new(pairs.collect::<Result<_>>()?)))
    }

    pub(super) fn finish_map(&self, entries: Vec<(Node, Node)>) -> Kind {
        if self.special == Special::Set {
            Kind::List(Arc::new(entries.into_iter().map(|(key, _)| key).collect()))
        } else {
            Kind::Map(Arc::new(entries))
        }
    }
}

/// `!` alone: says nothing, as libyaml reads it.
pub(super) fn is_non_specific(tag: &Tag) -> bool {
    tag.handle().len() + tag.suffix().len() <= 1
}

pub(super) fn is_merge(tag: &Tag) -> bool {
    tag.suffix_in_namespace(CORE).is_some_and(|name| name == "merge")
}

fn full_name(tag: &Tag) -> String {
    format!("{}{}", tag.handle(), tag.suffix())
}

fn unknown(name: &str) -> String {
    format!("unknown tag `{name}`: quote a value that begins with `!`")
}

/// Base64 as Python's lenient decoder takes it: anything outside the alphabet is skipped.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut buffer, mut bits, mut digits, mut padding) = (0_u32, 0, 0, 0);
    for byte in text.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                padding += 1;
                continue;
            }
            _ => continue,
        };
        digits += 1;
        buffer = (buffer << 6) | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 0xff).unwrap_or_default());
        }
    }
    let needed = match digits % 4 {
        0 => 0,
        2 => 2,
        3 => 1,
        _ => return None,
    };
    (padding >= needed).then_some(bytes)
}
