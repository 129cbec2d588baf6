//! Distinguished names: who a certificate is of, and who gave it.

use serde_json::Value as Json;

use super::der::{self, Element};
use super::oid;
use crate::kit::{Failure, Result};

/// The parts of a name in order, each by its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name(pub Vec<(String, String)>);

impl Name {
    /// From parts by their names.
    pub fn of(parts: &[(String, String)]) -> Result<Self> {
        let named = parts.iter().map(|(name, value)| {
            let number = oid::attribute(name)
                .ok_or_else(|| Failure::new(format!("Cannot find OID for \"{name}\"")))?;
            Ok((number, value.clone()))
        });
        Ok(Self(named.collect::<Result<_>>()?))
    }

    /// From `/CN=a/O=b`, or `CN=a,O=b`, whose parts stand the other way round.
    pub fn parse(text: &str) -> Result<Self> {
        let (separator, body) = text.strip_prefix('/').map_or((',', text), |rest| ('/', rest));
        let mut parts = Vec::new();
        for part in split(body, separator) {
            let (name, value) = part.split_once('=').ok_or_else(|| {
                Failure::new(format!("cannot parse the name \"{text}\": \"{part}\" has no \"=\""))
            })?;
            parts.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        if separator == ',' {
            parts.reverse();
        }
        Self::of(&parts)
    }

    pub fn read(element: &Element<'_>) -> Option<Self> {
        let mut parts = Vec::new();
        element.content_of(der::SEQUENCE)?;
        for set in element.elements() {
            for part in set.elements() {
                let mut pair = part.elements();
                parts.push((pair.next()?.oid()?, pair.next()?.text()?));
            }
        }
        Some(Self(parts))
    }

    pub fn der(&self) -> Result<Vec<u8>> {
        let parts = self.0.iter().map(|(number, value)| Ok(der::set(vec![part(number, value)?])));
        Ok(der::holding(der::SEQUENCE, &parts.collect::<Result<Vec<_>>>()?))
    }

    /// The same parts, in whatever order.
    pub fn has_same_parts(&self, other: &Self) -> bool {
        let sorted = |name: &Self| {
            let mut parts = name.0.clone();
            parts.sort();
            parts
        };
        sorted(self) == sorted(other)
    }

    pub fn common_name(&self) -> Option<&str> {
        self.0.iter().find(|(number, _)| number == "2.5.4.3").map(|(_, value)| value.as_str())
    }

    /// As results have it: each part once, the last of several.
    pub fn mapping(&self) -> Json {
        Json::Object(
            self.0
                .iter()
                .map(|(number, value)| (oid::attribute_name(number).to_owned(), value.as_str().into()))
                .collect(),
        )
    }

    /// As results have it: all parts, in order.
    pub fn pairs(&self) -> Json {
        self.0.iter().map(|(number, value)| Json::from(vec![oid::attribute_name(number), value])).collect()
    }

    /// `CN=a,O=b`, the last part first.
    pub fn text(&self) -> String {
        let part = |(number, value): &(String, String)| {
            format!("{}={}", oid::attribute_short(number), value.replace('\\', "\\\\").replace(',', "\\,"))
        };
        self.0.iter().rev().map(part).collect::<Vec<_>>().join(",")
    }
}

/// One part. Few of them have a type of their own.
pub fn part(number: &str, value: &str) -> Result<Vec<u8>> {
    let tag = match number {
        // Country, serial number, qualifier, country of jurisdiction.
        "2.5.4.6" | "2.5.4.5" | "2.5.4.46" | "1.3.6.1.4.1.311.60.2.1.3" => der::PRINTABLE_STRING,
        // Mail address, domain component.
        "1.2.840.113549.1.9.1" | "0.9.2342.19200300.100.1.25" => der::IA5_STRING,
        _ => der::UTF8_STRING,
    };
    if matches!(number, "2.5.4.6" | "1.3.6.1.4.1.311.60.2.1.3") && value.len() != 2 {
        return Err(Failure::new(format!(
            "Country name must be a 2 character country code, got \"{value}\""
        )));
    }
    let oid = der::oid(number).ok_or_else(|| Failure::new(format!("{number} is no object identifier")))?;
    Ok(der::holding(der::SEQUENCE, &[oid, der::element(tag, value.as_bytes())]))
}

/// At separators that no backslash stands before; backslashes go.
fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' { chars.next() } else { None };
        match (escaped, parts.last_mut()) {
            (None, Some(_)) if c == separator => parts.push(String::new()),
            (escaped, Some(last)) => last.push(escaped.unwrap_or(c)),
            (_, None) => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_written() {
        let name = Name::parse("/C=DE/O=a \\/ b/CN=www").unwrap();
        assert_eq!(name.text(), "CN=www,O=a / b,C=DE");
        assert_eq!(Name::parse("CN=www,O=a / b,C=DE").unwrap(), name);
        let bytes = name.der().unwrap();
        assert_eq!(Name::read(&Element::of(&bytes).unwrap()).unwrap(), name);
        assert!(name.has_same_parts(&Name::parse("/CN=www/C=DE/O=a \\/ b").unwrap()));
        assert!(!name.has_same_parts(&Name::parse("/CN=www/C=DE").unwrap()));
    }

    #[test]
    fn what_is_no_name_is_told() {
        assert!(Name::parse("/XX=1").unwrap_err().msg.contains("\"XX\""));
        assert!(Name::parse("/CN").unwrap_err().msg.contains("\"CN\""));
        assert!(Name::parse("/C=Germany").unwrap().der().unwrap_err().msg.contains("Germany"));
    }
}
