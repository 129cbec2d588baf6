//! Jinja as Ansible speaks it: minijinja's parser, our own evaluator on [`Value`].

mod access;
mod call;
pub mod filters;
pub mod lookups;
mod names;
pub mod python_format;
pub mod python_random;
pub mod tests;

use std::sync::Arc;

pub use access::{call, get_attr, get_item, iterate};
pub use call::{Args, Filter, FilterEntry, Lookup, LookupEntry, Names, Test, TestEntry};

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::value::Value;

/// Text with template marks, parsed at most once.
#[derive(Debug)]
pub struct Template {
    source: Arc<str>,
    place: Option<Place>,
    // The evaluator adds: program: OnceLock<Result<Program>>.
}

impl Template {
    pub fn new(source: impl Into<Arc<str>>, place: Option<Place>) -> Self {
        Self { source: source.into(), place }
    }

    /// Whether trusted text has anything to render.
    pub fn is_template(text: &str) -> bool {
        text.contains("{{") || text.contains("{%") || text.contains("{#")
    }

    pub fn source(&self) -> &Arc<str> {
        &self.source
    }

    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}

/// What a rendering needs besides the template: the variables, and the guard against endless recursion.
pub struct Context<'a> {
    pub names: &'a dyn Names,
}

impl<'a> Context<'a> {
    pub fn new(names: &'a dyn Names) -> Self {
        Self { names }
    }
}

/// Renders one template to a native value: `{{ x }}` alone keeps the type of `x`.
pub fn render(_template: &Template, _context: &Context<'_>) -> Result<Value> {
    Err(Diagnostic::new("templates are not there yet"))
}

/// Renders the value itself when it is a template or vaulted; its parts stay as they are.
pub fn resolve(_value: &Value, _context: &Context<'_>) -> Result<Value> {
    Err(Diagnostic::new("templates are not there yet"))
}

/// Renders a value and everything in it, as a filter that looks at all of it needs it. The reading of
/// something undefined is an error of the kind [`crate::diagnostic::Diagnostic::is_undefined`].
pub fn resolve_deep(_value: &Value, _context: &Context<'_>) -> Result<Value> {
    Err(Diagnostic::new("templates are not there yet"))
}

/// Renders a value and everything in it; `omit` inside containers leaves the item out. An undefined raises.
pub fn render_all(_value: &Value, _context: &Context<'_>) -> Result<Value> {
    Err(Diagnostic::new("templates are not there yet"))
}

/// Evaluates a `when`-like expression: bare (`a and b`), a template, or an actual bool. Anything whose
/// result is no bool is an error, as in ansible-core 2.21 (`ALLOW_BROKEN_CONDITIONALS` off).
pub fn condition(_value: &Value, _place: Option<&Place>, _context: &Context<'_>) -> Result<bool> {
    Err(Diagnostic::new("templates are not there yet"))
}

/// Renders a template file (the `template` module and lookup): always text, backslashes untouched.
pub fn render_file(
    _source: &str,
    _place: Option<&Place>,
    _syntax: &Syntax,
    _context: &Context<'_>,
) -> Result<String> {
    Err(Diagnostic::new("templates are not there yet"))
}

/// The marks and whitespace rules of a template file.
#[derive(Clone, Debug)]
pub struct Syntax {
    pub block: (String, String),
    pub variable: (String, String),
    pub comment: (String, String),
    pub trim_blocks: bool,
    pub lstrip_blocks: bool,
    pub keep_trailing_newline: bool,
    pub newline_sequence: String,
}

impl Default for Syntax {
    /// Ansible's: as Jinja's, with `trim_blocks` and the last newline kept.
    fn default() -> Self {
        let pair = |open: &str, close: &str| (open.to_owned(), close.to_owned());
        Self {
            block: pair("{%", "%}"),
            variable: pair("{{", "}}"),
            comment: pair("{#", "#}"),
            trim_blocks: true,
            lstrip_blocks: false,
            keep_trailing_newline: true,
            newline_sequence: "\n".to_owned(),
        }
    }
}
