//! SHA-1 of files of the control node: many hosts get the same file, which is read once for all of them. That of a
//! large file is taken only where a host has to compare: whoever gets the file takes it of what arrives.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

use super::content::sha1_of;

/// By what the file system says of a file, its SHA-1 in lower-case hex, once it was taken.
static TAKEN: LazyLock<Mutex<HashMap<Stamp, Sha1>>> = LazyLock::new(Mutex::default);

type Sha1 = Arc<Mutex<Option<String>>>;

/// From this size on it is taken when somebody asks.
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

/// A large file, as it was when it was announced.
#[derive(Clone)]
pub(super) struct Large {
    path: PathBuf,
    stamp: Stamp,
}

/// The SHA-1 of a file.
pub(super) fn of_file(path: &Path, metadata: &Metadata) -> io::Result<String> {
    Stamp::of(metadata).sha1(|| File::open(path))
}

impl Large {
    /// `None` for a file that is small, or whose SHA-1 is known. One that is being taken is not waited for.
    pub(super) fn of(path: &Path, metadata: &Metadata) -> Option<Self> {
        let stamp = Stamp::of(metadata);
        let known = || {
            let shared = TAKEN.lock().get(&stamp).cloned();
            shared.is_some_and(|sha1| sha1.try_lock().is_some_and(|taken| taken.is_some()))
        };
        (metadata.len() >= LARGE && !known()).then(|| Self { path: path.to_owned(), stamp })
    }

    /// What stands for its SHA-1.
    pub(super) fn key(&self) -> String {
        let Stamp { device, inode, modified, changed, .. } = self.stamp;
        format!("file {device:x} {inode:x} {:x}.{:x} {:x}.{:x}", modified.0, modified.1, changed.0, changed.1)
    }

    pub(super) fn size(&self) -> u64 {
        self.stamp.size
    }

    /// Its SHA-1. Those who ask for the same one meanwhile wait.
    pub(super) fn sha1(&self) -> io::Result<String> {
        let sha1 = self.stamp.sha1(|| File::open(&self.path))?;
        self.unchanged(&self.path.metadata()?)?;
        Ok(sha1)
    }

    /// Its content; an error where it changes before all is read: nothing else could tell.
    pub(super) fn open(&self) -> io::Result<impl Read + Send + use<>> {
        let file = File::open(&self.path)?;
        self.unchanged(&file.metadata()?)?;
        Ok(Unchanged { file, large: self.clone() })
    }

    fn unchanged(&self, metadata: &Metadata) -> io::Result<()> {
        if Stamp::of(metadata) == self.stamp {
            return Ok(());
        }
        Err(io::Error::other(format!("{} changed while it was read", self.path.display())))
    }
}

struct Unchanged {
    file: File,
    large: Large,
}

impl Read for Unchanged {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        if n == 0 && !buffer.is_empty() {
            self.large.unchanged(&self.file.metadata()?)?;
        }
        Ok(n)
    }
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

    /// What was taken of such a file, or will be for the next one.
    fn sha1(&self, open: impl FnOnce() -> io::Result<File>) -> io::Result<String> {
        let shared = if self.is_fresh() {
            Sha1::default()
        } else {
            TAKEN.lock().entry(self.clone()).or_default().clone()
        };
        let mut taken = shared.lock();
        if let Some(sha1) = &*taken {
            return Ok(sha1.clone());
        }
        Ok(taken.insert(sha1_of(open()?)?).clone())
    }

    fn is_fresh(&self) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let changed = Duration::from_secs(self.changed.0.max(self.modified.0).unsigned_abs());
        now <= changed + FRESH
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn large() -> (tempfile::TempDir, PathBuf, Large) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("large");
        fs::write(&path, vec![b'x'; 16 << 20]).unwrap();
        let large = Large::of(&path, &path.metadata().unwrap()).unwrap();
        (dir, path, large)
    }

    #[test]
    fn a_large_file_that_changes_is_not_read_to_the_end() {
        let (_dir, path, large) = large();
        let mut reader = large.open().unwrap();
        let mut piece = [0; 16];
        reader.read_exact(&mut piece).unwrap();
        fs::write(&path, "another").unwrap();
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        assert!(error.to_string().ends_with("large changed while it was read"), "{error}");
        assert!(large.open().is_err());
        assert!(large.sha1().is_err());
    }

    #[test]
    fn a_large_file_whose_sha1_is_being_taken_is_announced_at_once() {
        let (_dir, path, large) = large();
        let shared = TAKEN.lock().entry(large.stamp.clone()).or_default().clone();
        let mut taking = shared.lock();
        assert!(Large::of(&path, &path.metadata().unwrap()).is_some());
        *taking = Some("a".repeat(40));
        drop(taking);
        assert!(Large::of(&path, &path.metadata().unwrap()).is_none());
    }

    #[test]
    fn a_small_file_is_no_large_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("small");
        fs::write(&path, "abc").unwrap();
        let metadata = path.metadata().unwrap();
        assert!(Large::of(&path, &metadata).is_none());
        assert_eq!(of_file(&path, &metadata).unwrap(), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
