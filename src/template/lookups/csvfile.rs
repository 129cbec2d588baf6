//! `csvfile`: a field of the row with a key.

use fanfare_modules::kit::csv::{self, Dialect};

use super::inline;
use super::search::{Encoding, find, read_as, searched, text};
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "csvfile", params: OPTIONS, run: csvfile };

const OPTIONS: &[&str] = &["col", "keycol", "delimiter", "file", "encoding", "default"];

fn csvfile(terms: &[Value], args: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    if terms.is_empty() {
        return Err(no_key());
    }
    for term in terms {
        found.extend(field(text(term)?, args, context)?);
    }
    Ok(found)
}

/// The field of the row with the key, or the defaults.
fn field(term: &str, args: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    let (key, inline) = inline::assignments(term, OPTIONS)?;
    if key.is_empty() {
        return Err(no_key());
    }
    let option = |name: &str, default: &str| {
        inline.get(name).cloned().or_else(|| args.string(name).map(Into::into)).unwrap_or(default.to_owned())
    };
    let column = |name: &str, default: &str| -> Result<usize> {
        let given = option(name, default);
        given.parse().map_err(|_| {
            Diagnostic::new(format!("Config '{name}' has an invalid value: '{given}' is no number"))
        })
    };
    let encoding = Encoding::named(&option("encoding", "utf-8"))?;
    let delimiter = match option("delimiter", "TAB").as_str() {
        "TAB" | "\\t" => '\t',
        given => csv::delimiter(given).map_err(Diagnostic::new)?,
    };
    let name = option("file", "ansible.csv");
    let path = find(context, &["files"], &name).ok_or_else(|| {
        let error = Diagnostic::new(format!("Unable to access the file '{name}': No such file or directory"));
        searched(error, context, &["files"], &name)
    })?;
    let (key_column, column) = (column("keycol", "0")?, column("col", "1")?);
    let dialect = Dialect { delimiter, ..Dialect::default() };
    for row in csv::rows(&read_as(&path, encoding)?, dialect).map_err(Diagnostic::new)? {
        if row.get(key_column) == Some(&key) {
            return match row.get(column) {
                Some(field) => Ok(vec![Value::from(field.as_str())]),
                None => Err(Diagnostic::new("list index out of range")
                    .hint(format!("The row of '{key}' has {} columns, counted from 0.", row.len()))),
            };
        }
    }
    Ok(match (inline.get("default"), args.some("default")) {
        (Some(text), _) => vec![Value::from(text.as_str())],
        (None, Some(Value::List(items))) => items.to_vec(),
        (None, default) => default.cloned().into_iter().collect(),
    })
}

fn no_key() -> Diagnostic {
    Diagnostic::new("Search key is required but was not found")
}
