//! `file`: the content of files.

use super::options::flag;
use super::search::{find, read, searched, text};
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "file", params: &["lstrip", "rstrip"], run: file };

fn file(terms: &[Value], args: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    terms.iter().map(|term| content(text(term)?, args, context)).collect()
}

fn content(name: &str, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let denied = |error: Diagnostic| error.context(format_args!("Unable to access the file '{name}'"));
    let path = find(context, &["files"], name)
        .ok_or_else(|| searched(denied(Diagnostic::new("File not found")), context, &["files"], name))?;
    let content = read(&path).map_err(denied)?;
    let mut text = content.as_str();
    if flag(args, "lstrip", false) {
        text = text.trim_start();
    }
    if flag(args, "rstrip", true) {
        text = text.trim_end();
    }
    Ok(text.into())
}
