//! `vault_encrypted`, `vaulted_file`.

use std::io::Read;

use super::super::io_error::told;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, TestEntry};
use crate::value::Value;

pub(super) static TABLE: &[TestEntry] = &[
    TestEntry::new("vault_encrypted", &[], vault_encrypted).lazy().sees_vaults(),
    TestEntry::new("vaulted_file", &[], vaulted_file),
];

/// Whether the value stood under `!vault`; text that merely looks so did not.
fn vault_encrypted(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(matches!(subject, Value::Vault(_)))
}

fn vaulted_file(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    const HEADER: &[u8] = b"$ANSIBLE_VAULT";
    let path = subject.to_string();
    let mut start = [0; HEADER.len()];
    let read = std::fs::File::open(&path).and_then(|mut file| file.read(&mut start));
    match read {
        Ok(length) => Ok(start.get(..length) == Some(HEADER)),
        Err(error) => Err(Diagnostic::new(format!(
            "Cannot test if the file '{path}' is a vault: {}",
            told(&error, path.as_ref())
        ))),
    }
}
