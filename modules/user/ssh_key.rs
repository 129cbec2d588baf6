//! The user's SSH key: `ssh-keygen`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Args;
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

/// Ensures that there is a key; one that is there stays as it is.
pub(super) fn ensure(args: &Args, user: &User, sys: &mut System<'_>) -> Result<Key> {
    let file = match &args.ssh_key_file {
        Some(file) if file.is_absolute() => file.0.clone(),
        Some(file) => Path::new(&user.home).join(&file.0),
        None => Path::new(&user.home).join(format!(".ssh/id_{}", args.ssh_key_type)),
    };
    if !sys.exists(&file)? {
        make(args, user, &file, sys)?;
    }
    let beside =
        file.with_file_name(format!("{}.pub", file.file_name().unwrap_or_default().to_string_lossy()));
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

fn make(args: &Args, user: &User, file: &PathBuf, sys: &mut System<'_>) -> Result<()> {
    if args.ssh_key_passphrase.is_some() {
        // ssh-keygen takes it only as an argument, where everybody on the machine could read it.
        return Err(Failure::new(
            "ssh_key_passphrase is not supported yet: it would show in the process list",
        ));
    }
    let dir = file.parent().unwrap_or(Path::new("/"));
    for made in sys.make_dirs(dir, Some(0o700))? {
        sys.set_owner(&made, Some(user.uid), Some(user.gid), false)?;
    }
    let nodename = sys.read_text_if_there(Path::new("/proc/sys/kernel/hostname"))?.unwrap_or_default();
    let comment = args.ssh_key_comment.replace("$HOSTNAME", nodename.trim());
    let command = Command::new("ssh-keygen")
        .args(["-q", "-t", &args.ssh_key_type])
        .opt("-b", args.ssh_key_bits)
        .args(["-C", &comment, "-N", "", "-f"])
        .arg(file);
    if sys.exec(command)?.is_some() {
        sys.set_owner(file, Some(user.uid), Some(user.gid), false)?;
        let public = PathBuf::from(format!("{}.pub", file.display()));
        sys.set_owner(&public, Some(user.uid), Some(user.gid), false)?;
    }
    Ok(())
}
