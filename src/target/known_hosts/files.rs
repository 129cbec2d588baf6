//! The files of known hosts.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::target::readonce::ReadOnce;

/// What was read in this run.
#[derive(Debug, Default)]
pub(in crate::target) struct KnownHosts(ReadOnce<File>);

/// A file's lines, and which of them may be about a host.
#[derive(Debug, Default)]
pub(super) struct File {
    lines: Vec<String>,
    /// Lines that name hosts as they are, by each of these names.
    named: HashMap<String, Vec<usize>>,
    /// Lines with patterns, hashes and markers, which may be about any host.
    others: Vec<usize>,
}

impl KnownHosts {
    /// The file; one that is not there is none.
    pub(super) fn file(&self, path: &Path) -> std::io::Result<Option<Arc<File>>> {
        use std::io::ErrorKind::{NotADirectory, NotFound};
        match self.0.get(path, File::new) {
            Ok(file) => Ok(Some(file)),
            // `/dev/null/x` and the like: OpenSSH takes what it can read.
            Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(None),
            Err(error) => Err(std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        }
    }
}

impl File {
    fn new(text: &str) -> Self {
        let mut file = Self::default();
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
