//! Certificates, requests and keys in Ansible's words.

use serde_json::{Map, Value as Json, json};

use sha1::Digest;

use super::certificate::Certificate;
use super::der::{self, Element};
use super::extension::{self, Extension, KEY_USES};
use super::general_name;
use super::key::{Kind, PublicKey, colons};
use super::request::Request;
use super::subject::Name;
use super::{oid, pem, time};
use crate::kit::encode::base64;

/// What a certificate says. Of hashes there is one: a diff does not want them all.
pub fn of_certificate(certificate: &Certificate, now: i64) -> Map<String, Json> {
    let mut told = Map::new();
    let mut tell = |key: &str, value: Json| {
        told.insert(key.to_owned(), value);
    };
    tell("version", certificate.version.into());
    tell("serial_number", number(&certificate.serial));
    tell("signature_algorithm", oid::signature_name(&certificate.signed_with).into());
    tell("issuer", certificate.issuer.mapping());
    tell("issuer_ordered", certificate.issuer.pairs());
    tell("not_before", time::asn1(certificate.not_before).into());
    tell("not_after", time::asn1(certificate.not_after).into());
    tell("expired", (certificate.not_after < now).into());
    tell("fingerprints", fingerprint(&certificate.der));
    tell("ocsp_uri", uri(certificate, "1.3.6.1.5.5.7.48.1").into());
    tell("issuer_uri", uri(certificate, "1.3.6.1.5.5.7.48.2").into());
    told.extend(asked(&certificate.subject, &certificate.key, &certificate.extensions));
    told
}

/// What a request asks for, as a diff shows it.
pub fn of_request(request: Option<&Request>) -> Json {
    let Some(request) = request else { return json!({}) };
    let mut told = asked(&request.subject, &request.key, &request.extensions);
    told.insert("can_parse_csr".to_owned(), true.into());
    told.insert("signature_valid".to_owned(), true.into());
    for (name, number) in [("name_constraints_permitted", 0), ("name_constraints_excluded", 1)] {
        let found = Extension::find(&request.extensions, extension::NAME_CONSTRAINTS);
        told.insert(name.to_owned(), found.and_then(|found| trees(found, number)).into());
    }
    let critical = Extension::find(&request.extensions, extension::NAME_CONSTRAINTS);
    let critical = critical.is_some_and(|extension| extension.critical);
    told.insert("name_constraints_critical".to_owned(), critical.into());
    Json::Object(told)
}

/// A public key, as a diff shows it.
pub fn of_key(key: &PublicKey) -> Json {
    json!({
        "can_parse_key": true,
        "key_is_consistent": null,
        "public_key": pem::encode("PUBLIC KEY", &key.der),
        "public_key_fingerprints": fingerprint(&key.der),
        "public_data": key_data(&key.kind),
        "type": key.kind.name(),
    })
}

pub fn fingerprint(bytes: &[u8]) -> Json {
    json!({"sha256": colons(&sha2::Sha256::digest(bytes))})
}

