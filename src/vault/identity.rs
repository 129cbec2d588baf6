//! Vault ids as users write them, and where their passwords come from.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Key, Password};
use crate::diagnostic::{Diagnostic, Result};

/// A vault id and where its password is to be had: `label@source`, or a source alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultId {
    pub id: String,
    pub source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Asked for on the terminal, by its vault id.
    Prompt,
    /// Asked for without naming a vault id (`--ask-vault-pass`).
    PlainPrompt,
    /// A file that holds it, or an executable that prints it.
    File(PathBuf),
}

/// What a password is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Open,
    /// For something new: asked for twice.
    New,
}

impl VaultId {
    pub fn parse(text: &str, default_id: &str) -> Self {
        let (id, source) = text.split_once('@').unwrap_or((default_id, text));
        let source = match source {
            "prompt" => Source::Prompt,
            "prompt_ask_vault_pass" => Source::PlainPrompt,
            path => Source::File(crate::path::expand_home(path)),
        };
        Self { id: id.to_owned(), source }
    }

    /// Gets the password. `ask` puts a question on the terminal.
    pub fn key(&self, purpose: Purpose, ask: &dyn Fn(&str) -> Result<String>) -> Result<Key> {
        let password = match &self.source {
            Source::File(path) => Password::new(from_file(path, &self.id)?),
            Source::Prompt | Source::PlainPrompt => Password::new(self.asked(purpose, ask)?.into_bytes()),
        };
        Ok(Key { id: self.id.clone(), password })
    }

    fn asked(&self, purpose: Purpose, ask: &dyn Fn(&str) -> Result<String>) -> Result<String> {
        let (plain, id) = (self.source == Source::PlainPrompt, &self.id);
        let questions = match (purpose, plain) {
            (Purpose::Open, true) => vec!["Vault password: ".to_owned()],
            (Purpose::Open, false) => vec![format!("Vault password ({id}): ")],
            (Purpose::New, true) => {
                vec!["New Vault password: ".to_owned(), "Confirm New Vault password: ".to_owned()]
            }
            (Purpose::New, false) => {
                vec![format!("New vault password ({id}): "), format!("Confirm new vault password ({id}): ")]
            }
        };
        let answers = questions.iter().map(|question| ask(question)).collect::<Result<Vec<_>>>()?;
        if answers.windows(2).any(|pair| pair.first() != pair.last()) {
            return Err(Diagnostic::new("Passwords do not match"));
        }
        let password = answers.first().map(|answer| answer.trim_end_matches(['\r', '\n']).to_owned());
        match password.filter(|password| !password.is_empty()) {
            Some(password) => Ok(password),
            None => Err(Diagnostic::new(format!("the vault password ({id}) is empty"))),
        }
    }
}

/// The password in a file, or printed by a program. Whitespace around it is no part of it.
fn from_file(path: &Path, id: &str) -> Result<Vec<u8>> {
    let shown = path.display();
    let meta = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Diagnostic::new(format!("The vault password file {shown} was not found"))
        }
        _ => Diagnostic::new(format!("Could not read vault password file {shown}: {error}")),
    })?;
    if meta.is_dir() {
        return Err(Diagnostic::new(format!(
            "The vault password file provided '{shown}' can not be a directory"
        )));
    }
    let bytes = if meta.permissions().mode() & 0o111 != 0 {
        printed_by(path, id)?
    } else {
        std::fs::read(path).map_err(|error| {
            Diagnostic::new(format!("Could not read vault password file {shown}: {error}"))
        })?
    };
    let password = bytes.trim_ascii();
    if password.is_empty() {
        return Err(Diagnostic::new(format!("Invalid vault password was provided from file ({shown})")));
    }
    if super::is_encrypted(password) {
        return Err(Diagnostic::new(format!("the vault password file {shown} is itself encrypted")));
    }
    Ok(password.to_vec())
}

/// What a program prints. One whose name ends in `-client` is told which vault id is wanted.
fn printed_by(path: &Path, id: &str) -> Result<Vec<u8>> {
    /// How a client says that it has no password for an id.
    const UNKNOWN: i32 = 2;
    let is_client = path.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("-client"));
    let what = if is_client { "Vault password client script" } else { "Vault password script" };
    let shown = path.display();
    let program = std::path::absolute(path).map_err(|error| {
        Diagnostic::new(format!("Problem running vault password script {shown}: {error}"))
    })?;
    let mut command = Command::new(program);
    if is_client {
        command.args(["--vault-id", id]);
    }
    let output = command.stdin(std::process::Stdio::inherit()).output().map_err(|error| {
        Diagnostic::new(format!("Problem running vault password script {shown}: {error}"))
            .hint("if it is a file that holds the password, it must not be executable")
    })?;
    let complaint = match String::from_utf8_lossy(&output.stderr).trim() {
        "" => String::new(),
        said => format!(": {said}"),
    };
    match output.status.code() {
        Some(0) => Ok(output.stdout),
        Some(UNKNOWN) if is_client => {
            Err(Diagnostic::new(format!("{what} {shown} did not find a secret for vault-id={id}{complaint}")))
        }
        Some(code) => Err(Diagnostic::new(format!("{what} {shown} returned non-zero ({code}){complaint}"))),
        None => Err(Diagnostic::new(format!("{what} {shown} was killed ({}){complaint}", output.status))),
    }
}
