//! Filters and tests: what a row of their tables is, and how one is called.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::Context;
use super::call::{Args, Operands, Params};
use super::names::{own_name, plain_name, unknown};
use crate::diagnostic::Result;
use crate::value::{Dict, Value};

/// `subject | filter(args)` gives a value, `subject is test(args)` a bool. An error needs no place: the evaluator adds
/// it.
pub type Run<R> = fn(&Value, &Args<'_>, &Context<'_>) -> Result<R>;

/// A row of a table.
pub struct Entry<R> {
    pub name: &'static str,
    pub params: Params,
    pub run: Run<R>,
    /// Whether it wants to see an undefined subject (`default`, `mandatory`) instead of an error.
    pub takes_undefined: bool,
    /// Whether subject and arguments come with their parts as stored. A filter that hands items on
    /// (`first`, `map`, `length`) leaves them so; where it looks at one it calls [`super::resolve`],
    /// [`super::get_attr`] or [`super::resolve_deep`]. For all others the parts are rendered before the call.
    pub lazy: bool,
    /// Whether it sees text under `!vault` as it stands, not what it decrypts to.
    pub sees_vaults: bool,
}

pub type FilterEntry = Entry<Value>;
pub type TestEntry = Entry<bool>;

impl<R> Entry<R> {
    pub const fn new(name: &'static str, params: Params, run: Run<R>) -> Self {
        Self { name, params, run, takes_undefined: false, lazy: false, sees_vaults: false }
    }

    #[must_use]
    pub const fn takes_undefined(mut self) -> Self {
        self.takes_undefined = true;
        self
    }

    #[must_use]
    pub const fn lazy(mut self) -> Self {
        self.lazy = true;
        self
    }

    #[must_use]
    pub const fn sees_vaults(mut self) -> Self {
        self.sees_vaults = true;
        self
    }
}

/// All filters, or all tests.
pub struct Table<R: 'static> {
    /// `filter` or `test`.
    kind: &'static str,
    families: &'static [&'static [Entry<R>]],
    index: OnceLock<HashMap<&'static str, &'static Entry<R>>>,
}

impl<R: Into<Value>> Table<R> {
    pub const fn new(kind: &'static str, families: &'static [&'static [Entry<R>]]) -> Self {
        Self { kind, families, index: OnceLock::new() }
    }

    /// The one of that name, with or without `ansible.builtin.`.
    pub fn find(&self, name: &str) -> Option<&'static Entry<R>> {
        let index = || self.families.iter().copied().flatten().map(|entry| (entry.name, entry)).collect();
        // None of the tests has moved.
        let own = if self.kind == "test" { plain_name(name) } else { own_name(name) };
        self.index.get_or_init(index).get(own).copied()
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.families.iter().flat_map(|family| family.iter()).map(|entry| entry.name)
    }

    /// Calls the one of that name.
    pub fn apply(
        &self,
        name: &str,
        subject: &Value,
        positional: &[Value],
        named: &Dict,
        context: &Context<'_>,
    ) -> Result<Value> {
        let entry = self.find(name).ok_or_else(|| unknown(self.kind, name, self.names()))?;
        self.call(entry, subject, positional, named, context)
    }

    /// Calls one.
    ///
    /// An undefined subject or argument is passed through as the result, unless it takes such; so is
    /// the reading of something undefined inside them. Every other error names it.
    pub fn call(
        &self,
        entry: &Entry<R>,
        subject: &Value,
        positional: &[Value],
        named: &Dict,
        context: &Context<'_>,
    ) -> Result<Value> {
        if !entry.takes_undefined
            && let Some(undefined) = std::iter::once(subject)
                .chain(positional)
                .chain(named.values())
                .find(|value| value.is_undefined())
        {
            return Ok(undefined.clone());
        }
        let operands = if entry.lazy {
            Ok(Operands::stored(subject, positional, named))
        } else {
            Operands::rendered(subject, positional, named, context)
        };
        let result = operands.and_then(|operands| {
            let args = Args::bind(entry.name, entry.params, &operands.positional, &operands.named)?;
            (entry.run)(&operands.subject, &args, context)
        });
        match result {
            Ok(answer) => Ok(answer.into()),
            Err(error) if error.is_undefined() => Ok(Value::from(error)),
            Err(error) => {
                let collection = if entry.name.contains('.') { "" } else { "ansible.builtin." };
                Err(error
                    .context(format_args!("The {} plugin '{collection}{}' failed", self.kind, entry.name)))
            }
        }
    }
}
