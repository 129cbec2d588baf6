//! Encrypted text in runs and on the command line. What `ansible-vault` wrote is in tests/data/vault.

mod commands;
mod runs;

use std::fs;
use std::path::Path;

/// The password of most of the recorded files.
const PASSWORD: &str = "secret";

/// A file that `ansible-vault` wrote.
fn recorded(name: &str) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vault");
    fs::read_to_string(dir.join(name)).expect(name)
}
