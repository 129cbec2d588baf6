//! Checksums: `hash`, `md5`, `sha1`, `checksum`, `to_uuid`; of community.general `crc32`.

use data_encoding::HEXLOWER;
use sha1::Digest;

use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("checksum", &[], sha1),
    FilterEntry::new("community.general.crc32", &[], crc32),
    FilterEntry::new("hash", &["hashtype"], hash),
    FilterEntry::new("md5", &[], md5),
    FilterEntry::new("sha1", &[], sha1),
    FilterEntry::new("to_uuid", &["namespace"], to_uuid),
];

fn hash(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let kind = args.string("hashtype").unwrap_or("sha1".into());
    digest(&subject.to_string(), &kind)
        .map(Value::from)
        .ok_or_else(|| Diagnostic::new(format!("unsupported hash type {kind}")))
}

fn crc32(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let text = subject.as_str().ok_or_else(|| {
        let (kind, told) = (subject.type_name(), subject.repr());
        Diagnostic::new(format!("Invalid value type (<class '{kind}'>) for crc32 ({told})"))
    })?;
    let mut sum = flate2::Crc::new();
    sum.update(text.as_bytes());
    Ok(format!("{:x}", sum.sum()).into())
}

fn md5(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(hex::<md5::Md5>(&subject.to_string()).into())
}

fn sha1(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(hex::<sha1::Sha1>(&subject.to_string()).into())
}

/// The digest in hex; `None` when there is no such algorithm.
fn digest(text: &str, kind: &str) -> Option<String> {
    Some(match kind {
        "md5" => hex::<md5::Md5>(text),
        "sha1" => hex::<sha1::Sha1>(text),
        "sha224" => hex::<sha2::Sha224>(text),
        "sha256" => hex::<sha2::Sha256>(text),
        "sha384" => hex::<sha2::Sha384>(text),
        "sha512" => hex::<sha2::Sha512>(text),
        "sha3_224" => hex::<sha3::Sha3_224>(text),
        "sha3_256" => hex::<sha3::Sha3_256>(text),
        "sha3_384" => hex::<sha3::Sha3_384>(text),
        "sha3_512" => hex::<sha3::Sha3_512>(text),
        "blake2b" => hex::<blake2::Blake2b512>(text),
        "blake2s" => hex::<blake2::Blake2s256>(text),
        _ => return None,
    })
}

fn hex<D: Digest>(text: &str) -> String {
    HEXLOWER.encode(&D::digest(text.as_bytes()))
}

/// Ansible's own namespace.
const NAMESPACE: &str = "361E6D51-FAEC-444A-9079-341386DA8E2E";

/// The name-based UUID (version 5) of the text.
fn to_uuid(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let namespace = args.string("namespace").unwrap_or(NAMESPACE.into());
    let digits: String = namespace.chars().filter(|c| *c != '-').collect();
    let Some(mut bytes) = HEXLOWER.decode(digits.to_lowercase().as_bytes()).ok().filter(|b| b.len() == 16)
    else {
        return Err(Diagnostic::new(format!(
            "Invalid value '{namespace}' for 'namespace': badly formed hexadecimal UUID string"
        )));
    };
    bytes.extend_from_slice(subject.to_string().as_bytes());
    let mut id: Vec<u8> = sha1::Sha1::digest(&bytes).iter().copied().take(16).collect();
    if let Some(version) = id.get_mut(6) {
        *version = (*version & 0x0f) | 0x50;
    }
    if let Some(variant) = id.get_mut(8) {
        *variant = (*variant & 0x3f) | 0x80;
    }
    let hex = HEXLOWER.encode(&id);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    Ok([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-").into())
}
