use std::path::PathBuf;

use super::ask;
use crate::diagnostic::{Diagnostic, Result};
use crate::vault::{DEFAULT_ID, Key, Keyring, Purpose, Source, VaultId, hold};

/// Where the passwords of encrypted text come from, and how text is encrypted.
#[derive(Clone, Debug)]
pub struct VaultOptions {
    /// `label@source`, in the order in which they are tried.
    pub ids: Vec<String>,
    pub password_files: Vec<PathBuf>,
    pub ask_password: bool,
    /// The vault id of passwords that are given without one.
    pub default_id: String,
    /// The vault id to encrypt with.
    pub encrypt_id: Option<String>,
    /// Whether only passwords with the vault id of the text are tried.
    pub only_matching: bool,
    /// Instead of random ones.
    pub salt: Option<String>,
    /// Command lines.
    pub editor: String,
    pub pager: String,
}

impl Default for VaultOptions {
    fn default() -> Self {
        Self {
            ids: Vec::new(),
            password_files: Vec::new(),
            ask_password: false,
            default_id: DEFAULT_ID.to_owned(),
            encrypt_id: None,
            only_matching: false,
            salt: None,
            editor: "vi".to_owned(),
            pager: "less".to_owned(),
        }
    }
}

impl VaultOptions {
    /// All vault ids that were given, in the order in which they are tried.
    pub fn identities(&self) -> Vec<VaultId> {
        let default = |source| VaultId { id: self.default_id.clone(), source };
        let ids = self.ids.iter().map(|text| VaultId::parse(text, &self.default_id));
        let files = self.password_files.iter().map(|path| default(Source::File(path.clone())));
        let prompt = self.ask_password.then(|| default(Source::PlainPrompt));
        ids.chain(files).chain(prompt).collect()
    }

    /// Gets passwords; asks for those that are to be asked for. What cannot be had is a warning as long as there
    /// is another: an `ansible.cfg` that is shared names ids that not everybody has the password of.
    pub fn keys(ids: &[VaultId], purpose: Purpose, warnings: &mut Vec<Diagnostic>) -> Result<Vec<Key>> {
        let (mut keys, mut failures) = (Vec::new(), Vec::new());
        for id in ids {
            match id.key(purpose, &ask) {
                Ok(key) => keys.push(key),
                Err(error) => failures.push(error.context(format!("vault id {}", id.id))),
            }
        }
        match failures.pop() {
            Some(error) if keys.is_empty() => Err(error),
            last => {
                warnings.extend(failures);
                warnings.extend(last);
                Ok(keys)
            }
        }
    }

    /// Gets all passwords, so that encrypted files can be read from now on.
    pub fn unlock(&self, warnings: &mut Vec<Diagnostic>) -> Result<()> {
        let keys = Self::keys(&self.identities(), Purpose::Open, warnings)?;
        if !keys.is_empty() {
            hold(Keyring::new(keys, self.only_matching));
        }
        Ok(())
    }
}
