//! `varnames`: the names of variables that match.

use fanfare_modules::kit::regex::{Flags, Regex};

use super::super::filters::engine_error;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "varnames", params: &[], run: varnames };

fn varnames(terms: &[Value], _: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    let names = context.names.names();
    let mut found = Vec::new();
    for term in terms {
        let Value::Str(pattern) = term else {
            return Err(Diagnostic::new(format!(
                "Invalid setting identifier, \"{term}\" is not a string, it is a {}",
                term.type_name()
            )));
        };
        let regex = Regex::cached(pattern, Flags::default()).map_err(|error| {
            Diagnostic::new(format!("Unable to use \"{pattern}\" as a search parameter: {error}"))
        })?;
        for name in &names {
            if regex.is_match(name).map_err(engine_error)? {
                found.push(Value::Str(name.clone()));
            }
        }
    }
    Ok(found)
}
