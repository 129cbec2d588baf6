//! Python's `random.Random`: the same seed picks the same items as it does there.

use num_bigint::BigUint;
use sha2::{Digest, Sha512};

use crate::value::Value;

const SIZE: usize = 624;
const MIDDLE: usize = 397;

/// The Mersenne Twister, seeded and read as Python does.
pub struct Random {
    state: [u32; SIZE],
    next: usize,
}

impl Random {
    /// `random.Random(seed)`. Python takes numbers and text as seeds; of anything else it is the text.
    pub fn seeded(seed: &Value) -> Self {
        let number = match seed {
            Value::Bool(flag) => BigUint::from(u8::from(*flag)),
            Value::Int(number) => BigUint::from(number.unsigned_abs()),
            Value::BigInt(number) => number.magnitude().clone(),
            other => {
                let text = other.to_string();
                let mut bytes = text.as_bytes().to_vec();
                bytes.extend_from_slice(&Sha512::digest(text.as_bytes()));
                BigUint::from_bytes_be(&bytes)
            }
        };
        Self::from_key(&number.to_u32_digits())
    }

    /// Unforeseeable, from the system.
    pub fn system() -> std::io::Result<Self> {
        let mut bytes = [0_u8; 32];
        fill(&mut bytes)?;
        let key: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(|chunk| u32::from_le_bytes(*chunk)).collect();
        Ok(Self::from_key(&key))
    }

    fn from_key(key: &[u32]) -> Self {
        let key = if key.is_empty() { &[0] } else { key };
        let mut random = Self { state: [0; SIZE], next: SIZE };
        let mut last = 19_650_218_u32;
        for (index, word) in (0_u32..).zip(&mut random.state) {
            if index > 0 {
                last = 1_812_433_253_u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(index);
            }
            *word = last;
        }
        let mut at = 1;
        let mut from_key = (0_u32..).zip(key).cycle();
        for _ in 0..SIZE.max(key.len()) {
            let (index, word) = from_key.next().unwrap_or((0, &0));
            random.mix(at, 1_664_525, |mixed| mixed.wrapping_add(*word).wrapping_add(index));
            at = random.after(at);
        }
        for _ in 1..SIZE {
            let index = u32::try_from(at).unwrap_or(0);
            random.mix(at, 1_566_083_941, |mixed| mixed.wrapping_sub(index));
            at = random.after(at);
        }
        if let Some(first) = random.state.first_mut() {
            *first = 0x8000_0000;
        }
        random
    }

    fn word(&self, at: usize) -> u32 {
        self.state.get(at % SIZE).copied().unwrap_or(0)
    }

    fn put(&mut self, at: usize, word: u32) {
        if let Some(place) = self.state.get_mut(at % SIZE) {
            *place = word;
        }
    }

    fn mix(&mut self, at: usize, factor: u32, add: impl Fn(u32) -> u32) {
        let before = self.word(at + SIZE - 1);
        self.put(at, add(self.word(at) ^ (before ^ (before >> 30)).wrapping_mul(factor)));
    }

    fn after(&mut self, at: usize) -> usize {
        if at + 1 < SIZE {
            return at + 1;
        }
        self.put(0, self.word(SIZE - 1));
        1
    }

    fn next_word(&mut self) -> u32 {
        if self.next >= SIZE {
            for at in 0..SIZE {
                let joined = (self.word(at) & 0x8000_0000) | (self.word(at + 1) & 0x7fff_ffff);
                let twist = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
                self.put(at, self.word(at + MIDDLE) ^ (joined >> 1) ^ twist);
            }
            self.next = 0;
        }
        let mut word = self.word(self.next);
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// `getrandbits(bits)`, for up to 64 bits.
    fn bits(&mut self, bits: u32) -> u64 {
        if bits <= 32 {
            return u64::from(self.next_word()) >> (32 - bits);
        }
        let low = u64::from(self.next_word());
        let high = u64::from(self.next_word()) >> (64 - bits);
        low | (high << 32)
    }

    /// A number from 0 to `end`, which is left out; 0 when `end` is.
    pub fn below(&mut self, end: u64) -> u64 {
        let bits = u64::BITS - end.leading_zeros();
        if bits == 0 {
            return 0;
        }
        loop {
            let number = self.bits(bits);
            if number < end {
                return number;
            }
        }
    }

    /// `choice(items)`.
    pub fn choice<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.index(items.len()))
    }

    /// `shuffle(items)`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.index(last + 1);
            items.swap(last, other);
        }
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }
}

/// Random bytes fit for secrets.
pub fn fill(bytes: &mut [u8]) -> std::io::Result<()> {
    use std::io::Read;
    std::fs::File::open("/dev/urandom")?.read_exact(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_what_python_picks() {
        let items: Vec<u32> = (0..60).collect();
        assert_eq!(Random::seeded(&"web1.example.com".into()).choice(&items), Some(&31));
        assert_eq!(Random::seeded(&"host1".into()).below(100), 62);
        assert_eq!(Random::seeded(&1.into()).below(5), 1);
        let mut ten: Vec<u32> = (0..10).collect();
        Random::seeded(&"web1".into()).shuffle(&mut ten);
        assert_eq!(ten, [2, 6, 7, 8, 1, 3, 0, 9, 4, 5]);
    }

    #[test]
    fn the_system_differs_each_time() {
        let numbers = || (0..8).map(|_| Random::system().unwrap().below(1 << 40)).collect::<Vec<_>>();
        assert_ne!(numbers(), numbers());
    }
}
