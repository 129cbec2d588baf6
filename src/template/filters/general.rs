//! Of community.general: `counter`, `dict`, `dict_kv`, `random_mac`, `to_seconds` and its kin, `version_sort`, sets of lists.

use std::cmp::Ordering;

use super::items;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::python_random::Random;
use crate::template::tests::loose_version;
use crate::template::{Args, Context, FilterEntry};
use crate::value::{Dict, Value};

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("community.general.counter", &[], counter),
    FilterEntry::new("community.general.dict", &[], dict),
    FilterEntry::new("community.general.dict_kv", &["key"], dict_kv),
    FilterEntry::new("community.general.lists_difference", SETS, |subject, args, context| {
        combined(subject, args, context, |all, list| all.retain(|item| !list.contains(item)))
    }),
    FilterEntry::new("community.general.lists_intersect", SETS, |subject, args, context| {
        combined(subject, args, context, |all, list| all.retain(|item| list.contains(item)))
    }),
    FilterEntry::new("community.general.lists_symmetric_difference", SETS, |subject, args, context| {
        combined(subject, args, context, |all, list| {
            let both: Vec<Value> = all.iter().filter(|item| list.contains(item)).cloned().collect();
            all.extend_from_slice(list);
            all.retain(|item| !both.contains(item));
        })
    }),
    FilterEntry::new("community.general.lists_union", SETS, |subject, args, context| {
        combined(subject, args, context, Vec::extend_from_slice)
    }),
    FilterEntry::new("community.general.random_mac", &["seed"], random_mac),
    FilterEntry::new("community.general.to_days", TIMES, |subject, args, _| to_time(subject, "d", args)),
    FilterEntry::new("community.general.to_hours", TIMES, |subject, args, _| to_time(subject, "h", args)),
    FilterEntry::new("community.general.to_milliseconds", TIMES, |subject, args, _| {
        to_time(subject, "ms", args)
    }),
    FilterEntry::new("community.general.to_minutes", TIMES, |subject, args, _| to_time(subject, "m", args)),
    FilterEntry::new("community.general.to_months", TIMES, |subject, args, _| to_time(subject, "mo", args)),
    FilterEntry::new("community.general.to_seconds", TIMES, |subject, args, _| to_time(subject, "s", args)),
    FilterEntry::new("community.general.to_time_unit", &["unit", "year", "month"], |subject, args, _| {
        to_time(subject, args.text("unit")?.unwrap_or("ms"), args)
    }),
    FilterEntry::new("community.general.to_weeks", TIMES, |subject, args, _| to_time(subject, "w", args)),
    FilterEntry::new("community.general.to_years", TIMES, |subject, args, _| to_time(subject, "y", args)),
    FilterEntry::new("community.general.version_sort", &["reverse"], version_sort),
];

/// Any number of lists; by keyword whether the first is a list of them.
const SETS: &[&str] = &["*", "flatten"];

/// How many days a year and a month have.
const TIMES: &[&str] = &["year", "month"];

/// How often each item is there.
fn counter(subject: &Value, _: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let mut counts = Dict::new();
    for item in items(subject, context)? {
        let count = counts.get_value(&item).and_then(Value::as_int).unwrap_or(0);
        counts.insert(item, count + 1);
    }
    Ok(counts.into())
}

/// Pairs as a dict.
fn dict(subject: &Value, _: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let pair = |(at, item): (usize, Value)| match item.as_list() {
        Some([key, value]) => Ok((key.clone(), value.clone())),
        Some(other) => Err(Diagnostic::new(format!(
            "dictionary update sequence element #{at} has length {}; 2 is required",
            other.len()
        ))),
        None => Err(Diagnostic::new(format!(
            "cannot convert dictionary update sequence element #{at} to a sequence"
        ))),
    };
    items(subject, context)?.into_iter().enumerate().map(pair).collect::<Result<Dict>>().map(Value::from)
}

fn dict_kv(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let key = args.get("key").ok_or_else(|| Diagnostic::new("dict_kv() needs the key"))?;
    let mut dict = Dict::new();
    dict.insert(key.clone(), subject.clone());
    Ok(dict.into())
}

