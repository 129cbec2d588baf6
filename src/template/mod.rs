//! Jinja as Ansible speaks it: minijinja's parser, our own evaluator on [`Value`].
//!
//! Text becomes tokens and a tree once (`scan`, `parse`, `ast`); `eval` and `exec` walk over the tree with an
//! `Interp`. Variables that are templates are rendered when they are read, never before, and what a template
//! gives is never rendered again.

mod access;
mod ast;
mod call;
mod condition;
mod context;
mod eval;
mod exec;
pub mod filters;
mod finalize;
mod functions;
mod inherit;
mod interp;
mod io_error;
mod literal;
mod locate;
pub mod lookups;
mod methods;
mod mutate;
mod names;
mod net;
mod objects;
mod parse;
pub mod python_format;
pub mod python_random;
mod scan;
mod scope;
mod shown;
mod syntax;
mod table;
pub mod tests;
mod trust;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod evaluation;
#[cfg(test)]
mod expressions;

use std::sync::{Arc, OnceLock};

pub use access::{call, get_attr, get_item, iterate};
pub use call::{Args, Lookup, LookupEntry, Names};
pub use condition::{allow_broken_conditions, condition};
pub use context::Context;
pub use filters::hash_password;
pub use finalize::{render_all, render_sealed, resolve, resolve_deep, resolve_parts};
pub use functions::is_function;
pub use shown::render_shown;
pub use syntax::Syntax;
pub use table::{FilterEntry, TestEntry};
pub use trust::{trusted, untrusted, written};

use crate::diagnostic::{Place, Result};
use crate::value::Value;
use inherit::parse_unit;
use interp::{Interp, StackMark, Unit};
use syntax::Mode;

/// Text with template marks, parsed at most once; or text under `!unsafe`, which is rendered to itself.
pub struct Template {
    source: Arc<str>,
    place: Option<Place>,
    is_unsafe: bool,
    unit: OnceLock<Result<Arc<Unit>>>,
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Template").field(&self.source).finish()
    }
}

impl Template {
    pub fn new(source: impl Into<Arc<str>>, place: Option<Place>) -> Self {
        Self { source: source.into(), place, is_unsafe: false, unit: OnceLock::new() }
    }

    /// Text that the user distrusts: nothing in it is rendered, and it is no expression.
    pub fn distrusted(source: impl Into<Arc<str>>, place: Option<Place>) -> Self {
        Self { is_unsafe: true, ..Self::new(source, place) }
    }

    pub fn is_unsafe(&self) -> bool {
        self.is_unsafe
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

    /// The error in the template's syntax, if it has one.
    pub fn check(&self) -> Result<()> {
        if self.is_unsafe { Ok(()) } else { self.unit().map(drop) }
    }

    fn unit(&self) -> Result<Arc<Unit>> {
        let parse =
            || parse_unit(Arc::clone(&self.source), self.place.clone(), Syntax::default(), Mode::Value);
        self.unit.get_or_init(parse).clone()
    }
}

/// Renders one template to a native value: `{{ x }}` alone keeps the type of `x`. The result is plain data;
/// what is undefined raises, and `omit` alone gives [`Value::Omit`].
pub fn render(template: &Template, context: &Context<'_>) -> Result<Value> {
    if template.is_unsafe {
        return Ok(Value::Str(Arc::clone(&template.source)));
    }
    let _mark = StackMark::new();
    let value = Interp::new(context, template.unit()?).run()?;
    render_all(&value, context).map_err(|error| match template.place() {
        Some(place) => error.at(place),
        None => error,
    })
}

/// Renders a template file (the `template` module and lookup): always text, backslashes untouched.
pub fn render_file(
    source: &str,
    place: Option<&Place>,
    syntax: &Syntax,
    context: &Context<'_>,
) -> Result<String> {
    TemplateFile::parse(source, place, syntax)?.render(context)
}

/// A template file, parsed once for all hosts.
pub struct TemplateFile(Arc<Unit>);

impl TemplateFile {
    /// `place` is where the source begins in its file: after the `#jinja2:` line when there is one.
    pub fn parse(source: &str, place: Option<&Place>, syntax: &Syntax) -> Result<Self> {
        parse_unit(Arc::from(source), place.cloned(), syntax.clone(), Mode::File).map(Self)
    }

    pub fn render(&self, context: &Context<'_>) -> Result<String> {
        Ok(match self.value(context)? {
            Value::None | Value::Omit => String::new(),
            other => other.to_string(),
        })
    }

    /// The value of a file that is one expression; of any other its text.
    pub fn value(&self, context: &Context<'_>) -> Result<Value> {
        let _mark = StackMark::new();
        let value = Interp::new(context, Arc::clone(&self.0)).run()?;
        render_all(&value, context).map_err(|error| match &self.0.origin.place {
            Some(place) => error.at(place),
            None => error,
        })
    }
}

/// Renders with rules of its own, for the reference cases.
#[cfg(test)]
fn render_with(source: &str, syntax: Syntax, context: &Context<'_>) -> Result<Value> {
    let unit = parse_unit(Arc::from(source), None, syntax, Mode::Value)?;
    let _mark = StackMark::new();
    let value = Interp::new(context, unit).run()?;
    if let Value::Undefined(undefined) = &value {
        return Err(crate::diagnostic::Diagnostic::undefined(undefined));
    }
    render_all(&value, context)
}
