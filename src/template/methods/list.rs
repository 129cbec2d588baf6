//! Methods of lists and tuples.

use std::cmp::Ordering;

use super::{argument, expect, int, items_of};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Value, index};

pub(super) const METHODS: &[&str] = &["copy", "count", "index"];
pub(super) const TUPLE_METHODS: &[&str] = &["count", "index"];
pub(super) const CHANGING: &[&str] =
    &["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"];

pub(super) fn call(items: &[Value], name: &str, args: &[Value]) -> Result<Value> {
    match name {
        "copy" => {
            expect("list.copy", args, 0, 0)?;
            Ok(Value::list(items.to_vec()))
        }
        "count" => {
            expect("list.count", args, 1, 1)?;
            Ok(Value::from(items.iter().filter(|item| args.contains(item)).count()))
        }
        _ => {
            expect("index", args, 1, 3)?;
            let bound = |place: usize| args.get(place).map(int).transpose();
            let (start, stop) = (bound(1)?, bound(2)?);
            crate::value::positions(items.len(), start, stop, 1)
                .find(|place| items.get(*place) == args.first())
                .map(Value::from)
                .ok_or_else(|| {
                    Diagnostic::new(format!("{} is not in list", args.first().unwrap_or(&Value::None).repr()))
                })
        }
    }
}

pub(super) fn change(items: &mut Vec<Value>, name: &str, args: &[Value], named: &Dict) -> Result<Value> {
    match name {
        "append" => {
            expect("list.append", args, 1, 1)?;
            items.extend_from_slice(args);
        }
        "clear" => {
            expect("list.clear", args, 0, 0)?;
            items.clear();
        }
        "extend" => {
            expect("list.extend", args, 1, 1)?;
            for argument in args {
                items.extend(items_of(argument)?);
            }
        }
        "insert" => {
            expect("insert", args, 2, 2)?;
            if let [position, item] = args {
                let position = int(position)?;
                let length = items.len();
                let place = index(position, length).unwrap_or(if position < 0 { 0 } else { length });
                items.insert(place, item.clone());
            }
        }
        "pop" => {
            expect("pop", args, 0, 1)?;
            let position = args.first().map_or(Ok(-1), int)?;
            if items.is_empty() {
                return Err(Diagnostic::new("pop from empty list"));
            }
            let place =
                index(position, items.len()).ok_or_else(|| Diagnostic::new("pop index out of range"))?;
            return Ok(items.remove(place));
        }
        "remove" => {
            expect("list.remove", args, 1, 1)?;
            let place = items.iter().position(|item| args.contains(item));
            items.remove(place.ok_or_else(|| Diagnostic::new("list.remove(x): x not in list"))?);
        }
        "reverse" => {
            expect("list.reverse", args, 0, 0)?;
            items.reverse();
        }
        "sort" => {
            if !args.is_empty() {
                return Err(Diagnostic::new("sort() takes no positional arguments"));
            }
            if let Some(key) = named.get("key").filter(|key| !key.is_none()) {
                return Err(Diagnostic::new(format!("'{}' object is not callable", key.type_name())));
            }
            let reverse = argument(&[], named, 0, "reverse").is_some_and(Value::is_truthy);
            sort(items, reverse)?;
        }
        _ => return call(items, name, args),
    }
    Ok(Value::None)
}

fn sort(items: &mut [Value], reverse: bool) -> Result<()> {
    let mut failed = None;
    items.sort_by(|a, b| {
        let order = a.compare(b, "<").unwrap_or_else(|error| {
            failed.get_or_insert(error);
            Ordering::Equal
        });
        if reverse { order.reverse() } else { order }
    });
    failed.map_or(Ok(()), Err)
}
