//! Certificate signing requests.

use super::der::{self, Element};
use super::extension::Extension;
use super::key::PublicKey;
use super::oid;
use super::openssl::{Openssl, PrivateKey};
use super::pem;
use super::subject::Name;
use crate::kit::{Failure, Result, System};

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub subject: Name,
    pub key: PublicKey,
    pub extensions: Vec<Extension>,
}

/// The attribute that holds extensions.
const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";

impl Request {
    /// Of a PEM file. `None` where that is no request.
    pub fn parse(text: &str) -> Option<Self> {
        let block = pem::block(text, &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"])?;
        let info = Element::of(&block.content)?.elements().next()?;
        let mut parts = info.elements();
        parts.next()?.number()?;
        let subject = Name::read(&parts.next()?)?;
        let key = PublicKey::parse(parts.next()?.whole)?;
        let mut extensions = Vec::new();
        for attribute in
            parts.optional(der::inside(0)).into_iter().flat_map(|attributes| attributes.elements())
        {
            let mut pair = attribute.elements();
            if pair.next()?.oid()? == EXTENSION_REQUEST {
                extensions = Extension::read_all(pair.next()?.elements().next()?.elements())?;
            }
        }
        Some(Self { subject, key, extensions })
    }

    /// The request, signed, as PEM. A check signs nothing.
    pub fn sign(
        &self,
        key: &PrivateKey,
        digest: &str,
        openssl: &Openssl,
        sys: &mut System<'_>,
    ) -> Result<String> {
        let mut attributes = Vec::new();
        if !self.extensions.is_empty() {
            let number = der::oid(EXTENSION_REQUEST).unwrap_or_default();
            let extensions = der::set(vec![Extension::der_of_all(&self.extensions)?]);
            attributes.push(der::holding(der::SEQUENCE, &[number, extensions]));
        }
        let info = der::holding(
            der::SEQUENCE,
            &[
                der::integer(&[0]),
                self.subject.der()?,
                self.key.der.clone(),
                der::holding(der::inside(0), &attributes),
            ],
        );
        let signed = signed(info, key, &self.key, digest, openssl, sys)?;
        Ok(pem::encode("CERTIFICATE REQUEST", &signed))
    }
}

/// Some DER with its signature beside it, as requests and certificates are. A check signs nothing.
pub fn signed(
    info: Vec<u8>,
    key: &PrivateKey,
    public: &PublicKey,
    digest: &str,
    openssl: &Openssl,
    sys: &mut System<'_>,
) -> Result<Vec<u8>> {
    let algorithm = algorithm(public, digest)?;
    let signature =
        if sys.is_check() { Vec::new() } else { openssl.sign(key, public, digest, &info, sys)? };
    Ok(der::holding(der::SEQUENCE, &[info, algorithm, der::bit_string(&signature)]))
}

/// The identifier of what signs with a key of that kind.
pub fn algorithm(key: &PublicKey, digest: &str) -> Result<Vec<u8>> {
    use super::key::Kind;
    if !["sha1", "sha224", "sha256", "sha384", "sha512"].contains(&digest) {
        return Err(Failure::new(format!(
            "The digest {digest} is not supported; known are sha1, sha224, sha256, sha384, sha512"
        )));
    }
    let (name, null) = match &key.kind {
        Kind::Rsa { .. } => (format!("{digest}WithRSAEncryption"), true),
        Kind::Ec { .. } => (format!("ecdsa-with-{}", digest.to_uppercase()), false),
        Kind::Dsa { .. } => (format!("dsa-with-{digest}"), false),
        Kind::Ed25519 => ("ED25519".to_owned(), false),
        Kind::Ed448 => ("ED448".to_owned(), false),
        Kind::Other(number) => (number.clone(), false),
        Kind::X25519 | Kind::X448 => {
            return Err(Failure::new(format!("A key of type {} cannot sign", key.kind.name())));
        }
    };
    let number = oid::signature(&name).and_then(der::oid).or_else(|| der::oid(&name));
    let number = number.ok_or_else(|| Failure::new(format!("{name} is no known way to sign")))?;
    let parameters = if null { der::element(der::NULL, &[]) } else { Vec::new() };
    Ok(der::holding(der::SEQUENCE, &[number, parameters]))
}
