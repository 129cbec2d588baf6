//! Text: case, blanks, cutting, padding.

use crate::diagnostic::{Diagnostic, Result};
use crate::template::python_format::percent;
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("capitalize", &[], capitalize),
    FilterEntry::new("center", &["width"], center),
    FilterEntry::new("format", &["*", "**"], format),
    FilterEntry::new("indent", &["width", "first", "blank"], indent),
    FilterEntry::new("lower", &[], lower),
    FilterEntry::new("pprint", &[], pprint),
    FilterEntry::new("quote", &[], quote),
    FilterEntry::new("replace", &["old", "new", "count"], replace),
    FilterEntry::new("split", &["sep", "maxsplit"], split),
    FilterEntry::new("title", &[], title),
    FilterEntry::new("trim", &["chars"], trim),
    FilterEntry::new("truncate", &["length", "killwords", "end", "leeway"], truncate),
    FilterEntry::new("upper", &[], upper),
    FilterEntry::new("wordcount", &[], wordcount),
];

fn upper(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(subject.to_string().to_uppercase().into())
}

fn lower(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(subject.to_string().to_lowercase().into())
}

fn capitalize(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(titlecase(&subject.to_string()).into())
}

/// The first character in its title case, the others small.
fn titlecase(word: &str) -> String {
    let mut chars = word.chars();
    let Some(first) = chars.next() else { return String::new() };
    let mut upper = first.to_uppercase();
    // Of what one character becomes (`ß`: `SS`), only the first part is big.
    let head: String = upper.next().into_iter().chain(upper.flat_map(char::to_lowercase)).collect();
    head + &chars.as_str().to_lowercase()
}

/// Jinja's: a word begins after a blank, a hyphen or an opening bracket.
fn title(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let mut begins = true;
    let mut out = String::new();
    for c in subject.to_string().chars() {
        if begins {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        begins = c.is_whitespace() || "-({[<".contains(c);
    }
    Ok(out.into())
}

fn trim(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let text = subject.to_string();
    Ok(match args.text("chars")? {
        Some(chars) => text.trim_matches(|c| chars.contains(c)).into(),
        None => text.trim().into(),
    })
}

fn replace(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let text = subject.to_string();
    let (old, new) = (args.required("old")?.to_string(), args.required("new")?.to_string());
    Ok(match args.int("count")?.and_then(|count| usize::try_from(count).ok()) {
        Some(count) => text.replacen(&old, &new, count),
        None => text.replace(&old, &new),
    }
    .into())
}

fn center(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let text = subject.to_string();
    let width = usize::try_from(args.int("width")?.unwrap_or(80)).unwrap_or(0);
    let length = text.chars().count();
    let missing = width.saturating_sub(length);
    // As CPython: the odd blank goes left when the width is odd.
    let left = missing / 2 + (missing & width & 1);
    Ok(format!("{}{text}{}", " ".repeat(left), " ".repeat(missing - left)).into())
}

fn wordcount(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let text = subject.to_string();
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    Ok(words.count().into())
}

fn truncate(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let text = match subject {
        Value::Str(_) => subject.to_string(),
        // What is short enough comes back as it is, whatever it is.
        Value::List(_) | Value::Tuple(_) | Value::Dict(_) => return short(subject, args),
        other => return Err(Diagnostic::new(format!("object of type '{}' has no len()", other.type_name()))),
    };
    let end = args.string("end").unwrap_or("...".into());
    let tail = end.chars().count();
    let length = args.int("length")?.unwrap_or(255);
    let leeway = args.int("leeway")?.unwrap_or(5);
    let Some(kept) = usize::try_from(length).ok().and_then(|length| length.checked_sub(tail)) else {
        return Err(Diagnostic::new(format!("expected length >= {tail}, got {length}")));
    };
    let Ok(leeway) = usize::try_from(leeway) else {
        return Err(Diagnostic::new(format!("expected leeway >= 0, got {leeway}")));
    };
    if text.chars().count() <= kept + tail + leeway {
        return Ok(text.into());
    }
    let cut: String = text.chars().take(kept).collect();
    let cut = match cut.rsplit_once(' ') {
        Some((words, _)) if !args.flag("killwords", false) => words,
        _ => &cut,
    };
    Ok(format!("{cut}{end}").into())
}

/// A container that `truncate` need not cut; it cannot.
fn short(subject: &Value, args: &Args<'_>) -> Result<Value> {
    let length = args.int("length")?.unwrap_or(255) + args.int("leeway")?.unwrap_or(5);
    let items = match subject {
        Value::List(items) | Value::Tuple(items) => items.len(),
        Value::Dict(entries) => entries.len(),
        _ => 0,
    };
    if i64::try_from(items).is_ok_and(|items| items <= length) {
        return Ok(subject.clone());
    }
    Err(Diagnostic::new(format!("'{}' cannot be cut like text", subject.type_name())))
}

fn indent(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let Value::Str(text) = subject else {
        return Err(Diagnostic::new(format!(
            "unsupported operand type(s) for +=: '{}' and 'str'",
            subject.type_name()
        )));
    };
    let lead = match args.get("width") {
        Some(Value::Str(lead)) => lead.to_string(),
        _ => " ".repeat(usize::try_from(args.int("width")?.unwrap_or(4)).unwrap_or(0)),
    };
    let blank = args.flag("blank", false);
    // The newline at the end keeps a last empty line a line.
    let text = format!("{text}\n");
    let mut out = if args.flag("first", false) { lead.clone() } else { String::new() };
    for (index, line) in crate::value::split_lines(&text).into_iter().enumerate() {
        if index > 0 {
            out.push('\n');
            if blank || !line.is_empty() {
                out.push_str(&lead);
            }
        }
        out.push_str(line);
    }
    Ok(out.into())
}

fn format(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let operand = match (args.positional.is_empty(), args.named.is_empty()) {
        (false, false) => {
            return Err(Diagnostic::new("can't handle positional and keyword arguments at the same time"));
        }
        (_, true) => Value::Tuple(args.positional.to_vec().into()),
        _ => Value::dict(args.named.clone()),
    };
    percent(&subject.to_string(), &operand).map(Value::from)
}

/// `str.split`.
fn split(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let Value::Str(text) = subject else {
        return Err(Diagnostic::new(format!(
            "descriptor 'split' for 'str' objects doesn't apply to a '{}' object",
            subject.type_name()
        )));
    };
    let most = args.int("maxsplit")?.and_then(|most| usize::try_from(most).ok());
    let parts: Vec<Value> = match (args.text("sep")?, most) {
        (Some(""), _) => return Err(Diagnostic::new("empty separator")),
        (Some(separator), Some(most)) => {
            text.splitn(most.saturating_add(1), separator).map(Value::from).collect()
        }
        (Some(separator), None) => text.split(separator).map(Value::from).collect(),
        (None, None) => text.split_whitespace().map(Value::from).collect(),
        (None, Some(most)) => {
            let mut rest = text.trim_start();
            let mut parts = Vec::new();
            while parts.len() < most
                && let Some((part, after)) = rest.split_once(char::is_whitespace)
            {
                parts.push(part.into());
                rest = after.trim_start();
            }
            parts.extend((!rest.is_empty()).then(|| rest.into()));
            parts
        }
    };
    Ok(parts.into())
}

/// For a POSIX shell, as one word.
fn quote(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let text = if subject.is_none() { String::new() } else { subject.to_string() };
    let safe = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return Ok(text.into());
    }
    Ok(format!("'{}'", text.replace('\'', "'\"'\"'")).into())
}

fn pprint(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(subject.repr().into())
}
