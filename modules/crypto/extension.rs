//! Extensions of requests and certificates.

use super::der::{self, Element, Reader};
use super::general_name;
use super::oid;
use super::subject;
use crate::kit::{Failure, Result};

pub const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
pub const KEY_USAGE: &str = "2.5.29.15";
pub const SUBJECT_ALT_NAME: &str = "2.5.29.17";
pub const BASIC_CONSTRAINTS: &str = "2.5.29.19";
pub const NAME_CONSTRAINTS: &str = "2.5.29.30";
pub const CRL_DISTRIBUTION_POINTS: &str = "2.5.29.31";
pub const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";
pub const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
pub const AUTHORITY_INFORMATION: &str = "1.3.6.1.5.5.7.1.1";
/// What OCSP must-staple is told by.
pub const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";

/// The uses of keys in the order of their bits: as options, and as results have them.
pub const KEY_USES: [(&str, &str); 9] = [
    ("digitalSignature", "Digital Signature"),
    ("nonRepudiation", "Non Repudiation"),
    ("keyEncipherment", "Key Encipherment"),
    ("dataEncipherment", "Data Encipherment"),
    ("keyAgreement", "Key Agreement"),
    ("keyCertSign", "Certificate Sign"),
    ("cRLSign", "CRL Sign"),
    ("encipherOnly", "Encipher Only"),
    ("decipherOnly", "Decipher Only"),
];

/// Why a list of revoked certificates may be asked, in the order of their bits.
const REASONS: [&str; 9] = [
    "unused",
    "key_compromise",
    "ca_compromise",
    "affiliation_changed",
    "superseded",
    "cessation_of_operation",
    "certificate_hold",
    "privilege_withdrawn",
    "aa_compromise",
];

/// One extension, its value as DER.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Extension {
    pub number: String,
    pub critical: bool,
    pub value: Vec<u8>,
}

impl Extension {
    fn new(number: &str, critical: bool, value: Vec<u8>) -> Self {
        Self { number: number.to_owned(), critical, value }
    }

