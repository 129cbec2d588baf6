//! Encrypting an open connection, by the target's `openssl`: the worker has no TLS of its own, which every host would be
//! sent (docs/decisions/databases.md).

use std::net::IpAddr;
use std::path::PathBuf;

use crate::kit::host::Connection;
use crate::kit::{Command, Failure, Result, System};

/// How a connection is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The name or address that the other end is asked for by.
    pub host: String,
    pub trust: Trust,
    /// The name or address that has to be vouched for.
    pub name: Option<String>,
    /// Who we are, and the key that proves it.
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

/// Who may vouch for the other end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Nobody has to: it may be anybody.
    #[default]
    Unchecked,
    /// Those that the system trusts.
    System,
    /// Those in that file.
    File(PathBuf),
}

impl Trust {
    pub fn of(file: Option<PathBuf>) -> Self {
        file.map_or(Self::Unchecked, Self::File)
    }
}

impl Tls {
    /// The connection as it is inside. What is wrong with the other end is told by the first read.
    pub fn encrypt(&self, stream: Box<dyn Connection>, sys: &mut System<'_>) -> Result<Box<dyn Connection>> {
        let authorities = match &self.trust {
            Trust::File(file) => Some(file),
            Trust::Unchecked | Trust::System => None,
        };
        let (certificate, key) = (self.certificate.as_ref(), self.key.as_ref());
        for (what, file) in [("CA certificate", authorities), ("certificate", certificate), ("key", key)] {
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
        let is_address = |host: &str| host.parse::<IpAddr>().is_ok();
        // No key's passphrase is asked for.
        let mut command = openssl.args(["s_client", "-quiet", "-pass", "pass:"]);
        if !is_address(&self.host) {
            command = command.args(["-servername", &self.host]);
        }
        if self.trust != Trust::Unchecked {
            command = command.args(["-verify_return_error", "-verify", "32"]);
        }
        if let Trust::File(file) = &self.trust {
            command = command.args(["-no-CApath", "-CAfile"]).arg(file);
        }
        if let Some(name) = &self.name {
            command = command.args([if is_address(name) { "-verify_ip" } else { "-verify_hostname" }, name]);
        }
        for (flag, file) in [("-cert", &self.certificate), ("-key", &self.key)] {
            if let Some(file) = file {
                command = command.arg(flag).arg(file);
            }
        }
        command
    }
}
