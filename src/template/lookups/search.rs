//! Where the control node's files are looked for.

use std::path::{Path, PathBuf};

use super::super::filters::expanduser;
use super::super::io_error::told;
use crate::diagnostic::{Diagnostic, Result};
use crate::path::normal;
use crate::template::{Context, resolve_deep};
use crate::value::Value;
use crate::vault;

/// The directories of `ansible_search_path`; without it, those of the context, else the current one.
fn directories(context: &Context<'_>) -> Vec<PathBuf> {
    let path = context.names.get("ansible_search_path").and_then(|path| resolve_deep(&path, context).ok());
    if let Some(Value::List(path)) = path {
        return path.iter().filter_map(Value::as_str).map(PathBuf::from).collect();
    }
    match context.search_path() {
        [] => vec![PathBuf::from(".")],
        path => path.to_vec(),
    }
}

/// The directory of the playbook, from which relative paths that are not searched for count.
pub(super) fn base(context: &Context<'_>) -> PathBuf {
    let directory = context.names.get("playbook_dir").and_then(|value| resolve_deep(&value, context).ok());
    directory.as_ref().and_then(Value::as_str).map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// Everywhere a relative name may be: in each directory's subdirectories, then in itself; in the tasks
/// directory of a role, its parent's first.
pub(super) fn candidates(context: &Context<'_>, subdirectories: &[&str], name: &str) -> Vec<PathBuf> {
    let name = expanduser(name);
    if name.starts_with('/') {
        return vec![normal(Path::new(&name))];
    }
    let mut candidates = Vec::new();
    for directory in directories(context) {
        let parent = directory.parent().filter(|_| directory.file_name().is_some_and(|name| name == "tasks"));
        for directory in parent.into_iter().chain([directory.as_path()]) {
            candidates.extend(subdirectories.iter().map(|sub| directory.join(sub).join(&name)));
            candidates.push(directory.join(&name));
        }
    }
    candidates
}

/// The first of them that exists.
pub(super) fn find(context: &Context<'_>, subdirectories: &[&str], name: &str) -> Option<PathBuf> {
    candidates(context, subdirectories, name).into_iter().find(|path| path.exists())
}

/// An error that says where a file was looked for.
pub(super) fn searched(
    error: Diagnostic,
    context: &Context<'_>,
    subdirectories: &[&str],
    name: &str,
) -> Diagnostic {
    let places: Vec<String> =
        candidates(context, subdirectories, name).iter().map(|path| path.display().to_string()).collect();
    error.hint(format!("Searched in: {}.", places.join(", ")))
}

/// How bytes are text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    /// Each byte is the character of its number.
    Latin1,
}

impl Encoding {
    /// By the names that Python gives them.
    pub fn named(name: &str) -> Result<Self> {
        let plain: String = name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        match plain.as_str() {
            "utf8" | "ascii" | "usascii" => Ok(Self::Utf8),
            "latin1" | "iso88591" | "l1" | "cp819" => Ok(Self::Latin1),
            _ => Err(Diagnostic::new(format!("the encoding '{name}' is not supported"))
                .hint("It can be utf-8 or latin-1.")),
        }
    }
}

/// The text of a file, decrypted when it is a vault.
pub(super) fn read(path: &Path) -> Result<String> {
    read_as(path, Encoding::Utf8)
}

pub(super) fn read_as(path: &Path, encoding: Encoding) -> Result<String> {
    let failed = |why: String| {
        Diagnostic::new(format!(
            "An error occurred while trying to read the file '{}': {why}",
            path.display()
        ))
    };
    let bytes = std::fs::read(path).map_err(|error| failed(told(&error, path)))?;
    let plain = vault::open(path, bytes)?;
    if encoding == Encoding::Latin1 {
        return Ok(plain.content.into_iter().map(char::from).collect());
    }
    String::from_utf8(plain.content).map_err(|_| failed("it is not UTF-8 text".to_owned()))
}

/// A term that must be text.
pub(super) fn text(term: &Value) -> Result<&str> {
    term.as_str().ok_or_else(|| {
        Diagnostic::new(format!("the term must be text, not {} ({})", term.type_name(), term.repr()))
    })
}

/// A path as the user may see it.
pub(super) fn shown(path: &Path) -> Value {
    Value::from(path.to_string_lossy().into_owned())
}
