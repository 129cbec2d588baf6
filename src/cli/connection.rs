//! As whom and how to connect.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::config::{Config, password_file};
use crate::diagnostic::{Diagnostic, Result};

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// Connects as this user
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// How to connect: ssh or local
    #[arg(short, long, value_name = "CONNECTION")]
    pub connection: Option<String>,
    /// Seconds to wait for a connection
    #[arg(short = 'T', long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// The private key to authenticate with
    #[arg(long, visible_alias = "key-file", value_name = "FILE")]
    pub private_key: Option<PathBuf>,
    /// Asks for the connection password
    #[arg(short = 'k', long, conflicts_with = "connection_password_file")]
    pub ask_pass: bool,
    /// Reads the connection password from this file, or from the output of this executable
    #[arg(long, visible_alias = "conn-pass-file", value_name = "FILE")]
    pub connection_password_file: Option<PathBuf>,
    /// Options of ssh for every connection, as `-o ProxyJump=bastion`
    #[arg(long, allow_hyphen_values = true, value_name = "ARGS")]
    pub ssh_common_args: Option<String>,
    /// More options of ssh
    #[arg(long, allow_hyphen_values = true, value_name = "ARGS")]
    pub ssh_extra_args: Option<String>,
    /// Accepted for Ansible's sake: files travel inside the one connection, sftp is not used
    #[arg(long, allow_hyphen_values = true, value_name = "ARGS", hide_short_help = true)]
    pub sftp_extra_args: Option<String>,
    /// Accepted for Ansible's sake: files travel inside the one connection, scp is not used
    #[arg(long, allow_hyphen_values = true, value_name = "ARGS", hide_short_help = true)]
    pub scp_extra_args: Option<String>,
}

impl ConnectionArgs {
    pub(super) fn settle(self, config: &mut Config) -> Result<()> {
        for (flag, given) in
            [("--sftp-extra-args", &self.sftp_extra_args), ("--scp-extra-args", &self.scp_extra_args)]
        {
            if given.is_some() {
                let message = format!("{flag} has no effect: files travel inside the one connection");
                config.warnings.push(Diagnostic::new(message));
            }
        }
        let connection = &mut config.connection;
        if let Some(name) = self.connection {
            connection.kind = name.parse()?;
        }
        if self.user.is_some() {
            connection.user = self.user;
        }
        if let Some(seconds) = self.timeout {
            connection.timeout = Duration::from_secs(seconds);
        }
        if self.private_key.is_some() {
            connection.private_key = self.private_key;
        }
        if let Some(args) = self.ssh_common_args {
            connection.ssh_common_args = args;
        }
        if let Some(args) = self.ssh_extra_args {
            connection.ssh_extra_args = args;
        }
        if self.ask_pass {
            connection.ask_password = true;
        }
        if let Some(file) = self.connection_password_file {
            connection.password = Some(password_file(&file)?);
            connection.ask_password = false;
        }
        Ok(())
    }
}
