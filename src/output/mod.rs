//! Callbacks: what a run looks like, one file each.

use std::io::{IsTerminal, Write};

use crate::diagnostic::Diagnostic;

/// Tells stderr about an error that ends the program.
pub fn report_error(error: &Diagnostic) {
    // Nobody is left to tell when stderr is gone.
    let _ = writeln!(std::io::stderr(), "{}", error.report(std::io::stderr().is_terminal()));
}
