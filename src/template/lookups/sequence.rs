//! `sequence`: numbers as text, `start=0 end=8 stride=2 format=web%02d` or `1-8/2:web%02d`.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Result};
use crate::template::python_format::percent;
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "sequence", params: OPTIONS, run: sequence };

const OPTIONS: &[&str] = &["start", "end", "count", "stride", "format"];

/// More than this is a mistake.
const LIMIT: usize = 10_000_000;

fn sequence(terms: &[Value], args: &Args<'_>, _: &Context<'_>) -> Result<Vec<Value>> {
    let mut options: HashMap<String, String> = HashMap::new();
    for name in OPTIONS {
        options.extend(args.string(name).map(|value| ((*name).to_owned(), value.into_owned())));
    }
    if terms.is_empty() {
        return if options.is_empty() { Ok(Vec::new()) } else { numbers(&options) };
    }
    let mut all = Vec::new();
    for term in terms {
        let mut options = options.clone();
        options.extend(parse(&term.to_string())?);
        all.extend(numbers(&options)?);
    }
    Ok(all)
}

fn parse(term: &str) -> Result<HashMap<String, String>> {
    if let Some(options) = short(term) {
        return Ok(options);
    }
    let mut options = HashMap::new();
    let mut unknown = Vec::new();
    for word in shlex::split(term).unwrap_or_default() {
        match word.split_once('=') {
            Some((name, value)) if OPTIONS.contains(&name) => {
                options.insert(name.to_owned(), value.to_owned());
            }
            Some((name, _)) => unknown.push(format!("'{name}'")),
            None => unknown.push(format!("'{word}'")),
        }
    }
    if !unknown.is_empty() {
        return Err(Diagnostic::new(format!(
            "unrecognized arguments to with_sequence: [{}]",
            unknown.join(", ")
        ))
        .hint("It takes start, end, count, stride and format."));
    }
    Ok(options)
}

/// `[start-]end[/stride][:format]`
fn short(term: &str) -> Option<HashMap<String, String>> {
    let term = term.trim();
    let (range, format) = match term.split_once(':') {
        Some((range, format)) => (range, Some(format)),
        None => (term, None),
    };
    let (range, stride) = match range.split_once('/') {
        Some((range, stride)) => (range, Some(stride)),
        None => (range, None),
    };
    let (start, end) = match range.split_once('-') {
        Some((start, end)) => (Some(start), end),
        None => (None, range),
    };
    let all = [("start", start), ("end", Some(end)), ("stride", stride)];
    if !all.iter().filter_map(|(_, text)| *text).all(is_numeral) {
        return None;
    }
    let given = all.into_iter().chain([("format", format)]);
    Some(given.filter_map(|(name, text)| Some((name.to_owned(), text?.to_owned()))).collect())
}

/// Whether it looks like a number, hexadecimal perhaps. Whether it is one shows later, in an error that names it.
fn is_numeral(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// A whole number, decimal or `0x…`.
fn integer(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn numbers(options: &HashMap<String, String>) -> Result<Vec<Value>> {
    let number = |name: &str| -> Result<Option<i64>> {
        let parse = |text: &String| {
            integer(text).ok_or_else(|| {
                Diagnostic::new(format!(
                    "Config '{name}' for 'sequence' lookup plugin from 'Direct' has an invalid value: Invalid \
                     value provided for 'integer': '{text}'"
                ))
            })
        };
        options.get(name).map(parse).transpose()
    };
    let (start, stride) = (number("start")?.unwrap_or(1), number("stride")?);
    let end = match (number("count")?, number("end")?) {
        (None, None) => return Err(Diagnostic::new("must specify count or end in with_sequence")),
        (Some(_), Some(_)) => {
            return Err(Diagnostic::new("can't specify both count and end in with_sequence"));
        }
        (Some(0), None) => return Ok(Vec::new()),
        (Some(count), None) => {
            // As Ansible counts: below zero it goes two steps too far.
            start.saturating_add(count.saturating_mul(stride.unwrap_or(1))).saturating_sub(1)
        }
        (None, Some(end)) => end,
    };
    let stride = stride.unwrap_or(1);
    if stride > 0 && end < start {
        return Err(Diagnostic::new("to count backwards make stride negative"));
    }
    if stride < 0 && end > start {
        return Err(Diagnostic::new("to count forward don't make stride negative"));
    }
    let format = options.get("format").map_or("%d", String::as_str);
    if format.matches('%').count() != 1 {
        return Err(Diagnostic::new(format!("bad formatting string: {format}")));
    }
    let mut all = Vec::new();
    let mut next = start;
    while stride != 0 && if stride > 0 { next <= end } else { next >= end } {
        let shown = percent(format, &Value::Int(next))
            .map_err(|error| error.context(format_args!("problem formatting {next} with '{format}'")))?;
        all.push(Value::from(shown));
        if all.len() > LIMIT {
            return Err(Diagnostic::new(format!("with_sequence would make more than {LIMIT} items")));
        }
        let Some(after) = next.checked_add(stride) else { break };
        next = after;
    }
    Ok(all)
}
