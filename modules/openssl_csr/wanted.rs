//! What a request is to ask for.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::Args;
use crate::crypto::extension::{self, Extension};
use crate::crypto::general_name::from_hex;
use crate::crypto::key::PublicKey;
use crate::crypto::subject::Name;
use crate::kit::{Failure, Result};

/// Who it is for.
#[derive(Deserialize, JsonSchema)]
pub struct Subject {
    /// The parts of the subject's name; one may have several values. Those that have an option of their own may be
    /// given so, too.
    #[serde(rename = "subject")]
    parts: Option<Map<String, Json>>,
    /// The same, as a list of mappings, each of one part: the order counts.
    #[serde(rename = "subject_ordered")]
    pub(super) ordered: Option<Vec<Map<String, Json>>>,
    /// The country: two letters.
    #[schemars(extend("aliases" = ["C", "countryName"]))]
    country_name: Option<String>,
    /// The state or province.
    #[schemars(extend("aliases" = ["ST", "stateOrProvinceName"]))]
    state_or_province_name: Option<String>,
    /// The place.
    #[schemars(extend("aliases" = ["L", "localityName"]))]
    locality_name: Option<String>,
    /// The organization.
    #[schemars(extend("aliases" = ["O", "organizationName"]))]
    organization_name: Option<String>,
    /// The unit of the organization.
    #[schemars(extend("aliases" = ["OU", "organizationalUnitName"]))]
    organizational_unit_name: Option<String>,
    /// The common name: of old the host.
    #[schemars(extend("aliases" = ["CN", "commonName"]))]
    common_name: Option<String>,
    /// The mail address.
    #[schemars(extend("aliases" = ["E", "emailAddress"]))]
    email_address: Option<String>,
}

impl Subject {
    /// All parts by their names, in order.
    fn parts(&self) -> Result<Vec<(String, String)>> {
        let own = [
            ("C", &self.country_name),
            ("ST", &self.state_or_province_name),
            ("L", &self.locality_name),
            ("O", &self.organization_name),
            ("OU", &self.organizational_unit_name),
            ("CN", &self.common_name),
            ("emailAddress", &self.email_address),
        ];
        let given = |(name, value): &(&str, &Option<String>)| Some(((*name).to_owned(), (*value).clone()?));
        let mut parts: Vec<(String, String)> = own.iter().filter_map(given).collect();
        for map in self.parts.iter().chain(self.ordered.iter().flatten()) {
            for (name, value) in map {
                for value in values(name, value)? {
                    parts.push((name.clone(), value));
                }
            }
        }
        Ok(parts)
    }
}

/// One value, or several.
fn values(name: &str, value: &Json) -> Result<Vec<String>> {
    match value {
        Json::String(text) => Ok(vec![text.clone()]),
        Json::Number(number) => Ok(vec![number.to_string()]),
        Json::Array(list) => {
            Ok(list.iter().map(|item| values(name, item)).collect::<Result<Vec<_>>>()?.concat())
        }
        _ => Err(Failure::new(format!("the value of the subject's {name} must be text"))),
    }
}

pub(super) struct Wanted {
    parts: Vec<(String, String)>,
    pub(super) subject: Name,
    alternative_names: Option<Vec<String>>,
}

impl Wanted {
    pub(super) fn of(args: &Args) -> Result<Self> {
        if args.create_subject_key_identifier && args.subject_key_identifier.is_some() {
            return Err(Failure::new(
                "subject_key_identifier cannot be specified if create_subject_key_identifier is true",
            ));
        }
        let parts = args.name.parts()?;
        let subject = Name::of(&parts)?;
        let from_name = || {
            let name = subject.common_name().filter(|_| args.use_common_name_for_san)?;
            Some(vec![format!("DNS:{name}")])
        };
        let alternative_names =
            args.subject_alt_name.clone().filter(|names| !names.is_empty()).or_else(from_name);
        Ok(Self { parts, subject, alternative_names })
    }

