//! Adding a key to a `known_hosts` file.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use data_encoding::BASE64;
use russh::keys::PublicKey;

use super::entry::{Entry, hashed_name, kind_of};

/// Appends the key under `name`, once, whatever else adds to the file at the same time. Makes the file (0600)
/// and its directory (0700) when absent.
pub(crate) fn record(file: &Path, name: &str, key: &PublicKey, hashed: bool) -> io::Result<()> {
    let blob = key.to_bytes().map_err(io::Error::other)?;
    let kind = kind_of(&blob).ok_or_else(|| io::Error::other("the key has no type"))?;
    if let Some(parent) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(file)?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let known = |line: &str| Entry::about(name, line).is_some_and(|entry| entry.blob == blob);
    if String::from_utf8_lossy(&text).lines().any(known) {
        return Ok(());
    }
    let shown = if hashed {
        hashed_name(name, &salt()?).ok_or_else(|| io::Error::other("no salt"))?
    } else {
        name.to_owned()
    };
    let newline = if text.last().is_some_and(|&last| last != b'\n') { "\n" } else { "" };
    file.seek(SeekFrom::End(0))?;
    // One write: a reader never sees half a line.
    file.write_all(format!("{newline}{shown} {kind} {}\n", BASE64.encode(&blob)).as_bytes())
}

fn salt() -> io::Result<[u8; 20]> {
    let mut salt = [0; 20];
    File::open("/dev/urandom")?.read_exact(&mut salt)?;
    Ok(salt)
}
