//! `ansible._protomatter`: what the integration targets of ansible-core ask of values.

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, TestEntry};
use crate::value::Value;

pub(super) static TABLE: &[TestEntry] =
    &[TestEntry::new("ansible._protomatter.tagged_with", &["tag_name"], tagged_with).lazy().sees_vaults()];

/// Whether the value is vaulted. Of other tags nothing is known here: text bears no marks of where it came from.
fn tagged_with(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    match args.text("tag_name")? {
        Some("VaultedValue") => Ok(matches!(subject, Value::Vault(_))),
        Some(tag) => Err(Diagnostic::new(format!("values have no tag '{tag}' here"))
            .hint("'VaultedValue' is the only one there is.")),
        None => Err(Diagnostic::new("the name of a tag is needed")),
    }
}
