//! Python's indexing and slicing.

use std::sync::Arc;

use super::Value;
use crate::diagnostic::{Diagnostic, Result};

/// The place a Python index means in a sequence of that length: from the end when negative.
pub fn index(position: i64, length: usize) -> Option<usize> {
    let from_start = match usize::try_from(position) {
        Ok(from_start) => from_start,
        Err(_) => length.checked_sub(usize::try_from(position.unsigned_abs()).ok()?)?,
    };
    (from_start < length).then_some(from_start)
}

impl Value {
    /// `self[start:stop:step]` of text, a list or a tuple.
    pub fn slice(&self, start: Option<i64>, stop: Option<i64>, step: Option<i64>) -> Result<Self> {
        let step = step.unwrap_or(1);
        if step == 0 {
            return Err(Diagnostic::new("slice step cannot be zero"));
        }
        match self {
            Self::Str(text) => {
                let chars: Vec<char> = text.chars().collect();
                Ok(Self::from(
                    positions(chars.len(), start, stop, step)
                        .filter_map(|i| chars.get(i))
                        .collect::<String>(),
                ))
            }
            Self::List(items) => Ok(Self::List(Arc::new(picked(items, start, stop, step)))),
            Self::Tuple(items) => Ok(Self::Tuple(Arc::new(picked(items, start, stop, step)))),
            Self::Dict(_) => {
                let part = |bound: Option<i64>| bound.map_or_else(|| "None".to_owned(), |n| n.to_string());
                Err(Diagnostic::new(format!("slice({}, {}, {step})", part(start), part(stop))))
            }
            other => Err(Diagnostic::new(format!("'{}' object is not subscriptable", other.type_name()))),
        }
    }
}

fn picked(items: &[Value], start: Option<i64>, stop: Option<i64>, step: i64) -> Vec<Value> {
    positions(items.len(), start, stop, step).filter_map(|i| items.get(i).cloned()).collect()
}

/// The positions a slice picks, in order.
pub fn positions(
    length: usize,
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
) -> impl Iterator<Item = usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let (low, high) = if step < 0 { (-1, length - 1) } else { (0, length) };
    let clamp = |bound: i64| (if bound < 0 { bound.saturating_add(length) } else { bound }).clamp(low, high);
    let (first, end) = if step < 0 { (high, low) } else { (low, high) };
    let mut position = start.map_or(first, clamp);
    let stop = stop.map_or(end, clamp);
    std::iter::from_fn(move || {
        let inside = if step < 0 { position > stop } else { position < stop };
        let current = inside.then_some(position)?;
        position = position.saturating_add(step);
        usize::try_from(current).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(start: Option<i64>, stop: Option<i64>, step: Option<i64>, expect: &str) {
        assert_eq!(Value::from("Hello").slice(start, stop, step).unwrap().to_string(), expect);
    }

    #[test]
    fn slices_are_pythons() {
        check(None, None, None, "Hello");
        check(Some(1), Some(3), None, "el");
        check(Some(-2), None, None, "lo");
        check(None, Some(-1), None, "Hell");
        check(None, None, Some(-1), "olleH");
        check(Some(-1), Some(-4), Some(-2), "ol");
        check(Some(9), None, None, "");
        check(Some(3), Some(1), None, "");
        check(None, None, Some(i64::MIN), "o");
    }

    #[test]
    fn indexes_count_from_both_ends() {
        assert_eq!(index(0, 2), Some(0));
        assert_eq!(index(-2, 2), Some(0));
        assert_eq!(index(2, 2), None);
        assert_eq!(index(-3, 2), None);
        assert_eq!(index(i64::MIN, 2), None);
    }
}
