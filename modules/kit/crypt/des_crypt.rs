//! The oldest hash of `crypt`: nothing, encrypted with DES 25 times over; the password is the key, and the salt swaps
//! bits within each round.

use super::{ALPHABET, letter};

/// Twelve bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 2]);

impl Salt {
    /// From the lowest six bits of each.
    pub fn of(bytes: [u8; 2]) -> Self {
        Self(bytes.map(|byte| byte & 63))
    }

    /// The first two letters of a hash.
    fn parse(hash: &str) -> Option<Self> {
        let [one, two] = *hash.as_bytes().first_chunk::<2>()?;
        let six = |byte| ALPHABET.iter().position(|letter| *letter == byte)?.try_into().ok();
        Some(Self([six(one)?, six(two)?]))
    }
}

/// The hash of a password, of which eight letters count; its salt comes first.
pub fn hash(password: &str, Salt(salt): Salt) -> String {
    let [low, high] = salt.map(u64::from);
    let salt_bits = low | high << 6;
    let swapped =
        (0..12).filter(|bit| salt_bits >> bit & 1 == 1).fold(0u64, |mask, bit| mask | 1 << (23 - bit));
    let mut bytes = password.bytes().map(|byte| u64::from(byte & 0x7f) << 1).chain(std::iter::repeat(0));
    let key = (0..8).fold(0u64, |key, _| key << 8 | bytes.next().unwrap_or(0));
    let keys = round_keys(key);
    let (mut left, mut right) = (0u64, 0u64);
    for _ in 0..25 {
        for key in keys {
            (left, right) = (right, left ^ round(right, key, swapped));
        }
        (left, right) = (right, left);
    }
    let block = permuted(left << 32 | right, 64, (1..=64).map(final_place));
    let text =
        (0..11).map(|at| letter(u32::try_from(u128::from(block) << 2 >> (60 - 6 * at) & 63).unwrap_or(0)));
    salt.iter().map(|six| letter(u32::from(*six))).chain(text).collect()
}

/// Whether a hash is that password's. `None` where it is no such hash.
pub fn is_of(password: &str, stands: &str) -> Option<bool> {
    let is_one = stands.len() == 13 && stands.bytes().all(|letter| ALPHABET.contains(&letter));
    let salt = Salt::parse(stands).filter(|_| is_one)?;
    Some(hash(password, salt) == stands)
}

fn round_keys(key: u64) -> [u64; 16] {
    let both = permuted(key, 64, KEY_BITS.iter().map(|at| u64::from(*at)));
    let (mut high, mut low) = (both >> 28, both & 0xfff_ffff);
    let turned = |half: u64, by: u32| (half << by | half >> (28 - by)) & 0xfff_ffff;
    std::array::from_fn(|round| {
        let by = if [0, 1, 8, 15].contains(&round) { 1 } else { 2 };
        (high, low) = (turned(high, by), turned(low, by));
        permuted(high << 28 | low, 56, ROUND_BITS.iter().map(|at| u64::from(*at)))
    })
}

fn round(half: u64, key: u64, swapped: u64) -> u64 {
    // Six bits each: those of four, and their neighbours.
    let wide = permuted(half, 32, (0..48).map(|at| (4 * (at / 6) + at % 6 + 31) % 32 + 1));
    let change = (wide >> 24 ^ wide) & swapped;
    let mixed = wide ^ (change << 24 | change) ^ key;
    let boxed = BOXES.iter().enumerate().fold(0u64, |sum, (number, table)| {
        let six = mixed >> (42 - 6 * number) & 63;
        let at = (six >> 4 & 2 | six & 1) * 16 + (six >> 1 & 15);
        let value = usize::try_from(at).ok().and_then(|at| table.get(at)).copied().unwrap_or(0);
        sum << 4 | u64::from(value)
    });
    permuted(boxed, 32, MIXED.iter().map(|at| u64::from(*at)))
}

/// The bits of a value of that width at these places, counted from its highest, which is 1.
fn permuted(value: u64, width: u64, places: impl Iterator<Item = u64>) -> u64 {
    places.fold(0, |sum, at| sum << 1 | value >> (width - at) & 1)
}

/// Where the last permutation takes a bit from.
fn final_place(at: u64) -> u64 {
    let (row, column) = ((at - 1) / 8, (at - 1) % 8);
    // 40, 8, 48, 16, 56, 24, 64, 32; each row one less.
    8 * (column / 2 + 1) + if column % 2 == 0 { 32 } else { 0 } - row
}

const KEY_BITS: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44,
    36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20,
    12, 4,
];
const ROUND_BITS: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37,
    47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];
