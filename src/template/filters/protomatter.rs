//! `ansible._protomatter`: what the integration targets of ansible-core look at values with.

use crate::diagnostic::{Diagnostic, Place, Result, Source};
use crate::inventory::python_literal;
use crate::template::{Args, Context, FilterEntry, render_all};
use crate::value::Value;

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("ansible._protomatter.finalize", &[], finalize).lazy(),
    FilterEntry::new("ansible._protomatter.python_literal_eval", &["ignore_errors"], literal),
];

/// The plain data that leaves a template.
fn finalize(subject: &Value, _: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    render_all(subject, context)
}

/// Text as Python reads a literal.
fn literal(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let Some(text) = subject.as_str() else {
        return Err(Diagnostic::new(format!(
            "a string is needed, this is of type '{}'",
            subject.type_name()
        )));
    };
    let source = Source { path: "<python_literal_eval>".into(), text: text.into(), secret: false };
    let place = Place { source: source.into(), line: 1, column: 1, length: 0 };
    match python_literal(text, &place) {
        Some(value) => Ok(value),
        None if args.flag("ignore_errors", false) => Ok(subject.clone()),
        None => Err(Diagnostic::new(format!("{} is no Python literal", subject.repr()))),
    }
}
