//! `pipe`: what a command on the control node prints.

use std::path::Path;
use std::process::{Command, Stdio};

use super::search::{base, text};
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "pipe", params: &[], run: pipe };

fn pipe(terms: &[Value], _: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    let directory = base(context);
    let output = |term: &Value| Ok(Value::from(run(text(term)?, "pipe", &directory)?.trim_end()));
    terms.iter().map(output).collect()
}

/// What a command line prints, run by the shell in the playbook's directory.
pub(super) fn run(command: &str, lookup: &str, directory: &Path) -> Result<String> {
    let output = Command::new("/bin/sh")
        .args(["-c", command])
        .current_dir(directory)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| Diagnostic::new(format!("lookup_plugin.{lookup}({command}): {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let status = output.status.code().map_or_else(|| output.status.to_string(), |code| code.to_string());
    let error = Diagnostic::new(format!("lookup_plugin.{lookup}({command}) returned {status}"));
    let said = String::from_utf8_lossy(&output.stderr);
    Err(match said.trim() {
        "" => error,
        said => error.hint(format!("It said: {said}")),
    })
}
