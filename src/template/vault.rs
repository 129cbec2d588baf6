//! The hook through which vaulted text is read.

use std::sync::OnceLock;

use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Value, Vaulted};

/// Gives the plain text, as a template when it is one.
pub type Decrypt = Box<dyn Fn(&Vaulted) -> Result<Value> + Send + Sync>;

static DECRYPT: OnceLock<Decrypt> = OnceLock::new();

/// Sets how vaulted text is read, once for the whole run; `false` when that was done before.
pub fn set_decrypt(decrypt: Decrypt) -> bool {
    DECRYPT.set(decrypt).is_ok()
}

pub(super) fn decrypt(vaulted: &Vaulted) -> Result<Value> {
    match DECRYPT.get() {
        Some(decrypt) => decrypt(vaulted).map_err(|error| error.at(&vaulted.place)),
        None => Err(Diagnostic::new("Attempting to decrypt but no vault secrets found.")
            .hint("This version of fanfare cannot read vaulted text yet.")
            .at(&vaulted.place)),
    }
}
