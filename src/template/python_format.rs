//! Python's `%` formatting, `str.format` and `format`.

use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Value};

/// `format % args`: a tuple gives one value per conversion, a dict the named ones, anything else the only one.
pub fn percent(_format: &str, _args: &Value) -> Result<String> {
    Err(Diagnostic::new("% formatting is not there yet"))
}

/// `text.format(*positional, **named)`.
pub fn str_format(_text: &str, _positional: &[Value], _named: &Dict) -> Result<String> {
    Err(Diagnostic::new("str.format is not there yet"))
}
