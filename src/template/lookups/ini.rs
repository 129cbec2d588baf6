//! `ini`: values of INI and Java properties files.

use indexmap::IndexMap;

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
    let (words, inline) = inline::split(term, OPTIONS)?;
    let key = words.join(" ");
    let option = |name: &str| inline.get(name).cloned().or_else(|| args.string(name).map(Into::into));
    let flag = |name: &str, default: bool| {
        option(name).map_or(default, |word| {
            matches!(word.to_lowercase().as_str(), "true" | "yes" | "on" | "1" | "y" | "t")
        })
    };
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
    let mut sections = parse(&content, &name, reading)?;
    let defaults = sections.shift_remove("DEFAULT").unwrap_or_default();
    let Some(own) = sections.shift_remove(section.as_str()) else {
        return Err(Diagnostic::new(format!("No section '{section}' in '{name}'.")));
    };
    let mut entries = own;
    for (key, value) in defaults {
        entries.entry(key).or_insert(value);
    }
    let shown = |key: &str, value: &Option<String>| -> Result<Value> {
        match value {
            None => Ok(Value::None),
            Some(raw) if flag("interpolation", true) && !properties => {
                interpolate(raw, key, &section, &entries, 0).map(Value::from)
            }
            Some(raw) => Ok(Value::from(raw.as_str())),
        }
    };
    if flag("re", false) {
        let flags = Flags { anchor: Anchor::Start, ignore_case: !reading.case_sensitive, ..Flags::default() };
        let regex = Regex::cached(&key, flags).map_err(engine_error)?;
        let mut found = Vec::new();
        for (key, value) in &entries {
            if regex.is_match(key).map_err(engine_error)? {
                found.push(shown(key, value)?);
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

#[derive(Clone, Copy)]
struct Reading {
    case_sensitive: bool,
    allow_no_value: bool,
}

impl Reading {
    fn key(self, key: &str) -> String {
        if self.case_sensitive { key.to_owned() } else { key.to_lowercase() }
    }
}

type Entries = IndexMap<String, Option<String>>;

/// Python's `configparser`: `key = value` or `key: value`, indented lines go on, `#` and `;` begin comments.
fn parse(text: &str, name: &str, reading: Reading) -> Result<IndexMap<String, Entries>> {
    let mut sections: IndexMap<String, Entries> = IndexMap::new();
    let mut section: Option<String> = None;
    // The key that an indented line belongs to, and its indentation.
    let mut open: Option<(String, usize)> = None;
    for (number, line) in text.lines().enumerate() {
        let bad =
            |what: &str| Diagnostic::new(format!("{what} in '{name}', line {}: {}", number + 1, line.trim()));
        let trimmed = line.trim();
        let entries = section.as_ref().and_then(|section| sections.get_mut(section));
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            // An empty line within a value is part of it.
            if let (true, Some((key, _)), Some(entries)) = (trimmed.is_empty(), &open, entries)
                && let Some(Some(value)) = entries.get_mut(key)
            {
                value.push('\n');
            }
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        if let (Some((key, begun)), Some(entries)) =
            (&open, section.as_ref().and_then(|section| sections.get_mut(section)))
            && indent > *begun
        {
            if let Some(Some(value)) = entries.get_mut(key) {
                value.push('\n');
                value.push_str(trimmed);
            }
            continue;
        }
        open = None;
        if let Some((header, _)) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            if sections.contains_key(header) && header != "DEFAULT" {
                return Err(bad("section already exists"));
            }
            sections.entry(header.to_owned()).or_default();
            section = Some(header.to_owned());
            continue;
        }
        let Some(entries) = section.as_ref().and_then(|section| sections.get_mut(section)) else {
            return Err(bad("File contains no section headers"));
        };
        let (key, value) = match trimmed.split_once(['=', ':']) {
            Some((key, value)) => (key.trim(), Some(value.trim().to_owned())),
            None if reading.allow_no_value => (trimmed, None),
            None => return Err(bad("Source contains parsing errors")),
        };
        let key = reading.key(key);
        open = Some((key.clone(), indent));
        if entries.insert(key, value).is_some() {
            return Err(bad("option already exists"));
        }
    }
    for entries in sections.values_mut() {
        for value in entries.values_mut().flatten() {
            value.truncate(value.trim_end().len());
        }
    }
    Ok(sections)
}

/// `%(name)s` stands for another option of the section, `%%` for a percent sign.
fn interpolate(raw: &str, key: &str, section: &str, entries: &Entries, depth: usize) -> Result<String> {
    if depth > 10 {
        return Err(Diagnostic::new(format!(
            "Recursion limit exceeded in value substitution: option '{key}' in section '{section}'"
        )));
    }
    let mut out = String::new();
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let reference = after.strip_prefix('(').and_then(|inner| inner.split_once(")s"));
        let Some((name, after)) = reference else {
            return Err(Diagnostic::new(format!("'%' must be followed by '%' or '(', found: '%{after}'"))
                .hint("With interpolation=false the value is taken as it is."));
        };
        let Some(value) = entries.get(&name.to_lowercase()).or_else(|| entries.get(name)) else {
            return Err(Diagnostic::new(format!(
                "Bad value substitution: option '{key}' in section '{section}' contains an interpolation key \
                 '{name}' which is not a valid option name. Raw value: '{raw}'"
            )));
        };
        out.push_str(&interpolate(value.as_deref().unwrap_or_default(), name, section, entries, depth + 1)?);
        rest = after;
    }
    Ok(out + rest)
}
