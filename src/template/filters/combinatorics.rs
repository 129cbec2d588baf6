//! Every way to choose: `product`, `combinations`, `permutations`.

use super::items;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

/// Results beyond this are refused: a mistake must not eat the memory.
const LIMIT: usize = 1 << 22;

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("combinations", &["r"], combinations),
    FilterEntry::new("permutations", &["r"], permutations),
    FilterEntry::new("product", &["*", "repeat"], product),
];

fn product(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let once: Vec<Vec<Value>> = std::iter::once(subject)
        .chain(args.rest())
        .map(|column| items(column, context))
        .collect::<Result<_>>()?;
    let repeat = usize::try_from(args.int("repeat")?.unwrap_or(1))
        .map_err(|_| Diagnostic::new("repeat argument cannot be negative"))?;
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for column in std::iter::repeat_n(&once, repeat).flatten() {
        check_size(rows.len().checked_mul(column.len()))?;
        let longer = |row: &Vec<Value>, item: &Value| row.iter().chain([item]).cloned().collect();
        rows = rows.iter().flat_map(|row| column.iter().map(move |item| longer(row, item))).collect();
    }
    Ok(lists(rows))
}

fn combinations(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    args.get("r").ok_or_else(|| Diagnostic::new("combinations() missing required argument 'r' (pos 2)"))?;
    choose(subject, args, context, |index, chosen| chosen.last().is_none_or(|last| *last < index))
}

fn permutations(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    choose(subject, args, context, |index, chosen| !chosen.contains(&index))
}

/// All rows of `r` items, in the order of the items, where each next index is one that `fits`.
fn choose(
    subject: &Value,
    args: &Args<'_>,
    context: &Context<'_>,
    fits: impl Fn(usize, &[usize]) -> bool,
) -> Result<Value> {
    let items = items(subject, context)?;
    let count = match args.int("r")? {
        Some(count) => usize::try_from(count).map_err(|_| Diagnostic::new("r must be non-negative"))?,
        None => items.len(),
    };
    let mut chosen: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..count {
        let mut longer = Vec::new();
        for row in &chosen {
            for index in (0..items.len()).filter(|index| fits(*index, row)) {
                longer.push(row.iter().copied().chain([index]).collect());
            }
            check_size(Some(longer.len()))?;
        }
        chosen = longer;
    }
    let pick = |row: Vec<usize>| row.iter().filter_map(|index| items.get(*index).cloned()).collect();
    Ok(lists(chosen.into_iter().map(pick).collect()))
}

fn lists(rows: Vec<Vec<Value>>) -> Value {
    rows.into_iter().map(Value::list).collect::<Vec<_>>().into()
}

fn check_size(size: Option<usize>) -> Result<()> {
    match size {
        Some(size) if size <= LIMIT => Ok(()),
        _ => Err(Diagnostic::new(format!("more than {LIMIT} results"))),
    }
}
