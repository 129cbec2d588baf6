//! `fanfare vault`: encrypts, decrypts, shows and edits, as `ansible-vault` does.

mod edit;
mod files;
mod string;

use std::path::{Path, PathBuf};

use self::files::{Access, Text};
use super::Exit;
use crate::cli::{NewKey, VaultAction, VaultCommand};
use crate::config::{Config, VaultOptions};
use crate::diagnostic::{Diagnostic, Result};
use crate::output;
use crate::vault::{Key, Keyring, Opened, Purpose, Source, VaultId, is_encrypted};

pub(super) fn vault(command: VaultCommand, mut config: Config) -> Result<Exit> {
    match perform(command.action, &mut config) {
        Ok(()) => Ok(Exit::Done),
        Err(Stop::Error(error)) => Err(error),
        Err(Stop::Misuse(error)) => {
            output::report_error(&error);
            Ok(Exit::Usage)
        }
    }
}

/// Why a command ends before it is done.
enum Stop {
    Error(Diagnostic),
    /// The options do not go together, or there is nothing to do.
    Misuse(Diagnostic),
}

impl From<Diagnostic> for Stop {
    fn from(error: Diagnostic) -> Self {
        Self::Error(error)
    }
}

impl Stop {
    fn misuse(message: impl Into<String>) -> Self {
        Self::Misuse(Diagnostic::new(message))
    }
}

fn perform(action: VaultAction, config: &mut Config) -> Result<(), Stop> {
    match action {
        VaultAction::Encrypt { files, output } => {
            let pairs = pairs(files, output)?;
            let locker = Locker::new(config)?;
            for (input, output) in pairs {
                encrypt(&locker, &input, &output)?;
            }
            output::note_on_terminal("Encryption successful")?;
        }
        VaultAction::Decrypt { files, output } => {
            let pairs = pairs(files, output)?;
            let keyring = keyring(config)?;
            for (input, output) in pairs {
                let opened = open(&keyring, &input, "decrypt")?;
                output.write(&opened.text, Access::Private)?;
            }
            output::note_on_terminal("Decryption successful")?;
        }
        VaultAction::View { files } => {
            let keyring = keyring(config)?;
            for file in texts(files) {
                let opened = open(&keyring, &file, "view")?;
                files::show(&opened.text, &config.vault.pager)?;
            }
        }
        VaultAction::Rekey { files, new } => rekey(texts(files), &new, config)?,
        VaultAction::EncryptString { text, output } => {
            let values = string::values(text)?;
            let locker = Locker::new(config)?;
            string::encrypt(&values, &locker, output.map_or(Text::Streams, Text::File))?;
            output::note_on_terminal("Encryption successful")?;
        }
        VaultAction::Create { file, skip_tty_check } => {
            edit::check_terminal(skip_tty_check)?;
            if file.exists() {
                let message = format!("{} exists, please use 'edit' instead", file.display());
                return Err(Diagnostic::new(message).into());
            }
            let locker = Locker::new(config)?;
            let text = edit::edit(b"", &file, &config.vault.editor)?;
            let sealed = locker.seal(&text)?;
            Text::File(file).write(sealed.as_bytes(), Access::Private)?;
        }
        VaultAction::Edit { files } => {
            let keyring = keyring(config)?;
            for file in files {
                edit_file(&file, &keyring, config)?;
            }
        }
    }
    Ok(())
}

fn encrypt(locker: &Locker, input: &Text, output: &Text) -> Result<()> {
    let plain = input.read()?;
    if is_encrypted(&plain) {
        return Err(Diagnostic::new("input is already encrypted").context(input));
    }
    output.write(locker.seal(&plain)?.as_bytes(), Access::Private)
}

