//! `fileglob`: the files that match a pattern.

use super::super::filters::glob;
use super::search::{candidates, shown, text};
use crate::diagnostic::Result;
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "fileglob", params: &[], run: fileglob };

fn fileglob(terms: &[Value], _: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for term in terms {
        let term = text(term)?;
        let (directory, pattern) = match term.rsplit_once('/') {
            Some(("", pattern)) => ("/", pattern),
            Some((directory, pattern)) => (directory, pattern),
            None => ("", term),
        };
        // The first place that has something that matches is the one.
        for place in candidates(context, &["files"], directory) {
            let files: Vec<_> =
                glob(&place.join(pattern))?.into_iter().filter(|path| path.is_file()).collect();
            if !files.is_empty() {
                found.extend(files.iter().map(|path| shown(path)));
                break;
            }
        }
    }
    Ok(found)
}
