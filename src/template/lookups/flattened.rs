//! `flattened`: the terms, all lists among them opened, and the lists in those.

use crate::diagnostic::Result;
use crate::template::{Args, Context, LookupEntry, resolve};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry =
    LookupEntry { name: "community.general.flattened", params: &[], run: flattened };

fn flattened(terms: &[Value], _: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    open(terms, context, &mut items)?;
    Ok(items)
}

fn open(terms: &[Value], context: &Context<'_>, items: &mut Vec<Value>) -> Result<()> {
    for term in terms {
        let term = resolve(term, context)?;
        match &term {
            Value::List(inner) | Value::Tuple(inner) => open(inner, context, items)?,
            _ => items.push(term),
        }
    }
    Ok(())
}
