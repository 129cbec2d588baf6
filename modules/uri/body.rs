//! What is sent.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize as _;
use serde_json::Value as Json;
use serde_json::ser::{CharEscape, Formatter, Serializer};

use crate::kit::http::quote_plus;
use crate::kit::{ControlSource, Failure, Result, System};
use crate::uri::{Args, BodyFormat, multipart};

pub(super) struct Body {
    /// The `Content-Type` that goes with it.
    pub kind: Option<String>,
    content: Content,
}

enum Content {
    Bytes(Vec<u8>),
    File(PathBuf),
}

const FORM: &str = "application/x-www-form-urlencoded";

impl Body {
    /// What the task sends, if anything.
    pub fn of(args: &Args, sys: &mut System<'_>) -> Result<Option<Self>> {
        if let Some(src) = &args.src {
            let content = match src {
                ControlSource::File(file) => Content::Bytes(sys.control_content(file)?),
                ControlSource::Path(path) if !args.remote_src => {
                    return Err(Failure::new(format!("the control node sent a name and no file: {path}")));
                }
                ControlSource::Path(path) => {
                    let path = PathBuf::from(sys.expand(path)?);
                    if !sys.stat_followed(&path)?.is_some_and(|meta| meta.is_file()) {
                        return Err(Failure::new(format!("Unable to open source file {}", path.display())));
                    }
                    Content::File(path)
                }
                ControlSource::Tree(tree) => {
                    let msg = format!("src must be a file, and {} is a directory", tree.source);
                    return Err(Failure::new(msg));
                }
            };
            return Ok(Some(Self { kind: Some(FORM.to_owned()), content }));
        }
        let (kind, bytes) = match (args.body_format, &args.body) {
            (BodyFormat::Raw, None) => return Ok(None),
            (BodyFormat::Raw, Some(Json::String(text))) => (FORM.to_owned(), text.clone().into_bytes()),
            (BodyFormat::Raw, Some(_)) => {
                return Err(Failure::new(
                    "body must be text where body_format is raw; json takes everything",
                ));
            }
            (BodyFormat::Json, Some(Json::String(text))) => {
                ("application/json".to_owned(), text.clone().into_bytes())
            }
            (BodyFormat::Json, body) => {
                ("application/json".to_owned(), dumps(body.as_ref().unwrap_or(&Json::Null))?)
            }
            (BodyFormat::FormUrlencoded, body) => {
                (FORM.to_owned(), form(body.as_ref().unwrap_or(&Json::Null))?.into_bytes())
            }
            (BodyFormat::FormMultipart, Some(Json::Object(parts))) => {
                multipart::form(parts, args.remote_src, sys)?
            }
            (BodyFormat::FormMultipart, _) => {
                return Err(Failure::new("body must be mapping where body_format is form-multipart"));
            }
        };
        Ok(Some(Self { kind: Some(kind), content: Content::Bytes(bytes) }))
    }

    /// The file it is sent from: its own, else that temporary one, which nobody else can read.
    pub fn place<'a>(&'a self, scratch: &'a Path, sys: &System<'_>) -> Result<&'a Path> {
        match &self.content {
            Content::File(path) => Ok(path),
            Content::Bytes(bytes) => {
                sys.spool(scratch, 0o600, &mut bytes.as_slice())?;
                Ok(scratch)
            }
        }
    }
}

/// `a=1&b=2`. What is null is left out.
fn form(body: &Json) -> Result<String> {
    let bad = |why: &str| Failure::new(format!("failed to parse body as form_urlencoded: {why}"));
    let mut pairs = Vec::new();
    let mut push = |key: &str, value: &Json| match value {
        Json::Null => {}
        Json::Array(items) => pairs.extend(items.iter().map(|item| (key.to_owned(), text(item)))),
        Json::Object(map) => pairs.extend(map.keys().map(|inner| (key.to_owned(), inner.clone()))),
        one => pairs.push((key.to_owned(), text(one))),
    };
    match body {
        Json::Null => {}
        Json::String(text) => return Ok(text.clone()),
        Json::Object(map) => map.iter().for_each(|(key, value)| push(key, value)),
        Json::Array(items) => {
            for item in items {
                match item.as_array().map(Vec::as_slice) {
                    Some([key, value]) => push(&text(key), value),
                    _ => return Err(bad("a list holds pairs, as [name, value]")),
                }
            }
        }
        _ => return Err(bad("it is no mapping, list or text")),
    }
    let pairs: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{}={}", quote_plus(key), quote_plus(value))).collect();
    Ok(pairs.join("&"))
}

/// As Python writes it.
fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Null => "None".to_owned(),
        other => other.to_string(),
    }
}

/// JSON as Python writes it: blanks after `:` and `,`, and ASCII alone.
fn dumps(value: &Json) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut writer = Serializer::with_formatter(&mut bytes, Ascii);
    value.serialize(&mut writer).map_err(|error| Failure::new(format!("body is no JSON: {error}")))?;
    Ok(bytes)
}

struct Ascii;

impl Formatter for Ascii {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, to: &mut W, text: &str) -> io::Result<()> {
        for c in text.chars() {
            if c.is_ascii() {
                write!(to, "{c}")?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(to, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, to: &mut W, escape: CharEscape) -> io::Result<()> {
        serde_json::ser::CompactFormatter.write_char_escape(to, escape)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{dumps, form};

    #[test]
    fn forms_are_written_as_python_writes_them() {
        for (body, expected) in [
            (
                json!({"a": 1, "b": "x y&z", "c": [1, "\u{e9}"], "d": true, "e": null}),
                "a=1&b=x+y%26z&c=1&c=%C3%A9&d=True",
            ),
            (json!([["a", 1], ["b", 2], ["a", [3, 4]]]), "a=1&b=2&a=3&a=4"),
            (json!({"a": {"b": 1}, "c": 1.5, "d": false, "e": []}), "a=b&c=1.5&d=False"),
            (json!("a=b c"), "a=b c"),
            (json!({}), ""),
        ] {
            assert_eq!(form(&body).unwrap(), expected);
        }
        for bad in [json!(5), json!(["a"]), json!([["a"]])] {
            assert!(form(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn json_is_written_as_python_writes_it() {
        let written = dumps(&json!({"a": 1, "b": [true, null, "\u{e9}\u{1f600}\n", 1.5], "c": {}})).unwrap();
        let expected = r#"{"a": 1, "b": [true, null, "\u00e9\ud83d\ude00\n", 1.5], "c": {}}"#;
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }
}
