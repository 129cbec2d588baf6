//! Passwords: asked for before anything starts, or read from files.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::Config;
use crate::diagnostic::{Diagnostic, Result};
use crate::target::Secret;

/// Asks for the passwords that the options want, on the terminal. An empty answer to the second question repeats
/// the first password.
pub fn ask_passwords(config: &mut Config) -> Result<()> {
    if config.connection.ask_password {
        config.connection.password = Some(secret("SSH password: ")?);
    }
    if config.escalation.ask_password {
        let method = config.escalation.method.to_uppercase();
        config.escalation.password = Some(match &config.connection.password {
            Some(connection) if config.connection.ask_password => {
                let answer = secret(&format!("{method} password[defaults to SSH password]: "))?;
                if answer.expose().is_empty() { connection.clone() } else { answer }
            }
            _ => secret(&format!("{method} password: "))?,
        });
    }
    Ok(())
}

fn secret(prompt: &str) -> Result<Secret> {
    ask(prompt).map(Secret::new)
}

/// Asks for a password on the terminal.
pub fn ask(prompt: &str) -> Result<String> {
    rpassword::prompt_password(prompt).map_err(|error| {
        if error.kind() == std::io::ErrorKind::Interrupted {
            return Diagnostic::interrupted();
        }
        Diagnostic::new(format!("cannot ask for the password: {error}")).hint(
            "without a terminal, give it in a file: --connection-password-file, --become-password-file, \
             --vault-password-file",
        )
    })
}

/// The password in a file; an executable file is run and its output taken. One line break at the end is dropped.
pub fn password_file(path: &Path) -> Result<Secret> {
    let wrong = |what: String| Diagnostic::new(format!("the password file {}: {what}", path.display()));
    let meta = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?;
    let bytes = if meta.permissions().mode() & 0o111 != 0 {
        let program = std::path::absolute(path).map_err(|error| wrong(error.to_string()))?;
        let output =
            Command::new(program).output().map_err(|error| wrong(format!("cannot run it: {error}")))?;
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(wrong(format!("it ended with {}: {complaint}", output.status)));
        }
        output.stdout
    } else {
        std::fs::read(path).map_err(|error| wrong(error.to_string()))?
    };
    let text = String::from_utf8(bytes).map_err(|_| wrong("no valid UTF-8".to_owned()))?;
    let password = text.trim();
    if password.is_empty() { Err(wrong("it is empty".to_owned())) } else { Ok(Secret::new(password)) }
}
