//! `list`: the terms as they are.

use crate::diagnostic::Result;
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "list", params: &[], run: list };

#[expect(clippy::unnecessary_wraps, reason = "all lookups share one signature")]
fn list(terms: &[Value], _: &Args<'_>, _: &Context<'_>) -> Result<Vec<Value>> {
    Ok(terms.to_vec())
}
