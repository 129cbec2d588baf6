//! Encrypted SMTP, by `curl`. What it is told goes to its standard input: nothing of it shows in the list of processes.

use std::fmt::Write as _;

use super::{Args, Letter};
use crate::kit::{Command, Failure, Result, System};

/// Sends it; `scheme` is `smtps`, or `smtp` for a session that becomes encrypted.
pub fn send(scheme: &str, args: &Args, letter: &Letter, sys: &mut System<'_>) -> Result<()> {
    let curl = sys.which("curl").ok_or_else(|| {
        Failure::new(
            "an encrypted session needs curl on the target, and there is none: install it, or \
                      give secure: never",
        )
    })?;
    let spool = sys.scratch(None);
    sys.spool(&spool, 0o600, &mut letter.text.as_bytes())?;
    let config = config(scheme, args, letter, &spool.to_string_lossy());
    let output = sys.query(Command::new(curl).args(["-q", "-K", "-"]).stdin(config));
    sys.discard(&spool)?;
    let output = output?;
    if output.ok() {
        return Ok(());
    }
    let said = output.stderr();
    let said = said.trim().trim_start_matches("curl:").trim();
    Err(Failure::new(format!("Failed to send mail by {scheme} to {}:{}: {said}", args.host, args.port))
        .with("rc", 1))
}

/// The options, as a configuration file.
fn config(scheme: &str, args: &Args, letter: &Letter, spool: &str) -> String {
    // As Ansible, which takes any certificate.
    let mut text = "silent\nshow-error\ngloboff\ninsecure\nssl-reqd\n".to_owned();
    let mut set = |name: &str, value: &str| {
        let quoted =
            value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name} = \"{quoted}\"");
    };
    set("url", &format!("{scheme}://{}:{}/{}", args.host, args.port, letter.me));
    set("connect-timeout", &args.timeout.max(1).to_string());
    set("speed-time", &args.timeout.max(1).to_string());
    set("speed-limit", "1");
    set("noproxy", "*");
    set("mail-from", &letter.from);
    for mailbox in &letter.to {
        set("mail-rcpt", mailbox);
    }
    if let (Some(user), Some(password)) = (&args.username, &args.password) {
        set("user", &format!("{user}:{}", password.expose()));
    }
    set("upload-file", spool);
    text
}
