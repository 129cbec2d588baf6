//! A worker that leaves no trace.

use std::io;
use std::path::Path;

/// The argument that makes it do so.
pub const ARGUMENT: &str = "--vanish";

/// Removes the program's file, and the directory that was made for it.
pub fn run() -> io::Result<()> {
    let Some(own) = std::env::args_os().next() else { return Ok(()) };
    let own = Path::new(&own);
    std::fs::remove_file(own)?;
    match own.parent() {
        Some(dir) => std::fs::remove_dir(dir),
        None => Ok(()),
    }
}
