//! The key that is there.

use super::Args;
use crate::crypto::der::{self, Element};
use crate::crypto::key::PublicKey;
use crate::crypto::openssl::{Openssl, PrivateKey};
use crate::crypto::pem;
use crate::kit::{Result, Secret, System};

/// How a file holds a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Pkcs1,
    Pkcs8,
    /// The bytes alone.
    Raw,
}

/// A key of a file.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) private: PrivateKey,
    /// `None` where the key cannot be read.
    pub(super) public: Option<PublicKey>,
    pub(super) form: Form,
    pub(super) is_locked: bool,
}

/// The lengths of raw keys, and the number of their kinds. Two kinds of one length are told apart by what is wanted.
const RAW: [(usize, &str, &str); 4] = [
    (32, "X25519", "1.3.101.110"),
    (56, "X448", "1.3.101.111"),
    (32, "Ed25519", "1.3.101.112"),
    (57, "Ed448", "1.3.101.113"),
];

impl Stored {
    pub(super) fn read(args: &Args, openssl: &Openssl, sys: &mut System<'_>) -> Result<Option<Self>> {
        let Some(content) = args.file.content(sys)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&content);
        let block = pem::blocks(&text).into_iter().find(|block| block.label.ends_with("PRIVATE KEY"));
        let form = match block.as_ref().map(|block| block.label.as_str()) {
            None => Form::Raw,
            Some("PRIVATE KEY" | "ENCRYPTED PRIVATE KEY") => Form::Pkcs8,
            Some(_) => Form::Pkcs1,
        };
        let is_locked = block
            .as_ref()
            .is_some_and(|block| block.label.starts_with("ENCRYPTED") || block.headers.contains("ENCRYPTED"));
        let passphrase = args.passphrase.as_ref().map(|secret: &Secret| secret.expose().to_owned());
        let private = PrivateKey { content, passphrase };
        let public = match form {
            Form::Raw => match wrapped(&private.content, args.r#type.name()) {
                Some(content) => openssl.public_key(&PrivateKey { content, passphrase: None }, sys)?,
                None => None,
            },
            // A key that is not locked opens with any passphrase.
            _ => openssl.public_key(&private, sys)?,
        };
        Ok(Some(Self { private, public, form, is_locked }))
    }
}

/// The bytes of a key that has a raw form, from its PKCS#8.
pub(super) fn raw(text: &str) -> Option<Vec<u8>> {
    let block = pem::block(text, &["PRIVATE KEY"])?;
    let mut parts = Element::of(&block.content)?.elements();
    parts.next()?;
    let number = parts.next()?.elements().next()?.oid()?;
    RAW.iter().find(|(.., known)| *known == number)?;
    let inner = parts.next()?.content_of(der::OCTET_STRING)?;
    Element::of(inner)?.content_of(der::OCTET_STRING).map(<[u8]>::to_vec)
}

/// Raw bytes as PKCS#8 in PEM, where they may be a key of that kind.
fn wrapped(bytes: &[u8], kind: &str) -> Option<Vec<u8>> {
    let (.., number) = RAW.iter().find(|(length, name, _)| *length == bytes.len() && *name == kind)?;
    let key = der::element(der::OCTET_STRING, &der::element(der::OCTET_STRING, bytes));
    let algorithm = der::element(der::SEQUENCE, &der::oid(number)?);
    let whole = der::holding(der::SEQUENCE, &[der::integer(&[0]), algorithm, key]);
    Some(pem::encode("PRIVATE KEY", &whole).into_bytes())
}
