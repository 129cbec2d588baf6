//! Hashes of passwords as `crypt` makes them, a file a scheme: each makes one, and tells whether one is a password's.

pub mod bcrypt;
pub mod des_crypt;
pub mod md5_crypt;
pub mod sha_crypt;

/// The letters of hashes and salts, by the six bits they stand for. bcrypt has an order of its own.
pub const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The letter of the lowest six bits.
pub fn letter(value: u32) -> char {
    char::from(ALPHABET.get((value & 63) as usize).copied().unwrap_or(b'.'))
}

/// Up to three bytes, the highest first, as letters of six bits, the lowest first.
pub fn letters(bytes: &[u8]) -> impl Iterator<Item = char> + use<> {
    let value = bytes.iter().fold(0u32, |value, byte| value << 8 | u32::from(*byte));
    (0..=bytes.len()).map(move |at| letter(value >> (6 * at)))
}

/// The bytes at these places as letters.
fn picked(bytes: &[u8], places: &[usize]) -> impl Iterator<Item = char> + use<> {
    let bytes: Vec<u8> = places.iter().filter_map(|at| bytes.get(*at)).copied().collect();
    letters(&bytes)
}
