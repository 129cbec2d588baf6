//! JSON: `to_json`, `to_nice_json`, `tojson`, `from_json`.

use super::parse_json::parse;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::{Dict, Value};

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("from_json", &["profile"], from_json),
    FilterEntry::new("to_json", JSON_PARAMS, to_json),
    FilterEntry::new("to_nice_json", NICE_JSON_PARAMS, to_nice_json),
    FilterEntry::new("tojson", &["indent"], tojson),
];

const JSON_PARAMS: &[&str] =
    &["*", "indent", "sort_keys", "separators", "ensure_ascii", "vault_to_text", "preprocess_unsafe"];
const NICE_JSON_PARAMS: &[&str] =
    &["indent", "sort_keys", "*", "separators", "ensure_ascii", "vault_to_text", "preprocess_unsafe"];

/// How `json.dumps` writes.
struct Style {
    /// What each level is indented by; `None` for everything on one line.
    indent: Option<String>,
    item_separator: String,
    key_separator: String,
    sort_keys: bool,
    ascii: bool,
}

fn to_json(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    dumps(subject, args, None, false)
}

fn to_nice_json(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    dumps(subject, args, Some(4), true)
}

fn dumps(subject: &Value, args: &Args<'_>, indent: Option<i64>, sort_keys: bool) -> Result<Value> {
    let indent = match args.get("indent") {
        Some(Value::Str(text)) => Some(text.to_string()),
        Some(Value::None) => None,
        _ => {
            let width = args.int("indent")?.or(indent);
            width.map(|width| " ".repeat(usize::try_from(width).unwrap_or(0)))
        }
    };
    let comma = if indent.is_some() { "," } else { ", " };
    let (item_separator, key_separator) = match args.some("separators").map(|pair| pair.as_list()) {
        None => (comma.to_owned(), ": ".to_owned()),
        Some(Some([item, key])) => (item.to_string(), key.to_string()),
        Some(_) => return Err(Diagnostic::new("'separators' must be a pair of texts")),
    };
    let style = Style {
        indent,
        item_separator,
        key_separator,
        sort_keys: args.flag("sort_keys", sort_keys),
        ascii: args.flag("ensure_ascii", true),
    };
    let mut out = String::new();
    write(&mut out, subject, &style, 0)?;
    Ok(out.into())
}

/// Jinja's: sorted, and safe within HTML.
fn tojson(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let Value::Str(text) = dumps(subject, args, None, true)? else { return Ok(Value::None) };
    let safe =
        text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027");
    Ok(safe.into())
}

fn write(out: &mut String, value: &Value, style: &Style, level: usize) -> Result<()> {
    match value {
        Value::None => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Float(number) => out.push_str(&float_text(*number)),
        Value::Int(_) | Value::BigInt(_) => out.push_str(&value.to_string()),
        Value::Str(text) => write_text(out, text, style.ascii),
        Value::List(items) | Value::Tuple(items) => write_list(out, items, style, level)?,
        Value::Dict(entries) => write_dict(out, entries, style, level)?,
        Value::Object(object) => {
            if let Some(items) = object.items() {
                write_list(out, &items, style, level)?;
            } else if let Some(keys) = object.keys() {
                let pairs = keys.into_iter().filter_map(|key| Some((key.clone(), object.get(&key)?)));
                write_dict(out, &pairs.collect(), style, level)?;
            } else if object.type_name() == "datetime" {
                write_text(out, &object.repr().replace(' ', "T"), style.ascii);
            } else {
                return Err(not_serializable(value));
            }
        }
        Value::Undefined(undefined) => return Err(Diagnostic::undefined(undefined)),
        Value::Template(_) | Value::Vault(_) | Value::Omit => return Err(not_serializable(value)),
    }
    Ok(())
}

fn not_serializable(value: &Value) -> Diagnostic {
    Diagnostic::new(format!("Object of type {} is not JSON serializable", value.type_name()))
}

fn float_text(number: f64) -> String {
    match Value::Float(number).to_string().as_str() {
        "nan" => "NaN".to_owned(),
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        text => text.to_owned(),
    }
}

fn new_line(out: &mut String, style: &Style, level: usize) {
    if let Some(indent) = &style.indent {
        out.push('\n');
        for _ in 0..level {
            out.push_str(indent);
        }
    }
}

fn write_list(out: &mut String, items: &[Value], style: &Style, level: usize) -> Result<()> {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(&style.item_separator);
        }
        new_line(out, style, level + 1);
        write(out, item, style, level + 1)?;
    }
    if !items.is_empty() {
        new_line(out, style, level);
    }
    out.push(']');
    Ok(())
}

fn write_dict(out: &mut String, entries: &Dict, style: &Style, level: usize) -> Result<()> {
    // Keys that become the same text are one key; the last value wins.
    let mut texts: indexmap::IndexMap<String, &Value> = indexmap::IndexMap::new();
    for (key, value) in entries {
        texts.insert(key_text(key)?, value);
    }
    if style.sort_keys {
        texts.sort_keys();
    }
    out.push('{');
    for (index, (key, value)) in texts.iter().enumerate() {
        if index > 0 {
            out.push_str(&style.item_separator);
        }
        new_line(out, style, level + 1);
        write_text(out, key, style.ascii);
        out.push_str(&style.key_separator);
        write(out, value, style, level + 1)?;
    }
    if !texts.is_empty() {
        new_line(out, style, level);
    }
    out.push('}');
    Ok(())
}

fn key_text(key: &Value) -> Result<String> {
    Ok(match key {
        Value::Str(text) => text.to_string(),
        Value::None => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Float(number) => float_text(*number),
        Value::Int(_) | Value::BigInt(_) => key.to_string(),
        other => {
            return Err(Diagnostic::new(format!(
                "Key of type '{}' is not JSON serializable by the 'tagless' profile.",
                other.type_name()
            )));
        }
    })
}

fn write_text(out: &mut String, text: &str, ascii: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' || (ascii && !(' '..='~').contains(&c)) => {
                let mut units = [0; 2];
                out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn from_json(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let is_legacy = match args.some("profile").map(ToString::to_string).as_deref() {
        None | Some("tagless") => false,
        Some("legacy" | "inventory_legacy") => true,
        Some(other) => return Err(Diagnostic::new(format!("Unknown profile name {other:?}."))),
    };
    match subject {
        Value::Str(text) if is_legacy => Ok(unmarked(&parse(text)?)),
        Value::Str(text) => parse(text),
        other => Err(Diagnostic::new(format!(
            "the JSON object must be str, bytes or bytearray, not {}",
            other.type_name()
        ))),
    }
}

/// What `ansible-inventory --list` marks as not to be rendered, without the marks: here nothing of it is.
fn unmarked(value: &Value) -> Value {
    match value {
        Value::List(items) => Value::list(items.iter().map(unmarked).collect()),
        Value::Dict(entries) => match entries.get("__ansible_unsafe") {
            Some(text) if entries.len() == 1 => text.clone(),
            _ => Value::dict(entries.iter().map(|(key, value)| (key.clone(), unmarked(value))).collect()),
        },
        other => other.clone(),
    }
}
