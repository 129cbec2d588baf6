//! bcrypt, which is slow on purpose.

use blowfish::Blowfish;

const ALPHABET: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// It goes round as often as two to the power of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cost(u32);

impl Cost {
    /// passlib's and Ansible's default.
    pub const USUAL: Self = Self(12);

    /// `None` where there is no such cost.
    pub fn new(cost: u32) -> Option<Self> {
        (4..=31).contains(&cost).then_some(Self(cost))
    }
}

/// Which of its programs a hash is of. All make the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ident {
    TwoA,
    TwoB,
    TwoY,
}

impl Ident {
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "2a" => Self::TwoA,
            "2b" => Self::TwoB,
            "2y" => Self::TwoY,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::TwoA => "2a",
            Self::TwoB => "2b",
            Self::TwoY => "2y",
        }
    }
}

/// The hash of a password with a salt of sixteen bytes: `$2y$12$…`.
pub fn hash(password: &str, salt: [u8; 16], Cost(cost): Cost, ident: Ident) -> String {
    // The end is part of the key, and what is longer does not count.
    let key: Vec<u8> = password.bytes().chain([0]).take(72).collect();
    let mut state: Blowfish = Blowfish::bc_init_state();
    state.salted_expand_key(&salt, &key);
    for _ in 0..1u32 << cost {
        state.bc_expand_key(&key);
        state.bc_expand_key(&salt);
    }
    let mut text = Vec::with_capacity(24);
    for eight in b"OrpheanBeholderScryDoubt".as_chunks::<8>().0 {
        let half = |block: u64| u32::try_from(block & 0xffff_ffff).unwrap_or_default();
        let block = u64::from_be_bytes(*eight);
        let mut halves = [half(block >> 32), half(block)];
        for _ in 0..64 {
            halves = state.bc_encrypt(halves);
        }
        text.extend(halves.iter().flat_map(|half| half.to_be_bytes()));
    }
    // The last byte is left out, as the first of its programs did.
    text.truncate(23);
    format!("${}${cost:02}${}{}", ident.name(), letters(&salt), letters(&text))
}

/// Whether a hash is that password's. `None` where it is no such hash.
pub fn is_of(password: &str, stands: &str) -> Option<bool> {
    let (ident, rest) = stands.strip_prefix('$')?.split_once('$')?;
    let (cost, rest) = rest.split_once('$')?;
    let salt = from_letters(rest.get(..22).filter(|_| rest.len() == 53)?)?;
    Some(hash(password, salt, Cost::new(cost.parse().ok()?)?, Ident::parse(ident)?) == stands)
}

/// Bytes as letters of six bits, highest first.
fn letters(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let value = (0..3).fold(0u32, |sum, at| sum << 8 | u32::from(three.get(at).copied().unwrap_or(0)));
        let sixes = (0..=three.len()).map(|at| value >> (18 - 6 * at) & 63);
        text.extend(sixes.map(|six| char::from(ALPHABET.get(six as usize).copied().unwrap_or(b'.'))));
    }
    text
}

fn from_letters(text: &str) -> Option<[u8; 16]> {
    let mut bytes = Vec::with_capacity(18);
    for four in text.as_bytes().chunks(4) {
        let mut value = 0u32;
        for at in 0..4 {
            let six = match four.get(at) {
                Some(letter) => ALPHABET.iter().position(|known| known == letter)?,
                None => 0,
            };
            value = value << 6 | u32::try_from(six).ok()?;
        }
        bytes.extend(value.to_be_bytes().iter().skip(1));
    }
    bytes.get(..16)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::is_of;

    #[test]
    fn hashes_are_those_of_others() {
        for (password, hash) in [
            ("y", "$2y$04$iRcLCLMj5dSrkeIsIxh4V.RJ7cuIN42CY/AEXGaCocfSeUcvBYfv6"),
            (&"x".repeat(80), "$2b$04$QrdNQzBLVoy5s.0NyppjMuJStNkCe8avEGuYv.BAFJxheNAyNqUKq"),
            ("ü", "$2b$04$N5Any3n4dxdbyh11Vg84meNPiYGEWs99rzNEGyC.LJ0XK8RRMlAYO"),
        ] {
            assert_eq!(is_of(password, hash), Some(true), "{hash}");
            assert_eq!(is_of("z", hash), Some(false), "{hash}");
        }
        for none in [
            "$2y$12$FLfEEYeKu4FDfWLYIW1krO",
            "$2y$99$iRcLCLMj5dSrkeIsIxh4V.RJ7cuIN42CY/AEXGaCocfSeUcvBYfv6",
            "y",
        ] {
            assert_eq!(is_of("y", none), None, "{none}");
        }
    }
}
