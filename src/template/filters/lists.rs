//! Lists: taking items out, putting them together, cutting them up.

use super::{items, read};
use crate::diagnostic::{Diagnostic, Result};
use crate::template::context::note_mood;
use crate::template::python_random::Random;
use crate::template::{Args, Context, FilterEntry, get_attr, resolve, resolve_parts};
use crate::value::{Operator, Value};

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("batch", &["linecount", "fill_with"], batch),
    FilterEntry::new("count", &[], length).lazy(),
    FilterEntry::new("first", &[], first).lazy(),
    FilterEntry::new("flatten", &["levels", "skip_nulls"], flatten),
    FilterEntry::new("join", &["d", "attribute"], join),
    FilterEntry::new("last", &[], last).lazy(),
    FilterEntry::new("length", &[], length).lazy(),
    FilterEntry::new("list", &[], list).lazy(),
    FilterEntry::new("random", &["start", "step", "seed"], random),
    FilterEntry::new("reverse", &[], reverse),
    FilterEntry::new("shuffle", &["seed"], shuffle),
    FilterEntry::new("slice", &["slices", "fill_with"], slice),
    FilterEntry::new("sum", &["attribute", "start"], sum),
    FilterEntry::new("zip", &["*"], zip),
    FilterEntry::new("zip_longest", &["*", "fillvalue"], zip_longest),
];

fn first(subject: &Value, _: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    match crate::template::iterate(subject, context)?.first() {
        Some(item) => read(item, context),
        None => Ok(Value::undefined("No first item, sequence was empty.")),
    }
}

fn last(subject: &Value, _: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    match crate::template::iterate(subject, context)?.last() {
        Some(item) => read(item, context),
        None => Ok(Value::undefined("No last item, sequence was empty.")),
    }
}

/// `len()`.
fn length(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let length = match subject {
        Value::Str(text) => Some(text.chars().count()),
        Value::List(items) | Value::Tuple(items) => Some(items.len()),
        Value::Dict(entries) => Some(entries.len()),
        Value::Object(object) => {
            object.items().map(|items| items.len()).or_else(|| object.keys().map(|keys| keys.len()))
        }
        _ => None,
    };
    length
        .map(Value::from)
        .ok_or_else(|| Diagnostic::new(format!("object of type '{}' has no len()", subject.type_name())))
}

fn list(subject: &Value, _: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let items = items(&resolve(subject, context)?, context)?;
    resolve_parts(&Value::list(items), context)
}

fn reverse(subject: &Value, _: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    if let Value::Str(text) = subject {
        return Ok(Value::from(text.chars().rev().collect::<String>()));
    }
    let mut items = crate::template::iterate(subject, context)?;
    items.reverse();
    Ok(Value::list(items))
}

fn join(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let separator = args.get("d").map(Value::to_string).unwrap_or_default();
    let mut items = items(subject, context)?;
    if let Some(path) = args.some("attribute") {
        for item in &mut items {
            *item = get_attr(item, path, context)?;
        }
    }
    let mut text = String::new();
    for (index, item) in items.iter().enumerate() {
        if let Value::Undefined(undefined) = item {
            return Err(Diagnostic::undefined(undefined));
        }
        if index > 0 {
            text.push_str(&separator);
        }
        match item {
            Value::Str(part) => text.push_str(part),
            other => text.push_str(&other.to_string()),
        }
    }
    Ok(Value::from(text))
}

fn batch(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let Value::Int(size) = args.required("linecount")? else {
        // No row ever has as many items as that.
        return Ok(Value::list(vec![Value::list(items(subject, context)?)]));
    };
    let size = usize::try_from(*size)
        .ok()
        .filter(|size| *size > 0)
        .ok_or_else(|| Diagnostic::new(format!("'linecount' must be at least 1, not {size}")))?;
    let mut rows: Vec<Vec<Value>> = items(subject, context)?.chunks(size).map(<[Value]>::to_vec).collect();
    if let (Some(filler), Some(row)) = (args.some("fill_with"), rows.last_mut()) {
        row.resize(size, filler.clone());
    }
    Ok(rows.into_iter().map(Value::list).collect::<Vec<_>>().into())
}

/// Jinja's columns: the first ones get the items that are left over, the others the filler.
fn slice(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let columns = args.required("slices").and_then(|_| args.int("slices"))?.unwrap_or(0);
    let columns = usize::try_from(columns).unwrap_or(0);
    if columns == 0 {
        return Err(Diagnostic::new("integer division or modulo by zero"));
    }
    let items = items(subject, context)?;
    let (each, extra) = (items.len() / columns, items.len() % columns);
    let mut rest = items.as_slice();
    let mut rows = Vec::with_capacity(columns);
    for column in 0..columns {
        let (taken, left) = rest.split_at((each + usize::from(column < extra)).min(rest.len()));
        rest = left;
        let mut row = taken.to_vec();
        if column >= extra {
            row.extend(args.some("fill_with").cloned());
        }
        rows.push(Value::list(row));
    }
    Ok(rows.into())
}

