//! `csvfile`: a field of the row with a key.

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
        given => {
            let mut chars = given.chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) => c,
                _ => return Err(Diagnostic::new("\"delimiter\" must be a 1-character string")),
            }
        }
    };
    let name = option("file", "ansible.csv");
    let path = find(context, &["files"], &name).ok_or_else(|| {
        let error = Diagnostic::new(format!("Unable to access the file '{name}': No such file or directory"));
        searched(error, context, &["files"], &name)
    })?;
    let (key_column, column) = (column("keycol", "0")?, column("col", "1")?);
    for row in rows(&read_as(&path, encoding)?, delimiter) {
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

/// The rows of a CSV text: fields in quotes may hold delimiters and line breaks, quotes in them are doubled.
fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            c if c == delimiter && !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}
