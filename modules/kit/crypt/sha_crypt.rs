//! SHA-crypt, by its specification.

use sha2::{Digest, Sha256, Sha512};

use super::picked;

/// As often as SHA-crypt goes round where a hash does not say.
pub const UNSAID_ROUNDS: u32 = 5_000;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// `$5$…`
    Sha256,
    /// `$6$…`
    Sha512,
}

impl Variant {
    /// As often as passlib and Ansible go round by default.
    pub fn usual_rounds(self) -> u32 {
        match self {
            Self::Sha256 => 535_000,
            Self::Sha512 => 656_000,
        }
    }

    fn magic(self) -> &'static str {
        match self {
            Self::Sha256 => "$5$",
            Self::Sha512 => "$6$",
        }
    }

    /// The hash of a password; a salt has sixteen letters at most. Rounds stand in it where they are given, too few as
    /// the fewest there may be.
    pub fn hash(self, password: &str, salt: &str, rounds: Option<u32>) -> String {
        let salt = salt.get(..16).unwrap_or(salt);
        let count = rounds.unwrap_or(UNSAID_ROUNDS).clamp(1000, 999_999_999);
        let said = if rounds.is_some() { format!("rounds={count}$") } else { String::new() };
        format!("{}{said}{salt}${}", self.magic(), self.digest(password, salt, count))
    }

    /// Whether a hash is that password's. `None` where it is no such hash.
    pub fn is_of(self, password: &str, hash: &str) -> Option<bool> {
        let rest = hash.strip_prefix(self.magic())?;
        let (rounds, rest) = match rest.strip_prefix("rounds=").and_then(|rest| rest.split_once('$')) {
            Some((rounds, rest)) => (rounds.parse().ok(), rest),
            None => (None, rest),
        };
        let salt = rest.split('$').next().unwrap_or_default();
        Some(self.hash(password, salt, rounds) == hash)
    }

    /// The last part of a hash. MySQL's salts are longer than those of `crypt`: here one has any length.
    pub fn digest(self, password: &str, salt: &str, count: u32) -> String {
        let (password, salt) = (password.as_bytes(), salt.as_bytes());
        let (digest, turn, rest) = match self {
            Self::Sha256 => (digest::<Sha256>(password, salt, count), 2, &[31, 30][..]),
            Self::Sha512 => (digest::<Sha512>(password, salt, count), 1, &[63][..]),
        };
        let third = digest.len() / 3;
        let mut text = String::new();
        for at in 0..third {
            let mut places = [at, at + third, at + 2 * third];
            places.rotate_left(at * turn % 3);
            text.extend(picked(&digest, &places));
        }
        text.extend(picked(&digest, rest));
        text
    }
}

fn digest<D: Digest>(password: &[u8], salt: &[u8], count: u32) -> Vec<u8> {
    let fill = |bytes: &[u8], length: usize| bytes.iter().copied().cycle().take(length).collect::<Vec<u8>>();
    let repeated = |bytes: &[u8], times: usize| {
        let mut hasher = D::new();
        (0..times).for_each(|_| hasher.update(bytes));
        fill(&hasher.finalize(), bytes.len())
    };
    let inner = D::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut first = D::new().chain_update(password).chain_update(salt);
    first.update(fill(&inner, password.len()));
    let mut length = password.len();
    while length > 0 {
        first.update(if length & 1 == 1 { &inner[..] } else { password });
        length >>= 1;
    }
    let mut digest = first.finalize();
    let long_password = repeated(password, password.len());
    let long_salt = repeated(salt, 16 + usize::from(digest.first().copied().unwrap_or(0)));
    for round in 0..count {
        let odd = round % 2 == 1;
        let mut next = D::new_with_prefix(if odd { &long_password[..] } else { &digest[..] });
        if round % 3 != 0 {
            next.update(&long_salt);
        }
        if round % 7 != 0 {
            next.update(&long_password);
        }
        next.update(if odd { &digest[..] } else { &long_password[..] });
        digest = next.finalize();
    }
    digest.to_vec()
}
