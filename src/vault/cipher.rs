//! AES256 as Ansible's vault has it: PBKDF2-HMAC-SHA256, AES-256-CTR, HMAC-SHA256 over the ciphertext.

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const ROUNDS: u32 = 10_000;
/// What plain text is padded to.
const BLOCK: usize = 16;

/// The keys that a password and a salt give. To derive them is slow on purpose.
#[derive(Clone)]
pub(super) struct Derived {
    cipher: [u8; 32],
    mac: [u8; 32],
    counter: [u8; 16],
}

impl Derived {
    pub fn new(password: &[u8], salt: &[u8]) -> Self {
        let mut bytes = [0; 80];
        pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, ROUNDS, &mut bytes);
        let mut derived = Self { cipher: [0; 32], mac: [0; 32], counter: [0; 16] };
        let (cipher, rest) = bytes.split_at(32);
        let (mac, counter) = rest.split_at(32);
        derived.cipher.copy_from_slice(cipher);
        derived.mac.copy_from_slice(mac);
        derived.counter.copy_from_slice(counter);
        derived
    }

    /// The plain text; `None` when these are not the keys it was encrypted with, or it was tampered with.
    pub fn open(&self, ciphertext: &[u8], mac: &[u8]) -> Option<Vec<u8>> {
        self.mac()?.chain_update(ciphertext).verify_slice(mac).ok()?;
        let mut text = ciphertext.to_vec();
        self.stream(&mut text);
        let padding = usize::from(*text.last()?);
        let length = text.len().checked_sub(padding).filter(|_| (1..=BLOCK).contains(&padding))?;
        text.truncate(length);
        Some(text)
    }

    /// The ciphertext and its checksum.
    pub fn seal(&self, plain: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let padding = BLOCK - plain.len() % BLOCK;
        let mut text = plain.to_vec();
        text.resize(plain.len() + padding, u8::try_from(padding).ok()?);
        self.stream(&mut text);
        let mac = self.mac()?.chain_update(&text).finalize().into_bytes().to_vec();
        Some((text, mac))
    }

    fn stream(&self, text: &mut [u8]) {
        Ctr128BE::<Aes256>::new(&self.cipher.into(), &self.counter.into()).apply_keystream(text);
    }

    /// Any length of key will do for it.
    fn mac(&self) -> Option<Hmac<Sha256>> {
        Hmac::<Sha256>::new_from_slice(&self.mac).ok()
    }
}
