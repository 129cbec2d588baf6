//! Keys in files.

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{Certificate, PrivateKey, PublicKey, decode_secret_key};

use crate::target::{Asker, Secret};

/// What a key file gives.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// Known where the file, or the `.pub` beside it, tells it without a passphrase.
    pub public: Option<PublicKey>,
    pub certificate: Option<Certificate>,
    /// The key, or why we cannot use it.
    pub private: Result<Arc<PrivateKey>, String>,
    /// Whether a passphrase would give it.
    pub locked: bool,
}

/// The files looked for when none is named.
pub(super) const USUAL: &[&str] =
    &["id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk", "id_ecdsa_sk", "id_dsa"];

/// Keys that were read, once a run.
#[derive(Debug, Default)]
pub(super) struct Keychain {
    read: Mutex<HashMap<PathBuf, Arc<Identity>>>,
    /// Keys whose passphrase was asked for; one question at a time.
    asked: tokio::sync::Mutex<HashSet<PathBuf>>,
}

/// How often a passphrase may be wrong, as with OpenSSH.
const TRIES: usize = 3;

impl Keychain {
    /// The file's key. A file that is not there is an identity without keys that says so.
    pub(super) fn identity(&self, path: &Path, uid: u32) -> Arc<Identity> {
        if let Some(identity) = self.lock().get(path) {
            return Arc::clone(identity);
        }
        let identity = Arc::new(read(path, uid));
        self.lock().insert(path.to_owned(), Arc::clone(&identity));
        identity
    }

    /// Asks for the passphrase of a locked key, once a run; says whether the key is there now.
    pub(super) async fn unlock(&self, path: &Path, ask: &Asker) -> bool {
        let mut asked = self.asked.lock().await;
        if asked.insert(path.to_owned()) {
            let (file, ask) = (path.to_owned(), Arc::clone(ask));
            let key = tokio::task::spawn_blocking(move || open(&file, &ask)).await.ok().flatten();
            if let Some(key) = key {
                let public = Some(key.public_key().clone());
                let mut read = self.lock();
                let certificate = read.get(path).and_then(|identity| identity.certificate.clone());
                let identity = Identity { public, certificate, private: Ok(Arc::new(key)), locked: false };
                read.insert(path.to_owned(), Arc::new(identity));
            }
        }
        self.lock().get(path).is_some_and(|identity| identity.private.is_ok())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, Arc<Identity>>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(path: &Path, ask: &Asker) -> Option<PrivateKey> {
    let text = std::fs::read_to_string(path).ok()?;
    for _ in 0..TRIES {
        let passphrase = ask(&format!("Enter passphrase for key '{}': ", path.display()))?;
        if passphrase.expose().is_empty() {
            return None;
        }
        if let Ok(key) = decode_secret_key(&text, Some(passphrase.expose())) {
            return Some(key);
        }
    }
    None
}

fn read(path: &Path, uid: u32) -> Identity {
    let beside = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        std::fs::read_to_string(PathBuf::from(name)).ok()
    };
    let certificate = beside("-cert.pub").and_then(|text| Certificate::from_openssh(text.trim()).ok());
    let mut public = beside(".pub").and_then(|text| PublicKey::from_openssh(text.trim()).ok());
    let private = private(path, uid, &mut public).map(Arc::new);
    let locked = private.as_ref().is_err_and(|reason| *reason == encrypted(path));
    Identity { public, certificate, private, locked }
}

/// Reads the private key; fills in the public one where the file tells it.
fn private(path: &Path, uid: u32, public: &mut Option<PublicKey>) -> Result<PrivateKey, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("Identity file {shown} not accessible: {}", super::os_text(&error)))?;
    // A public key as identity chooses one of the agent's.
    if let Ok(key) = PublicKey::from_openssh(text.trim()) {
        *public = Some(key);
        return Err(format!("{shown} is a public key, and no agent has the private one"));
    }
    let metadata = path.metadata().map_err(|error| error.to_string())?;
    if metadata.uid() == uid && metadata.mode() & 0o077 != 0 {
        return Err(format!(
            "Permissions {:04o} for '{shown}' are too open: others must not read a private key (chmod 600 {shown})",
            metadata.mode() & 0o777
        ));
    }
    if let Ok(key) = PrivateKey::from_openssh(&text) {
        *public = Some(key.public_key().clone());
        return match key.key_data() {
            _ if key.is_encrypted() => Err(encrypted(path)),
            KeypairData::SkEcdsaSha2NistP256(_) | KeypairData::SkEd25519(_) => {
                Err(format!("{shown} is on a security key: add it to ssh-agent (ssh-add {shown})"))
            }
            _ => Ok(key),
        };
    }
    match decode_secret_key(&text, None) {
        Ok(key) => {
            *public = Some(key.public_key().clone());
            Ok(key)
        }
        Err(russh::keys::Error::KeyIsEncrypted) => Err(encrypted(path)),
        Err(_) if text.contains("ENCRYPTED") => Err(encrypted(path)),
        Err(error) => Err(format!("Load key \"{shown}\": {error}")),
    }
}

/// A key given as text.
pub(super) fn parse(text: &Secret, passphrase: Option<&Secret>) -> Result<Arc<PrivateKey>, String> {
    // Text in a variable often lost its last line's end.
    let text = format!("{}\n", text.expose().trim());
    let key = decode_secret_key(&text, passphrase.map(Secret::expose));
    key.map(Arc::new).map_err(|error| match (error, passphrase) {
        (russh::keys::Error::KeyIsEncrypted, None) => {
            "ansible_private_key is protected by a passphrase: set ansible_private_key_passphrase".to_owned()
        }
        (error, _) => format!("ansible_private_key: {error}"),
    })
}

fn encrypted(path: &Path) -> String {
    let shown = path.display();
    format!("the key {shown} is protected by a passphrase: add it to ssh-agent (ssh-add {shown})")
}
