//! The keys of hosts we know, read from `known_hosts` files as OpenSSH reads them.
//!
//! [`HostKeys::gather`] collects what the files say about one host before connecting, so that the host can be
//! asked for a kind of key we know; [`HostKeys::judge`] then says what its key is worth.

mod entry;
mod files;
mod record;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Certificate, HashAlg, PublicKey, PublicKeyOrCertificate};

use self::entry::{Entry, Marker};
pub(super) use self::files::KnownHosts;
pub(super) use self::record::record;
use super::pattern;

/// Where an entry stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub file: Arc<Path>,
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// What the files say about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Known,
    /// Never to be accepted, whatever else is asked for.
    Revoked(Place),
    /// The host is known with another key of this type.
    Changed(Place),
    /// The host is known, but only with keys of other types.
    OtherType(Place),
    Unknown,
}

/// The name under which a host's key is recorded: `HostKeyAlias`, else the host with its port.
pub(super) fn record_name(host: &str, port: u16, alias: Option<&str>) -> String {
    match alias {
        Some(alias) => alias.to_lowercase(),
        None if port == 22 => host.to_lowercase(),
        None => format!("[{}]:{port}", host.to_lowercase()),
    }
}

/// All entries about one host.
#[derive(Debug, Default)]
pub(super) struct HostKeys {
    /// Under the exact name.
    entries: Vec<(Entry, Place)>,
    /// Under the name without the port: good enough to accept a key, never to call it changed.
    portless: Vec<(Entry, Place)>,
    /// The host as certificates name it.
    principal: String,
}

impl HostKeys {
    /// Reads the files; one that does not exist says nothing.
    pub(super) fn gather(
        read: &KnownHosts,
        files: &[PathBuf],
        host: &str,
        port: u16,
        alias: Option<&str>,
    ) -> std::io::Result<Self> {
        let name = record_name(host, port, alias);
        let bare = host.to_lowercase();
        let portless = (alias.is_none() && port != 22).then_some(bare.as_str());
        let mut keys =
            Self { principal: alias.map_or_else(|| bare.clone(), str::to_lowercase), ..Self::default() };
        let names: Vec<&str> = std::iter::once(name.as_str()).chain(portless).collect();
        for path in files {
            let Some(read) = read.file(path)? else { continue };
            let file: Arc<Path> = Arc::from(path.as_path());
            for (line, text) in read.lines(&names) {
                let place = || Place { file: Arc::clone(&file), line };
                if let Some(entry) = Entry::about(&name, text) {
                    keys.entries.push((entry, place()));
                } else if let Some(entry) = portless.and_then(|name| Entry::about(name, text)) {
                    keys.portless.push((entry, place()));
                }
            }
        }
        Ok(keys)
    }

    /// The types of the plain keys recorded, to ask the host for one of them.
    pub(super) fn types(&self) -> BTreeSet<&str> {
        let exact = Self::plain(&self.entries).map(|(entry, _)| entry.kind.as_str()).collect::<BTreeSet<_>>();
        if exact.is_empty() {
            return Self::plain(&self.portless).map(|(entry, _)| entry.kind.as_str()).collect();
        }
        exact
    }

    /// Whether some authority may vouch for this host: then its certificate is worth asking for.
    pub(super) fn has_authority(&self) -> bool {
        self.authorities().next().is_some()
    }

    pub(super) fn judge(&self, offered: &PublicKeyOrCertificate) -> Verdict {
        match offered {
            PublicKeyOrCertificate::PublicKey { key, .. } => self.judge_key(key),
            PublicKeyOrCertificate::Certificate(certificate) => self.judge_certificate(certificate),
        }
    }

    fn judge_key(&self, key: &PublicKey) -> Verdict {
        let Ok(blob) = key.to_bytes() else { return Verdict::Unknown };
        if let Some(place) = self.revoked(&blob) {
            return Verdict::Revoked(place);
        }
        let equal = |(entry, _): &&(Entry, Place)| entry.blob == blob;
        if Self::plain(&self.entries).any(|entry| equal(&entry)) {
            return Verdict::Known;
        }
        let kind = entry::kind_of(&blob).unwrap_or_default();
        if let Some((_, place)) = Self::plain(&self.entries).find(|(entry, _)| entry.kind == kind) {
            return Verdict::Changed(place.clone());
        }
        if Self::plain(&self.portless).any(|entry| equal(&entry)) {
            return Verdict::Known;
        }
        match Self::plain(&self.entries).next() {
            Some((_, place)) => Verdict::OtherType(place.clone()),
            None => Verdict::Unknown,
        }
    }

    /// A certificate that no authority vouches for counts as the plain key inside it.
    fn judge_certificate(&self, certificate: &Certificate) -> Verdict {
        let key = PublicKey::new(certificate.public_key().clone(), "");
        let authority = PublicKey::new(certificate.signature_key().clone(), "");
        let Ok(authority_blob) = authority.to_bytes() else { return Verdict::Unknown };
        if let Some(place) = self.revoked(&authority_blob) {
            return Verdict::Revoked(place);
        }
        if let Ok(blob) = key.to_bytes()
            && let Some(place) = self.revoked(&blob)
        {
            return Verdict::Revoked(place);
        }
        let trusted = self.authorities().any(|entry| entry.blob == authority_blob);
        if trusted && self.vouches(certificate, &authority) {
            return Verdict::Known;
        }
        self.judge_key(&key)
    }

    /// Whether the certificate is for a host, for this one, for now, and truly signed.
    fn vouches(&self, certificate: &Certificate, authority: &PublicKey) -> bool {
        let principals = certificate.valid_principals();
        certificate.cert_type() == CertType::Host
            && certificate.critical_options().is_empty()
            // Unlike for users, an empty list is valid for every host.
            && (principals.is_empty()
                || principals.iter().any(|name| pattern::matches(&name.to_lowercase(), &self.principal)))
            && certificate.validate([&authority.fingerprint(HashAlg::Sha256)]).is_ok()
    }

    fn plain(entries: &[(Entry, Place)]) -> impl Iterator<Item = &(Entry, Place)> {
        entries.iter().filter(|(entry, _)| entry.marker.is_none())
    }

    fn authorities(&self) -> impl Iterator<Item = &Entry> {
        let all = self.entries.iter().chain(&self.portless);
        all.map(|(entry, _)| entry).filter(|entry| entry.marker == Some(Marker::Authority))
    }

    fn revoked(&self, blob: &[u8]) -> Option<Place> {
        let mut all = self.entries.iter().chain(&self.portless);
        all.find(|(entry, _)| entry.marker == Some(Marker::Revoked) && entry.blob == blob)
            .map(|(_, place)| place.clone())
    }
}

#[cfg(test)]
mod tests;
