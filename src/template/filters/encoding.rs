//! Base 64 and URLs: `b64encode`, `b64decode`, `urlencode`, `urldecode`, `urlsplit`.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL};

use super::items;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::{Dict, Value};

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("b64decode", &["encoding", "urlsafe"], b64decode),
    FilterEntry::new("b64encode", &["encoding", "urlsafe"], b64encode),
    FilterEntry::new("urldecode", &[], urldecode),
    FilterEntry::new("urlencode", &[], urlencode),
    FilterEntry::new("urlsplit", &["query"], urlsplit),
];

fn b64encode(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let encoding = Encoding::of(args)?;
    let bytes = encoding.encode(&subject.to_string())?;
    let alphabet = if args.flag("urlsafe", false) { &BASE64URL } else { &BASE64 };
    Ok(alphabet.encode(&bytes).into())
}

fn b64decode(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let encoding = Encoding::of(args)?;
    let text = subject.to_string();
    let urlsafe = args.flag("urlsafe", false);
    // As Python: what is not in the alphabet is skipped.
    let known = |c: char| match c {
        '-' if urlsafe => Some('+'),
        '_' if urlsafe => Some('/'),
        c if c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=') => Some(c),
        _ => None,
    };
    let known: String = text.chars().filter_map(known).collect();
    let digits = known.trim_end_matches('=');
    let padding = known.len() - digits.len();
    match digits.len() % 4 {
        1 => {
            return Err(Diagnostic::new(format!(
                "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a \
                 multiple of 4",
                digits.len()
            )));
        }
        rest if rest != 0 && padding < 4 - rest => return Err(Diagnostic::new("Incorrect padding")),
        _ => {}
    }
    let bytes = data_encoding::Specification { check_trailing_bits: false, ..BASE64_NOPAD.specification() }
        .encoding()
        .unwrap_or(BASE64_NOPAD)
        .decode(digits.as_bytes())
        .map_err(|error| Diagnostic::new(format!("Invalid base64-encoded string: {error}")))?;
    encoding.decode(&bytes).map(Value::from)
}

/// The encodings of text that matter outside Python.
#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Utf16 { little: bool },
    Latin1,
    Ascii,
}

impl Encoding {
    fn of(args: &Args<'_>) -> Result<Self> {
        let name = args.string("encoding").unwrap_or("utf-8".into());
        Ok(match name.to_lowercase().replace('_', "-").as_str() {
            "utf-8" | "utf8" => Self::Utf8,
            "utf-16-le" | "utf-16le" => Self::Utf16 { little: true },
            "utf-16-be" | "utf-16be" => Self::Utf16 { little: false },
            "latin-1" | "latin1" | "iso-8859-1" => Self::Latin1,
            "ascii" | "us-ascii" => Self::Ascii,
            _ => return Err(Diagnostic::new(format!("unknown encoding: {name}"))),
        })
    }

    fn encode(self, text: &str) -> Result<Vec<u8>> {
        let narrow = |limit: u32, name: &str| {
            let byte = |c: char| u8::try_from(c).ok().filter(|byte| u32::from(*byte) < limit);
            text.chars().map(byte).collect::<Option<Vec<u8>>>().ok_or_else(|| {
                Diagnostic::new(format!(
                    "'{name}' codec can't encode a character: ordinal not in range({limit})"
                ))
            })
        };
        match self {
            Self::Utf8 => Ok(text.as_bytes().to_vec()),
            Self::Utf16 { little } => Ok(text
                .encode_utf16()
                .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
                .collect()),
            Self::Latin1 => narrow(256, "latin-1"),
            Self::Ascii => narrow(128, "ascii"),
        }
    }

    fn decode(self, bytes: &[u8]) -> Result<String> {
        let bad = |name: &str| {
            Diagnostic::new(format!("'{name}' codec can't decode the bytes"))
                .hint("Text is all that a variable can hold, not binary content.")
        };
        match self {
            Self::Utf8 => String::from_utf8(bytes.to_vec()).map_err(|_| bad("utf-8")),
            Self::Ascii if !bytes.is_ascii() => Err(bad("ascii")),
            Self::Ascii | Self::Latin1 => Ok(bytes.iter().copied().map(char::from).collect()),
            Self::Utf16 { little } => {
                let (pairs, rest) = bytes.as_chunks::<2>();
                let unit = |pair: &[u8; 2]| {
                    if little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) }
                };
                let text = String::from_utf16(&pairs.iter().map(unit).collect::<Vec<_>>());
                text.ok().filter(|_| rest.is_empty()).ok_or_else(|| bad("utf-16"))
            }
        }
    }
}

