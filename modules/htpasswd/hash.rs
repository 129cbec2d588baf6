//! Hashes of passwords: Apache's MD5, and those of `crypt`.

use md5::Md5;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};

use crate::kit::encode::base64;
use crate::kit::{Failure, Result};

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// As often as passlib goes round by default.
const ROUNDS_256: usize = 535_000;
const ROUNDS_512: usize = 656_000;
/// Where a hash does not say.
const USUAL_ROUNDS: usize = 5_000;

#[derive(Clone, Copy)]
pub(super) enum Scheme {
    Apr,
    Md5,
    Sha256,
    Sha512,
    LdapSha1,
    Plain,
}

impl Scheme {
    pub fn parse(name: &str) -> Result<Self> {
        Ok(match name {
            "apr_md5_crypt" => Self::Apr,
            "md5_crypt" => Self::Md5,
            "sha256_crypt" => Self::Sha256,
            "sha512_crypt" => Self::Sha512,
            "ldap_sha1" => Self::LdapSha1,
            "plaintext" => Self::Plain,
            other => return Err(Failure::new(format!("hash_scheme: '{other}' is not supported yet"))),
        })
    }

    /// The password's hash; `random` becomes its salt.
    pub fn hash(self, password: &str, random: &str) -> String {
        let salt = |length: usize| {
            let digest = Sha512::digest(random.as_bytes());
            digest.iter().take(length).map(|byte| letter(u32::from(*byte))).collect::<String>()
        };
        match self {
            Self::Apr => md5_crypt(password, &salt(8), "$apr1$"),
            Self::Md5 => md5_crypt(password, &salt(8), "$1$"),
            Self::Sha256 => sha_crypt::<Sha256>(password, &salt(16), Some(ROUNDS_256), "$5$", &ORDER_256),
            Self::Sha512 => sha_crypt::<Sha512>(password, &salt(16), Some(ROUNDS_512), "$6$", &order_512()),
            Self::LdapSha1 => format!("{{SHA}}{}", base64(&Sha1::digest(password.as_bytes()))),
            Self::Plain => password.to_owned(),
        }
    }
}

/// Whether what stands there is the password's, as the real module sees it: Apache's MD5, SHA-1 and the scheme that is
/// asked for are known; all else is plain text, which a hash never equals, so that it is written anew.
pub(super) fn is_of(password: &str, stands: &str, scheme: Scheme) -> bool {
    let salt =
        |magic: &str| stands.strip_prefix(magic).and_then(|rest| rest.split_once('$')).map(|(salt, _)| salt);
    if let Some(salt) = salt("$apr1$") {
        return md5_crypt(password, salt, "$apr1$") == stands;
    }
    if stands.starts_with("{SHA}") {
        return Scheme::LdapSha1.hash(password, "") == stands;
    }
    let is_its_hash = match scheme {
        Scheme::Md5 => salt("$1$").is_some_and(|salt| md5_crypt(password, salt, "$1$") == stands),
        Scheme::Sha256 => sha_salt(stands, "$5$").is_some_and(|(salt, rounds)| {
            sha_crypt::<Sha256>(password, salt, rounds, "$5$", &ORDER_256) == stands
        }),
        Scheme::Sha512 => sha_salt(stands, "$6$").is_some_and(|(salt, rounds)| {
            sha_crypt::<Sha512>(password, salt, rounds, "$6$", &order_512()) == stands
        }),
        Scheme::Apr | Scheme::LdapSha1 | Scheme::Plain => false,
    };
    is_its_hash || password == stands
}

/// Salt and rounds of a hash of SHA-2.
fn sha_salt<'h>(hash: &'h str, magic: &str) -> Option<(&'h str, Option<usize>)> {
    let rest = hash.strip_prefix(magic)?;
    let (rounds, rest) = match rest.strip_prefix("rounds=").and_then(|rest| rest.split_once('$')) {
        Some((rounds, rest)) => (rounds.parse().ok(), rest),
        None => (None, rest),
    };
    Some((rest.split('$').next().unwrap_or_default(), rounds))
}

fn letter(value: u32) -> char {
    char::from(ALPHABET.get((value & 63) as usize).copied().unwrap_or(b'.'))
}

/// Bytes in that order as letters of six bits, lowest first.
fn letters(bytes: &[u8], order: &[&[usize]]) -> String {
    let mut text = String::new();
    for group in order {
        let value =
            group.iter().fold(0u32, |value, at| value << 8 | u32::from(bytes.get(*at).copied().unwrap_or(0)));
        let count = [0, 2, 3, 4].get(group.len()).copied().unwrap_or(4);
        text.extend((0..count).map(|n| letter(value >> (6 * n))));
    }
    text
}

fn md5_crypt(password: &str, salt: &str, magic: &str) -> String {
    let (password, salt) = (password.as_bytes(), salt.get(..8).unwrap_or(salt));
    let inner = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut hasher = Md5::new().chain_update(password).chain_update(magic).chain_update(salt);
    for piece in (0..password.len()).step_by(16) {
        hasher.update(inner.get(..(password.len() - piece).min(16)).unwrap_or_default());
    }
    let mut length = password.len();
    while length > 0 {
        hasher.update(if length & 1 == 1 { &[0][..] } else { password.get(..1).unwrap_or_default() });
        length >>= 1;
    }
    let mut digest = hasher.finalize();
    for round in 0..1000 {
        let mut hasher = Md5::new();
        hasher.update(if round % 2 == 1 { password } else { &digest[..] });
        if round % 3 != 0 {
            hasher.update(salt);
        }
        if round % 7 != 0 {
            hasher.update(password);
        }
        hasher.update(if round % 2 == 1 { &digest[..] } else { password });
        digest = hasher.finalize();
    }
    let order: [&[usize]; 6] = [&[0, 6, 12], &[1, 7, 13], &[2, 8, 14], &[3, 9, 15], &[4, 10, 5], &[11]];
    format!("{magic}{salt}${}", letters(&digest, &order))
}