fn rekey(files: Vec<Text>, new: &NewKey, config: &mut Config) -> Result<(), Stop> {
    let keyring = keyring(config)?;
    let default = |source| VaultId { id: config.vault.default_id.clone(), source };
    let id = match new {
        NewKey::Ask => default(Source::PlainPrompt),
        NewKey::File(path) => default(Source::File(path.clone())),
        NewKey::Id(text) => VaultId::parse(text, &config.vault.default_id),
    };
    let keys = VaultOptions::keys(&[id], Purpose::New, &mut config.warnings)?;
    let locker = Locker::of(&keys, config)?;
    // All of them are opened before any is written: one that cannot be leaves the others as they are.
    let opened = files.iter().map(|file| open(&keyring, file, "rekey")).collect::<Result<Vec<_>>>()?;
    for (file, opened) in files.iter().zip(opened) {
        file.write(locker.seal(&opened.text)?.as_bytes(), Access::AsBefore)?;
    }
    output::note("Rekey successful")?;
    Ok(())
}

/// Edits one file; it is written anew only where its text has changed.
fn edit_file(path: &Path, keyring: &Keyring, config: &Config) -> Result<(), Stop> {
    let file = Text::File(path.to_owned());
    let opened = open(keyring, &file, "edit")?;
    let locker = match &config.vault.encrypt_id {
        Some(_) => Locker::of(keyring.keys(), config)?,
        None => Locker { key: opened.key, salt: config.vault.salt.clone() },
    };
    let text = edit::edit(&opened.text, path, &config.vault.editor)?;
    if text != opened.text {
        file.write(locker.seal(&text)?.as_bytes(), Access::AsBefore)?;
    }
    Ok(())
}

fn open(keyring: &Keyring, file: &Text, verb: &str) -> Result<Opened> {
    let sealed = file.read()?;
    keyring.open(&sealed).map_err(|error| error.context(format!("Failed to {verb} '{file}'")))
}

/// What encrypts.
struct Locker {
    key: Key,
    salt: Option<String>,
}

impl Locker {
    /// With the passwords of the settings; without any, a new one is asked for.
    fn new(config: &mut Config) -> Result<Self, Stop> {
        let keys = keys(config, Purpose::New)?;
        Self::of(&keys, config)
    }

    fn of(keys: &[Key], config: &Config) -> Result<Self, Stop> {
        let salt = config.vault.salt.clone();
        let ids: Vec<&str> = keys.iter().map(|key| &*key.id).collect();
        match (&config.vault.encrypt_id, keys) {
            (Some(id), _) => match keys.iter().find(|key| key.id == *id) {
                Some(key) => Ok(Self { key: key.clone(), salt }),
                None => Err(Diagnostic::new(format!(
                    "Did not find a match for --encrypt-vault-id={id} in the known vault-ids {ids:?}"
                ))
                .into()),
            },
            (None, [key]) => Ok(Self { key: key.clone(), salt }),
            (None, _) => Err(Stop::misuse(format!(
                "The vault-ids {} are available to encrypt. Specify the vault-id to encrypt with \
                 --encrypt-vault-id",
                ids.join(",")
            ))),
        }
    }

    fn seal(&self, plain: &[u8]) -> Result<String> {
        self.key.seal(plain, self.salt.as_deref().map(str::as_bytes))
    }
}

fn keyring(config: &mut Config) -> Result<Keyring> {
    let keys = keys(config, Purpose::Open)?;
    Ok(Keyring::new(keys, config.vault.only_matching))
}

fn keys(config: &mut Config, purpose: Purpose) -> Result<Vec<Key>> {
    let mut ids = config.vault.identities();
    if ids.is_empty() {
        ids.push(VaultId { id: config.vault.default_id.clone(), source: Source::PlainPrompt });
    }
    let keys = VaultOptions::keys(&ids, purpose, &mut config.warnings);
    output::announce(config);
    keys
}

/// Where each text comes from and goes to: back into its file, or where `--output` says.
fn pairs(files: Vec<PathBuf>, output: Option<PathBuf>) -> Result<Vec<(Text, Text)>, Stop> {
    if files.len() > 1 && output.is_some() {
        return Err(Stop::misuse("At most one input file may be used with the --output option"));
    }
    let inputs = texts(files);
    Ok(inputs
        .into_iter()
        .map(|input| {
            let output = output.clone().map_or_else(|| input.clone(), Text::of);
            (input, output)
        })
        .collect())
}

/// Stdin when no file is named.
fn texts(files: Vec<PathBuf>) -> Vec<Text> {
    if files.is_empty() { vec![Text::Streams] } else { files.into_iter().map(Text::of).collect() }
}
