//! `unvault`: the content of files, decrypted.

use super::search::{find, read, searched, text};
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "unvault", params: &[], run: unvault };

fn unvault(terms: &[Value], _: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    let content = |term: &Value| {
        let name = text(term)?;
        let path = find(context, &["files"], name).ok_or_else(|| {
            let error = Diagnostic::new(format!("Unable to find file matching \"{name}\" "));
            searched(error, context, &["files"], name)
        })?;
        read(&path).map(Value::from)
    };
    terms.iter().map(content).collect()
}