const ORDER_256: [&[usize]; 11] = [
    &[0, 10, 20],
    &[21, 1, 11],
    &[12, 22, 2],
    &[3, 13, 23],
    &[24, 4, 14],
    &[15, 25, 5],
    &[6, 16, 26],
    &[27, 7, 17],
    &[18, 28, 8],
    &[9, 19, 29],
    &[31, 30],
];

const ORDER_512: [[usize; 3]; 21] = [
    [0, 21, 42],
    [22, 43, 1],
    [44, 2, 23],
    [3, 24, 45],
    [25, 46, 4],
    [47, 5, 26],
    [6, 27, 48],
    [28, 49, 7],
    [50, 8, 29],
    [9, 30, 51],
    [31, 52, 10],
    [53, 11, 32],
    [12, 33, 54],
    [34, 55, 13],
    [56, 14, 35],
    [15, 36, 57],
    [37, 58, 16],
    [59, 17, 38],
    [18, 39, 60],
    [40, 61, 19],
    [62, 20, 41],
];

fn order_512() -> Vec<&'static [usize]> {
    ORDER_512.iter().map(|group| &group[..]).chain([&[63][..]]).collect()
}

/// SHA-crypt, by its specification; a salt has sixteen letters at most.
fn sha_crypt<D: Digest>(
    password: &str,
    salt: &str,
    rounds: Option<usize>,
    prefix: &str,
    order: &[&[usize]],
) -> String {
    let (key, salt) = (password.as_bytes(), salt.get(..16).unwrap_or(salt));
    let count = rounds.unwrap_or(USUAL_ROUNDS).clamp(1000, 999_999_999);
    let hash = |pieces: &[&[u8]]| {
        let mut hasher = D::new();
        for piece in pieces {
            hasher.update(piece);
        }
        hasher.finalize().to_vec()
    };
    let fill = |bytes: &[u8], length: usize| bytes.iter().copied().cycle().take(length).collect::<Vec<u8>>();
    let inner = hash(&[key, salt.as_bytes(), key]);
    let mut first: Vec<u8> = [key, salt.as_bytes()].concat();
    first.extend(fill(&inner, key.len()));
    let mut length = key.len();
    while length > 0 {
        first.extend_from_slice(if length & 1 == 1 { &inner } else { key });
        length >>= 1;
    }
    let mut digest = hash(&[&first]);
    let long_key = fill(&hash(&[&key.repeat(key.len())]), key.len());
    let times = 16 + usize::from(digest.first().copied().unwrap_or(0));
    let long_salt = fill(&hash(&[&salt.as_bytes().repeat(times)]), salt.len());
    for round in 0..count {
        let mut pieces: Vec<&[u8]> = Vec::with_capacity(4);
        pieces.push(if round % 2 == 1 { &long_key } else { &digest });
        if round % 3 != 0 {
            pieces.push(&long_salt);
        }
        if round % 7 != 0 {
            pieces.push(&long_key);
        }
        pieces.push(if round % 2 == 1 { &digest } else { &long_key });
        digest = hash(&pieces);
    }
    let said = if rounds.is_some() { format!("rounds={count}$") } else { String::new() };
    format!("{prefix}{said}{salt}${}", letters(&digest, order))
}

#[cfg(test)]
mod tests {
    use super::{Scheme, is_of};

    /// What other programs made.
    #[test]
    fn hashes_are_those_of_others() {
        for (scheme, password, hash) in [
            (Scheme::Plain, "y", "$apr1$E8LiOTYx$TkB2cUww24XytW.HrVqNj0"),
            (Scheme::Md5, "y", "$1$zOxEwUVm$5JyQ8c.fULgOKdLLnXoPX0"),
            (Scheme::Sha256, "y", "$5$saltsalt$fCF0nZeB5mj309XyxoQLP0npcw5eS5nV.lXCct55Hl."),
            (
                Scheme::Sha512,
                "y",
                "$6$saltsalt$dXw54c7FbjOTNROS8PXMARWjH6A.CoTmR9oM2pU2CDlRs9VvHh9JZlDMhy8pVHspfw6lRpWxXOBa0bz9xL/Jo1",
            ),
            (
                Scheme::Sha512,
                "long password, longer than a digest of sixty-four letters, so that it is hashed twice",
                "$6$saltsalt$7ju.v6E19GxJM7mRxwJU6i8hIp.Lcm8/5AH5sX7wv8PEvbtBgCqrr0gyPU7L0OwnktcOh.gAA588EFpZkU7kn.",
            ),
            (Scheme::Plain, "y", "{SHA}lcsL/Sl3x2EpjZYk5LTUxyo5l0o="),
            (Scheme::Apr, "y", "y"),
        ] {
            assert!(is_of(password, hash, scheme), "{hash}");
            assert!(!is_of("z", hash, scheme), "{hash}");
        }
        assert!(!is_of("y", "$1$zOxEwUVm$5JyQ8c.fULgOKdLLnXoPX0", Scheme::Apr));
    }
}
