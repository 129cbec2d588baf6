//! The user's SSH key: `ssh-keygen`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Args, Said, told};
use crate::kit::{Command, Failure, Result, System, User};

/// What results tell about the key.
#[derive(Serialize)]
pub(super) struct Key {
    #[serde(rename = "ssh_key_file")]
    file: String,
    #[serde(rename = "ssh_fingerprint")]
    fingerprint: String,
    #[serde(rename = "ssh_public_key")]
    public: Option<String>,
}

/// Ensures that there is a key; one that is there stays as it is, unless `force` is given.
pub(super) fn ensure(args: &Args, user: &User, said: &mut Said, sys: &mut System<'_>) -> Result<Key> {
    let file = match &args.ssh_key_file {
        Some(file) if file.is_absolute() => file.0.clone(),
        Some(file) => Path::new(&user.home).join(&file.0),
        None => Path::new(&user.home).join(format!(".ssh/id_{}", args.ssh_key_type)),
    };
    let beside =
        file.with_file_name(format!("{}.pub", file.file_name().unwrap_or_default().to_string_lossy()));
    if clear([("private", &file), ("public", &beside)], args.force, sys)? {
        make(args, user, &file, said, sys)?;
    }
    let fingerprint = if sys.exists(&beside)? {
        let output = sys.query(Command::new("ssh-keygen").arg("-lf").arg(&beside))?;
        output.stdout().trim().to_owned()
    } else {
        String::new()
    };
    Ok(Key {
        file: file.to_string_lossy().into_owned(),
        fingerprint,
        public: sys.read_text_if_there(&beside)?.map(|text| text.trim().to_owned()),
    })
}

/// Whether nothing is where the key is to be. What the user put there is never written through: it may be a link.
fn clear(files: [(&str, &Path); 2], force: bool, sys: &mut System<'_>) -> Result<bool> {
    let mut there = Vec::new();
    for (what, path) in files {
        if sys.stat(path)?.is_some() {
            there.push((what, path));
        }
    }
    let Some((what, path)) = there.first() else { return Ok(true) };
    let found = format!("existing ssh key {what} file \"{}\"", path.display());
    if !force {
        sys.warn(format!("Found {found}, no force, so skipping ssh-keygen generation"));
        return Ok(false);
    }
    sys.warn(format!("Overwriting {found}"));
    for (_, path) in there {
        sys.discard(path)?;
    }
    Ok(true)
}

fn make(args: &Args, user: &User, file: &PathBuf, said: &mut Said, sys: &mut System<'_>) -> Result<()> {
    let dir = file.parent().unwrap_or(Path::new("/"));
    if !sys.exists(dir)? {
        if !sys.exists(dir.parent().unwrap_or(Path::new("/")))? {
            return Err(Failure::new(format!(
                "Failed to create {}: No such file or directory",
                dir.display()
            ))
            .with("name", &args.name)
            .with("rc", 1));
        }
        let script = "mkdir -m 0700 \"$1\" && chown \"$2\" \"$1\"";
        let command = Command::new("sh").args(["-c", script, "sh"]).arg(dir);
        said.by(command.arg(format!("{}:{}", user.uid, user.gid)), args, sys)?;
    }
    let nodename = sys.read_text_if_there(Path::new("/proc/sys/kernel/hostname"))?.unwrap_or_default();
    let comment = args.ssh_key_comment.replace("$HOSTNAME", nodename.trim());
    let command = Command::new("ssh-keygen")
        .args(["-q", "-t", &args.ssh_key_type])
        .opt("-b", args.ssh_key_bits)
        .args(["-C", &comment, "-f"])
        .arg(file);
    let made = match &args.ssh_key_passphrase {
        None => sys.exec(command.arg("-N").arg("")),
        Some(passphrase) => {
            // As an argument everybody on the machine could read it: ssh-keygen is made to ask.
            let asked = sys.scratch(None);
            if !sys.is_check() {
                sys.spool(&asked, 0o700, &mut ASK.as_bytes())?;
            }
            let command = command
                .env("SSH_ASKPASS", asked.to_string_lossy())
                .env("SSH_ASKPASS_REQUIRE", "force")
                .env("DISPLAY", ":0")
                .env("FANFARE_PASSPHRASE", passphrase.expose());
            let made = sys.exec(command);
            sys.discard(&asked)?;
            made
        }
    };
    let made = made.map_err(|failure| told(failure, &args.name))?;
    if made.is_some() {
        sys.hand_over(file, user.uid, user.gid)?;
        sys.hand_over(&PathBuf::from(format!("{}.pub", file.display())), user.uid, user.gid)?;
    }
    Ok(())
}

/// Answers ssh-keygen's questions.
const ASK: &str = "#!/bin/sh\nprintf '%s\\n' \"$FANFARE_PASSPHRASE\"\n";