fn sum(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let mut total = args.get("start").cloned().unwrap_or(Value::Int(0));
    if matches!(total, Value::Str(_)) {
        return Err(Diagnostic::new("sum() can't sum strings [use ''.join(seq) instead]"));
    }
    for item in items(subject, context)? {
        let item = match args.some("attribute") {
            Some(path) => get_attr(&item, path, context)?,
            None => item,
        };
        if let Value::Undefined(undefined) = &item {
            return Err(Diagnostic::undefined(undefined));
        }
        total = total.operate(Operator::Add, &item)?;
    }
    Ok(total)
}

/// Lists within lists become one; `None`, and text that says so, is left out unless `skip_nulls` is off.
fn flatten(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let levels = args.int("levels")?;
    let mut out = Vec::new();
    flatten_into(&mut out, &items(subject, context)?, levels, args.flag("skip_nulls", true));
    Ok(out.into())
}

fn flatten_into(out: &mut Vec<Value>, items: &[Value], levels: Option<i64>, skip_nulls: bool) {
    for item in items {
        let null = match item {
            Value::None => true,
            Value::Str(text) => matches!(&**text, "None" | "null"),
            _ => false,
        };
        if null && skip_nulls {
            continue;
        }
        match item {
            Value::List(inner) | Value::Tuple(inner) if levels.is_none_or(|levels| levels >= 1) => {
                flatten_into(out, inner, levels.map(|levels| levels - 1), skip_nulls);
            }
            other => out.push(other.clone()),
        }
    }
}

fn zip(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let columns = columns(subject, args, context)?;
    let length = columns.iter().map(Vec::len).min().unwrap_or(0);
    Ok(rows(&columns, length, &Value::None))
}

fn zip_longest(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let columns = columns(subject, args, context)?;
    let length = columns.iter().map(Vec::len).max().unwrap_or(0);
    Ok(rows(&columns, length, args.get("fillvalue").unwrap_or(&Value::None)))
}

fn columns(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Vec<Vec<Value>>> {
    std::iter::once(subject).chain(args.rest()).map(|column| items(column, context)).collect()
}

fn rows(columns: &[Vec<Value>], length: usize, filler: &Value) -> Value {
    let row = |index: usize| {
        let cells = columns.iter().map(|column| column.get(index).unwrap_or(filler).clone());
        Value::list(cells.collect())
    };
    (0..length).map(row).collect::<Vec<_>>().into()
}

/// A random item of a sequence, or a number below an integer.
fn random(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let mut source = source(args)?;
    if let Some(end) = subject.as_int() {
        let (start, step) =
            (args.int("start")?.unwrap_or(0), args.int("step")?.filter(|step| *step != 0).unwrap_or(1));
        let span = i128::from(end) - i128::from(start);
        let step = i128::from(step);
        let count = match step {
            1.. => (span + step - 1) / step,
            _ => (span + step + 1) / step,
        };
        let count = u64::try_from(count)
            .ok()
            .filter(|count| *count > 0)
            .ok_or_else(|| Diagnostic::new(format!("empty range in randrange({start}, {end}, {step})")))?;
        return Ok(Value::from(i128::from(start) + step * i128::from(source.below(count))));
    }
    if !matches!(subject, Value::List(_) | Value::Tuple(_) | Value::Str(_) | Value::Object(_)) {
        return Err(Diagnostic::new("random can only be used on sequences and integers"));
    }
    if args.some("start").is_some() || args.some("step").is_some() {
        return Err(Diagnostic::new("start and step can only be used with integer values"));
    }
    let items = items(subject, context)?;
    source.choice(&items).cloned().ok_or_else(|| Diagnostic::new("Cannot choose from an empty sequence"))
}

fn shuffle(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let Ok(mut items) = items(subject, context) else {
        // What is no sequence comes back as it is.
        return Ok(subject.clone());
    };
    source(args)?.shuffle(&mut items);
    Ok(items.into())
}

fn source(args: &Args<'_>) -> Result<Random> {
    if let Some(seed) = args.some("seed") {
        return Ok(Random::seeded(seed));
    }
    note_mood();
    Random::system().map_err(|error| Diagnostic::new(format!("the system gives no random numbers: {error}")))
}
