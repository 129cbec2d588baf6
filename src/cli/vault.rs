use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Verbosity;
use crate::config::Config;
use crate::diagnostic::Result;

/// Passwords for encrypted files and values, as every command takes them.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Encrypted files and values")]
pub struct VaultPasswords {
    /// A password for encrypted files and values: `LABEL@SOURCE`, where the source is a file, an executable
    /// that prints it, or `prompt`. May be given several times
    #[arg(long, value_name = "ID", hide_short_help = true)]
    pub vault_id: Vec<String>,
    /// Asks for the password of encrypted files and values
    #[arg(short = 'J', long, visible_alias = "ask-vault-pass", conflicts_with = "vault_password_file")]
    pub ask_vault_password: bool,
    /// The password of encrypted files and values is in this file, or printed by this executable
    #[arg(long, visible_alias = "vault-pass-file", value_name = "FILE")]
    pub vault_password_file: Vec<PathBuf>,
}

impl VaultPasswords {
    /// Gets the passwords, so that what is read from now on may be encrypted.
    pub(super) fn settle(self, config: &mut Config) -> Result<()> {
        self.note(config);
        config.vault.unlock(&mut config.warnings)
    }

    fn note(self, config: &mut Config) {
        let vault = &mut config.vault;
        vault.ids.extend(self.vault_id);
        vault.ask_password |= self.ask_vault_password;
        vault.password_files.extend(self.vault_password_file);
    }
}

/// Encrypts files and values, and shows or edits what is encrypted
///
/// The format is Ansible's.
///
///     fanfare vault encrypt group_vars/all/secret.yml
///     fanfare vault encrypt_string --name api_key 'the key' >> vars.yml
///     fanfare vault edit --vault-id prod@prompt secret.yml
///
/// Without a password option, and none in the settings, the password is asked for. `edit` and `create` use
/// $EDITOR.
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct VaultArgs {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Makes a new encrypted file in the editor
    Create {
        #[command(flatten)]
        files: OneFile,
        #[command(flatten)]
        encrypting: Encrypting,
        /// Opens the editor even without a terminal
        #[arg(long)]
        skip_tty_check: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Decrypts files
    Decrypt {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        output: OutputFile,
        #[command(flatten)]
        common: Common,
    },
    /// Changes encrypted files in the editor
    Edit {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        encrypting: Encrypting,
        #[command(flatten)]
        common: Common,
    },
    /// Shows encrypted files
    View {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        common: Common,
    },
    /// Encrypts files
    Encrypt {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        output: OutputFile,
        #[command(flatten)]
        encrypting: Encrypting,
        #[command(flatten)]
        common: Common,
    },
    /// Encrypts values, to be pasted into YAML files
    #[command(name = "encrypt_string")]
    EncryptString {
        /// The values; `-` for stdin
        #[arg(value_name = "TEXT")]
        texts: Vec<String>,
        /// Asks for the value
        #[arg(short, long)]
        prompt: bool,
        /// Shows what is typed there
        #[arg(long)]
        show_input: bool,
        /// The variable's name. May be given several times, in the order of the values
        #[arg(short, long, value_name = "NAME")]
        name: Vec<String>,
        /// The name of the variable whose value comes from stdin
        #[arg(long, value_name = "NAME")]
        stdin_name: Option<String>,
        #[command(flatten)]
        output: OutputFile,
        #[command(flatten)]
        encrypting: Encrypting,
        #[command(flatten)]
        common: Common,
    },
    /// Encrypts files with another password
    Rekey {
        #[command(flatten)]
        files: Files,
        /// The new password is in this file, or printed by this executable
        #[arg(long, value_name = "FILE", conflicts_with = "new_vault_id")]
        new_vault_password_file: Option<PathBuf>,
        /// The new password, as with --vault-id
        #[arg(long, value_name = "ID")]
        new_vault_id: Option<String>,
        #[command(flatten)]
        encrypting: Encrypting,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Args, Debug)]
pub struct Files {
    /// Files; stdin when there are none
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub struct OneFile {
    /// The file to make
    #[arg(value_name = "FILE", required = true)]
    pub file: PathBuf,
}

#[derive(Args, Debug)]
pub struct OutputFile {
    /// Writes there instead of into the file itself; `-` for stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Encrypting {
    /// The vault id to encrypt with, where several are given
    #[arg(long, value_name = "ID")]
    pub encrypt_vault_id: Option<String>,
}

#[derive(Args, Debug)]
pub struct Common {
    #[command(flatten)]
    pub verbosity: Verbosity,
    #[command(flatten)]
    pub passwords: VaultPasswords,
}

/// What `fanfare vault` is to do; the passwords are in the [`Config`].
#[derive(Debug)]
pub struct VaultCommand {
    pub action: VaultAction,
}

#[derive(Debug)]
pub enum VaultAction {
    Create { file: PathBuf, skip_tty_check: bool },
    Decrypt { files: Vec<PathBuf>, output: Option<PathBuf> },
    Edit { files: Vec<PathBuf> },
    View { files: Vec<PathBuf> },
    Encrypt { files: Vec<PathBuf>, output: Option<PathBuf> },
    EncryptString { text: Text, output: Option<PathBuf> },
    Rekey { files: Vec<PathBuf>, new: NewKey },
}

/// The values for `encrypt_string`.
#[derive(Debug)]
pub struct Text {
    pub texts: Vec<String>,
    pub names: Vec<String>,
    pub prompt: bool,
    pub show_input: bool,
    pub stdin_name: Option<String>,
}

/// The password that `rekey` changes to.
#[derive(Debug)]
pub enum NewKey {
    Ask,
    File(PathBuf),
    Id(String),
}

impl VaultArgs {
    pub(super) fn settle(self, config: &mut Config) -> VaultCommand {
        let mut settle = |common: Common, encrypting: Option<Encrypting>| {
            common.verbosity.settle(config);
            common.passwords.note(config);
            if let Some(id) = encrypting.and_then(|encrypting| encrypting.encrypt_vault_id) {
                config.vault.encrypt_id = Some(id);
            }
        };
        let action = match self.action {
            Action::Create { files, encrypting, common, skip_tty_check } => {
                settle(common, Some(encrypting));
                VaultAction::Create { file: files.file, skip_tty_check }
            }
            Action::Decrypt { files, output, common } => {
                settle(common, None);
                VaultAction::Decrypt { files: files.files, output: output.output }
            }
            Action::Edit { files, encrypting, common } => {
                settle(common, Some(encrypting));
                VaultAction::Edit { files: files.files }
            }
            Action::View { files, common } => {
                settle(common, None);
                VaultAction::View { files: files.files }
            }
            Action::Encrypt { files, output, encrypting, common } => {
                settle(common, Some(encrypting));
                VaultAction::Encrypt { files: files.files, output: output.output }
            }
            Action::EncryptString {
                texts,
                prompt,
                show_input,
                name,
                stdin_name,
                output,
                encrypting,
                common,
            } => {
                settle(common, Some(encrypting));
                let text = Text { texts, names: name, prompt, show_input, stdin_name };
                VaultAction::EncryptString { text, output: output.output }
            }
            Action::Rekey { files, new_vault_password_file, new_vault_id, encrypting, common } => {
                settle(common, Some(encrypting));
                let new = match (new_vault_password_file, new_vault_id) {
                    (Some(file), _) => NewKey::File(file),
                    (None, Some(id)) => NewKey::Id(id),
                    (None, None) => NewKey::Ask,
                };
                VaultAction::Rekey { files: files.files, new }
            }
        };
        VaultCommand { action }
    }
}
