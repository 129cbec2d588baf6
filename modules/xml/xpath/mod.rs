//! XPath 1.0, whole but for variables, the namespace axis and `id()`. What is not understood is an error.

mod evaluate;
mod functions;
mod lex;
mod parse;
mod value;

use std::collections::BTreeMap;

pub use self::evaluate::evaluate;
pub use self::functions::Function;
pub use self::parse::parse;
pub use self::value::{Node, Value};
use super::tree::Name;

/// What prefixes stand for.
pub type Namespaces = BTreeMap<String, String>;

#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    Binary(Operator, Box<Expr>, Box<Expr>),
    Negate(Box<Expr>),
    Literal(String),
    Number(f64),
    Call(Function, Vec<Expr>),
    Path(Path),
    /// Another expression, narrowed down by predicates, and steps from there.
    Filter(Box<Expr>, Vec<Expr>, Vec<Step>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Union,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path {
    /// From the root of the document.
    pub absolute: bool,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub axis: Axis,
    pub test: Test,
    pub predicates: Vec<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    Ancestor,
    AncestorOrSelf,
    Attribute,
    Child,
    Descendant,
    DescendantOrSelf,
    Following,
    FollowingSibling,
    Parent,
    Preceding,
    PrecedingSibling,
    Itself,
}

impl Axis {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ancestor" => Self::Ancestor,
            "ancestor-or-self" => Self::AncestorOrSelf,
            "attribute" => Self::Attribute,
            "child" => Self::Child,
            "descendant" => Self::Descendant,
            "descendant-or-self" => Self::DescendantOrSelf,
            "following" => Self::Following,
            "following-sibling" => Self::FollowingSibling,
            "parent" => Self::Parent,
            "preceding" => Self::Preceding,
            "preceding-sibling" => Self::PrecedingSibling,
            "self" => Self::Itself,
            _ => return None,
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Its prefix is empty: it is resolved.
    Name(Name),
    /// `*`, or `prefix:*` with what the prefix stands for.
    AnyName(Option<String>),
    AnyNode,
    Text,
    Comment,
    Instruction(Option<String>),
}

#[cfg(test)]
mod tests;
