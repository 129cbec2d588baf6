//! SHA-1 of files of the control node: many hosts get the same file, which is read once for all of them.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

use super::content::sha1_of;

/// By what the file system says of a file, its content is known.
static KNOWN: LazyLock<Mutex<HashMap<Stamp, String>>> = LazyLock::new(Mutex::default);

/// A file written so lately may be written again within one tick of the file system's clock.
const FRESH: Duration = Duration::from_secs(2);

#[derive(PartialEq, Eq, Hash)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// The SHA-1 of a file, in hex.
pub(super) fn of_file(path: &Path, metadata: &Metadata) -> io::Result<String> {
    let stamp = Stamp {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    };
    if let Some(known) = KNOWN.lock().get(&stamp) {
        return Ok(known.clone());
    }
    let digest = sha1_of(File::open(path)?)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let changed = Duration::from_secs(stamp.changed.0.max(stamp.modified.0).unsigned_abs());
    if now > changed + FRESH {
        KNOWN.lock().insert(stamp, digest.clone());
    }
    Ok(digest)
}