const MIXED: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6,
    22, 11, 4, 25,
];
const BOXES: [[u8; 64]; 8] = [
    [
        14, 4, 13, 1, 2, 15, 11, 8, 3, 10, 6, 12, 5, 9, 0, 7, 0, 15, 7, 4, 14, 2, 13, 1, 10, 6, 12, 11, 9, 5,
        3, 8, 4, 1, 14, 8, 13, 6, 2, 11, 15, 12, 9, 7, 3, 10, 5, 0, 15, 12, 8, 2, 4, 9, 1, 7, 5, 11, 3, 14,
        10, 0, 6, 13,
    ],
    [
        15, 1, 8, 14, 6, 11, 3, 4, 9, 7, 2, 13, 12, 0, 5, 10, 3, 13, 4, 7, 15, 2, 8, 14, 12, 0, 1, 10, 6, 9,
        11, 5, 0, 14, 7, 11, 10, 4, 13, 1, 5, 8, 12, 6, 9, 3, 2, 15, 13, 8, 10, 1, 3, 15, 4, 2, 11, 6, 7, 12,
        0, 5, 14, 9,
    ],
    [
        10, 0, 9, 14, 6, 3, 15, 5, 1, 13, 12, 7, 11, 4, 2, 8, 13, 7, 0, 9, 3, 4, 6, 10, 2, 8, 5, 14, 12, 11,
        15, 1, 13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5, 10, 14, 7, 1, 10, 13, 0, 6, 9, 8, 7, 4, 15, 14, 3,
        11, 5, 2, 12,
    ],
    [
        7, 13, 14, 3, 0, 6, 9, 10, 1, 2, 8, 5, 11, 12, 4, 15, 13, 8, 11, 5, 6, 15, 0, 3, 4, 7, 2, 12, 1, 10,
        14, 9, 10, 6, 9, 0, 12, 11, 7, 13, 15, 1, 3, 14, 5, 2, 8, 4, 3, 15, 0, 6, 10, 1, 13, 8, 9, 4, 5, 11,
        12, 7, 2, 14,
    ],
    [
        2, 12, 4, 1, 7, 10, 11, 6, 8, 5, 3, 15, 13, 0, 14, 9, 14, 11, 2, 12, 4, 7, 13, 1, 5, 0, 15, 10, 3, 9,
        8, 6, 4, 2, 1, 11, 10, 13, 7, 8, 15, 9, 12, 5, 6, 3, 0, 14, 11, 8, 12, 7, 1, 14, 2, 13, 6, 15, 0, 9,
        10, 4, 5, 3,
    ],
    [
        12, 1, 10, 15, 9, 2, 6, 8, 0, 13, 3, 4, 14, 7, 5, 11, 10, 15, 4, 2, 7, 12, 9, 5, 6, 1, 13, 14, 0, 11,
        3, 8, 9, 14, 15, 5, 2, 8, 12, 3, 7, 0, 4, 10, 1, 13, 11, 6, 4, 3, 2, 12, 9, 5, 15, 10, 11, 14, 1, 7,
        6, 0, 8, 13,
    ],
    [
        4, 11, 2, 14, 15, 0, 8, 13, 3, 12, 9, 7, 5, 10, 6, 1, 13, 0, 11, 7, 4, 9, 1, 10, 14, 3, 5, 12, 2, 15,
        8, 6, 1, 4, 11, 13, 12, 3, 7, 14, 10, 15, 6, 8, 0, 5, 9, 2, 6, 11, 13, 8, 1, 4, 10, 7, 9, 5, 0, 15,
        14, 2, 3, 12,
    ],
    [
        13, 2, 8, 4, 6, 15, 11, 1, 10, 9, 3, 14, 5, 0, 12, 7, 1, 15, 13, 8, 10, 3, 7, 4, 12, 5, 6, 11, 0, 14,
        9, 2, 7, 11, 4, 1, 9, 12, 14, 2, 0, 6, 10, 13, 15, 3, 5, 8, 2, 1, 14, 7, 4, 10, 8, 13, 15, 12, 9, 0,
        3, 5, 6, 11,
    ],
];

#[cfg(test)]
mod tests {
    use super::is_of;

    #[test]
    fn hashes_are_those_of_others() {
        assert_eq!(is_of("geheim1", "99ZQecQeuwxmo"), Some(true));
        assert_eq!(is_of("longer than eight", "YWv5e1A0916N6"), Some(true));
        assert_eq!(is_of("longe", "YWv5e1A0916N6"), Some(false));
        assert_eq!(is_of("longer than eight", "YWv5e1A0916N"), None);
        assert_eq!(is_of("y", "!?v5e1A0916N6"), None);
    }
}