/// Text for a path (`/` stays), or a dict or list of pairs as a query.
fn urlencode(subject: &Value, _: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let pairs: Vec<(Value, Value)> = match subject {
        Value::Dict(entries) => entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        Value::List(_) | Value::Tuple(_) => {
            let pair = |item: Value| match items(&item, context)?.as_slice() {
                [key, value] => Ok((key.clone(), value.clone())),
                other => Err(Diagnostic::new(format!(
                    "not enough values to unpack (expected 2, got {})",
                    other.len()
                ))),
            };
            items(subject, context)?.into_iter().map(pair).collect::<Result<_>>()?
        }
        other => return Ok(quoted(&other.to_string(), "/").into()),
    };
    let part = |value: &Value| quoted(&value.to_string(), " ").replace(' ', "+");
    let query: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{}={}", part(key), part(value))).collect();
    Ok(query.join("&").into())
}

fn quoted(text: &str, safe: &str) -> String {
    let quote = |byte: u8| match char::from(byte) {
        c if c.is_ascii_alphanumeric() || "_.-~".contains(c) || safe.contains(c) => c.to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(quote).collect()
}

/// `unquote_plus`.
fn urldecode(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let text = super::text(subject, "urldecode")?.replace('+', " ");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .filter(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = match code {
            Some(_) => after.get(2..).unwrap_or_default(),
            None => after,
        };
        bytes.push(code.unwrap_or(*first));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned().into())
}

/// The parts of a URL, or the one asked for.
fn urlsplit(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let parts = url_parts(super::text(subject, "urlsplit")?)?;
    match args.string("query").filter(|query| !query.is_empty()) {
        None => Ok(parts.into()),
        Some(wanted) => parts
            .get(&wanted)
            .cloned()
            .ok_or_else(|| Diagnostic::new(format!("urlsplit: unknown URL component: {wanted}"))),
    }
}

/// The parts of a URL as Python's `urlsplit` finds them.
pub(in crate::template) fn url_parts(url: &str) -> Result<Dict> {
    let is_scheme = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let url = url.trim_start_matches(|c| c <= ' ').replace(['\t', '\r', '\n'], "");
    let (scheme, rest) = match url.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_lowercase(), rest),
        _ => (String::new(), url.as_str()),
    };
    let (netloc, rest) = match rest.strip_prefix("//") {
        Some(after) => after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len())),
        None => ("", rest),
    };
    if netloc.contains('[') != netloc.contains(']') {
        return Err(Diagnostic::new("Invalid IPv6 URL"));
    }
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (user, host) = match netloc.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, netloc),
    };
    let (username, password) = match user.map(|user| user.split_once(':').ok_or(user)) {
        Some(Ok((name, password))) => (Some(name), Some(password)),
        Some(Err(name)) => (Some(name), None),
        None => (None, None),
    };
    let (hostname, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, after)) => (address, after.strip_prefix(':').unwrap_or_default()),
        None => host.split_once(':').unwrap_or((host, "")),
    };
    let port = match port {
        "" => Value::None,
        port => match port.parse::<u16>() {
            Ok(port) => Value::Int(i64::from(port)),
            Err(_) if port.bytes().all(|c| c.is_ascii_digit()) => {
                return Err(Diagnostic::new("Port out of range 0-65535"));
            }
            Err(_) => {
                return Err(Diagnostic::new(format!("Port could not be cast to integer value as '{port}'")));
            }
        },
    };
    let text = |text: Option<&str>| text.map_or(Value::None, Value::from);
    let hostname = (!hostname.is_empty()).then(|| hostname.to_lowercase());
    Ok(Dict::from_iter([
        ("fragment", Value::from(fragment)),
        ("hostname", text(hostname.as_deref())),
        ("netloc", netloc.into()),
        ("password", text(password)),
        ("path", path.into()),
        ("port", port),
        ("query", query.into()),
        ("scheme", scheme.into()),
        ("username", text(username)),
    ]))
}
