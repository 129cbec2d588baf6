//! As whom to act on the target.

use std::path::PathBuf;

use clap::Args;

use crate::config::{Config, become_method, password_file};
use crate::diagnostic::Result;

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Becoming another user")]
pub struct Escalation {
    /// Becomes another user on the target (asks for no password by itself: see -K)
    #[arg(short, long)]
    pub r#become: bool,
    /// How to become another user: sudo or su
    #[arg(long, value_name = "METHOD")]
    pub become_method: Option<String>,
    /// Whom to become
    #[arg(long, value_name = "USER")]
    pub become_user: Option<String>,
    /// Asks for the password that becoming needs
    #[arg(short = 'K', long, conflicts_with = "become_password_file")]
    pub ask_become_pass: bool,
    /// Reads that password from this file, or from the output of this executable
    #[arg(long, visible_alias = "become-pass-file", value_name = "FILE")]
    pub become_password_file: Option<PathBuf>,
}

impl Escalation {
    pub(super) fn settle(self, config: &mut Config) -> Result<()> {
        let escalation = &mut config.escalation;
        escalation.r#become |= self.r#become;
        if let Some(method) = self.become_method {
            escalation.method = become_method(&method)?;
        }
        if let Some(user) = self.become_user {
            escalation.user = user;
        }
        if self.ask_become_pass {
            escalation.ask_password = true;
        }
        if let Some(file) = self.become_password_file {
            escalation.password = Some(password_file(&file)?);
            escalation.ask_password = false;
        }
        Ok(())
    }
}
