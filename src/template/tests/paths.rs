//! Tests of paths, on the control node.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::super::io_error::told;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, TestEntry};
use crate::value::Value;

pub(super) static TABLE: &[TestEntry] = &[
    TestEntry::new("abs", &[], absolute),
    TestEntry::new("directory", &[], directory),
    TestEntry::new("exists", &[], exists),
    TestEntry::new("file", &[], file),
    TestEntry::new("is_abs", &[], absolute),
    TestEntry::new("is_dir", &[], directory),
    TestEntry::new("is_file", &[], file),
    TestEntry::new("is_link", &[], link),
    TestEntry::new("is_mount", &[], mount),
    TestEntry::new("is_same_file", &["f2"], same_file),
    TestEntry::new("link", &[], link),
    TestEntry::new("link_exists", &[], link_exists),
    TestEntry::new("mount", &[], mount),
    TestEntry::new("same_file", &["f2"], same_file),
];

fn path(value: &Value) -> Result<PathBuf> {
    value
        .as_str()
        .map(PathBuf::from)
        .ok_or_else(|| Diagnostic::new(format!("a path should be text, not '{}'", value.type_name())))
}

/// Python takes a number for one of its own open files: nothing a playbook means.
fn is_descriptor(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::BigInt(_) | Value::Bool(_))
}

fn absolute(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    let Value::Str(path) = subject else {
        return Err(Diagnostic::new(format!(
            "expected str, bytes or os.PathLike object, not {}",
            subject.type_name()
        )));
    };
    Ok(path.starts_with('/'))
}

fn directory(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(!is_descriptor(subject) && path(subject)?.is_dir())
}

fn file(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(!is_descriptor(subject) && path(subject)?.is_file())
}

fn exists(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(!is_descriptor(subject) && path(subject)?.exists())
}

fn link(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(path(subject)?.is_symlink())
}

fn link_exists(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(path(subject)?.symlink_metadata().is_ok())
}

/// Whether another file system begins here: its parent is on another device, or is itself.
fn mount(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    let path = path(subject)?;
    let (Ok(here), Ok(above)) = (path.symlink_metadata(), path.join("..").metadata()) else {
        return Ok(false);
    };
    Ok(!here.is_symlink() && (here.dev() != above.dev() || here.ino() == above.ino()))
}

fn same_file(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    let (a, b) = (metadata(&path(subject)?)?, metadata(&path(args.required("f2")?)?)?);
    Ok(a.dev() == b.dev() && a.ino() == b.ino())
}

fn metadata(path: &Path) -> Result<Metadata> {
    path.metadata().map_err(|error| Diagnostic::new(told(&error, path)))
}
