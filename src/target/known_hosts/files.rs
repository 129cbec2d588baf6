//! The files of known hosts, read once for as long as they stay what they are.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What was read in this run.
#[derive(Debug, Default)]
pub(in crate::target) struct KnownHosts {
    files: Mutex<HashMap<PathBuf, Arc<File>>>,
}

/// A file's lines, and which of them may be about a host.
#[derive(Debug)]
pub(super) struct File {
    stamp: Stamp,
    lines: Vec<String>,
    /// Lines that name hosts as they are, by each of these names.
    named: HashMap<String, Vec<usize>>,
    /// Lines with patterns, hashes and markers, which may be about any host.
    others: Vec<usize>,
}

/// Changes when the file does: size, inode and time.
#[derive(Debug, PartialEq, Eq)]
struct Stamp(u64, u64, i64, i64);

impl KnownHosts {
    /// The file; one that is not there is none.
    pub(super) fn file(&self, path: &Path) -> std::io::Result<Option<Arc<File>>> {
        let stamp = match std::fs::metadata(path) {
            Ok(about) => Stamp(about.size(), about.ino(), about.mtime(), about.mtime_nsec()),
            Err(error) => return absent(path, error),
        };
        // Held while it is read: many hosts ask at once, and one of them is to read it.
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(path).filter(|file| file.stamp == stamp) {
            return Ok(Some(Arc::clone(file)));
        }
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => return absent(path, error),
        };
        let file = Arc::new(File::new(stamp, &String::from_utf8_lossy(&bytes)));
        files.insert(path.to_owned(), Arc::clone(&file));
        Ok(Some(file))
    }
}

fn absent<T>(path: &Path, error: std::io::Error) -> std::io::Result<Option<T>> {
    match error.kind() {
        // `/dev/null/x` and the like: OpenSSH takes what it can read.
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Ok(None),
        kind => Err(std::io::Error::new(kind, format!("{}: {error}", path.display()))),
    }
}

impl File {
    fn new(stamp: Stamp, text: &str) -> Self {
        let mut file = Self { stamp, lines: Vec::new(), named: HashMap::new(), others: Vec::new() };
        for (index, line) in text.lines().enumerate() {
            let hosts = line.split_ascii_whitespace().next().unwrap_or_default();
            if hosts.contains(['*', '?', '!', '|', '@']) {
                file.others.push(index);
            } else if !hosts.starts_with('#') {
                for host in hosts.split(',') {
                    file.named.entry(host.to_lowercase()).or_default().push(index);
                }
            }
            file.lines.push(line.to_owned());
        }
        file
    }

    /// The lines that may be about a host of one of these names, in the file's order, with their numbers.
    pub(super) fn lines(&self, names: &[&str]) -> Vec<(usize, &str)> {
        let named = names.iter().filter_map(|name| self.named.get(*name)).flatten();
        let mut indices: Vec<usize> = named.chain(&self.others).copied().collect();
        indices.sort_unstable();
        indices.dedup();
        indices.into_iter().filter_map(|index| Some((index + 1, self.lines.get(index)?.as_str()))).collect()
    }
}
