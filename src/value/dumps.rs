//! JSON text as Python's `json.dumps` writes it.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::Write;

use indexmap::IndexMap;

use super::{Dict, Value};

/// How it is laid out.
pub struct Style {
    /// What each level is indented by; `None` for everything on one line.
    pub indent: Option<Cow<'static, str>>,
    pub item_separator: Cow<'static, str>,
    pub key_separator: Cow<'static, str>,
    pub sort_keys: bool,
    /// Whether letters beyond ASCII are escaped.
    pub ascii: bool,
}

impl Style {
    /// With so many columns a level, else on one line; keys sorted, letters as they are.
    pub fn of(indent: Option<usize>) -> Self {
        Self {
            item_separator: Cow::Borrowed(if indent.is_some() { "," } else { ", " }),
            key_separator: Cow::Borrowed(": "),
            indent: indent.map(columns),
            sort_keys: true,
            ascii: false,
        }
    }
}

fn columns(count: usize) -> Cow<'static, str> {
    match "        ".get(..count) {
        Some(usual) => Cow::Borrowed(usual),
        None => Cow::Owned(" ".repeat(count)),
    }
}

/// What has no form in JSON, or may be given another one.
#[derive(Clone, Copy)]
pub enum Part<'a> {
    /// Text, or anything but a number, a truth value, none, a list and a mapping.
    Value(&'a Value),
    /// A key that is no text, number, truth value or none.
    Key(&'a Value),
}

/// Gives what stands in a part's place: it is written as it is. `None` writes the part as its text, and nothing for
/// what is undefined or left out.
pub type Form<'a, E> = dyn Fn(Part<'_>) -> Result<Option<Value>, E> + 'a;

/// Writes a value.
pub fn dumps(value: &Value, style: &Style) -> String {
    let Ok(text) = dumps_with::<Infallible>(value, style, &|_| Ok(None));
    text
}

/// Writes a value whose text, and what JSON has no form for, `form` may replace or refuse.
pub fn dumps_with<E>(value: &Value, style: &Style, form: &Form<'_, E>) -> Result<String, E> {
    let mut writer = Writer { out: String::new(), style, form: Some(form) };
    writer.value(value, 0)?;
    Ok(writer.out)
}

/// [`dumps_with`] for a mapping.
pub fn dumps_dict_with<E>(entries: &Dict, style: &Style, form: &Form<'_, E>) -> Result<String, E> {
    let mut writer = Writer { out: String::new(), style, form: Some(form) };
    writer.dict(entries, 0)?;
    Ok(writer.out)
}

struct Writer<'a, E> {
    out: String,
    style: &'a Style,
    /// None within what stands in for something.
    form: Option<&'a Form<'a, E>>,
}