    /// All of a SEQUENCE of extensions.
    pub fn read_all(list: Reader<'_>) -> Option<Vec<Self>> {
        let read = |extension: Element<'_>| {
            let mut parts = extension.elements();
            let number = parts.next()?.oid()?;
            let critical = parts.optional(der::BOOLEAN).is_some_and(|critical| critical.content != [0]);
            let value = parts.next()?.content_of(der::OCTET_STRING)?.to_vec();
            Some(Self { number, critical, value })
        };
        list.map(read).collect()
    }

    pub fn der_of_all(list: &[Self]) -> Result<Vec<u8>> {
        let mut parts = Vec::new();
        for extension in list {
            let mut part = vec![number(&extension.number)?];
            if extension.critical {
                part.push(der::boolean(true));
            }
            part.push(der::element(der::OCTET_STRING, &extension.value));
            parts.push(der::holding(der::SEQUENCE, &part));
        }
        Ok(der::holding(der::SEQUENCE, &parts))
    }

    pub fn find<'l>(list: &'l [Self], number: &str) -> Option<&'l Self> {
        list.iter().find(|extension| extension.number == number)
    }

    /// What is in a value that holds elements.
    pub fn elements(&self) -> Option<Reader<'_>> {
        Element::of(&self.value).map(|value| value.elements())
    }

    pub fn alternative_names(names: &[String], critical: bool) -> Result<Self> {
        Ok(Self::new(SUBJECT_ALT_NAME, critical, der::holding(der::SEQUENCE, &general_names(names)?)))
    }

    pub fn key_usage(uses: &[String], critical: bool) -> Result<Self> {
        let bit = |wanted: &String| {
            let known = KEY_USES.iter().position(|(option, shown)| option == wanted || shown == wanted);
            // Its newer name.
            let newer = (wanted == "contentCommitment").then_some(1);
            known.or(newer).ok_or_else(|| Failure::new(format!("Unknown key usage \"{wanted}\"")))
        };
        let bits = uses.iter().map(bit).collect::<Result<Vec<_>>>()?;
        Ok(Self::new(KEY_USAGE, critical, der::flags(&bits)))
    }

    pub fn extended_key_usage(purposes: &[String], critical: bool) -> Result<Self> {
        let purpose = |name: &String| {
            let known = oid::purpose(name).and_then(|number| der::oid(&number));
            known.ok_or_else(|| Failure::new(format!("Cannot find OID for extended key usage \"{name}\"")))
        };
        let purposes = purposes.iter().map(purpose).collect::<Result<Vec<_>>>()?;
        Ok(Self::new(EXTENDED_KEY_USAGE, critical, der::holding(der::SEQUENCE, &purposes)))
    }

    /// From `CA:TRUE` and `pathlen:0`.
    pub fn basic_constraints(parts: &[String], critical: bool) -> Result<Self> {
        let (mut authority, mut length) = (false, None);
        for part in parts {
            match part.split_once(':').map(|(key, value)| (key.to_lowercase(), value)) {
                Some((key, "TRUE")) if key == "ca" => authority = true,
                Some((key, "FALSE")) if key == "ca" => authority = false,
                Some((key, value)) if key == "pathlen" && value.parse::<u8>().is_ok() => {
                    length = value.parse::<u8>().ok();
                }
                _ => return Err(Failure::new(format!("Unknown basic constraint \"{part}\" (cannot parse)"))),
            }
        }
        let mut content = Vec::new();
        if authority {
            content.push(der::boolean(true));
        }
        if let Some(length) = length {
            content.push(der::integer(&[length]));
        }
        Ok(Self::new(BASIC_CONSTRAINTS, critical, der::holding(der::SEQUENCE, &content)))
    }

    pub fn must_staple(critical: bool) -> Self {
        Self::new(TLS_FEATURE, critical, der::holding(der::SEQUENCE, &[der::integer(&[5])]))
    }

    pub fn name_constraints(permitted: &[String], excluded: &[String], critical: bool) -> Result<Self> {
        let mut parts = Vec::new();
        for (tag, names) in [(0, permitted), (1, excluded)] {
            if !names.is_empty() {
                let trees: Vec<Vec<u8>> =
                    general_names(names)?.iter().map(|name| der::element(der::SEQUENCE, name)).collect();
                parts.push(der::holding(der::inside(tag), &trees));
            }
        }
        Ok(Self::new(NAME_CONSTRAINTS, critical, der::holding(der::SEQUENCE, &parts)))
    }

    pub fn subject_key_identifier(identifier: &[u8]) -> Self {
        Self::new(SUBJECT_KEY_IDENTIFIER, false, der::element(der::OCTET_STRING, identifier))
    }

    pub fn authority_key_identifier(
        identifier: Option<&[u8]>,
        issuer: &[String],
        serial: Option<u64>,
    ) -> Result<Self> {
        let mut parts = Vec::new();
        if let Some(identifier) = identifier {
            parts.push(der::element(der::plain(0), identifier));
        }
        if !issuer.is_empty() {
            parts.push(der::holding(der::inside(1), &general_names(issuer)?));
        }
        if let Some(serial) = serial {
            let number = der::integer(&serial.to_be_bytes());
            let content = Element::of(&number).map(|number| number.content.to_vec()).unwrap_or_default();
            parts.push(der::element(der::plain(2), &content));
        }
        Ok(Self::new(AUTHORITY_KEY_IDENTIFIER, false, der::holding(der::SEQUENCE, &parts)))
    }

    pub fn distribution_points(points: &[DistributionPoint]) -> Result<Self> {
        let points = points.iter().map(DistributionPoint::der).collect::<Result<Vec<_>>>()?;
        Ok(Self::new(CRL_DISTRIBUTION_POINTS, false, der::holding(der::SEQUENCE, &points)))
    }
}

/// Where a list of revoked certificates is to be had.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct DistributionPoint {
    /// How it is to be had: `URI:https://…`.
    #[serde(default, deserialize_with = "loose")]
    pub full_name: Vec<String>,
    /// The same, relative to the issuer of the list: parts of a name, `CN=…`.
    #[serde(default, deserialize_with = "loose")]
    pub relative_name: Vec<String>,
    /// Who gives the list.
    #[serde(default, deserialize_with = "loose")]
    pub crl_issuer: Vec<String>,
    /// For what reasons of revocation.
    #[serde(default, deserialize_with = "loose")]
    pub reasons: Vec<String>,
}

/// A list, or one text with commas: what is inside of a mapping comes as it was written.
fn loose<'d, D: serde::Deserializer<'d>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        List(Vec<String>),
    }
    Ok(match <Option<Written> as serde::Deserialize>::deserialize(deserializer)? {
        Some(Written::Text(text)) => text.split(',').map(|part| part.trim().to_owned()).collect(),
        Some(Written::List(list)) => list,
        None => Vec::new(),
    })
}

