//! The functions of XPath 1.0.

use std::ops::RangeInclusive;

use super::Expr;
use super::evaluate::{Evaluator, Place, is, truth};
use super::value::{self, Node, Value};
use crate::xml::names::{XML_URI, is_space};
use crate::xml::tree::{Id, Kind, Name};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Boolean,
    Ceiling,
    Concat,
    Contains,
    Count,
    False,
    Floor,
    Lang,
    Last,
    LocalName,
    Name,
    NamespaceUri,
    NormalizeSpace,
    Not,
    Number,
    Position,
    Round,
    StartsWith,
    String,
    StringLength,
    Substring,
    SubstringAfter,
    SubstringBefore,
    Sum,
    Translate,
    True,
}

/// What each is called, and how many arguments it takes.
const FUNCTIONS: &[(&str, Function, RangeInclusive<usize>)] = &[
    ("boolean", Function::Boolean, 1..=1),
    ("ceiling", Function::Ceiling, 1..=1),
    ("concat", Function::Concat, 2..=usize::MAX),
    ("contains", Function::Contains, 2..=2),
    ("count", Function::Count, 1..=1),
    ("false", Function::False, 0..=0),
    ("floor", Function::Floor, 1..=1),
    ("lang", Function::Lang, 1..=1),
    ("last", Function::Last, 0..=0),
    ("local-name", Function::LocalName, 0..=1),
    ("name", Function::Name, 0..=1),
    ("namespace-uri", Function::NamespaceUri, 0..=1),
    ("normalize-space", Function::NormalizeSpace, 0..=1),
    ("not", Function::Not, 1..=1),
    ("number", Function::Number, 0..=1),
    ("position", Function::Position, 0..=0),
    ("round", Function::Round, 1..=1),
    ("starts-with", Function::StartsWith, 2..=2),
    ("string", Function::String, 0..=1),
    ("string-length", Function::StringLength, 0..=1),
    ("substring", Function::Substring, 2..=3),
    ("substring-after", Function::SubstringAfter, 2..=2),
    ("substring-before", Function::SubstringBefore, 2..=2),
    ("sum", Function::Sum, 1..=1),
    ("translate", Function::Translate, 3..=3),
    ("true", Function::True, 0..=0),
];

impl Function {
    pub fn named(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|(known, ..)| *known == name).map(|(_, function, _)| *function)
    }

    pub fn arity(self) -> RangeInclusive<usize> {
        let row = FUNCTIONS.iter().find(|(_, function, _)| *function == self);
        row.map_or(0..=0, |(_, _, arity)| arity.clone())
    }
}

#[expect(clippy::cast_precision_loss, reason = "XPath has no numbers but floating ones")]
pub fn length(count: usize) -> f64 {
    count as f64
}

