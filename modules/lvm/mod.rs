//! What the modules of LVM share: its programs, and the tables they print.

use crate::kit::{Command, Failure, Output, Result, System, words};

/// A program of LVM, whose messages are read.
pub fn program(name: &str, sys: &System<'_>) -> Result<Command> {
    Ok(Command::new(sys.need(name)?).env("LC_ALL", "C"))
}

/// The rows of what such a program tells, split at their semicolons.
pub fn rows(output: &Output) -> Vec<Vec<String>> {
    let row = |line: &str| line.trim().split(';').map(|field| field.trim().to_owned()).collect();
    output.stdout().lines().filter(|line| !line.trim().is_empty()).map(row).collect()
}

/// The words of options that are passed on.
pub fn options(name: &str, text: Option<&str>) -> Result<Vec<String>> {
    words::split(text.unwrap_or_default()).map_err(|why| Failure::new(format!("{name}: {why}")))
}
