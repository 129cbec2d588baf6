//! `ini`: values of INI and Java properties files.

use std::collections::HashMap;

use fanfare_modules::kit::args::boolean_word;
use fanfare_modules::kit::configparser::{BadValue, Ini, Reading, Unreadable};
use fanfare_modules::kit::regex::{Anchor, Flags, Regex};

use super::super::filters::engine_error;
use super::inline;
use super::search::{Encoding, find, read_as, searched, text};
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry};
use crate::value::Value;

pub(super) static ENTRY: LookupEntry = LookupEntry { name: "ini", params: OPTIONS, run: ini };

const OPTIONS: &[&str] = &[
    "type",
    "file",
    "section",
    "re",
    "encoding",
    "default",
    "allow_no_value",
    "allow_none",
    "case_sensitive",
    "interpolation",
];

fn ini(terms: &[Value], args: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for term in terms {
        found.extend(values(text(term)?, args, context)?);
    }
    Ok(found)
}

fn values(term: &str, args: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    let (key, inline) = key_and_options(term)?;
    let option = |name: &str| inline.get(name).cloned().or_else(|| args.string(name).map(Into::into));
    let flag =
        |name: &str, default: bool| option(name).map_or(default, |word| boolean_word(&word) == Some(true));
    let encoding = Encoding::named(option("encoding").as_deref().unwrap_or("utf-8"))?;
    let properties = match option("type").as_deref() {
        None | Some("ini") => false,
        Some("properties") => true,
        Some(other) => {
            return Err(Diagnostic::new(format!("'type' must be ini or properties, not '{other}'")));
        }
    };
    let name = option("file").unwrap_or("ansible.ini".to_owned());
    let path = find(context, &["files"], &name).ok_or_else(|| {
        let error = Diagnostic::new(format!("Unable to access the file '{name}': File not found"));
        searched(error, context, &["files"], &name)
    })?;
    let section = if properties {
        "java_properties".to_owned()
    } else {
        option("section").unwrap_or("global".to_owned())
    };
    let content = read_as(&path, encoding)?;
    let content = if properties { format!("[{section}]\n{content}") } else { content };
    let reading = Reading {
        case_sensitive: flag("case_sensitive", false),
        allow_no_value: flag("allow_no_value", false) || flag("allow_none", false),
    };
    let ini = Ini::parse(&content, reading).map_err(|why| {
        let Unreadable { what, line, text } = why;
        Diagnostic::new(format!("{what} in '{name}', line {line}: {text}"))
    })?;
    let Some(entries) = ini.sections().find(|known| known.name == section) else {
        return Err(Diagnostic::new(format!("No section '{section}' in '{name}'.")));
    };
    let shown = |key: &str, value: Option<&str>| -> Result<Value> {
        match value {
            None => Ok(Value::None),
            Some(raw) if flag("interpolation", true) && !properties => {
                let value = entries.interpolated(key, raw).map_err(|why| {
                    let error = Diagnostic::new(why.to_string());
                    match why {
                        BadValue::Percent { .. } => {
                            error.hint("With interpolation=false the value is taken as it is.")
                        }
                        BadValue::Unknown { .. } | BadValue::Endless { .. } => error,
                    }
                });
                value.map(Value::from)
            }
            Some(raw) => Ok(Value::from(raw)),
        }
    };
    if flag("re", false) {
        let flags = Flags { anchor: Anchor::Start, ignore_case: !reading.case_sensitive, ..Flags::default() };
        let regex = Regex::cached(&key, flags).map_err(engine_error)?;
        let mut found = Vec::new();
        for (key, value) in &entries.options {
            if regex.is_match(key).map_err(engine_error)? {
                found.push(shown(key, value.as_deref())?);
            }
        }
        return Ok(found);
    }
    let key = reading.key(&key);
    let found = match entries.get(&key) {
        Some(value) => shown(&key, value)?,
        None => match inline.get("default") {
            Some(text) => Value::from(text.as_str()),
            None => args.get("default").cloned().unwrap_or_else(|| "".into()),
        },
    };
    Ok(if found.is_none() { Vec::new() } else { vec![found] })
}

/// `key name=value…`; without a `=` the whole term is the key.
fn key_and_options(term: &str) -> Result<(String, HashMap<String, String>)> {
    if !term.contains('=') {
        return Ok((term.to_owned(), HashMap::new()));
    }
    let (key, options) = inline::assignments(term, OPTIONS)?;
    if key.is_empty() || !term.trim_start().starts_with(&key) {
        return Err(Diagnostic::new(format!(
            "No key to look up was provided as first term within string inline options: {term}"
        )));
    }
    Ok((key.trim_end().to_owned(), options))
}
