//! `-e`: variables from `key=value` words, YAML or JSON, or files.

use crate::diagnostic::{Diagnostic, Result};
use crate::value::Dict;

/// All `-e` options, the later over the earlier.
pub(super) fn load(given: &[String]) -> Result<Dict> {
    let mut variables = Dict::new();
    for text in given {
        variables.extend(load_one(text)?);
    }
    Ok(variables)
}

fn load_one(text: &str) -> Result<Dict> {
    Err(Diagnostic::new(format!("not supported yet: -e {text}")))
}
