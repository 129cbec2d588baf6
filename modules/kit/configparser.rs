//! INI as Python's `configparser` reads it: the `ini` lookup's files and the facts of `facts.d`.

use std::fmt;

/// How a file is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// Else options are in lower case.
    pub case_sensitive: bool,
    /// Options may stand without a value.
    pub allow_no_value: bool,
}

impl Reading {
    /// An option's name as it is kept.
    pub fn key(self, key: &str) -> String {
        if self.case_sensitive { key.to_owned() } else { key.to_lowercase() }
    }
}

/// A file's sections, in order.
#[derive(Clone, Debug, Default)]
pub struct Ini {
    sections: Vec<Section>,
}

/// A section's options, in order.
#[derive(Clone, Debug, Default)]
pub struct Section {
    pub name: String,
    pub options: Vec<(String, Option<String>)>,
}

/// Why a text is no INI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub what: &'static str,
    pub line: usize,
    pub text: String,
}

/// The section whose options are in every other.
const DEFAULT: &str = "DEFAULT";

impl Ini {
    /// `key = value` or `key: value`, indented lines go on, `#` and `;` begin comments.
    pub fn parse(text: &str, reading: Reading) -> Result<Self, Unreadable> {
        let mut sections: Vec<Section> = Vec::new();
        let mut current: Option<usize> = None;
        // The indentation of the option that an indented line goes on with.
        let mut open: Option<usize> = None;
        for (number, line) in text.lines().enumerate() {
            let trimmed = line.trim();
            let bad = |what| Err(Unreadable { what, line: number + 1, text: trimmed.to_owned() });
            let section = current.and_then(|at| sections.get_mut(at));
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                // An empty line within a value is part of it.
                if let (true, Some(_), Some(section)) = (trimmed.is_empty(), open, section) {
                    section.go_on("");
                }
                continue;
            }
            let indent = line.len() - line.trim_start().len();
            if open.is_some_and(|begun| indent > begun) {
                if let Some(section) = section {
                    section.go_on(trimmed);
                }
                continue;
            }
            open = None;
            if let Some((header, _)) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                let known = sections.iter().position(|section| section.name == header);
                if known.is_some() && header != DEFAULT {
                    return bad("Duplicate section");
                }
                current = known.or_else(|| {
                    sections.push(Section { name: header.to_owned(), options: Vec::new() });
                    Some(sections.len() - 1)
                });
                continue;
            }
            let Some(section) = section else { return bad("File contains no section headers") };
            let (key, value) = match trimmed.split_once(['=', ':']) {
                Some((key, value)) => (key.trim(), Some(value.trim().to_owned())),
                None if reading.allow_no_value => (trimmed, None),
                None => return bad("Source contains parsing errors"),
            };
            let key = reading.key(key);
            if section.get(&key).is_some() {
                return bad("Duplicate option");
            }
            section.options.push((key, value));
            open = Some(indent);
        }
        for (_, value) in sections.iter_mut().flat_map(|section| &mut section.options) {
            if let Some(value) = value {
                value.truncate(value.trim_end().len());
            }
        }
        Ok(Self { sections })
    }

    /// All sections but the one of defaults, each with those it does not set itself.
    pub fn sections(&self) -> impl Iterator<Item = Section> + '_ {
        let defaults = self.sections.iter().find(|section| section.name == DEFAULT);
        self.sections.iter().filter(|section| section.name != DEFAULT).map(move |section| {
            let mut whole = section.clone();
            let inherited = defaults.into_iter().flat_map(|defaults| &defaults.options);
            whole.options.extend(inherited.filter(|(key, _)| section.get(key).is_none()).cloned());
            whole
        })
    }
}

impl Section {
    /// An option's value, which may be none; `None` where there is no such option.
    pub fn get(&self, key: &str) -> Option<Option<&str>> {
        self.options.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_deref())
    }

    /// A value of this section with `%(name)s` replaced by another option's, and `%%` by a percent sign.
    pub fn interpolated(&self, key: &str, raw: &str) -> Result<String, BadValue> {
        self.replaced(key, raw, 0)
    }

    fn replaced(&self, key: &str, raw: &str, depth: usize) -> Result<String, BadValue> {
        if depth > 10 {
            return Err(BadValue::Endless { key: key.to_owned(), section: self.name.clone() });
        }
        let mut out = String::with_capacity(raw.len());
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
                return Err(BadValue::Percent { found: format!("%{after}") });
            };
            let Some(value) = self.get(&name.to_lowercase()).or_else(|| self.get(name)) else {
                return Err(BadValue::Unknown {
                    name: name.to_owned(),
                    key: key.to_owned(),
                    section: self.name.clone(),
                    raw: raw.to_owned(),
                });
            };
            out.push_str(&self.replaced(name, value.unwrap_or_default(), depth + 1)?);
            rest = after;
        }
        Ok(out + rest)
    }

    /// One more line of the last value.
    fn go_on(&mut self, line: &str) {
        if let Some((_, Some(value))) = self.options.last_mut() {
            value.push('\n');
            value.push_str(line);
        }
    }
}

/// What is wrong with a value's percent signs, in Python's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadValue {
    Percent { found: String },
    Unknown { name: String, key: String, section: String, raw: String },
    Endless { key: String, section: String },
}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent { found } => write!(f, "'%' must be followed by '%' or '(', found: '{found}'"),
            Self::Unknown { name, key, section, raw } => write!(
                f,
                "Bad value substitution: option '{key}' in section '{section}' contains an interpolation key \
                 '{name}' which is not a valid option name. Raw value: '{raw}'"
            ),
            Self::Endless { key, section } => write!(
                f,
                "Recursion limit exceeded in value substitution: option '{key}' in section '{section}'"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ini, Reading};

    fn check(text: &str, expect: &str) {
        let got = match Ini::parse(text, Reading::default()) {
            Err(why) => format!("{} in line {}: {}", why.what, why.line, why.text),
            Ok(ini) => {
                let shown = ini.sections().map(|section| {
                    let values = section.options.iter().map(|(key, value)| {
                        let value = section.interpolated(key, value.as_deref().unwrap_or_default());
                        format!(" {key}={:?}", value.unwrap_or_else(|why| why.to_string()))
                    });
                    format!("[{}]{}", section.name, values.collect::<String>())
                });
                shown.collect::<Vec<_>>().join(" ")
            }
        };
        assert_eq!(got, expect, "{text}");
    }

    #[test]
    fn files() {
        check("[General]\nKey = value\n# no\nother: 2\n", r#"[General] key="value" other="2""#);
        check("[DEFAULT]\nd=1\n[a]\nb=%(D)s0%%\n[c]\nd=2\n", r#"[a] b="10%" d="1" [c] d="2""#);
        check("[a]\nlong = one\n  two\n\n  three\n\nnext = x\n", r#"[a] long="one\ntwo\n\nthree" next="x""#);
        check("[a]\nb=50 %\n", r#"[a] b="'%' must be followed by '%' or '(', found: '%'""#);
        check(
            "[a]\nb=%(b)s\n",
            r#"[a] b="Recursion limit exceeded in value substitution: option 'b' in section 'a'""#,
        );
        check("no section = here", "File contains no section headers in line 1: no section = here");
        check("[a]\nb\n", "Source contains parsing errors in line 2: b");
        check("[a]\nb=1\nB=2\n", "Duplicate option in line 3: B=2");
        check("[a]\n[a]\n", "Duplicate section in line 2: [a]");
    }
}
