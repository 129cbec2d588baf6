//! JSON: `to_json`, `to_nice_json`, `tojson`, `from_json`.

use super::parse_json::parse;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;
use crate::value::dumps::{Part, Style, dumps_with};

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("from_json", &["profile"], from_json),
    FilterEntry::new("to_json", JSON_PARAMS, to_json),
    FilterEntry::new("to_nice_json", NICE_JSON_PARAMS, to_nice_json),
    FilterEntry::new("tojson", &["indent"], tojson),
];

const JSON_PARAMS: &[&str] = &[
    "*",
    "indent",
    "sort_keys",
    "separators",
    "ensure_ascii",
    "skipkeys",
    "vault_to_text",
    "preprocess_unsafe",
];
const NICE_JSON_PARAMS: &[&str] = &[
    "indent",
    "sort_keys",
    "*",
    "separators",
    "ensure_ascii",
    "skipkeys",
    "vault_to_text",
    "preprocess_unsafe",
];

fn to_json(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    written(subject, args, Shape { indent: None, sort_keys: false, separators: args.some("separators") })
}

fn to_nice_json(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    // It has separators of its own, whatever is asked for.
    written(subject, args, Shape { indent: Some(4), sort_keys: true, separators: None })
}

/// What a filter does unless its arguments say otherwise.
struct Shape<'a> {
    indent: Option<i64>,
    sort_keys: bool,
    separators: Option<&'a Value>,
}

fn written(subject: &Value, args: &Args<'_>, shape: Shape<'_>) -> Result<Value> {
    let columns = |width: i64| usize::try_from(width).unwrap_or(0);
    let mut style = match args.get("indent") {
        Some(Value::Str(text)) => Style { indent: Some(text.to_string().into()), ..Style::of(Some(0)) },
        Some(Value::None) => Style::of(None),
        _ => Style::of(args.int("indent")?.or(shape.indent).map(columns)),
    };
    match shape.separators.map(Value::as_list) {
        None => {}
        Some(Some([item, key])) => {
            style.item_separator = item.to_string().into();
            style.key_separator = key.to_string().into();
        }
        Some(_) => return Err(Diagnostic::new("'separators' must be a pair of texts")),
    }
    style.sort_keys = args.flag("sort_keys", shape.sort_keys);
    style.ascii = args.flag("ensure_ascii", true);
    Ok(dumps_with(subject, &style, &form)?.into())
}

/// What JSON has no form for is an error.
fn form(part: Part<'_>) -> Result<Option<Value>> {
    match part {
        Part::Value(Value::Str(_)) => Ok(None),
        Part::Value(Value::Object(object)) if object.type_name() == "datetime" => {
            Ok(Some(object.repr().replace(' ', "T").into()))
        }
        Part::Value(Value::Undefined(undefined)) => Err(Diagnostic::undefined(undefined)),
        Part::Value(other) => {
            Err(Diagnostic::new(format!("Object of type {} is not JSON serializable", other.type_name())))
        }
        Part::Key(other) => Err(Diagnostic::new(format!(
            "Key of type '{}' is not JSON serializable by the 'tagless' profile.",
            other.type_name()
        ))),
    }
}

/// Jinja's: sorted, and safe within HTML.
fn tojson(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let Value::Str(text) = written(subject, args, Shape { indent: None, sort_keys: true, separators: None })?
    else {
        return Ok(Value::None);
    };
    let safe =
        text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027");
    Ok(safe.into())
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
