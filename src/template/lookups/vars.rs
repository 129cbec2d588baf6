//! `vars`: variables by name.

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry, resolve_deep};
use crate::value::{Undefined, Value};

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "vars", params: &["default"], run: vars };

fn vars(terms: &[Value], args: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    terms.iter().map(|term| variable(term, args, context)).collect()
}

fn variable(term: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let Value::Str(name) = term else {
        return Err(Diagnostic::new(format!("Variable name must be 'str' not '{}'.", term.type_name())));
    };
    match (context.names.get(name), args.get("default")) {
        (Some(value), _) => resolve_deep(&value, context),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(Diagnostic::undefined(&Undefined {
            message: format!("No variable named '{name}' was found."),
            cause: None,
            within: None,
        })),
    }
}
