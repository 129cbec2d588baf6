//! What goes into an archive: the paths asked for, and all below them.

use std::collections::HashMap;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use flate2::Crc;

use crate::kit::host::{FileType, Meta};
use crate::kit::{Failure, Result, System, glob};

/// A file, directory or link to be packed.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// As the archive names it, without a slash at its end.
    pub name: Vec<u8>,
    pub path: PathBuf,
    pub meta: Meta,
    /// Names of the owner and the group, where they have any.
    pub owners: [String; 2],
    pub node: Node,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    File,
    Dir,
    /// A symbolic link, and where it points to.
    Link(Vec<u8>),
    /// A second name for a file that is packed already, under that name.
    Again(Vec<u8>),
    Fifo,
    Device(FileType),
}

/// What an archive holds of one entry, as far as archives are compared by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Known {
    pub name: Vec<u8>,
    pub crc: u32,
    pub size: u64,
    /// Of tar alone.
    pub header: Option<Header>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Header {
    pub kind: u8,
    pub mode: u32,
    pub uid: u64,
    pub gid: u64,
    pub mtime: i64,
    pub link: Vec<u8>,
}

/// What was met so far.
#[derive(Default)]
struct Seen {
    inodes: HashMap<(u64, u64), Vec<u8>>,
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
}

impl Seen {
    fn owners(&mut self, meta: &Meta, sys: &System<'_>) -> Result<[String; 2]> {
        let user = if let Some(known) = self.users.get(&meta.uid) {
            known.clone()
        } else {
            let name = sys.user_by_id(meta.uid)?.map_or(String::new(), |user| user.name);
            self.users.insert(meta.uid, name.clone());
            name
        };
        let group = if let Some(known) = self.groups.get(&meta.gid) {
            known.clone()
        } else {
            let name = sys.group_by_id(meta.gid)?.map_or(String::new(), |group| group.name);
            self.groups.insert(meta.gid, name.clone());
            name
        };
        Ok([user, group])
    }
}

/// Collects what is to be packed, in the order in which it will be.
pub(crate) struct Walk<'w> {
    pub root: &'w Path,
    pub patterns: &'w [String],
    /// A zip archive holds what links point to, and its patterns are held against whole paths.
    pub zip: bool,
}

impl Walk<'_> {
    pub fn entries(&self, paths: &[PathBuf], sys: &System<'_>) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut seen = Seen::default();
        for path in paths {
            let Some(meta) = sys.stat(path)? else { continue };
            if sys.is_dir(path)? {
                self.below(path, &mut entries, &mut seen, sys)?;
            } else {
                self.add(path, meta, &mut entries, &mut seen, sys)?;
            }
        }
        Ok(entries)
    }

    /// A directory's own directories come before its files, and before what is in them.
    fn below(&self, dir: &Path, entries: &mut Vec<Entry>, seen: &mut Seen, sys: &System<'_>) -> Result<()> {
        let mut waiting = vec![dir.to_owned()];
        while let Some(dir) = waiting.pop() {
            let (mut dirs, mut files, mut deeper) = (Vec::new(), Vec::new(), Vec::new());
            for name in sys.list(&dir)? {
                let path = dir.join(name);
                // It may be gone meanwhile.
                let Some(meta) = sys.stat(&path)? else { continue };
                if meta.is_dir() {
                    deeper.push(path.clone());
                }
                let list = if sys.is_dir(&path)? { &mut dirs } else { &mut files };
                list.push((path, meta));
            }
            for (path, meta) in dirs.into_iter().chain(files) {
                self.add(&path, meta, entries, seen, sys)?;
            }
            waiting.extend(deeper.into_iter().rev());
        }
        Ok(())
    }

    fn add(
        &self,
        path: &Path,
        meta: Meta,
        entries: &mut Vec<Entry>,
        seen: &mut Seen,
        sys: &System<'_>,
    ) -> Result<()> {
        let name = path.strip_prefix(self.root).unwrap_or(path);
        let name = name.strip_prefix("/").unwrap_or(name);
        if name.as_os_str().is_empty() {
            return Ok(());
        }
        let compared = if self.zip { path } else { name }.to_string_lossy().into_owned();
        if self.patterns.iter().any(|pattern| glob::matches(pattern, &compared)) {
            return Ok(());
        }
        let name = name.as_os_str().as_bytes().to_vec();
        let owners = if self.zip { <[String; 2]>::default() } else { seen.owners(&meta, sys)? };
        let mut entry = Entry { name, path: path.to_owned(), meta, owners, node: Node::File };
        if self.zip && entry.meta.is_link() {
            let Some(target) = sys.stat_followed(path)? else {
                return Err(Failure::new(format!(
                    "{} points to nothing, which zip cannot hold",
                    path.display()
                )));
            };
            entry.meta = target;
        }
        entry.node = match entry.meta.kind {
            FileType::Dir => Node::Dir,
            FileType::Link => Node::Link(sys.read_link(path)?.as_os_str().as_bytes().to_vec()),
            FileType::File => {
                let key = (entry.meta.device, entry.meta.inode);
                if let Some(first) = seen.inodes.get(&key).filter(|_| entry.meta.links > 1 && !self.zip) {
                    Node::Again(first.clone())
                } else {
                    seen.inodes.insert(key, entry.name.clone());
                    Node::File
                }
            }
            // No archive holds a socket.
            FileType::Socket => return Ok(()),
            kind if self.zip => {
                let kind = format!("{kind:?}").to_lowercase();
                return Err(Failure::new(format!("{}: zip cannot hold a {kind}", path.display())));
            }
            FileType::Fifo => Node::Fifo,
            kind @ (FileType::Block | FileType::Char) => Node::Device(kind),
        };
        entries.push(entry);
        Ok(())
    }
}

impl Entry {
    /// How much of its content the archive holds.
    pub fn size(&self) -> u64 {
        if self.node == Node::File { self.meta.size } else { 0 }
    }

    pub fn crc(&self, sys: &System<'_>) -> Result<u32> {
        if self.node != Node::File {
            return Ok(0);
        }
        let (crc, _) = sum(&mut sys.open(&self.path)?).map_err(|error| unread(&self.path, &error))?;
        Ok(crc)
    }

    /// Its content: just as much as the archive was told there is.
    pub fn content<'s>(&self, sys: &'s System<'_>) -> io::Result<Box<dyn Read + 's>> {
        if self.node != Node::File {
            return Ok(Box::new(io::empty()));
        }
        let file = sys.open(&self.path).map_err(|failure| io::Error::other(failure.msg))?;
        Ok(Box::new(Exactly { file, left: self.meta.size }))
    }
}

/// The checksum of all that can be read, and how much it is.
pub(super) fn sum(from: &mut dyn Read) -> io::Result<(u32, u64)> {
    let mut crc = Crc::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return Ok((crc.sum(), size));
        }
        crc.update(buffer.get(..n).unwrap_or_default());
        size += n as u64;
    }
}

pub(super) fn unread(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot read {}: {error}", path.display()))
}

/// That many bytes of a file: one that became shorter meanwhile is an error, of one that grew the rest is left.
struct Exactly<R> {
    file: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let n = self.file.read(buffer.get_mut(..most).unwrap_or_default())?;
        if n == 0 && most > 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "it became shorter while it was packed",
            ));
        }
        self.left -= n as u64;
        Ok(n)
    }
}
