//! `together`: the first items, the second items, and so on; what is missing is `None`.

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry, iterate};
use crate::value::Value;

use super::items::flattened;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "together", params: &[], run: together };

fn together(terms: &[Value], _: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    if terms.is_empty() {
        return Err(Diagnostic::new("with_together requires at least one element in each list"));
    }
    let columns: Vec<Vec<Value>> = terms.iter().map(|term| iterate(term, context)).collect::<Result<_>>()?;
    let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let row = |at: usize| {
        let cells: Vec<Value> =
            columns.iter().map(|column| column.get(at).cloned().unwrap_or(Value::None)).collect();
        Value::list(flattened(&cells))
    };
    Ok((0..longest).map(row).collect())
}
