//! YAML: `to_yaml`, `to_nice_yaml`, `from_yaml`, `from_yaml_all`.

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;
use crate::yaml::{DumpOptions, Flow, Style, Trust, dump, parse_str};

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("from_yaml", &[], from_yaml),
    FilterEntry::new("from_yaml_all", &[], from_yaml_all),
    FilterEntry::new("to_nice_yaml", NICE_YAML_PARAMS, to_nice_yaml),
    FilterEntry::new("to_yaml", YAML_PARAMS, to_yaml),
];

const YAML_PARAMS: &[&str] = &[
    "*",
    "default_flow_style",
    "vault_behavior",
    "indent",
    "width",
    "sort_keys",
    "explicit_start",
    "explicit_end",
    "default_style",
    "canonical",
    "version",
    "line_break",
];
const NICE_YAML_PARAMS: &[&str] = &[
    "indent",
    "*",
    "default_flow_style",
    "vault_behavior",
    "width",
    "sort_keys",
    "explicit_start",
    "explicit_end",
    "default_style",
    "canonical",
    "version",
    "line_break",
];

fn to_yaml(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    write(subject, args, 2, Flow::Leaves)
}

fn to_nice_yaml(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    write(subject, args, 4, Flow::Block)
}

fn write(subject: &Value, args: &Args<'_>, indent: i64, flow: Flow) -> Result<Value> {
    if args.some("vault_behavior").is_some() {
        return Err(Diagnostic::new("the option 'vault_behavior' is not supported"));
    }
    check(subject)?;
    let size = |param: &str, default: i64| -> Result<usize> {
        Ok(usize::try_from(args.int(param)?.unwrap_or(default)).unwrap_or(usize::MAX))
    };
    let options = DumpOptions {
        indent: Some(size("indent", indent)?).filter(|indent| (2..=9).contains(indent)).unwrap_or(2),
        width: size("width", 80)?,
        sort_keys: args.flag("sort_keys", true),
        flow: match args.get("default_flow_style") {
            None => flow,
            Some(Value::None) => Flow::Leaves,
            Some(style) if style.is_truthy() => Flow::Always,
            Some(_) => Flow::Block,
        },
        explicit_start: args.flag("explicit_start", false),
        explicit_end: args.flag("explicit_end", false),
        style: style(args)?,
        aliases: false,
        canonical: args.flag("canonical", false),
        version: version(args)?,
        line_break: match args.string("line_break").as_deref() {
            Some("\r") => "\r",
            Some("\r\n") => "\r\n",
            _ => "\n",
        },
        ..DumpOptions::default()
    };
    Ok(dump(subject, &options).into())
}

fn style(args: &Args<'_>) -> Result<Option<Style>> {
    Ok(match args.string("default_style").as_deref() {
        None | Some("") => None,
        Some("|") => Some(Style::Literal),
        Some(">") => Some(Style::Folded),
        Some("'") => Some(Style::SingleQuoted),
        Some("\"") => Some(Style::DoubleQuoted),
        Some(other) => return Err(Diagnostic::new(format!("'default_style' cannot be {other:?}"))),
    })
}

/// The version of YAML: two numbers.
fn version(args: &Args<'_>) -> Result<Option<(i64, i64)>> {
    let Some(version) = args.some("version") else { return Ok(None) };
    let numbers: Option<Vec<i64>> = match version {
        Value::List(parts) | Value::Tuple(parts) => parts.iter().map(Value::as_int).collect(),
        _ => None,
    };
    match numbers.as_deref() {
        Some([major, minor]) => Ok(Some((*major, *minor))),
        _ => Err(Diagnostic::new("an integer is required").hint("'version' is a list of two numbers.")),
    }
}

/// Fails where something has no form in YAML.
fn check(value: &Value) -> Result<()> {
    match value {
        Value::Undefined(undefined) => Err(Diagnostic::undefined(undefined)),
        Value::List(items) | Value::Tuple(items) => items.iter().try_for_each(check),
        Value::Dict(entries) => entries.iter().try_for_each(|(key, value)| {
            check(key)?;
            check(value)
        }),
        Value::Omit => Err(Diagnostic::new("('cannot represent an object', <<Omit>>)")),
        Value::Object(object) if object.type_name() != "datetime" => {
            Err(Diagnostic::new(format!("('cannot represent an object', {})", object.repr())))
        }
        _ => Ok(()),
    }
}

fn from_yaml(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let Value::Str(text) = subject else { return Ok(subject.clone()) };
    let (node, _) = parse_str(text, "<from_yaml>", Trust::Untrusted)?.single()?;
    Ok(node.map_or(Value::None, |node| node.to_value()))
}

fn from_yaml_all(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let Value::Str(text) = subject else {
        return Ok(if subject.is_none() { Value::list(Vec::new()) } else { subject.clone() });
    };
    let documents = parse_str(text, "<from_yaml_all>", Trust::Untrusted)?.documents;
    Ok(documents.iter().map(crate::yaml::Node::to_value).collect::<Vec<_>>().into())
}