/// The first list with the others worked in, nothing twice.
fn combined(
    subject: &Value,
    args: &Args<'_>,
    context: &Context<'_>,
    work_in: fn(&mut Vec<Value>, &[Value]),
) -> Result<Value> {
    let mut lists = vec![items(subject, context)?];
    for list in args.positional {
        lists.push(items(list, context)?);
    }
    if args.flag("flatten", false) {
        let inner = lists.into_iter().flatten().map(|list| items(&list, context));
        lists = inner.collect::<Result<_>>()?;
    }
    let mut lists = lists.into_iter();
    let mut all = lists.next().unwrap_or_default();
    for list in lists {
        work_in(&mut all, &list);
    }
    let mut once: Vec<Value> = Vec::with_capacity(all.len());
    for item in all {
        if !once.contains(&item) {
            once.push(item);
        }
    }
    Ok(Value::list(once))
}

/// A prefix such as `52:54:00` with the rest by chance.
fn random_mac(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    const LEAST: u64 = 0x10_0000_0000;
    const MOST: u64 = 0xff_ffff_ffff;
    let prefix = super::text(subject, "random_mac")?.to_lowercase();
    let wrong = |why: String| Diagnostic::new(format!("Invalid value ({prefix}) for random_mac: {why}"));
    let parts: Vec<&str> = prefix.split(':').collect();
    if parts.len() > 5 {
        return Err(wrong("5 colon(:) separated items max".to_owned()));
    }
    for part in &parts {
        if part.is_empty() {
            return Err(wrong("empty item".to_owned()));
        }
        if u64::from_str_radix(part, 16).is_err() {
            return Err(wrong(format!("{part} not hexa byte")));
        }
    }
    let mut random = match args.some("seed") {
        Some(seed) => Random::seeded(seed),
        None => Random::system().map_err(|error| Diagnostic::new(format!("no random numbers: {error}")))?,
    };
    let rest = format!("{:010x}", LEAST + random.below(MOST - LEAST + 1));
    let bytes = rest.as_bytes().chunks(2).take(6 - parts.len()).map(String::from_utf8_lossy);
    Ok(std::iter::once(prefix.clone().into()).chain(bytes).collect::<Vec<_>>().join(":").into())
}

/// Milliseconds of a unit by one of its names.
fn milliseconds(unit: &str, args: &Args<'_>) -> Result<Option<f64>> {
    const DAY: f64 = 86_400_000.0;
    let days = |name: &str, usual: f64| {
        let given = args.some(name).map(|days| days.to_string().parse::<f64>());
        given.unwrap_or(Ok(usual)).map_err(|_| Diagnostic::new(format!("{name} takes a number of days")))
    };
    // `m` is a minute, `mo` a month; the names may be in the plural.
    let name = unit.strip_suffix('s').filter(|name| !matches!(*name, "" | "m")).unwrap_or(unit);
    Ok(Some(match name {
        "ms" | "msec" | "msecond" | "millisecond" => 1.0,
        "s" | "sec" | "second" => 1000.0,
        "m" | "min" | "minute" => 60_000.0,
        "h" | "hour" => 3_600_000.0,
        "d" | "day" => DAY,
        "w" | "week" => 7.0 * DAY,
        "mo" | "month" => days("month", 30.0)? * DAY,
        "y" | "year" => days("year", 365.0)? * DAY,
        _ => return Ok(None),
    }))
}

/// `1h 30m` in a unit.
fn to_time(subject: &Value, unit: &str, args: &Args<'_>) -> Result<Value> {
    let text = subject.to_string();
    let Some(size) = milliseconds(unit, args)? else {
        return Err(Diagnostic::new(format!("error in to_time_unit(), there is no unit '{unit}'")));
    };
    let mut sum = 0.0;
    for part in text.split_whitespace() {
        let split = part.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(part.len());
        let (number, name) = part.split_at(split);
        let size = if name.is_empty() { None } else { milliseconds(&name.to_lowercase(), args)? };
        match (number.parse::<i32>(), size) {
            (Ok(number), Some(size)) => sum += f64::from(number) * size,
            _ => {
                return Err(Diagnostic::new(format!(
                    "to_time_unit() can not interpret following string: {text}"
                )));
            }
        }
    }
    Ok(Value::Float((sum / size * 1e12).round() / 1e12))
}

/// Sorted as versions, loosely: `2.9` before `2.10`.
fn version_sort(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let mut versions = items(subject, context)?;
    let mut error = None;
    versions.sort_by(|a, b| {
        loose_version(&a.to_string(), &b.to_string()).unwrap_or_else(|failed| {
            error.get_or_insert(failed);
            Ordering::Equal
        })
    });
    if let Some(error) = error {
        return Err(error);
    }
    if args.flag("reverse", false) {
        versions.reverse();
    }
    Ok(Value::list(versions))
}