impl Evaluator<'_> {
    pub fn call(&self, function: Function, args: &[Expr], place: Place) -> Result<Value, String> {
        let mut values =
            args.iter().map(|arg| self.value(arg, place)).collect::<Result<Vec<_>, _>>()?.into_iter();
        // Some functions are of the node they stand at, when they are given nothing.
        let mut given = || values.next().unwrap_or_else(|| Value::Nodes(vec![place.node]));
        Ok(match function {
            Function::Boolean => Value::Boolean(truth(&given())),
            Function::Not => Value::Boolean(!truth(&given())),
            Function::True => Value::Boolean(true),
            Function::False => Value::Boolean(false),
            Function::Number => Value::Number(self.number(&given())),
            Function::Floor => Value::Number(self.number(&given()).floor()),
            Function::Ceiling => Value::Number(self.number(&given()).ceil()),
            Function::Round => Value::Number(round(self.number(&given()))),
            Function::Last => Value::Number(length(place.size)),
            Function::Position => Value::Number(length(place.position)),
            Function::Count => Value::Number(length(nodes(given())?.len())),
            Function::Sum => Value::Number(
                nodes(given())?.into_iter().map(|node| value::number(&self.text_of(node))).sum(),
            ),
            Function::LocalName => self.of_name(given(), |name, _| name.local.clone())?,
            Function::NamespaceUri => self.of_name(given(), |name, _| name.uri.clone())?,
            Function::Name => self.of_name(given(), |_, written| written)?,
            Function::String => Value::Text(self.text(&given())),
            Function::StringLength => Value::Number(length(self.text(&given()).chars().count())),
            Function::NormalizeSpace => {
                let text = self.text(&given());
                let words = text.split(is_space).filter(|word| !word.is_empty());
                Value::Text(words.collect::<Vec<_>>().join(" "))
            }
            Function::Concat => Value::Text(values.map(|value| self.text(&value)).collect()),
            Function::Contains => Value::Boolean(self.text(&given()).contains(&self.text(&given()))),
            Function::StartsWith => Value::Boolean(self.text(&given()).starts_with(&self.text(&given()))),
            Function::SubstringBefore => {
                let (text, mark) = (self.text(&given()), self.text(&given()));
                Value::Text(text.split_once(&mark).map(|(before, _)| before.to_owned()).unwrap_or_default())
            }
            Function::SubstringAfter => {
                let (text, mark) = (self.text(&given()), self.text(&given()));
                Value::Text(text.split_once(&mark).map(|(_, after)| after.to_owned()).unwrap_or_default())
            }
            Function::Substring => {
                let (text, start) = (self.text(&given()), round(self.number(&given())));
                let end = values.next().map_or(f64::INFINITY, |count| start + round(self.number(&count)));
                let held = |at: usize| length(at + 1) >= start && length(at + 1) < end;
                Value::Text(
                    text.chars().enumerate().filter(|(at, _)| held(*at)).map(|(_, char)| char).collect(),
                )
            }
            Function::Translate => {
                let (text, from, to) = (self.text(&given()), self.text(&given()), self.text(&given()));
                let to: Vec<char> = to.chars().collect();
                let translated = |char: char| match from.chars().position(|other| other == char) {
                    Some(at) => to.get(at).copied(),
                    None => Some(char),
                };
                Value::Text(text.chars().filter_map(translated).collect())
            }
            Function::Lang => Value::Boolean(self.speaks(place.node, &self.text(&given()))),
        })
    }

    /// Something of the name of the first node; empty where there is none, or it has none.
    fn of_name(&self, value: Value, tell: impl Fn(&Name, String) -> String) -> Result<Value, String> {
        let told = match nodes(value)?.first().copied() {
            Some(Node::Attribute(id, at)) => {
                let attribute = self.tree.element(id).and_then(|element| element.attributes.get(at));
                attribute.map(|attribute| tell(&attribute.name, written(&attribute.name)))
            }
            Some(Node::Of(id)) => match &self.tree.node(id).kind {
                Kind::Element(element) => Some(tell(&element.name, written(&element.name))),
                Kind::Instruction { target, .. } => {
                    let name = Name { local: target.clone(), ..Name::default() };
                    Some(tell(&name, target.clone()))
                }
                _ => None,
            },
            None => None,
        };
        Ok(Value::Text(told.unwrap_or_default()))
    }

    /// Whether the nearest `xml:lang` is that language, or a kind of it.
    fn speaks(&self, node: Node, wanted: &str) -> bool {
        let (Node::Of(id) | Node::Attribute(id, _)) = node;
        let name = Name { uri: XML_URI.to_owned(), local: "lang".to_owned(), ..Name::default() };
        let said = |id: Id| self.tree.attribute(id, &name);
        let found = std::iter::once(id).chain(self.tree.ancestors(id)).find_map(said);
        found.is_some_and(|found| {
            let head = found.get(..wanted.len()).is_some_and(|head| head.eq_ignore_ascii_case(wanted));
            head && found.get(wanted.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    }
}

fn written(name: &Name) -> String {
    crate::xml::read::written(&name.prefix, &name.local)
}

fn nodes(value: Value) -> Result<Vec<Node>, String> {
    match value {
        Value::Nodes(nodes) => Ok(nodes),
        _ => Err("Invalid type: a set of nodes is expected".to_owned()),
    }
}

/// Halves go up.
fn round(number: f64) -> f64 {
    if is(number.fract(), -0.5) { number.ceil() } else { number.round() }
}
