//! Lists of dicts: `from_csv`, `groupby_as_dict` and `lists_mergeby` of the collection community.general.

use std::cmp::Ordering;

use fanfare_modules::kit::csv::{Dialect, Record, delimiter, records};

use super::dicts::{ListMerge, merge};
use super::items;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry, resolve_deep};
use crate::value::{Dict, Value};

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new(
        "community.general.from_csv",
        &["dialect", "fieldnames", "delimiter", "skipinitialspace", "strict"],
        from_csv,
    ),
    FilterEntry::new("community.general.groupby_as_dict", &["attribute"], groupby_as_dict),
    FilterEntry::new("community.general.lists_mergeby", &["*", "**"], lists_mergeby),
];

/// The rows of a CSV document, each by the names of its fields.
fn from_csv(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let named = args.get("dialect").map_or_else(|| "excel".to_owned(), Value::to_string);
    let mut dialect = Dialect::named(&named).ok_or_else(|| {
        Diagnostic::new(format!("Dialect '{named}' is not supported by your version of python."))
    })?;
    if let Some(text) = args.text("delimiter")? {
        let unable = |why| Diagnostic::new(format!("Unable to create custom dialect: {why}"));
        dialect.delimiter = delimiter(text).map_err(unable)?;
    }
    dialect.skip_initial_space = args.flag("skipinitialspace", false);
    dialect.strict = args.flag("strict", false);
    let names = match args.some("fieldnames") {
        Some(names) => Some(items(names, context)?.iter().map(Value::to_string).collect()),
        None => None,
    };
    let text = subject.to_string();
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (_, records) = records(text, dialect, names)
        .map_err(|why| Diagnostic::new(format!("Unable to process file: {why}")))?;
    Ok(Value::list(records.into_iter().map(row).collect()))
}

fn row(record: Record) -> Value {
    let mut row = Dict::new();
    for (name, value) in record.fields {
        row.insert(name, value.map_or(Value::None, Value::from));
    }
    if !record.more.is_empty() {
        row.insert(Value::None, Value::list(record.more.into_iter().map(Value::from).collect()));
    }
    row.into()
}

/// Dicts by what each has for an attribute.
fn groupby_as_dict(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let attribute = args.required("attribute")?;
    if !matches!(subject, Value::List(_) | Value::Tuple(_) | Value::Str(_)) {
        return Err(Diagnostic::new("Input is not a sequence"));
    }
    let mut grouped = Dict::new();
    for (at, item) in items(subject, context)?.into_iter().enumerate() {
        let item = resolve_deep(&item, context)?;
        let entries = item
            .as_dict()
            .ok_or_else(|| Diagnostic::new(format!("Sequence element #{at} is not a mapping")))?;
        let key = entries.get_value(attribute).ok_or_else(|| {
            Diagnostic::new(format!("Attribute not contained in element #{at} of sequence"))
        })?;
        hashable(key)?;
        if grouped.get_value(key).is_some() {
            let told = key.repr();
            return Err(Diagnostic::new(format!("Multiple sequence entries have attribute value {told}")));
        }
        grouped.insert(key.clone(), item.clone());
    }
    Ok(grouped.into())
}

/// Lists of dicts as one: those that agree on the key `index` become one dict.
fn lists_mergeby(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let Some((index, others)) = args.positional.split_last() else {
        return Err(Diagnostic::new("At least one list and index are needed."));
    };
    if args.named.keys().any(|key| !matches!(key.as_str(), Some("recursive" | "list_merge"))) {
        return Err(Diagnostic::new("'recursive' and 'list_merge' are the only valid keyword arguments."));
    }
    let lists = lists(subject, others, context)?;
    if lists.len() < 2 {
        return Ok(match lists.into_iter().next() {
            Some(list) => Value::list(list),
            None if subject.as_list().is_some() => Value::list(Vec::new()),
            None => subject.clone(),
        });
    }
    let index = index.as_str().ok_or_else(|| {
        let (told, kind) = (index.repr(), index.type_name());
        let what = "First argument after the lists for community.general.lists_mergeby must be string.";
        Diagnostic::new(format!("{what} {told} is {kind}"))
    })?;
    let recursive = args.named.get("recursive").is_some_and(Value::is_truthy);
    let list_merge =
        ListMerge::parse(&args.named.get("list_merge").map_or("replace".into(), Value::to_string))?;
    let mut merged = Dict::new();
    for item in lists.into_iter().flatten() {
        let Some(entries) = item.as_dict() else {
            let (told, kind) = (item.repr(), item.type_name());
            let what = "Elements of list arguments for lists_mergeby must be dictionaries.";
            return Err(Diagnostic::new(format!("{what} {told} is {kind}")));
        };
        let Some(key) = entries.get(index) else { continue };
        hashable(key)?;
        let entries = match merged.get_value(key).and_then(Value::as_dict) {
            Some(held) => merge(held, entries, recursive, list_merge, context)?,
            None => entries.clone(),
        };
        merged.insert(key.clone(), entries);
    }
    let mut failed = None;
    let mut merged: Vec<(Value, Value)> = merged.into_iter().collect();
    merged.sort_by(|(left, _), (right, _)| {
        left.compare(right, "<").unwrap_or_else(|error| {
            failed = Some(error);
            Ordering::Equal
        })
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(Value::list(merged.into_iter().map(|(_, entries)| entries).collect())),
    }
}

fn hashable(key: &Value) -> Result<()> {
    match key {
        Value::List(_) | Value::Tuple(_) | Value::Dict(_) => {
            Err(Diagnostic::new(format!("unhashable type: '{}'", key.type_name())))
        }
        _ => Ok(()),
    }
}

/// All lists that hold anything; one that is a list of lists stands for these.
fn lists(subject: &Value, others: &[Value], context: &Context<'_>) -> Result<Vec<Vec<Value>>> {
    let mut lists = Vec::new();
    for value in std::iter::once(subject).chain(others) {
        let value = resolve_deep(value, context)?;
        let Some(list) = value.as_list() else {
            if others.is_empty() {
                return Ok(Vec::new());
            }
            let what =
                "All arguments before the argument index for community.general.lists_mergeby must be lists.";
            return Err(Diagnostic::new(format!("{what} {} is {}", value.repr(), value.type_name())));
        };
        if !list.is_empty() && list.iter().all(|item| item.as_list().is_some()) {
            lists.extend(list.iter().filter_map(Value::as_list).map(<[Value]>::to_vec));
        } else {
            lists.push(list.to_vec());
        }
    }
    lists.retain(|list| !list.is_empty());
    Ok(lists)
}
