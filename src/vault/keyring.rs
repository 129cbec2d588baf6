//! The passwords of a run, and the keys derived from them.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use parking_lot::{Mutex, RwLock};

use super::cipher::Derived;
use super::envelope::Envelope;
use crate::diagnostic::{Diagnostic, Result};

/// The id of passwords that were given without one; text encrypted with it does not name it.
pub const DEFAULT_ID: &str = "default";

/// A password, as bytes: files of passwords may hold anything.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Password(Arc<[u8]>);

impl Password {
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// A password under its vault id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub id: String,
    pub password: Password,
}

/// Passwords to try, in order.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: Vec<Key>,
    /// Try only passwords whose id is the text's (`vault_id_match`).
    only_matching: bool,
}

/// Plain text, and the key that gave it.
pub struct Opened {
    pub text: Vec<u8>,
    pub key: Key,
}

/// Derived keys by password and salt, for the whole process.
type Cache = Mutex<HashMap<(Password, Vec<u8>), Derived>>;

static DERIVED: LazyLock<Cache> = LazyLock::new(Cache::default);
static HELD: LazyLock<RwLock<Arc<Keyring>>> = LazyLock::new(RwLock::default);

/// Adds to the passwords this process reads encrypted text with.
pub fn hold(keyring: Keyring) {
    let mut held = HELD.write();
    let mut keys = held.keys.clone();
    keys.extend(keyring.keys.into_iter().filter(|key| !held.keys.contains(key)));
    *held = Arc::new(Keyring { keys, only_matching: held.only_matching || keyring.only_matching });
}

/// The passwords this process reads encrypted text with.
pub fn held() -> Arc<Keyring> {
    HELD.read().clone()
}

impl Keyring {
    pub fn new(keys: Vec<Key>, only_matching: bool) -> Self {
        Self { keys, only_matching }
    }

    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Decrypts: first with the passwords of the text's own id, then with the others.
    pub fn open(&self, text: &[u8]) -> Result<Opened> {
        let envelope = Envelope::parse(text)?;
        if self.keys.is_empty() {
            return Err(Diagnostic::missing("Attempting to decrypt but no vault secrets found.").hint(
                "give the password with --vault-password-file, --vault-id or -J (--ask-vault-password)",
            ));
        }
        let label = envelope.label.as_deref().unwrap_or(DEFAULT_ID);
        let own = |key: &&Key| key.id == label;
        let others = self.keys.iter().filter(|key| !self.only_matching && !own(key));
        for key in self.keys.iter().filter(own).chain(others) {
            let derived = derive(&key.password, &envelope.salt);
            if let Some(text) = derived.open(&envelope.ciphertext, &envelope.mac) {
                return Ok(Opened { text, key: key.clone() });
            }
        }
        Err(self.wrong_password(&envelope))
    }

    fn wrong_password(&self, envelope: &Envelope) -> Diagnostic {
        let error =
            Diagnostic::missing("Decryption failed (no vault secrets were found that could decrypt).");
        let ids = list(self.keys.iter().map(|key| &*key.id));
        let label = envelope.label.as_deref().unwrap_or(DEFAULT_ID);
        let only = if self.only_matching { ", of which vault_id_match leaves only its own" } else { "" };
        error.hint(format!("it was encrypted with the vault id {label}; tried: {ids}{only}"))
    }
}

impl Key {
    /// Encrypts, with a random salt where none is given.
    pub fn seal(&self, plain: &[u8], salt: Option<&[u8]>) -> Result<String> {
        let salt = match salt {
            Some(salt) => salt.to_vec(),
            None => random(32)?,
        };
        let cannot = || Diagnostic::new("cannot encrypt");
        let (ciphertext, mac) = derive(&self.password, &salt).seal(plain).ok_or_else(cannot)?;
        let label = Some(self.id.clone()).filter(|id| id != DEFAULT_ID);
        Ok(Envelope { label, salt, mac, ciphertext }.write())
    }
}

/// Vault ids for a message, each once.
fn list<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for id in ids {
        if !seen.contains(&id) {
            seen.push(id);
        }
    }
    seen.join(", ")
}

fn derive(password: &Password, salt: &[u8]) -> Derived {
    let key = (password.clone(), salt.to_vec());
    if let Some(derived) = DERIVED.lock().get(&key) {
        return derived.clone();
    }
    // Not under the lock: others need not wait for what takes milliseconds.
    let derived = Derived::new(&password.0, salt);
    DERIVED.lock().entry(key).or_insert(derived).clone()
}

fn random(length: usize) -> Result<Vec<u8>> {
    let failed =
        |error: rustix::io::Errno| Diagnostic::new(format!("the system gives no random numbers: {error}"));
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        let rest = bytes.get_mut(filled..).unwrap_or_default();
        filled += rustix::rand::getrandom(rest, rustix::rand::GetRandomFlags::empty()).map_err(failed)?;
    }
    Ok(bytes)
}
