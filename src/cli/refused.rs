//! Flags of Ansible's that fanfare knows and does not do.

use std::path::PathBuf;

use clap::Args;

use crate::diagnostic::{Diagnostic, Result};

/// Flags that every command of Ansible's has. They are refused, never ignored.
#[derive(Args, Debug, Default)]
pub struct RefusedEverywhere {
    /// Not supported yet: vaulted text
    #[arg(long, value_name = "ID", hide_short_help = true)]
    pub vault_id: Vec<String>,
    /// Not supported yet: vaulted text
    #[arg(short = 'J', long, visible_alias = "ask-vault-pass", hide_short_help = true)]
    pub ask_vault_password: bool,
    /// Not supported yet: vaulted text
    #[arg(long, visible_alias = "vault-pass-file", value_name = "FILE", hide_short_help = true)]
    pub vault_password_file: Vec<PathBuf>,
}

impl RefusedEverywhere {
    pub(super) fn refuse(&self) -> Result<()> {
        refuse("--vault-id", !self.vault_id.is_empty())?;
        refuse("-J (--ask-vault-password)", self.ask_vault_password)?;
        refuse("--vault-password-file", !self.vault_password_file.is_empty())
    }
}

/// An error when the flag was `given`.
pub(super) fn refuse(flag: &str, given: bool) -> Result<()> {
    if given { Err(Diagnostic::new(format!("not supported yet: {flag}"))) } else { Ok(()) }
}

/// `-M`: modules of one's own. Refused, since a module written in Python cannot run.
#[derive(Args, Debug, Default)]
pub struct ModulePath {
    /// Not supported: modules are native and built in
    #[arg(short = 'M', long, value_name = "DIR", hide_short_help = true)]
    pub module_path: Vec<PathBuf>,
}

impl ModulePath {
    pub(super) fn refuse(&self) -> Result<()> {
        if self.module_path.is_empty() {
            return Ok(());
        }
        Err(Diagnostic::new("not supported: -M (--module-path)")
            .hint("fanfare's modules are native and built in: `fanfare doc -l` lists them"))
    }
}
