//! `items`: the terms, lists among them opened one level.

use crate::diagnostic::Result;
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "items", params: &[], run: items };

#[expect(clippy::unnecessary_wraps, reason = "all lookups share one signature")]
fn items(terms: &[Value], _: &Args<'_>, _: &Context<'_>) -> Result<Vec<Value>> {
    Ok(flattened(terms))
}

/// One level of lists opened.
pub(super) fn flattened(terms: &[Value]) -> Vec<Value> {
    let mut items = Vec::new();
    for term in terms {
        match term {
            Value::List(inner) | Value::Tuple(inner) => items.extend_from_slice(inner),
            other => items.push(other.clone()),
        }
    }
    items
}
