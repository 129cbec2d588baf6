//! SHA-1 of files of the control node: many hosts get the same file, which is read once for all of them.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

use super::content::sha1_of;

/// By what the file system says of a file, its content is known, or will be.
static KNOWN: LazyLock<Mutex<HashMap<Stamp, Later>>> = LazyLock::new(Mutex::default);

/// From this size on a file is read while it is already sent.
const LARGE: u64 = 16 << 20;

/// A file written so lately may be written again within one tick of the file system's clock.
const FRESH: Duration = Duration::from_secs(2);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// The SHA-1 of a file, in hex, once it is known; an error in words.
#[derive(Clone, Default)]
pub(super) struct Later(Arc<OnceLock<Result<String, String>>>);

pub(super) enum Sha1 {
    Known(String),
    /// With a key that stands for it.
    Later(String, Later),
}

impl Later {
    /// Blocks.
    pub(super) fn wait(&self) -> io::Result<String> {
        self.0.wait().clone().map_err(io::Error::other)
    }

    fn set(&self, found: io::Result<String>) {
        // Nobody else does.
        let _ = self.0.set(found.map_err(|error| error.to_string()));
    }
}

/// The SHA-1 of a file.
pub(super) fn of_file(path: &Path, metadata: &Metadata) -> io::Result<String> {
    let stamp = Stamp::of(metadata);
    let known = KNOWN.lock().get(&stamp).cloned();
    if let Some(known) = known {
        return known.wait();
    }
    let digest = sha1_of(File::open(path)?)?;
    let known = Later::default();
    known.set(Ok(digest.clone()));
    stamp.remember(&known);
    Ok(digest)
}

/// The SHA-1 of a file, without waiting for that of a large one: it is taken meanwhile, once for all who ask.
pub(super) fn begin(path: &Path, metadata: &Metadata) -> io::Result<Sha1> {
    if metadata.len() < LARGE {
        return of_file(path, metadata).map(Sha1::Known);
    }
    let stamp = Stamp::of(metadata);
    let known = KNOWN.lock().get(&stamp).cloned();
    if let Some(known) = known {
        return Ok(match known.0.get() {
            Some(Ok(sha1)) => Sha1::Known(sha1.clone()),
            _ => Sha1::Later(stamp.key(), known),
        });
    }
    let file = File::open(path)?;
    let later = Later::default();
    stamp.remember(&later);
    let to_set = later.clone();
    std::thread::Builder::new().name("sha1".to_owned()).spawn(move || to_set.set(sha1_of(file)))?;
    Ok(Sha1::Later(stamp.key(), later))
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn remember(&self, digest: &Later) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let changed = Duration::from_secs(self.changed.0.max(self.modified.0).unsigned_abs());
        if now > changed + FRESH {
            KNOWN.lock().insert(self.clone(), digest.clone());
        }
    }

    fn key(&self) -> String {
        let Self { device, inode, modified, changed, .. } = self;
        format!("file {device:x} {inode:x} {:x}.{:x} {:x}.{:x}", modified.0, modified.1, changed.0, changed.1)
    }
}