impl<E> Writer<'_, E> {
    fn value(&mut self, value: &Value, level: usize) -> Result<(), E> {
        match value {
            Value::None => self.out.push_str("null"),
            Value::Bool(flag) => self.out.push_str(if *flag { "true" } else { "false" }),
            Value::Int(_) | Value::BigInt(_) | Value::Float(_) => self.out.push_str(&number(value)),
            Value::List(items) | Value::Tuple(items) => return self.list(items, level),
            Value::Dict(entries) => return self.dict(entries, level),
            Value::Object(object) if object.items().is_some() => {
                return self.list(&object.items().unwrap_or_default(), level);
            }
            Value::Object(object) if object.keys().is_some() => {
                let keys = object.keys().unwrap_or_default();
                let pairs = keys.into_iter().filter_map(|key| Some((key.clone(), object.get(&key)?)));
                return self.dict(&pairs.collect(), level);
            }
            Value::Str(_)
            | Value::Object(_)
            | Value::Template(_)
            | Value::Vault(_)
            | Value::Undefined(_)
            | Value::Omit => return self.part(value, level),
        }
        Ok(())
    }

    fn part(&mut self, value: &Value, level: usize) -> Result<(), E> {
        let stand_in = self.form.map(|form| form(Part::Value(value))).transpose()?.flatten();
        match (stand_in, value) {
            (Some(stand_in), _) => {
                let form = self.form.take();
                let written = self.value(&stand_in, level);
                self.form = form;
                written?;
            }
            (None, Value::Str(text)) => self.text(text),
            (None, Value::Undefined(_) | Value::Omit) => self.out.push_str("null"),
            (None, Value::Object(object)) => self.text(&object.in_json()),
            (None, other) => self.text(&other.to_string()),
        }
        Ok(())
    }

    fn list(&mut self, items: &[Value], level: usize) -> Result<(), E> {
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            self.begin(index, level + 1);
            self.value(item, level + 1)?;
        }
        self.end(items.is_empty(), ']', level);
        Ok(())
    }

    fn dict(&mut self, entries: &Dict, level: usize) -> Result<(), E> {
        let mut texts: Vec<(Cow<'_, str>, &Value)> = Vec::new();
        for (key, value) in entries {
            texts.push((self.key(key)?, value));
        }
        if !entries.iter().all(|(key, _)| matches!(key, Value::Str(_))) {
            // Keys that become the same text are one key; the last value wins.
            texts = texts.into_iter().collect::<IndexMap<_, _>>().into_iter().collect();
        }
        if self.style.sort_keys {
            texts.sort_by(|a, b| a.0.cmp(&b.0));
        }
        self.out.push('{');
        for (index, (key, value)) in texts.iter().enumerate() {
            self.begin(index, level + 1);
            self.text(key);
            self.out.push_str(&self.style.key_separator);
            self.value(value, level + 1)?;
        }
        self.end(texts.is_empty(), '}', level);
        Ok(())
    }

    fn key<'k>(&self, key: &'k Value) -> Result<Cow<'k, str>, E> {
        Ok(match key {
            Value::Str(text) => Cow::Borrowed(&**text),
            Value::None => Cow::Borrowed("null"),
            Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Value::Int(_) | Value::BigInt(_) | Value::Float(_) => Cow::Owned(number(key)),
            other => match self.form.map(|form| form(Part::Key(other))).transpose()?.flatten() {
                Some(stand_in) => Cow::Owned(stand_in.to_string()),
                None => Cow::Owned(other.to_string()),
            },
        })
    }

    fn begin(&mut self, index: usize, level: usize) {
        if index > 0 {
            self.out.push_str(&self.style.item_separator);
        }
        self.new_line(level);
    }

    fn end(&mut self, is_empty: bool, bracket: char, level: usize) {
        if !is_empty {
            self.new_line(level);
        }
        self.out.push(bracket);
    }

    fn new_line(&mut self, level: usize) {
        if let Some(indent) = &self.style.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(&**indent, level));
        }
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                c if c < ' ' || (self.style.ascii && !(' '..='~').contains(&c)) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        // Writing to a String cannot fail.
                        let _ = write!(self.out, "\\u{unit:04x}");
                    }
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

fn number(value: &Value) -> String {
    let text = value.to_string();
    match text.as_str() {
        "nan" => "NaN".to_owned(),
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_writes_it() {
        let value = Value::from(serde_json::json!({"b": [1, 1.0, null, true], "a": {}, "é\u{1}": "\"\n\\/"}));
        assert_eq!(
            dumps(&value, &Style::of(None)),
            r#"{"a": {}, "b": [1, 1.0, null, true], "é\u0001": "\"\n\\/"}"#
        );
        let ascii = Style { ascii: true, ..Style::of(None) };
        assert_eq!(dumps(&Value::from("é😀\u{7f}"), &ascii), r#""\u00e9\ud83d\ude00\u007f""#);
        let value = Value::from(serde_json::json!({"a": [1, {"b": []}]}));
        assert_eq!(
            dumps(&value, &Style::of(Some(2))),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ]\n}"
        );
    }

    #[test]
    fn what_stands_in_is_not_asked_about() {
        let wrap: &Form<'_, Infallible> = &|part| match part {
            Part::Value(value) => {
                Ok(Some(Value::from([("text", value.clone())].into_iter().collect::<Dict>())))
            }
            Part::Key(_) => Ok(None),
        };
        let Ok(text) = dumps_with(&Value::from("x"), &Style::of(None), wrap);
        assert_eq!(text, r#"{"text": "x"}"#);
    }
}
