//! Hashes of `crypt`: MD5, Apache's too, and SHA-2.

use md5::Md5;
use sha1::Digest;

pub(super) const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Where a hash does not say.
pub(crate) const USUAL_ROUNDS: usize = 5_000;

pub(super) fn letter(value: u32) -> char {
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

/// MD5-crypt; a salt has eight letters at most.
pub(super) fn md5_crypt(password: &str, salt: &str, magic: &str) -> String {
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

pub(crate) const ORDER_256: [&[usize]; 11] = [
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

pub(super) fn order_512() -> Vec<&'static [usize]> {
    ORDER_512.iter().map(|group| &group[..]).chain([&[63][..]]).collect()
}

/// SHA-crypt, by its specification, as `crypt` writes it; a salt has sixteen letters at most.
pub(super) fn sha_crypt<D: Digest>(
    password: &str,
    salt: &str,
    rounds: Option<usize>,
    prefix: &str,
    order: &[&[usize]],
) -> String {
    let salt = salt.get(..16).unwrap_or(salt);
    let count = rounds.unwrap_or(USUAL_ROUNDS).clamp(1000, 999_999_999);
    let said = if rounds.is_some() { format!("rounds={count}$") } else { String::new() };
    format!("{prefix}{said}{salt}${}", sha_rounds::<D>(password, salt, count, order))
}

/// What SHA-crypt makes of a password and a salt of any length.
pub(crate) fn sha_rounds<D: Digest>(password: &str, salt: &str, count: usize, order: &[&[usize]]) -> String {
    let key = password.as_bytes();
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
    letters(&digest, order)
}
