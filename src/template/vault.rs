//! The hook through which vaulted text is read.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::diagnostic::{Diagnostic, Place, Result, Source};
use crate::value::{Value, Vaulted};

/// Gives the plain text, as a template when it is one.
pub type Decrypt = Box<dyn Fn(&Vaulted) -> Result<Value> + Send + Sync>;

static DECRYPT: OnceLock<Decrypt> = OnceLock::new();

/// Sets how vaulted text is read, once for the whole run; `false` when that was done before.
pub fn set_decrypt(decrypt: Decrypt) -> bool {
    DECRYPT.set(decrypt).is_ok()
}

/// The plain text of a file that is a vault as a whole.
pub(super) fn decrypt_file(path: &Path, ciphertext: String) -> Result<String> {
    let source = Arc::new(Source { path: path.to_owned(), text: Arc::from("") });
    let place = Place { source, line: 1, column: 1, length: 0 };
    match decrypt(&Vaulted { ciphertext: ciphertext.into(), place })? {
        Value::Template(template) => Ok(template.source().to_string()),
        value => Ok(value.to_string()),
    }
}

pub(super) fn decrypt(vaulted: &Vaulted) -> Result<Value> {
    match DECRYPT.get() {
        Some(decrypt) => decrypt(vaulted).map_err(|error| error.at(&vaulted.place)),
        None => Err(Diagnostic::new("Attempting to decrypt but no vault secrets found.")
            .hint("This version of fanfare cannot read vaulted text yet.")
            .at(&vaulted.place)),
    }
}
