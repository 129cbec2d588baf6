//! Files of the control node that all hosts need: read and understood once, for as long as they stay what they are.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What was made of each file in this run.
#[derive(Debug)]
pub(super) struct ReadOnce<T> {
    files: Mutex<HashMap<PathBuf, (Stamp, Arc<T>)>>,
}

/// Changes when the file does: size, inode and time.
#[derive(Debug, PartialEq, Eq)]
struct Stamp(u64, u64, i64, i64);

impl<T> Default for ReadOnce<T> {
    fn default() -> Self {
        Self { files: Mutex::default() }
    }
}

impl<T> ReadOnce<T> {
    /// What `make` makes of the file's text; bytes that are no UTF-8 are replaced.
    pub(super) fn get(&self, path: &Path, make: impl FnOnce(&str) -> T) -> io::Result<Arc<T>> {
        let stamp = Stamp::of(&std::fs::metadata(path)?);
        // Held while it is read: many hosts ask at once, and one of them is to read it.
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, made)) = files.get(path).filter(|(known, _)| *known == stamp) {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new(make(&String::from_utf8_lossy(&std::fs::read(path)?)));
        files.insert(path.to_owned(), (stamp, Arc::clone(&made)));
        Ok(made)
    }
}

impl Stamp {
    fn of(about: &Metadata) -> Self {
        Self(about.size(), about.ino(), about.mtime(), about.mtime_nsec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_only_when_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        let files = ReadOnce::default();
        assert_eq!(files.get(&path, str::len).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::write(&path, "ab").unwrap();
        assert_eq!(*files.get(&path, str::len).unwrap(), 2);
        assert_eq!(*files.get(&path, |_| unreachable!()).unwrap(), 2);
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(*files.get(&path, str::len).unwrap(), 3);
    }
}
