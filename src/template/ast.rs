//! A parsed template, owned and shareable.

use std::sync::Arc;

use crate::value::{Operator, Value};

/// Bytes of the source, from and to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

#[derive(Debug)]
pub struct Program {
    pub body: Vec<Stmt>,
    /// Every `{% block %}`, however deep it stands.
    pub blocks: Vec<Arc<Block>>,
}

#[derive(Debug)]
pub enum Stmt {
    Text(Arc<str>),
    Emit(Expr),
    For(Arc<For>),
    If {
        arms: Vec<(Expr, Vec<Stmt>)>,
        otherwise: Vec<Stmt>,
    },
    With {
        bindings: Vec<(Target, Expr)>,
        body: Vec<Stmt>,
    },
    Set {
        target: Target,
        value: Expr,
    },
    SetBlock {
        target: Target,
        filters: Vec<Apply>,
        body: Vec<Stmt>,
    },
    Filter {
        filters: Vec<Apply>,
        body: Vec<Stmt>,
    },
    /// `autoescape`, which escapes nothing here: there is no markup.
    Scope(Vec<Stmt>),
    Block(Arc<Block>),
    Extends(Expr),
    Include {
        name: Expr,
        ignore_missing: bool,
        with_context: bool,
    },
    Import {
        name: Expr,
        binding: Arc<str>,
        with_context: bool,
    },
    FromImport {
        name: Expr,
        names: Vec<(Arc<str>, Arc<str>)>,
        with_context: bool,
    },
    Macro(Arc<Macro>),
    Call {
        call: Expr,
        caller: Arc<Macro>,
    },
}

#[derive(Debug)]
pub struct For {
    pub target: Target,
    pub items: Expr,
    pub condition: Option<Expr>,
    pub recursive: bool,
    pub body: Vec<Stmt>,
    pub otherwise: Vec<Stmt>,
}

#[derive(Debug)]
pub struct Block {
    pub name: Arc<str>,
    pub scoped: bool,
    pub required: bool,
    pub body: Vec<Stmt>,
    pub span: Span,
}

#[derive(Debug)]
pub struct Macro {
    pub name: Arc<str>,
    pub params: Vec<(Arc<str>, Option<Expr>)>,
    pub body: Vec<Stmt>,
    /// Which of the special names the body reads: they decide what the macro takes.
    pub reads_varargs: bool,
    pub reads_kwargs: bool,
    pub reads_caller: bool,
}

/// What an assignment assigns to.
#[derive(Debug)]
pub enum Target {
    Name(Arc<str>),
    /// `namespace.attribute`.
    Attr(Expr, Arc<str>, Span),
    Tuple(Vec<Target>, Span),
}

#[derive(Debug)]
pub struct Expr {
    pub span: Span,
    pub kind: Kind,
}

#[derive(Debug)]
pub enum Kind {
    Const(Value),
    /// A constant with a template in it, which Ansible renders in conditions and lookups.
    Nested(Arc<super::Template>),
    Name(Arc<str>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Attr(Box<Expr>, Arc<str>),
    Item(Box<Expr>, Box<Expr>),
    Slice(Box<Slice>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Plus(Box<Expr>),
    /// Operators of one level from left to right.
    Binary(Box<Expr>, Vec<(Operator, Expr)>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    If(Box<Choice>),
    Filter(Box<Expr>, Box<Apply>),
    Test(Box<Expr>, Box<Apply>),
    Call(Box<Expr>, Vec<Arg>),
}

#[derive(Debug)]
pub struct Slice {
    pub subject: Expr,
    pub start: Option<Expr>,
    pub stop: Option<Expr>,
    pub step: Option<Expr>,
}

#[derive(Debug)]
pub struct Choice {
    pub test: Expr,
    pub yes: Expr,
    pub no: Option<Expr>,
}

/// A filter or test with its arguments.
#[derive(Debug)]
pub struct Apply {
    pub name: Arc<str>,
    pub args: Vec<Arg>,
    pub span: Span,
}

#[derive(Debug)]
pub enum Arg {
    Positional(Expr),
    Named(Arc<str>, Expr),
    /// `*items`.
    Items(Expr),
    /// `**entries`.
    Entries(Expr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
}
