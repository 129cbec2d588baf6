//! Names of hosts: `fqdn_valid` of the collection community.general.

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, TestEntry};
use crate::value::Value;

pub(super) static TABLE: &[TestEntry] =
    &[TestEntry::new("community.general.fqdn_valid", &["min_labels", "allow_underscores"], fqdn_valid)];

/// Whether a name is one that hosts may have, with that many parts at least.
fn fqdn_valid(value: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    let wrong = |name: &str, kind: &str, value: &Value| {
        let (told, found) = (value.repr(), value.type_name());
        Diagnostic::new(format!("The {name} parameter must be {kind}, got {told} of type {found}"))
    };
    let name = value.as_str().ok_or_else(|| wrong("name", "a string", value))?;
    let least = match args.get("min_labels") {
        None => 1,
        Some(Value::Int(least)) => *least,
        Some(other) => return Err(wrong("min_labels", "an integer", other)),
    };
    let underscores = match args.get("allow_underscores") {
        None => false,
        Some(Value::Bool(flag)) => *flag,
        Some(other) => return Err(wrong("allow_underscores", "a boolean", other)),
    };
    if name.is_empty() {
        return Err(Diagnostic::new("fqdn must be str"));
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let labels: Vec<&str> = name.split('.').collect();
    let enough = i64::try_from(labels.len()).is_ok_and(|count| count >= least);
    Ok(enough && name.len() <= 253 && labels.iter().all(|label| is_label(label, underscores)))
}

fn is_label(label: &str, underscores: bool) -> bool {
    let fits = |char: char| char.is_ascii_alphanumeric() || char == '-' || (underscores && char == '_');
    (1..=63).contains(&label.len())
        && label.chars().all(fits)
        && !label.starts_with('-')
        && !label.ends_with('-')
}
