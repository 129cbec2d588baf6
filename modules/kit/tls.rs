//! Encrypting an open connection, by the target's `openssl`: the worker has no TLS of its own, which every host would be
//! sent (docs/decisions/databases.md).

use std::net::IpAddr;
use std::path::PathBuf;

use crate::kit::host::Connection;
use crate::kit::{Command, Failure, Result, System};

/// How a connection is encrypted.
#[derive(Default)]
pub struct Tls {
    /// The name or address that the other end is asked for by.
    pub host: String,
    /// The file of who may vouch for it; `None`: it may be anybody.
    pub authorities: Option<PathBuf>,
    /// Whether what is vouched for is that host.
    pub check_host: bool,
    /// Who we are, and the key that proves it.
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

impl Tls {
    /// The connection as it is inside. What is wrong with the other end is told by the first read.
    pub fn encrypt(&self, stream: Box<dyn Connection>, sys: &mut System<'_>) -> Result<Box<dyn Connection>> {
        for (what, file) in
            [("CA certificate", &self.authorities), ("certificate", &self.certificate), ("key", &self.key)]
        {
            if let Some(file) = file
                && !sys.exists(file)?
            {
                return Err(Failure::new(format!("the {what} {} does not exist", file.display())));
            }
        }
        let command = self.command(Command::new(sys.need("openssl")?));
        sys.encrypt(stream, &command)
    }

    fn command(&self, openssl: Command) -> Command {
        let is_address = self.host.parse::<IpAddr>().is_ok();
        // No key's passphrase is asked for.
        let mut command = openssl.args(["s_client", "-quiet", "-pass", "pass:"]);
        if !is_address {
            command = command.args(["-servername", &self.host]);
        }
        if let Some(file) = &self.authorities {
            command =
                command.args(["-no-CApath", "-verify_return_error", "-verify", "32", "-CAfile"]).arg(file);
        }
        if self.check_host {
            command = command.args([if is_address { "-verify_ip" } else { "-verify_hostname" }, &self.host]);
        }
        for (flag, file) in [("-cert", &self.certificate), ("-key", &self.key)] {
            if let Some(file) = file {
                command = command.arg(flag).arg(file);
            }
        }
        command
    }
}
