//! `uri`, `url`, `urn`.

use super::super::filters::url_parts;
use crate::diagnostic::Result;
use crate::template::{Args, Context, TestEntry, iterate};
use crate::value::{Dict, Value};

pub(super) static TABLE: &[TestEntry] = &[
    TestEntry::new("uri", &["schemes"], uri),
    TestEntry::new("url", &["schemes"], url),
    TestEntry::new("urn", &[], urn),
];

/// The parts of a text that is a URI with one of the schemes; without any, every text is.
fn parts(subject: &Value, schemes: Option<&Value>, context: &Context<'_>) -> Result<Option<Dict>> {
    // What is empty is taken for empty text.
    let text = if subject.is_truthy() { subject.as_str() } else { Some("") };
    let Some(parts) = text.and_then(|text| url_parts(text).ok()) else { return Ok(None) };
    let scheme = parts.get("scheme").cloned().unwrap_or(Value::None);
    let wanted = schemes.map_or(Ok(true), |schemes| Ok(iterate(schemes, context)?.contains(&scheme)))?;
    Ok(Some(parts).filter(|_| wanted))
}

fn uri(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<bool> {
    Ok(parts(subject, args.some("schemes"), context)?.is_some())
}

fn url(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<bool> {
    let Some(parts) = parts(subject, args.some("schemes"), context)? else { return Ok(false) };
    let has = |key: &str, text: &str| parts.get(key).and_then(Value::as_str) == Some(text);
    Ok(!has("netloc", "") || has("scheme", "file"))
}

fn urn(subject: &Value, _: &Args<'_>, context: &Context<'_>) -> Result<bool> {
    Ok(parts(subject, Some(&Value::list(vec!["urn".into()])), context)?.is_some())
}
