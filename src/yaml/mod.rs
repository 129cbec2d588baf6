//! YAML as PyYAML reads it, with the place of every node.
//!
//! Files are read the way Ansible reads them: YAML 1.1 scalars (`yes`, `0644`, `1:30`), `!vault` and
//! `!unsafe`, merge keys, duplicate keys as [`Duplicates`] has it. Text from the user's own files that holds
//! template marks becomes a template; text from anywhere else never does ([`Trust`]).

mod compose;
mod dump;
mod duplicates;
mod mistake;
mod node;
mod scalar;
mod tag;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

pub use dump::{DumpOptions, Flow, Style, dump};
pub use duplicates::Duplicates;
pub use node::{Kind, Node};

use crate::diagnostic::{Diagnostic, Place, Result, Source};
use crate::vault;

/// What a YAML text held.
#[derive(Debug)]
pub struct Loaded {
    /// One node a document; an empty file has none.
    pub documents: Vec<Node>,
    /// Duplicate keys, each with both places.
    pub warnings: Vec<Diagnostic>,
}

/// Whose text it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The user's own files and command line: strings with template marks are templates.
    Trusted,
    /// Output of targets, filters and scripts: strings stay strings.
    Untrusted,
}

impl Loaded {
    /// The only document; `None` for an empty file, an error where a second one begins.
    pub fn single(self) -> Result<(Option<Node>, Vec<Diagnostic>)> {
        let mut documents = self.documents.into_iter();
        let first = documents.next();
        match documents.next() {
            Some(second) => {
                Err(Diagnostic::new("expected a single document but found another one").at(&second.place))
            }
            None => Ok((first, self.warnings)),
        }
    }
}

/// Reads a text of the user's own. Fails where PyYAML or Ansible would.
pub fn load(source: &Arc<Source>) -> Result<Loaded> {
    load_with(source, Trust::Trusted)
}

pub fn load_with(source: &Arc<Source>, trust: Trust) -> Result<Loaded> {
    compose::compose(source, trust)
}

/// Reads a file of the user's own. The errors name the path.
pub fn load_file(path: &Path) -> Result<Loaded> {
    load(&Arc::new(read_source(path)?))
}

/// Reads a text that is no file: `label` says what it is, in angle brackets (`<extra vars>`).
pub fn parse_str(text: &str, label: &str, trust: Trust) -> Result<Loaded> {
    load_with(&Arc::new(Source { path: label.into(), text: text.into(), secret: false }), trust)
}

/// A text file as a source, decrypted where it is encrypted: missing, unreadable and non-UTF-8 files are errors that
/// name the path.
pub fn read_source(path: &Path) -> Result<Source> {
    let bytes = std::fs::read(path)
        .map_err(|error| Diagnostic::new(format!("could not read {}: {}", path.display(), reason(&error))))?;
    let vault::Plain { content, secret } = vault::open(path, bytes)?;
    match String::from_utf8(content) {
        Ok(text) => Ok(Source { path: path.to_owned(), text: text.into(), secret }),
        Err(error) => Err(not_utf8(path, error.as_bytes(), error.utf8_error().valid_up_to(), secret)),
    }
}

/// The operating system's words without Rust's `(os error 2)`.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn not_utf8(path: &Path, bytes: &[u8], valid: usize, secret: bool) -> Diagnostic {
    let before = String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default()).into_owned();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let text = String::from_utf8_lossy(bytes).into_owned();
    let source = Arc::new(Source { path: path.to_owned(), text: text.into(), secret });
    let place = Place { source, line: compose::narrow(line), column: compose::narrow(column), length: 1 };
    Diagnostic::new(format!("{} is not UTF-8 text", path.display()))
        .at(&place)
        .hint("convert the file to UTF-8, or encrypt it if it is meant to be secret")
}
