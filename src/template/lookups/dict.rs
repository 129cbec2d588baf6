//! `dict`: the entries of dicts, each as `{key, value}`.

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry};
use crate::value::{Dict, Value};

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "dict", params: &[], run: dict };

fn dict(terms: &[Value], _: &Args<'_>, _: &Context<'_>) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    for term in terms {
        let Value::Dict(entries) = term else {
            return Err(Diagnostic::new(format!(
                "the 'dict' lookup plugin expects a dictionary, got '{term}' of type {})",
                term.type_name()
            )));
        };
        let item = |(key, value): (&Value, &Value)| {
            Value::dict(Dict::from_iter([("key", key.clone()), ("value", value.clone())]))
        };
        items.extend(entries.iter().map(item));
    }
    Ok(items)
}
