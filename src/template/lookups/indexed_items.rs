//! `indexed_items`: the items, each with its number.

use super::items::flattened;
use crate::diagnostic::Result;
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "indexed_items", params: &[], run: indexed_items };

#[expect(clippy::unnecessary_wraps, reason = "all lookups share one signature")]
fn indexed_items(terms: &[Value], _: &Args<'_>, _: &Context<'_>) -> Result<Vec<Value>> {
    let pair = |(index, item): (usize, Value)| Value::list(vec![index.into(), item]);
    Ok(flattened(terms).into_iter().enumerate().map(pair).collect())
}
