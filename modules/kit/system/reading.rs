//! Files, read.

use super::files::{FileFacts, state};
use crate::kit::command::Command;
use crate::kit::digest::{Algorithm, digest};
use crate::kit::host::{Access, HostError, Meta};
use crate::kit::outcome::{Failure, Result};
use crate::kit::system::System;
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Reading.
impl System<'_> {
    /// What is at the path itself, be it a symbolic link; `None` when nothing is.
    pub fn stat(&self, path: &Path) -> Result<Option<Meta>> {
        Ok(self.host.stat(path, false)?)
    }

    /// What is at the end of symbolic links; `None` when nothing is.
    pub fn stat_followed(&self, path: &Path) -> Result<Option<Meta>> {
        Ok(self.host.stat(path, true)?)
    }

    /// Whether anything is at the path (for a link: at its end).
    pub fn exists(&self, path: &Path) -> Result<bool> {
        Ok(self.at_end(path)?.is_some())
    }

    /// Whether a directory is at the path, or at the end of its links.
    pub fn is_dir(&self, path: &Path) -> Result<bool> {
        Ok(self.at_end(path)?.is_some_and(|meta| meta.is_dir()))
    }

    /// What is at the end of links; those that lead in a circle have none.
    fn at_end(&self, path: &Path) -> Result<Option<Meta>> {
        match self.host.stat(path, true) {
            Err(error) if error.source.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => Ok(None),
            found => Ok(found?),
        }
    }

    pub fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.host.open(path)?.read_to_end(&mut bytes).map_err(|e| HostError::new("read", path, e))?;
        Ok(bytes)
    }

    pub fn open(&self, path: &Path) -> Result<Box<dyn Read + '_>> {
        Ok(self.host.open(path)?)
    }

    /// A file as text; bytes that are no UTF-8 become U+FFFD. `None` when there is no file.
    pub fn read_text_if_there(&self, path: &Path) -> Result<Option<String>> {
        match self.read(path) {
            Ok(bytes) => Ok(Some(match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(bad) => String::from_utf8_lossy(bad.as_bytes()).into_owned(),
            })),
            Err(_) if !self.exists(path)? => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// As [`System::read_text_if_there`], for a file that is written back whole: one that is no UTF-8 is an error.
    pub fn read_to_rewrite(&self, path: &Path) -> Result<Option<String>> {
        if !self.exists(path)? {
            return Ok(None);
        }
        String::from_utf8(self.read(path)?).map(Some).map_err(|_| {
            Failure::new(format!("{} is not in UTF-8: it was left as it is", path.display())).of(path)
        })
    }

    /// The names in a directory, sorted.
    pub fn list(&self, path: &Path) -> Result<Vec<OsString>> {
        Ok(self.host.list(path)?)
    }

    pub fn read_link(&self, path: &Path) -> Result<PathBuf> {
        Ok(self.host.read_link(path)?)
    }

    /// The path without symbolic links; what does not exist stays as written.
    pub fn resolve(&self, path: &Path) -> Result<PathBuf> {
        for (depth, ancestor) in path.ancestors().enumerate() {
            if self.exists(ancestor)? {
                let real = self.host.canonicalize(ancestor)?;
                let rest: Vec<_> = path.components().rev().take(depth).collect();
                return Ok(rest.into_iter().rev().fold(real, |real, part| real.join(part)));
            }
        }
        Ok(path.to_owned())
    }

    /// Whether a process runs whose command line holds that text.
    pub fn has_process(&mut self, text: &str) -> Result<bool> {
        let proc = Path::new("/proc");
        let names = if self.is_dir(proc)? { self.list(proc)? } else { Vec::new() };
        if names.is_empty() {
            // BSD and macOS have none.
            let all = self.ask(Command::new("ps").args(["-axww", "-o", "command="]))?;
            return Ok(all.stdout().lines().any(|line| line.contains(text)));
        }
        for name in names {
            // Processes come and go.
            let Ok(words) = self.read(&proc.join(name).join("cmdline")) else { continue };
            if String::from_utf8_lossy(&words).replace('\0', " ").contains(text) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub fn access(&self, path: &Path, access: Access) -> bool {
        self.host.access(path, access)
    }

    /// The file attributes `lsattr` shows, as letters; `None` where there are none.
    pub fn flags(&self, path: &Path) -> Result<Option<String>> {
        Ok(self.host.flags(path)?)
    }

    /// Whether a check foretells what is at that path: then no program finds it there.
    pub fn foretells(&self, path: &Path) -> bool {
        self.host.foretells(path)
    }

    /// What the kernel calls the architecture.
    pub fn machine(&self) -> Option<String> {
        self.host.machine()
    }

    /// The file's generation, which `lsattr -v` shows.
    pub fn generation(&self, path: &Path) -> Option<u32> {
        self.host.generation(path)
    }

    /// The file's checksum in lower-case hex.
    pub fn checksum(&self, path: &Path, algorithm: Algorithm) -> Result<String> {
        let mut file = self.host.open(path)?;
        Ok(digest(algorithm, &mut file).map_err(|e| HostError::new("read", path, e))?)
    }

    /// What results tell about a path where something is; of a link that leads nowhere nothing.
    pub fn file_facts_if_there(&self, path: &Path) -> Result<Option<FileFacts>> {
        if self.exists(path)? { self.file_facts(path, false).map(Some) } else { Ok(None) }
    }

    /// Whether the path cannot be: something on its way is no directory.
    pub fn is_below_file(&self, path: &Path) -> Result<bool> {
        let nearest = path.ancestors().skip(1).find_map(|above| self.stat_followed(above).transpose());
        Ok(nearest.transpose()?.is_some_and(|there| !there.is_dir()))
    }

    /// What results tell about a path.
    pub fn file_facts(&self, path: &Path, follow: bool) -> Result<FileFacts> {
        let Some(meta) = self.host.stat(path, follow)? else {
            return Ok(FileFacts { state: "absent", ..FileFacts::default() });
        };
        let owner = self.user_by_id(meta.uid)?.map_or_else(|| meta.uid.to_string(), |user| user.name);
        let group = self.group_by_id(meta.gid)?.map_or_else(|| meta.gid.to_string(), |group| group.name);
        Ok(FileFacts {
            uid: Some(meta.uid),
            gid: Some(meta.gid),
            owner: Some(owner),
            group: Some(group),
            mode: Some(format!("0{:03o}", meta.mode)),
            state: state(&meta),
            size: Some(meta.size),
            secontext: self.host.context(path, follow)?,
        })
    }
}
