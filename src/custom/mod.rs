//! Custom modules: the user's own, from `library/` beside a playbook or in a role, from collections and from the module
//! path. They run on the target as they would with Ansible; those in Python with the target's.
//!
//! What a module in Python imports is found here, before any host is called: `ansible.module_utils` comes from the
//! user's `module_utils/` directories, then from fanfare's own (`python/`), which has what modules mostly use.

mod imports;
mod python;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

pub use self::imports::Roots;
use crate::diagnostic::{Diagnostic, Result};

/// A custom module as it is on the control node.
#[derive(Debug)]
pub struct Custom {
    /// As tasks call it.
    pub name: String,
    pub file: PathBuf,
    pub program: Program,
}

#[derive(Debug)]
pub enum Program {
    /// What `boot.py` is called with, but for the options.
    Python(Map<String, Json>),
    /// A file that is sent and run.
    File {
        /// The words of its `#!` line; empty where it is a program by itself.
        interpreter: Vec<String>,
        options: Options,
    },
}

/// How a program that is a file is told its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Options {
    /// In a file, as JSON.
    Json,
    /// In a file, as words.
    Words,
    /// In its own text, as JSON.
    Within,
}

/// Where the options stand in a program's own text.
pub const JSON_ARGS: &str = "<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>";

/// What stood for `ansible.module_utils.basic` before it could be imported.
const COMMON: &str = "#<<INCLUDE_ANSIBLE_MODULE_COMMON>>";

impl Custom {
    /// Reads a module and what it imports. `package` is where it is, where that is a collection:
    /// `ansible_collections.acme.web.plugins.modules`.
    pub fn load(name: &str, file: &Path, package: Option<&str>, roots: &Roots) -> Result<Self> {
        let shown = file.display();
        let bytes =
            std::fs::read(file).map_err(|error| Diagnostic::new(format!("cannot read {shown}: {error}")))?;
        let program = match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => program(file, &text, package, roots)?,
            _ => Program::File { interpreter: Vec::new(), options: Options::Json },
        };
        Ok(Self { name: name.to_owned(), file: file.to_owned(), program })
    }
}

fn program(file: &Path, text: &str, package: Option<&str>, roots: &Roots) -> Result<Program> {
    if file.extension().is_some_and(|ending| ending == "ps1") || text.contains("# POWERSHELL_COMMON") {
        return Err(Diagnostic::new(format!(
            "{} is for Windows, which fanfare does not manage",
            file.display()
        )));
    }
    if imports::uses_module_utils(text) || text.contains(COMMON) {
        let text = text.replace(COMMON, "from ansible.module_utils.basic import *");
        return Ok(Program::Python(python::call(file, &text, package, roots)?));
    }
    let options = if text.contains(JSON_ARGS) {
        Options::Within
    } else if text.contains("WANT_JSON") {
        Options::Json
    } else {
        Options::Words
    };
    let interpreter = text.lines().next().and_then(|line| line.strip_prefix("#!")).unwrap_or_default();
    let interpreter: Vec<String> = interpreter.split_whitespace().map(str::to_owned).collect();
    if interpreter.is_empty() {
        let message = format!("module ({}) is missing interpreter line", stem(file));
        return Err(Diagnostic::new(message).hint(format!("{} begins with no #! line", file.display())));
    }
    Ok(Program::File { interpreter, options })
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
