//! Keys at any depth: `keep_keys`, `remove_keys`, `replace_keys` of the collection ansible.utils.

use std::sync::Arc;

use fanfare_modules::kit::regex::{Anchor, Flags, Regex};

use super::engine_error;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::{Dict, Value};

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("ansible.utils.keep_keys", &["target", "matching_parameter"], keep_keys),
    FilterEntry::new("ansible.utils.remove_keys", &["target", "matching_parameter"], remove_keys),
    FilterEntry::new("ansible.utils.replace_keys", &["target", "matching_parameter"], replace_keys),
];

#[derive(Clone, Copy)]
enum Matching {
    Equality,
    StartsWith,
    EndsWith,
    Regex,
}

impl Matching {
    fn of(args: &Args<'_>, default: Self) -> Result<Self> {
        Ok(match args.string("matching_parameter").as_deref() {
            None => default,
            Some("starts_with") => Self::StartsWith,
            Some("ends_with") => Self::EndsWith,
            Some("regex") => Self::Regex,
            Some(other) => {
                return Err(Diagnostic::new(format!(
                    "value of matching_parameter must be one of: starts_with, ends_with, regex, got: {other}"
                )));
            }
        })
    }

    fn pattern(self, target: &Value) -> Result<Pattern> {
        let text = target.to_string();
        Ok(match self {
            Self::Equality => Pattern::Equality(text),
            Self::StartsWith => Pattern::StartsWith(text),
            Self::EndsWith => Pattern::EndsWith(text),
            Self::Regex => {
                let flags = Flags { anchor: Anchor::Start, ..Flags::default() };
                Pattern::Regex(Regex::cached(&text, flags).map_err(engine_error)?)
            }
        })
    }
}

enum Pattern {
    Equality(String),
    StartsWith(String),
    EndsWith(String),
    Regex(Arc<Regex>),
}

impl Pattern {
    fn fits(&self, key: &Value) -> Result<bool> {
        let Some(key) = key.as_str() else {
            return match self {
                Self::Equality(_) => Ok(false),
                _ => Err(Diagnostic::new(format!("the key {} is no text", key.repr()))
                    .hint("Only without matching_parameter may keys be something else.")),
            };
        };
        Ok(match self {
            Self::Equality(text) => key == text,
            Self::StartsWith(text) => key.starts_with(text),
            Self::EndsWith(text) => key.ends_with(text),
            Self::Regex(regex) => regex.is_match(key).map_err(engine_error)?,
        })
    }
}

fn targets(args: &Args<'_>) -> Result<Vec<Value>> {
    match args.some("target") {
        None => Err(Diagnostic::new("missing required arguments: target")),
        Some(target) => super::ip::listed(target, "target"),
    }
}

fn patterns(args: &Args<'_>, default: Matching) -> Result<Vec<Pattern>> {
    let matching = Matching::of(args, default)?;
    targets(args)?.iter().map(|target| matching.pattern(target)).collect()
}

fn any(patterns: &[Pattern], key: &Value) -> Result<bool> {
    for pattern in patterns {
        if pattern.fits(key)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// An error unless it can have keys.
fn nested(subject: &Value, name: &str, what: &str) -> Result<()> {
    match subject {
        Value::Dict(_) | Value::List(_) => Ok(()),
        _ => Err(Diagnostic::new(format!("Error when using plugin '{name}': Input is not valid for {what}"))),
    }
}

fn keep_keys(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    // Unlike the others, this one looks at the ends of keys when it is not told what to look at.
    let patterns = patterns(args, Matching::EndsWith)?;
    nested(subject, "keep_keys", "keep operation")?;
    Ok(kept(subject, &patterns)?.unwrap_or_else(|| match subject {
        Value::Dict(_) => Dict::new().into(),
        _ => Vec::new().into(),
    }))
}

/// What of it stands under a key that is asked for, with the way to it; `None` is nothing.
fn kept(value: &Value, patterns: &[Pattern]) -> Result<Option<Value>> {
    match value {
        Value::Dict(entries) => {
            let mut result = Dict::new();
            for (key, value) in entries.iter() {
                if any(patterns, key)? {
                    result.insert(key.clone(), value.clone());
                } else if let Some(value) = kept(value, patterns)? {
                    result.insert(key.clone(), value);
                }
            }
            Ok(Some(result).filter(|result| !result.is_empty()).map(Value::from))
        }
        Value::List(items) => {
            let mut result = Vec::new();
            for item in items.iter() {
                result.extend(kept(item, patterns)?);
            }
            Ok(Some(result).filter(|result| !result.is_empty()).map(Value::from))
        }
        _ => Ok(None),
    }
}

fn remove_keys(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let patterns = patterns(args, Matching::Equality)?;
    nested(subject, "remove_keys", "attribute removal")?;
    removed(subject, &patterns)
}

fn removed(value: &Value, patterns: &[Pattern]) -> Result<Value> {
    Ok(match value {
        Value::Dict(entries) => {
            let mut result = Dict::new();
            for (key, value) in entries.iter() {
                if !any(patterns, key)? {
                    result.insert(key.clone(), removed(value, patterns)?);
                }
            }
            result.into()
        }
        Value::List(items) => {
            let mut result = Vec::new();
            for item in items.iter() {
                let item = removed(item, patterns)?;
                // A dict of which nothing is left goes.
                if !matches!(&item, Value::Dict(entries) if entries.is_empty()) {
                    result.push(item);
                }
            }
            result.into()
        }
        other => other.clone(),
    })
}

fn replace_keys(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let matching = Matching::of(args, Matching::Equality)?;
    let mut names = Vec::new();
    for target in targets(args)? {
        let Value::Dict(target) = &target else {
            return Err(Diagnostic::new("'target' must be a list of dicts with 'before' and 'after'"));
        };
        if let (Some(before), Some(after)) = (target.get("before"), target.get("after")) {
            names.push((matching.pattern(before)?, after.clone()));
        }
    }
    nested(subject, "replace_keys", "replace operation")?;
    replaced(subject, &names)
}

fn replaced(value: &Value, names: &[(Pattern, Value)]) -> Result<Value> {
    Ok(match value {
        Value::Dict(entries) => {
            let mut result = Dict::new();
            for (key, value) in entries.iter() {
                result.insert(key.clone(), replaced(value, names)?);
            }
            // A new name stands at the end, or takes the place of a key that is there.
            for key in entries.keys() {
                for (before, after) in names {
                    if before.fits(key)?
                        && let Some(value) = result.remove_value(key)
                    {
                        result.insert(after.clone(), value);
                    }
                }
            }
            result.into()
        }
        Value::List(items) => {
            items.iter().map(|item| replaced(item, names)).collect::<Result<Vec<_>>>()?.into()
        }
        other => other.clone(),
    })
}