impl DistributionPoint {
    fn der(&self) -> Result<Vec<u8>> {
        if !self.full_name.is_empty() && !self.relative_name.is_empty() {
            return Err(Failure::new(
                "parameters are mutually exclusive: full_name|relative_name found in crl_distribution_points",
            ));
        }
        let mut parts = Vec::new();
        if !self.full_name.is_empty() {
            let names = der::holding(der::inside(0), &general_names(&self.full_name)?);
            parts.push(der::element(der::inside(0), &names));
        } else if !self.relative_name.is_empty() {
            let mut members = Vec::new();
            for part in &self.relative_name {
                for (number, value) in subject::Name::parse(part)?.0 {
                    members.push(subject::part(&number, &value)?);
                }
            }
            members.sort();
            parts.push(der::element(der::inside(0), &der::holding(der::inside(1), &members)));
        }
        if !self.reasons.is_empty() {
            let bit = |reason: &String| {
                let known = REASONS.iter().skip(1).position(|known| known == reason);
                known.map(|at| at + 1).ok_or_else(|| {
                    let known = REASONS.get(1..).unwrap_or_default().join(", ");
                    Failure::new(format!("value of reasons must be one or more of: {known}, got: {reason}"))
                })
            };
            let bits = der::flags(&self.reasons.iter().map(bit).collect::<Result<Vec<_>>>()?);
            let content = Element::of(&bits).map(|bits| bits.content.to_vec()).unwrap_or_default();
            parts.push(der::element(der::plain(1), &content));
        }
        if !self.crl_issuer.is_empty() {
            parts.push(der::holding(der::inside(2), &general_names(&self.crl_issuer)?));
        }
        Ok(der::holding(der::SEQUENCE, &parts))
    }
}

fn general_names(names: &[String]) -> Result<Vec<Vec<u8>>> {
    names.iter().map(|name| general_name::encode(name)).collect()
}

fn number(dotted: &str) -> Result<Vec<u8>> {
    der::oid(dotted).ok_or_else(|| Failure::new(format!("{dotted} is no object identifier")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::digest::hex;

    fn text(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    /// The values are what `openssl req` writes for the same.
    #[test]
    fn values_are_as_openssl_writes_them() {
        let value = |extension: Result<Extension>| hex(&extension.unwrap().value);
        let constraints = |parts: &[&str]| value(Extension::basic_constraints(&text(parts), true));
        assert_eq!(constraints(&["CA:TRUE", "pathlen:0"]), "30060101ff020100");
        assert_eq!(constraints(&["CA:FALSE"]), "3000");
        assert_eq!(value(Extension::key_usage(&text(&["keyCertSign", "cRLSign"]), true)), "03020106");
        assert_eq!(value(Extension::key_usage(&text(&["digitalSignature"]), true)), "03020780");
        assert_eq!(
            value(Extension::extended_key_usage(&text(&["serverAuth", "1.3.6.1.5.5.7.3.2"]), false)),
            "301406082b0601050507030106082b06010505070302"
        );
        assert_eq!(value(Ok(Extension::must_staple(false))), "3003020105");
        assert_eq!(
            value(Extension::alternative_names(&text(&["DNS:a.b", "IP:1.2.3.4"]), false)),
            "300b8203612e62870401020304"
        );
        assert_eq!(
            value(Extension::name_constraints(&text(&["DNS:a.b"]), &text(&["IP:10.0.0.0/8"]), true)),
            "3017a00730058203612e62a10c300a87080a000000ff000000"
        );
        let point = DistributionPoint {
            full_name: text(&["URI:http://x"]),
            relative_name: Vec::new(),
            crl_issuer: Vec::new(),
            reasons: text(&["key_compromise"]),
        };
        assert_eq!(
            value(Extension::distribution_points(&[point])),
            "30143012a00ca00a8608687474703a2f2f7881020640"
        );
    }

    #[test]
    fn all_are_read_as_written() {
        let list = [
            Extension::must_staple(true),
            Extension::subject_key_identifier(&[1, 2]),
            Extension::authority_key_identifier(Some(&[3]), &text(&["DNS:x"]), Some(300)).unwrap(),
        ];
        let bytes = Extension::der_of_all(&list).unwrap();
        assert_eq!(Extension::read_all(Element::of(&bytes).unwrap().elements()).unwrap(), list);
    }

    #[test]
    fn what_is_not_known_is_told() {
        let name = &text(&["foo"])[..];
        assert!(Extension::key_usage(name, false).unwrap_err().msg.contains("\"foo\""));
        assert!(Extension::extended_key_usage(name, false).unwrap_err().msg.contains("\"foo\""));
        assert!(Extension::basic_constraints(name, false).unwrap_err().msg.contains("\"foo\""));
    }
}
