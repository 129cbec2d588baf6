use std::str::FromStr;

use crate::diagnostic::Diagnostic;
use crate::target::hops::{methods, short_name};
use crate::target::programs;

/// A way to reach a host, by the name users give it (`-c`, `connection:`, `ansible_connection`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionKind {
    #[default]
    Ssh,
    /// By the `ssh` of the system.
    OpenSsh,
    Local,
    Program(&'static programs::Kind),
}

impl ConnectionKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::OpenSsh => "openssh",
            Self::Local => "local",
            Self::Program(kind) => kind.name,
        }
    }
}

/// A way to become another user, by the name users give it.
pub fn become_method(name: &str) -> Result<String, Diagnostic> {
    let short = short_name(name);
    if methods().any(|known| known == short) {
        return Ok(short.to_owned());
    }
    let known = methods().collect::<Vec<_>>().join(", ");
    Err(Diagnostic::new(format!("not supported yet: the become method {name:?}"))
        .hint(format!("fanfare becomes another user by {known}")))
}

impl FromStr for ConnectionKind {
    type Err = Diagnostic;

    fn from_str(name: &str) -> Result<Self, Diagnostic> {
        match name.strip_prefix("ansible.builtin.").unwrap_or(name) {
            // `smart` chose between ssh and paramiko, both of which are one thing here.
            "ssh" | "smart" | "paramiko" | "paramiko_ssh" | "ansible.netcommon.paramiko_ssh" => Ok(Self::Ssh),
            "openssh" => Ok(Self::OpenSsh),
            "local" => Ok(Self::Local),
            other => programs::find(other).map(Self::Program).ok_or_else(|| {
                let known: Vec<&str> = programs::names().collect();
                Diagnostic::new(format!("the connection plugin '{name}' was not found"))
                    .hint(format!("fanfare connects by ssh, local, openssh, {}", known.join(", ")))
            }),
        }
    }
}
