//! Certificates.

use super::der::{self, Element};
use super::extension::Extension;
use super::key::PublicKey;
use super::openssl::{Openssl, PrivateKey};
use super::pem;
use super::request::{algorithm, signed};
use super::subject::Name;
use super::time;
use crate::kit::{Result, System};

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    pub version: u64,
    pub serial: Vec<u8>,
    pub issuer: Name,
    /// In seconds since 1970.
    pub not_before: i64,
    pub not_after: i64,
    pub subject: Name,
    pub key: PublicKey,
    pub extensions: Vec<Extension>,
    /// The number of what it is signed with.
    pub signed_with: String,
    /// All of it.
    pub der: Vec<u8>,
}

impl Certificate {
    /// The first of a PEM file, or of a DER file. `None` where there is none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        match std::str::from_utf8(bytes).ok().and_then(|text| pem::block(text, LABELS)) {
            Some(block) => Self::read(&block.content),
            None => Self::read(bytes),
        }
    }

    pub fn read(der: &[u8]) -> Option<Self> {
        let whole = Element::of(der)?;
        let mut outer = whole.elements();
        let info = outer.next()?;
        let signed_with = outer.next()?.elements().next()?.oid()?;
        let mut parts = info.elements();
        let version = match parts.optional(der::inside(0)) {
            Some(version) => version.elements().next()?.number()? + 1,
            None => 1,
        };
        let serial = parts.next()?.content_of(der::INTEGER)?.to_vec();
        parts.next()?;
        let issuer = Name::read(&parts.next()?)?;
        let mut times = parts.next()?.elements();
        let (not_before, not_after) = (time::read(&times.next()?)?, time::read(&times.next()?)?);
        let subject = Name::read(&parts.next()?)?;
        let key = PublicKey::parse(parts.next()?.whole)?;
        let extensions =
            parts.find(|part| part.tag == der::inside(3)).and_then(|list| list.elements().next());
        let extensions = extensions.map_or(Some(Vec::new()), |list| Extension::read_all(list.elements()))?;
        Some(Self {
            version,
            serial,
            issuer,
            not_before,
            not_after,
            subject,
            key,
            extensions,
            signed_with,
            der: der.to_vec(),
        })
    }

    /// The certificate, signed by a key, as PEM. A check signs nothing.
    pub fn sign(
        &self,
        key: &PrivateKey,
        public: &PublicKey,
        digest: &str,
        openssl: &Openssl,
        sys: &mut System<'_>,
    ) -> Result<String> {
        let mut parts = vec![
            der::element(der::inside(0), &der::integer(&[2])),
            der::integer(&self.serial),
            algorithm(public, digest)?,
            self.issuer.der()?,
            der::holding(der::SEQUENCE, &[time::der(self.not_before), time::der(self.not_after)]),
            self.subject.der()?,
            self.key.der.clone(),
        ];
        if !self.extensions.is_empty() {
            parts.push(der::element(der::inside(3), &Extension::der_of_all(&self.extensions)?));
        }
        let signed = signed(der::holding(der::SEQUENCE, &parts), key, public, digest, openssl, sys)?;
        Ok(pem::encode("CERTIFICATE", &signed))
    }

    pub fn extension(&self, number: &str) -> Option<&Extension> {
        Extension::find(&self.extensions, number)
    }
}

pub const LABELS: &[&str] = &["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];
