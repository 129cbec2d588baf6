//! Options within a term, as lookups were once called: `'key file=users.csv delimiter=,'`.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::split;

/// Splits a term as the options of a task are split: what is no `name=value` is kept as it stands, quotes too.
pub(super) fn assignments(term: &str, known: &[&str]) -> Result<(String, HashMap<String, String>)> {
    let parsed = split::parse(term, false)?;
    if let Some((strange, _)) = parsed.options.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return Err(Diagnostic::new(format!("'{strange}' is not a valid option")));
    }
    Ok((parsed.rest.unwrap_or_default(), parsed.options.into_iter().collect()))
}

/// The words that are no options, and the options.
pub(super) type Inline = (Vec<String>, HashMap<String, String>);

/// Splits a term into words and `name=value` pairs with known names; quotes keep blanks together.
pub(super) fn split(term: &str, known: &[&str]) -> Result<Inline> {
    let words = shlex::split(term)
        .ok_or_else(|| Diagnostic::new(format!("the quotes in '{term}' are not balanced")))?;
    let mut plain = Vec::new();
    let mut options = HashMap::new();
    for word in words {
        match word.split_once('=') {
            Some((name, value)) if known.contains(&name) => {
                options.insert(name.to_owned(), value.to_owned());
            }
            _ => plain.push(word),
        }
    }
    Ok((plain, options))
}
