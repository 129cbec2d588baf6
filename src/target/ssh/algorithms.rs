//! Which algorithms we offer, in which order.

use std::borrow::Cow;
use std::collections::BTreeSet;

use russh::keys::{Algorithm, HashAlg};
use russh::{Preferred, cipher, compression, kex, mac};

use super::settings::{Algorithms, Settings};
use crate::target::pattern::{Match, matches_list};

/// Our offer to one host. `known` are the types of its keys we have: it is asked for one of these first, else a
/// host with several keys might show one we cannot check.
pub(super) fn preferred(
    settings: &Settings,
    known: &BTreeSet<&str>,
    certificates: bool,
) -> Result<Preferred, String> {
    let Algorithms { kex, ciphers, macs, host_keys } = &settings.algorithms;
    let defaults = Preferred::DEFAULT;
    // What only announces abilities stays, whatever the user wants.
    let (abilities, exchanges): (Vec<_>, Vec<_>) = defaults
        .kex
        .iter()
        .copied()
        .partition(|name| name.as_ref().starts_with("ext-") || name.as_ref().starts_with("kex-"));
    let mut exchanges = choose("KexAlgorithms", kex.as_deref(), &exchanges, kex::ALL_KEX_ALGORITHMS)?;
    exchanges.extend(abilities);
    // SHA-1 signatures are asked for by name or not at all.
    let usual: Vec<_> =
        defaults.key.iter().filter(|key| **key != (Algorithm::Rsa { hash: None })).cloned().collect();
    let all: Vec<_> = defaults.key.iter().collect();
    let mut keys = choose("HostKeyAlgorithms", host_keys.as_deref(), &usual, &all)?;
    if host_keys.as_deref().is_none_or(|list| list.starts_with(['+', '-', '^'])) {
        keys.sort_by_key(|key| !known.contains(recorded_as(key)));
    }
    let host_key_certificates = if certificates { keys.clone() } else { Vec::new() };
    let mut ciphers_by_default = defaults.cipher.to_vec();
    if has_fast_aes() {
        // Several times as fast as ChaCha20 on both sides, which is felt when the worker is sent to many hosts.
        ciphers_by_default.sort_by_key(|name| *name != cipher::AES_256_GCM);
    }
    let compression = if settings.compression {
        vec![compression::ZLIB_LEGACY, compression::ZLIB, compression::NONE]
    } else {
        vec![compression::NONE]
    };
    Ok(Preferred {
        kex: exchanges.into(),
        key: keys.into(),
        host_key_certificates: host_key_certificates.into(),
        cipher: Cow::Owned(choose("Ciphers", ciphers.as_deref(), &ciphers_by_default, cipher::ALL_CIPHERS)?),
        mac: Cow::Owned(choose("MACs", macs.as_deref(), &defaults.mac, mac::ALL_MAC_ALGORITHMS)?),
        compression: compression.into(),
    })
}

/// Whether this machine's processor does AES by itself; then most likely those it manages do, too.
fn has_fast_aes() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("aes");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    false
}

/// The type under which `known_hosts` has a key of this algorithm.
fn recorded_as(algorithm: &Algorithm) -> &str {
    match algorithm {
        Algorithm::Rsa { .. } => "ssh-rsa",
        other => other.as_str(),
    }
}

/// OpenSSH's notation: a list replaces the default, `+` appends, `-` removes, `^` puts in front. Names that we
/// do not have are passed over as long as one is left.
fn choose<T: Clone + Named + PartialEq>(
    option: &str,
    wish: Option<&str>,
    default: &[T],
    all: &[&T],
) -> Result<Vec<T>, String> {
    let Some(wish) = wish else { return Ok(default.to_vec()) };
    let list = wish.trim_start_matches(['+', '-', '^']);
    let named: Vec<T> = list
        .split(',')
        .flat_map(|name| all.iter().filter(move |one| matches_list(&one.name(), name) == Match::Yes))
        .map(|&one| one.clone())
        .collect();
    let without = |all: &[T]| all.iter().filter(|one| !named.contains(one)).cloned().collect::<Vec<_>>();
    let chosen = match wish.chars().next() {
        Some('+') => {
            [default.to_vec(), named.iter().filter(|one| !default.contains(one)).cloned().collect()].concat()
        }
        Some('-') => without(default),
        Some('^') => [named.clone(), without(default)].concat(),
        _ => named,
    };
    // `none` as cipher is no algorithm but its absence.
    let chosen: Vec<_> = chosen.into_iter().filter(|one| !matches!(&*one.name(), "none" | "clear")).collect();
    if chosen.is_empty() { Err(format!("{option} {wish} leaves nothing we have")) } else { Ok(chosen) }
}

trait Named {
    fn name(&self) -> Cow<'_, str>;
}

impl Named for kex::Name {
    fn name(&self) -> Cow<'_, str> {
        self.as_ref().into()
    }
}

impl Named for cipher::Name {
    fn name(&self) -> Cow<'_, str> {
        self.as_ref().into()
    }
}

impl Named for mac::Name {
    fn name(&self) -> Cow<'_, str> {
        self.as_ref().into()
    }
}

impl Named for Algorithm {
    fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Rsa { hash: Some(HashAlg::Sha512) } => "rsa-sha2-512".into(),
            Self::Rsa { hash: Some(_) } => "rsa-sha2-256".into(),
            other => other.as_str().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes() {
        fn check(wish: &str, expect: &[&str]) {
            let default = [cipher::AES_256_GCM, cipher::AES_256_CTR];
            let chosen = choose("Ciphers", Some(wish), &default, cipher::ALL_CIPHERS).unwrap();
            assert_eq!(chosen.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), expect, "{wish}");
        }
        check("aes128-ctr,aes256-ctr", &["aes128-ctr", "aes256-ctr"]);
        check("+aes128-ctr,aes256-ctr", &["aes256-gcm@openssh.com", "aes256-ctr", "aes128-ctr"]);
        check("-*gcm*", &["aes256-ctr"]);
        check("^aes256-ctr", &["aes256-ctr", "aes256-gcm@openssh.com"]);
        check("no-such,aes128-ctr", &["aes128-ctr"]);
        let nothing = choose("Ciphers", Some("rot13"), &[cipher::AES_256_CTR], cipher::ALL_CIPHERS);
        assert_eq!(nothing.unwrap_err(), "Ciphers rot13 leaves nothing we have");
    }
}