/// What requests and certificates both say.
fn asked(subject: &Name, key: &PublicKey, extensions: &[Extension]) -> Map<String, Json> {
    let find = |number| Extension::find(extensions, number);
    let critical = |number| find(number).is_some_and(|extension| extension.critical);
    let (identifier, issuer, serial) =
        find(extension::AUTHORITY_KEY_IDENTIFIER).map_or((Json::Null, Json::Null, Json::Null), authority);
    let told = json!({
        "subject": subject.mapping(),
        "subject_ordered": subject.pairs(),
        "public_key": pem::encode("PUBLIC KEY", &key.der),
        "public_key_type": key.kind.name(),
        "public_key_data": key_data(&key.kind),
        "public_key_fingerprints": fingerprint(&key.der),
        "subject_alt_name": find(extension::SUBJECT_ALT_NAME).map(names),
        "subject_alt_name_critical": critical(extension::SUBJECT_ALT_NAME),
        "key_usage": find(extension::KEY_USAGE).map(key_usage),
        "key_usage_critical": critical(extension::KEY_USAGE),
        "extended_key_usage": find(extension::EXTENDED_KEY_USAGE).map(purposes),
        "extended_key_usage_critical": critical(extension::EXTENDED_KEY_USAGE),
        "basic_constraints": find(extension::BASIC_CONSTRAINTS).map(constraints),
        "basic_constraints_critical": critical(extension::BASIC_CONSTRAINTS),
        "ocsp_must_staple": find(extension::TLS_FEATURE).map(must_staple),
        "ocsp_must_staple_critical": critical(extension::TLS_FEATURE),
        "subject_key_identifier": find(extension::SUBJECT_KEY_IDENTIFIER).and_then(|known| {
            Some(colons(Element::of(&known.value)?.content))
        }),
        "authority_key_identifier": identifier,
        "authority_cert_issuer": issuer,
        "authority_cert_serial_number": serial,
        "extensions_by_oid": by_number(extensions),
    });
    match told {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

/// More bytes than any key has. To write more as decimals takes too long.
const LONGEST: usize = 1 << 13;

/// A number of any size: as text where it does not fit, in hex where it is monstrous.
pub fn number(bytes: &[u8]) -> Json {
    if bytes.len() > LONGEST {
        return format!("0x{}", crate::kit::digest::hex(bytes)).into();
    }
    let mut digits: Vec<u32> = vec![0];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += *digit * 256;
            *digit = carry % 10;
            carry /= 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    let text: String = digits.iter().rev().filter_map(|digit| char::from_digit(*digit, 10)).collect();
    text.parse::<u64>().map_or_else(|_| text.clone().into(), Json::from)
}

pub fn key_data(kind: &Kind) -> Json {
    match kind {
        Kind::Rsa { modulus, exponent } => {
            json!({"size": kind.bits(), "modulus": number(modulus), "exponent": number(exponent)})
        }
        Kind::Ec { curve, point } => {
            let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
            json!({"curve": curve, "exponent_size": kind.bits(), "x": number(x), "y": number(y)})
        }
        Kind::Dsa { .. } => json!({"size": kind.bits()}),
        _ => json!({}),
    }
}

fn names(extension: &Extension) -> Vec<String> {
    extension.elements().into_iter().flatten().map(|name| general_name::decode(&name)).collect()
}

fn key_usage(extension: &Extension) -> Vec<&'static str> {
    let bits = Element::of(&extension.value).and_then(|bits| bits.flags()).unwrap_or_default();
    let mut uses: Vec<&str> =
        bits.into_iter().filter_map(|bit| KEY_USES.get(bit)).map(|(_, shown)| *shown).collect();
    uses.sort_unstable();
    uses
}

fn purposes(extension: &Extension) -> Vec<String> {
    let numbers = extension.elements().into_iter().flatten().filter_map(|purpose| purpose.oid());
    let mut names: Vec<String> = numbers.map(|number| oid::purpose_name(&number).to_owned()).collect();
    names.sort();
    names
}

fn constraints(extension: &Extension) -> Vec<String> {
    let mut parts: Vec<Element<'_>> = extension.elements().into_iter().flatten().collect();
    let authority = parts.first().is_some_and(|part| part.tag == der::BOOLEAN && part.content != [0]);
    let length = parts.pop().and_then(|part| part.number());
    let told = if authority { "CA:TRUE" } else { "CA:FALSE" };
    std::iter::once(told.to_owned()).chain(length.map(|length| format!("pathlen:{length}"))).collect()
}

fn must_staple(extension: &Extension) -> bool {
    extension.elements().into_iter().flatten().any(|feature| matches!(feature.number(), Some(5 | 17)))
}

/// The permitted (0) or excluded (1) names of constraints.
fn trees(extension: &Extension, number: u8) -> Option<Vec<String>> {
    let part = extension.elements()?.find(|part| part.tag == der::inside(number))?;
    Some(part.elements().filter_map(|tree| Some(general_name::decode(&tree.elements().next()?))).collect())
}

/// The identifier of the authority's key, the authority's names, and the number of its certificate.
fn authority(extension: &Extension) -> (Json, Json, Json) {
    let (mut identifier, mut issuer, mut serial) = (Json::Null, Json::Null, Json::Null);
    for part in extension.elements().into_iter().flatten() {
        match part.tag & 0x1f {
            0 => identifier = colons(part.content).into(),
            1 => issuer = part.elements().map(|name| general_name::decode(&name)).collect(),
            _ => serial = number(part.content),
        }
    }
    (identifier, issuer, serial)
}

/// Where an answer of OCSP, or the issuer's certificate, is to be had.
fn uri(certificate: &Certificate, method: &str) -> Option<String> {
    let mut places = certificate.extension(extension::AUTHORITY_INFORMATION)?.elements()?;
    places.find_map(|place| {
        let mut parts = place.elements();
        let is_it = parts.next()?.oid()? == method;
        let name = parts.next().filter(|name| is_it && name.tag == der::plain(6))?;
        name.text()
    })
}

fn by_number(extensions: &[Extension]) -> Json {
    let told = extensions.iter().map(|extension| {
        let told = json!({"critical": extension.critical, "value": base64(&extension.value)});
        (extension.number.clone(), told)
    });
    Json::Object(told.collect())
}
