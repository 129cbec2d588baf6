//! Files that may be encrypted as a whole.

use std::path::Path;

use super::{held, is_encrypted};
use crate::diagnostic::Result;

/// What a file holds, decrypted.
pub struct Plain {
    pub content: Vec<u8>,
    /// It was encrypted: nothing of it is to show in messages.
    pub secret: bool,
}

/// Decrypts, where needed, what was read from the file `path`.
pub fn open(path: &Path, bytes: Vec<u8>) -> Result<Plain> {
    if !is_encrypted(&bytes) {
        return Ok(Plain { content: bytes, secret: false });
    }
    match held().open(&bytes) {
        Ok(opened) => Ok(Plain { content: opened.text, secret: true }),
        Err(error) => Err(error.context(path.display())),
    }
}
