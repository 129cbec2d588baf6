//! How filters, tests and lookups are called.

use std::sync::Arc;

use super::Context;
use crate::diagnostic::Result;
use crate::value::{Dict, Value};

/// Where a template finds its variables.
pub trait Names: Send + Sync {
    /// The value as stored: it may be a template, which the evaluator renders when it reads it.
    fn get(&self, name: &str) -> Option<Value>;

    /// Every name that `get` would answer, for `lookup('varnames')`, `vars` and did-you-mean.
    fn names(&self) -> Vec<Arc<str>>;
}

/// The arguments of a filter, test or lookup call besides its subject.
pub struct Args<'a> {
    pub positional: &'a [Value],
    pub named: &'a Dict,
}

/// `subject | filter(args)`. An error needs no place: the evaluator adds it.
pub type Filter = fn(&Value, &Args<'_>, &Context<'_>) -> Result<Value>;

/// `subject is test(args)`.
pub type Test = fn(&Value, &Args<'_>, &Context<'_>) -> Result<bool>;

/// `lookup('name', terms…, options…)`; also every `with_name`.
pub type Lookup = fn(&[Value], &Args<'_>, &Context<'_>) -> Result<Vec<Value>>;

/// A row of the filter table.
pub struct FilterEntry {
    pub name: &'static str,
    pub run: Filter,
    /// Whether the filter wants to see an undefined subject (`default`, `mandatory`) instead of an error.
    pub takes_undefined: bool,
}
