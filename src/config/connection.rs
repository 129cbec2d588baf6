use std::str::FromStr;

use crate::diagnostic::Diagnostic;
use crate::target::hops::methods;

/// A way to reach a host, by the name users give it (`-c`, `connection:`, `ansible_connection`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ConnectionKind {
    #[default]
    Ssh,
    Local,
}

/// A way to become another user, by the name users give it.
pub fn become_method(name: &str) -> Result<String, Diagnostic> {
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(name);
    if methods().any(|known| known == short) {
        return Ok(short.to_owned());
    }
    let known = methods().collect::<Vec<_>>().join(" and ");
    Err(Diagnostic::new(format!("not supported yet: the become method {name:?}"))
        .hint(format!("fanfare becomes another user by {known}")))
}

impl FromStr for ConnectionKind {
    type Err = Diagnostic;

    fn from_str(name: &str) -> Result<Self, Diagnostic> {
        match name.strip_prefix("ansible.builtin.").unwrap_or(name) {
            // `smart` chose between ssh and paramiko, both of which are one thing here.
            "ssh" | "smart" | "paramiko" | "paramiko_ssh" | "ansible.netcommon.paramiko_ssh" => Ok(Self::Ssh),
            "local" => Ok(Self::Local),
            _ => Err(Diagnostic::new(format!("not supported yet: the connection {name:?}"))
                .hint("fanfare connects by ssh and local")),
        }
    }
}
