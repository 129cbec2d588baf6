//! `nested`: every combination of an item of each list.

use super::items::flattened;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry, iterate};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "nested", params: &[], run: nested };

/// The same under the name it once had.
pub(super) static CARTESIAN: LookupEntry = LookupEntry { name: "cartesian", params: &[], run: nested };

fn nested(terms: &[Value], _: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    if terms.is_empty() {
        return Err(Diagnostic::new("with_nested requires at least one element in the nested list"));
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for term in terms {
        let column = iterate(term, context)?;
        let longer = |row: &Vec<Value>, item: &Value| row.iter().chain([item]).cloned().collect();
        rows = rows.iter().flat_map(|row| column.iter().map(move |item| longer(row, item))).collect();
    }
    let row = |row: Vec<Value>| match terms {
        [_] => match row.first().map(|item| iterate(item, context)) {
            Some(items) => Ok(Value::list(flattened(&items?))),
            None => Ok(Value::list(row)),
        },
        _ => Ok(Value::list(flattened(&row))),
    };
    rows.into_iter().map(row).collect()
}
