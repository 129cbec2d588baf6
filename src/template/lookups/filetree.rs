//! `filetree`: everything below directories of the control node, each with what `file` and `template` want to know of it.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use fanfare_modules::kit::regex::{Anchor, Flags, Regex};

use super::super::filters::engine_error;
use super::super::io_error::told;
use super::search::{candidates, shown, text};
use crate::accounts::Accounts;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::{Args, Context, LookupEntry};
use crate::value::{Dict, Value};

pub(super) static ENTRY: LookupEntry =
    LookupEntry { name: "community.general.filetree", params: &["exclude"], run: filetree };

fn filetree(terms: &[Value], args: &Args<'_>, context: &Context<'_>) -> Result<Vec<Value>> {
    let flags = Flags { anchor: Anchor::Start, ..Flags::default() };
    let exclude =
        args.text("exclude")?.map(|pattern| Regex::new(pattern, flags)).transpose().map_err(engine_error)?;
    let mut walk = Walk { exclude, found: Vec::new(), known: HashSet::new(), accounts: Accounts::read() };
    for term in terms {
        let term = text(term)?;
        // Where there is no such directory there is nothing in it.
        if let Some(root) = candidates(context, &["files"], term).into_iter().find(|path| path.is_dir()) {
            walk.descend(&root, &root)?;
        }
    }
    Ok(walk.found)
}

struct Walk {
    exclude: Option<Regex>,
    found: Vec<Value>,
    /// Paths below a root: the first root that has one wins.
    known: HashSet<PathBuf>,
    accounts: Accounts,
}

impl Walk {
    fn descend(&mut self, root: &Path, directory: &Path) -> Result<()> {
        let failed = |error: io::Error| Diagnostic::new(told(&error, directory));
        let mut entries = Vec::new();
        for entry in fs::read_dir(directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let meta = fs::symlink_metadata(&path).map_err(|error| Diagnostic::new(told(&error, &path)))?;
            entries.push((path, meta));
        }
        // Directories first; the names in one order on all machines.
        entries.sort_by(|(a, at), (b, bt)| bt.is_dir().cmp(&at.is_dir()).then_with(|| a.cmp(b)));
        for (path, meta) in &entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if let Some(exclude) = &self.exclude
                && exclude.is_match(&name).map_err(engine_error)?
            {
                continue;
            }
            let below = path.strip_prefix(root).unwrap_or(path);
            if let Some(state) = state(meta)
                && self.known.insert(below.to_owned())
            {
                self.found.push(self.entry(root, below, path, meta, state)?);
            }
        }
        for (path, _) in entries.iter().filter(|(_, meta)| meta.is_dir()) {
            self.descend(root, path)?;
        }
        Ok(())
    }

    fn entry(&self, root: &Path, below: &Path, path: &Path, meta: &Metadata, state: &str) -> Result<Value> {
        let mut entry = Dict::new();
        entry.insert("root", shown(root));
        entry.insert("path", shown(below));
        entry.insert("state", state);
        match state {
            "link" => {
                let target = fs::read_link(path).map_err(|error| Diagnostic::new(told(&error, path)))?;
                entry.insert("src", shown(&target));
            }
            "file" => {
                entry.insert("src", shown(path));
            }
            _ => {}
        }
        entry.insert("uid", i64::from(meta.uid()));
        entry.insert("gid", i64::from(meta.gid()));
        entry.insert("owner", self.accounts.owner(meta.uid()));
        entry.insert("group", self.accounts.group(meta.gid()));
        entry.insert("mode", format!("0{:03o}", meta.mode() & 0o7777));
        entry.insert("size", i64::try_from(meta.size()).unwrap_or(i64::MAX));
        entry.insert("mtime", seconds(meta.mtime(), meta.mtime_nsec()));
        entry.insert("ctime", seconds(meta.ctime(), meta.ctime_nsec()));
        Ok(entry.into())
    }
}

/// What `file` calls it; sockets and devices are passed over.
fn state(meta: &Metadata) -> Option<&'static str> {
    let kind = meta.file_type();
    if kind.is_symlink() {
        Some("link")
    } else if kind.is_dir() {
        Some("directory")
    } else {
        kind.is_file().then_some("file")
    }
}

#[expect(clippy::cast_precision_loss, reason = "Python's times are floats, too")]
fn seconds(whole: i64, nanoseconds: i64) -> f64 {
    whole as f64 + nanoseconds as f64 / 1e9
}
