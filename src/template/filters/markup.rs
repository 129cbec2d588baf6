//! HTML and XML: `escape`, `striptags`, `urlize`, `xmlattr`.

use std::collections::BTreeSet;
use std::sync::Arc;

use fanfare_modules::kit::regex::{Flags, Regex};

use super::items;
use super::regex::engine_error;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("e", &[], escape),
    FilterEntry::new("escape", &[], escape),
    FilterEntry::new("forceescape", &[], escape),
    FilterEntry::new("safe", &[], safe),
    FilterEntry::new("striptags", &[], striptags),
    FilterEntry::new("urlize", &["trim_url_limit", "nofollow", "target", "rel", "extra_schemes"], urlize),
    FilterEntry::new("xmlattr", &["autospace"], xmlattr),
];

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn escape(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(escaped(&subject.to_string()).into())
}

/// Nothing is escaped by itself, so there is nothing to protect.
fn safe(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(subject.to_string().into())
}

fn regex(pattern: &str) -> Result<Arc<Regex>> {
    Regex::cached(pattern, Flags { dot_all: true, ignore_case: true, ..Flags::default() })
        .map_err(engine_error)
}

/// Without comments and tags, every run of blanks one blank, entities as the characters they stand for.
fn striptags(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let text = subject.to_string();
    let (bare, _) = regex("<!--.*?-->|<.*?>")?.replace(&text, "", 0).map_err(engine_error)?;
    let words = bare.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    let mut rest = words.as_str();
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let entity = after.split_once(';').and_then(|(name, after)| Some((character(name)?, after)));
        let (c, left) = entity.unwrap_or(('&', after));
        out.push(c);
        rest = left;
    }
    Ok((out + rest).into())
}

/// The character that an entity of everyday use stands for.
fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => number.parse().ok(),
        };
        return char::from_u32(code?);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        "hellip" => '…',
        "ndash" => '–',
        "mdash" => '—',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "laquo" => '«',
        "raquo" => '»',
        "bull" => '•',
        "middot" => '·',
        "euro" => '€',
        "deg" => '°',
        "eacute" => 'é',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "hearts" => '♥',
        _ => return None,
    })
}

fn xmlattr(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let Value::Dict(entries) = subject else {
        return Err(Diagnostic::new(format!("'{}' object has no attribute 'items'", subject.type_name())));
    };
    let mut attributes = Vec::new();
    for (key, value) in &**entries {
        if matches!(value, Value::None | Value::Undefined(_)) {
            continue;
        }
        let key = key.to_string();
        if key.contains(|c: char| c.is_whitespace() || "/>=".contains(c)) {
            return Err(Diagnostic::new(format!("Invalid character in attribute name: '{key}'")));
        }
        attributes.push(format!("{}=\"{}\"", escaped(&key), escaped(&value.to_string())));
    }
    let space = if args.flag("autospace", true) && !attributes.is_empty() { " " } else { "" };
    Ok(format!("{space}{}", attributes.join(" ")).into())
}

const URL: &str = r"^((https?://|www\.)(([\w%-]+\.)+)?([a-z]{2,63}|xn--[\w%]{2,59})|([\w%-]{2,63}\.)+(com|net|int|edu|gov|org|info|mil)|(https?://)((([\d]{1,3})(\.[\d]{1,3}){3})|(\[([\da-f]{0,4}:){2}([\da-f]{0,4}:?){1,6}\])))(?::[\d]{1,5})?(?:[/?#]\S*)?$";
const EMAIL: &str = r"^\S+@\w[\w.-]*\.\w+$";

/// How a link is written.
struct Links {
    limit: Option<usize>,
    attributes: String,
    schemes: Vec<String>,
    url: Arc<Regex>,
    email: Arc<Regex>,
}

fn urlize(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<Value> {
    let mut rel: BTreeSet<String> =
        args.string("rel").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    if args.flag("nofollow", false) {
        rel.insert("nofollow".to_owned());
    }
    rel.insert("noopener".to_owned());
    let rel: Vec<String> = rel.into_iter().collect();
    let target =
        args.string("target").map_or(String::new(), |target| format!(" target=\"{}\"", escaped(&target)));
    let schemes = match args.some("extra_schemes") {
        Some(schemes) => items(schemes, context)?.iter().map(Value::to_string).collect(),
        None => Vec::new(),
    };
    let links = Links {
        limit: args.int("trim_url_limit")?.and_then(|limit| usize::try_from(limit).ok()),
        attributes: format!(" rel=\"{}\"{target}", rel.join(" ")),
        schemes,
        url: regex(URL)?,
        email: regex(EMAIL)?,
    };
    let text = escaped(&subject.to_string());
    let pieces = text.split_inclusive(char::is_whitespace);
    let mut out = String::new();
    for piece in pieces {
        let word = piece.trim_end_matches(char::is_whitespace);
        out.push_str(&links.word(word)?);
        out.push_str(piece.get(word.len()..).unwrap_or_default());
    }
    Ok(out.into())
}

impl Links {
    fn word(&self, word: &str) -> Result<String> {
        let trim = |text: &str, marks: &[&str], front: bool| {
            let mut left = text;
            while let Some(mark) = marks
                .iter()
                .find(|mark| if front { left.starts_with(**mark) } else { left.ends_with(**mark) })
            {
                let end = left.len() - mark.len();
                left = if front { left.get(mark.len()..) } else { left.get(..end) }.unwrap_or_default();
            }
            left.len()
        };
        let (head, rest) = word.split_at(word.len() - trim(word, &["(", "<", "&lt;"], true));
        let (middle, tail) = rest.split_at(trim(rest, &[")", ">", ".", ",", "\n", "&gt;"], false));
        let (mut middle, mut tail) = (middle.to_owned(), tail.to_owned());
        // Brackets that open within the address close within it.
        for (open, close) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] {
            let opened = middle.matches(open).count();
            if opened <= middle.matches(close).count() {
                continue;
            }
            for _ in 0..opened.min(tail.matches(close).count()) {
                let end = tail.find(close).map_or(0, |at| at + close.len());
                let left = tail.split_off(end);
                middle.push_str(&std::mem::replace(&mut tail, left));
            }
        }
        Ok(format!("{head}{}{tail}", self.link(middle)?))
    }

    fn link(&self, text: String) -> Result<String> {
        let is_email = |text: &str| self.email.is_match(text).map_err(engine_error);
        let attributes = &self.attributes;
        if self.url.is_match(&text).map_err(engine_error)? {
            let whole = text.starts_with("https://") || text.starts_with("http://");
            let scheme = if whole { "" } else { "https://" };
            return Ok(format!("<a href=\"{scheme}{text}\"{attributes}>{}</a>", self.shortened(&text)));
        }
        if let Some(address) = text.strip_prefix("mailto:")
            && is_email(address)?
        {
            return Ok(format!("<a href=\"{text}\">{address}</a>"));
        }
        let maybe =
            text.contains('@') && !text.starts_with("www.") && !text.starts_with('@') && !text.contains(':');
        if maybe && is_email(&text)? {
            return Ok(format!("<a href=\"mailto:{text}\">{text}</a>"));
        }
        if self.schemes.iter().any(|scheme| text != *scheme && text.starts_with(scheme.as_str())) {
            return Ok(format!("<a href=\"{text}\"{attributes}>{text}</a>"));
        }
        Ok(text)
    }

    fn shortened(&self, text: &str) -> String {
        match self.limit {
            Some(limit) if text.chars().count() > limit => {
                format!("{}...", text.chars().take(limit).collect::<String>())
            }
            _ => text.to_owned(),
        }
    }
}
