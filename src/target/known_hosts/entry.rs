//! One line of a `known_hosts` file.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use crate::target::pattern::{Match, matches_list};

/// What an entry means when it is not a plain key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Authority,
    Revoked,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub marker: Option<Marker>,
    /// `ssh-ed25519` …
    pub kind: String,
    /// The public key as it travels.
    pub blob: Vec<u8>,
}

impl Entry {
    /// The entry of a line if it is about `name` (lower case). Comments, lines about other hosts and lines that
    /// make no sense give `None`: as in OpenSSH, one bad line does not spoil the file.
    pub(super) fn about(name: &str, line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let mut hosts = words.next()?;
        let marker = match hosts {
            "@cert-authority" => Some(Marker::Authority),
            "@revoked" => Some(Marker::Revoked),
            _ if hosts.starts_with(['#', '@']) => return None,
            _ => None,
        };
        if marker.is_some() {
            hosts = words.next()?;
        }
        if !is_about(name, hosts) {
            return None;
        }
        let kind = words.next()?;
        let blob = BASE64.decode(words.next()?.as_bytes()).ok()?;
        (kind_of(&blob)? == kind).then(|| Self { marker, kind: kind.to_owned(), blob })
    }
}

/// The type a key's bytes declare.
pub(super) fn kind_of(blob: &[u8]) -> Option<&str> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    std::str::from_utf8(rest.get(..length)?).ok()
}

fn is_about(name: &str, hosts: &str) -> bool {
    match hosts.strip_prefix("|1|") {
        Some(hashed) => is_hash_of(name, hashed).unwrap_or(false),
        None => matches_list(name, &hosts.to_lowercase()) == Match::Yes,
    }
}

/// `salt|hash`, both base64; the hash is HMAC-SHA1 of the name under the salt.
fn is_hash_of(name: &str, hashed: &str) -> Option<bool> {
    let (salt, hash) = hashed.split_once('|')?;
    let salt = BASE64.decode(salt.as_bytes()).ok()?;
    let hash = BASE64.decode(hash.as_bytes()).ok()?;
    let mut mac = Hmac::<Sha1>::new_from_slice(&salt).ok()?;
    mac.update(name.as_bytes());
    Some(mac.verify_slice(&hash).is_ok())
}

/// A host's name as `HashKnownHosts` writes it.
pub(super) fn hashed_name(name: &str, salt: &[u8; 20]) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(salt).ok()?;
    mac.update(name.as_bytes());
    Some(format!("|1|{}|{}", BASE64.encode(salt), BASE64.encode(&mac.finalize().into_bytes())))
}
