//! Errors of the operating system in Python's words.

use std::io;
use std::path::Path;

/// `[Errno 2] No such file or directory: '/nosuch'`.
pub(super) fn told(error: &io::Error, path: &Path) -> String {
    let text = error.to_string();
    let what = text.split(" (os error").next().unwrap_or_default();
    match error.raw_os_error() {
        Some(number) => format!("[Errno {number}] {what}: '{}'", path.display()),
        None => format!("{what}: '{}'", path.display()),
    }
}
