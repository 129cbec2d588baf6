//! MD5-crypt: Poul-Henning Kamp's thousand rounds, and Apache's, which differ in their name alone.

use md5::{Digest, Md5};

use super::picked;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// `$1$…`
    Unix,
    /// `$apr1$…`
    Apache,
}

impl Variant {
    fn magic(self) -> &'static str {
        match self {
            Self::Unix => "$1$",
            Self::Apache => "$apr1$",
        }
    }

    /// The hash of a password; a salt has eight letters at most.
    pub fn hash(self, password: &str, salt: &str) -> String {
        let salt = salt.get(..8).unwrap_or(salt);
        let digest = digest(password.as_bytes(), salt.as_bytes(), self.magic());
        let mut text = format!("{}{salt}$", self.magic());
        for places in (0..4).map(|at| [at, at + 6, at + 12]).chain([[4, 10, 5]]) {
            text.extend(picked(&digest, &places));
        }
        text.extend(picked(&digest, &[11]));
        text
    }

    /// Whether a hash is that password's. `None` where it is no such hash.
    pub fn is_of(self, password: &str, hash: &str) -> Option<bool> {
        let (salt, _) = hash.strip_prefix(self.magic())?.split_once('$')?;
        Some(self.hash(password, salt) == hash)
    }
}

fn digest(password: &[u8], salt: &[u8], magic: &str) -> [u8; 16] {
    let inner = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut outer = Md5::new().chain_update(password).chain_update(magic).chain_update(salt);
    for piece in password.chunks(16) {
        outer.update(inner.get(..piece.len()).unwrap_or_default());
    }
    let mut length = password.len();
    while length > 0 {
        outer.update(if length & 1 == 1 { &[0][..] } else { password.get(..1).unwrap_or_default() });
        length >>= 1;
    }
    let mut digest = outer.finalize();
    for round in 0..1000 {
        let odd = round % 2 == 1;
        let mut next = Md5::new_with_prefix(if odd { password } else { &digest[..] });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(if odd { &digest[..] } else { password });
        digest = next.finalize();
    }
    digest.into()
}