    /// In an order of their own, which does not count.
    pub(super) fn extensions(&self, args: &Args, key: &PublicKey) -> Result<Vec<Extension>> {
        let mut list = Vec::new();
        if let Some(names) = &self.alternative_names {
            list.push(Extension::alternative_names(names, args.subject_alt_name_critical)?);
        }
        if let Some(uses) = given(args.key_usage.as_deref()) {
            list.push(Extension::key_usage(uses, args.key_usage_critical)?);
        }
        if let Some(purposes) = given(args.extended_key_usage.as_deref()) {
            list.push(Extension::extended_key_usage(purposes, args.extended_key_usage_critical)?);
        }
        if let Some(constraints) = given(args.basic_constraints.as_deref()) {
            list.push(Extension::basic_constraints(constraints, args.basic_constraints_critical)?);
        }
        if args.ocsp_must_staple {
            list.push(Extension::must_staple(args.ocsp_must_staple_critical));
        }
        let permitted = args.name_constraints_permitted.as_deref().unwrap_or_default();
        let excluded = args.name_constraints_excluded.as_deref().unwrap_or_default();
        if !permitted.is_empty() || !excluded.is_empty() {
            list.push(Extension::name_constraints(permitted, excluded, args.name_constraints_critical)?);
        }
        if args.create_subject_key_identifier {
            let identifier = key.identifier().unwrap_or_default();
            list.push(Extension::subject_key_identifier(&identifier));
        } else if let Some(text) = &args.subject_key_identifier {
            list.push(Extension::subject_key_identifier(&bytes("subject_key_identifier", text)?));
        }
        let issuer = args.authority_cert_issuer.as_deref().unwrap_or_default();
        let authority =
            args.authority_key_identifier.as_ref().map(|text| bytes("authority_key_identifier", text));
        if authority.is_some() || !issuer.is_empty() || args.authority_cert_serial_number.is_some() {
            list.push(Extension::authority_key_identifier(
                authority.transpose()?.as_deref(),
                issuer,
                args.authority_cert_serial_number,
            )?);
        }
        if let Some(points) = args.crl_distribution_points.as_deref().filter(|points| !points.is_empty()) {
            list.push(Extension::distribution_points(points)?);
        }
        Ok(list)
    }

    pub(super) fn told(&self, args: &Args) -> Map<String, Json> {
        let told = json!({
            "privatekey": args.privatekey_path.as_ref().map(|path| path.text()),
            "filename": args.file.name(),
            "subject": self.parts,
            "subjectAltName": self.alternative_names,
            "keyUsage": args.key_usage,
            "extendedKeyUsage": args.extended_key_usage,
            "basicConstraints": args.basic_constraints,
            "ocspMustStaple": args.ocsp_must_staple,
            "name_constraints_permitted": args.name_constraints_permitted.clone().unwrap_or_default(),
            "name_constraints_excluded": args.name_constraints_excluded.clone().unwrap_or_default(),
        });
        let mut map = match told {
            Json::Object(map) => map,
            _ => Map::new(),
        };
        if args.file.return_content {
            map.insert("csr".to_owned(), Json::Null);
        }
        map
    }
}

fn given(list: Option<&[String]>) -> Option<&[String]> {
    list.filter(|list| !list.is_empty())
}

fn bytes(option: &str, text: &str) -> Result<Vec<u8>> {
    from_hex(text)
        .ok_or_else(|| Failure::new(format!("Cannot parse {option}: \"{text}\" is no hex with colons")))
}

/// The extensions that options are about, as they are compared: lists of names and purposes without their order.
pub(super) fn comparable(list: &[Extension]) -> Vec<(String, bool, Vec<Vec<u8>>)> {
    const KNOWN: [&str; 9] = [
        extension::SUBJECT_ALT_NAME,
        extension::KEY_USAGE,
        extension::EXTENDED_KEY_USAGE,
        extension::BASIC_CONSTRAINTS,
        extension::TLS_FEATURE,
        extension::NAME_CONSTRAINTS,
        extension::SUBJECT_KEY_IDENTIFIER,
        extension::AUTHORITY_KEY_IDENTIFIER,
        extension::CRL_DISTRIBUTION_POINTS,
    ];
    let known = list.iter().filter(|extension| KNOWN.contains(&extension.number.as_str()));
    let mut all: Vec<(String, bool, Vec<Vec<u8>>)> = known
        .map(|extension| {
            let unordered = [extension::SUBJECT_ALT_NAME, extension::EXTENDED_KEY_USAGE];
            let mut parts = match extension.elements() {
                Some(elements) if unordered.contains(&extension.number.as_str()) => {
                    elements.map(|element| element.whole.to_vec()).collect()
                }
                _ => vec![extension.value.clone()],
            };
            parts.sort();
            (extension.number.clone(), extension.critical, parts)
        })
        .collect();
    all.sort();
    all
}
