//! Files.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::kit::args::FileAttributes;
use crate::kit::change::{Change, MAX_DIFF_BYTES, Shape, Snippet};
use crate::kit::charset::Charset;
use crate::kit::command::Command;
use crate::kit::control::ControlFile;
use crate::kit::digest::Algorithm;
use crate::kit::flags;
use crate::kit::host::{Access, FileType, HostError, Meta, Placement, Time};
use crate::kit::mode::Mode;
use crate::kit::outcome::{Failure, Result};
use crate::kit::system::aside::Aside;
use crate::kit::system::{Content, System};

/// Of a change of the owner that is not allowed.
const EPERM: i32 = 1;

/// How [`System::write_with`] writes.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions<'a> {
    pub attributes: Option<&'a FileAttributes>,
    /// The mode of a file that is new, when the attributes give none.
    pub new_mode: Option<u32>,
    /// Keeps the old file beside the new one.
    pub backup: bool,
    /// A command that checks the new content, with `%s` for its path; the file stays as it was when it fails.
    pub validate: Option<&'a str>,
    /// The content must not show in diffs.
    pub hidden: bool,
    /// What the content is written in, for diffs.
    pub charset: Charset,
    /// The MD5 of what is written is wanted.
    pub md5: bool,
    /// The content was asked for already ([`System::ask_for`]).
    pub(crate) asked: bool,
}

/// A file of the control node that is to be at a path.
#[derive(Clone, Debug)]
pub struct WantedFile<'a> {
    pub path: PathBuf,
    pub file: &'a ControlFile,
    pub attributes: FileAttributes,
}

/// What [`System::write_with`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The content was not what it should be.
    pub changed: bool,
    pub created: bool,
    pub backup_file: Option<String>,
    /// Of what was written, where it was wanted.
    pub md5: Option<String>,
}

/// What results tell about a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileFacts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// `file`, `directory`, `link`, `hard` or `absent`.
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secontext: Option<String>,
}

/// Changing.
impl System<'_> {
    /// Ensures a file's content. Its mode and owner stay; a new file gets what the umask leaves.
    pub fn write<'c>(&mut self, path: &Path, content: impl Into<Content<'c>>) -> Result<Written> {
        self.write_with(path, content, &WriteOptions::default())
    }

    /// Ensures a file's content and attributes. A symbolic link is replaced by a file: resolve it before, when its
    /// target is meant. The directory must exist.
    pub fn write_with<'c>(
        &mut self,
        path: &Path,
        content: impl Into<Content<'c>>,
        options: &WriteOptions<'_>,
    ) -> Result<Written> {
        let content = content.into();
        let old = self.host.stat(path, false)?;
        if old.as_ref().is_some_and(Meta::is_dir) {
            return Err(is_directory("write", path));
        }
        let old_file = old.filter(Meta::is_file);
        let same = match &old_file {
            Some(meta) => self.is_same(path, meta, &content)?,
            None => false,
        };
        let mut written = Written::default();
        if !same {
            written = self.replace(path, old_file.as_ref(), &content, options)?;
        }
        if let Some(attributes) = options.attributes {
            self.set_attributes(path, attributes, false)?;
        }
        Ok(written)
    }

    /// Ensures many files of the control node: all are compared first, then one question goes out for all that
    /// differ.
    pub fn write_all(&mut self, files: &[WantedFile<'_>], options: &WriteOptions<'_>) -> Result<()> {
        let mut differing = Vec::with_capacity(files.len());
        for wanted in files {
            let old = self.host.stat(&wanted.path, false)?;
            if old.as_ref().is_some_and(Meta::is_dir) {
                return Err(is_directory("write", &wanted.path));
            }
            let old = old.filter(Meta::is_file);
            let same = match &old {
                Some(meta) => self.is_same(&wanted.path, meta, &Content::Control(wanted.file))?,
                None => false,
            };
            if !same {
                self.ask_for(wanted.file)?;
            }
            differing.push((!same).then_some(old));
        }
        let told = |wanted: &WantedFile<'_>, failure: Failure| failure.with("checksum", &wanted.file.sha1);
        for (wanted, differs) in files.iter().zip(differing) {
            if let Some(old) = differs {
                let options =
                    WriteOptions { attributes: Some(&wanted.attributes), asked: true, ..options.clone() };
                let content = Content::Control(wanted.file);
                self.replace(&wanted.path, old.as_ref(), &content, &options)
                    .map_err(|failure| told(wanted, failure))?;
            }
            let set = self.set_attributes(&wanted.path, &wanted.attributes, false);
            set.map_err(|failure| told(wanted, failure))?;
        }
        Ok(())
    }

    /// Ensures that a file is there (an empty one) and that its times are these; `None` leaves one. What is there
    /// already keeps its kind and content.
    pub fn touch(
        &mut self,
        path: &Path,
        atime: Option<Time>,
        mtime: Option<Time>,
        attributes: &FileAttributes,
        follow: bool,
    ) -> Result<()> {
        let since = self.changes.len();
        let old = self.host.stat(path, false)?;
        if old.is_none() {
            self.host.place(path, &mut std::io::empty(), &Placement::default())?;
            self.attribute(path, "state", "absent", "touch");
        }
        self.set_attributes(path, attributes, follow)?;
        if atime.is_some() || mtime.is_some() {
            self.set_times(path, atime, mtime, follow)?;
        }
        if let (Some(old), true) = (&old, self.changes.len() > since) {
            self.attribute(path, "state", state(old), "touch");
        }
        Ok(())
    }

    /// Ensures that nothing is there. Directories go with all they hold. Says whether something was.
    pub fn remove(&mut self, path: &Path) -> Result<bool> {
        let Some(meta) = self.host.stat(path, false)? else { return Ok(false) };
        let before = state(&meta);
        if meta.is_dir() {
            let inside = if self.wishes.diff { Some(self.inside(path)?) } else { None };
            self.host.remove_tree(path)?;
            self.attribute(path, "state", before, "absent");
            if let Some(inside) = inside {
                self.attribute(path, "path_content", inside, Json::Null);
            }
        } else {
            self.host.remove(path)?;
            self.attribute(path, "state", before, "absent");
        }
        Ok(true)
    }

    /// As [`System::remove`], for what is a file: a directory is an error.
    pub fn remove_file(&mut self, path: &Path) -> Result<bool> {
        let is_dir = self.stat(path)?.is_some_and(|meta| meta.is_dir());
        if is_dir { Err(is_directory("remove", path)) } else { self.remove(path) }
    }

    /// All that is in a directory, at any depth, as a diff shows it.
    fn inside(&self, path: &Path) -> Result<Json> {
        let (mut directories, mut files) = (Vec::new(), Vec::new());
        let mut waiting = vec![path.to_owned()];
        while let Some(dir) = waiting.pop() {
            let at = waiting.len();
            for name in self.host.list(&dir)? {
                let path = dir.join(name);
                let is_dir = self.host.stat(&path, false)?.is_some_and(|meta| meta.is_dir());
                let list = if is_dir { &mut directories } else { &mut files };
                list.push(path.to_string_lossy().into_owned());
                if is_dir {
                    waiting.insert(at, path);
                }
            }
        }
        Ok(json!({"directories": directories, "files": files}))
    }

    /// Ensures a directory, with its parents. Says which ones are new, outermost first. `mode` is for those.
    pub fn make_dirs(&mut self, path: &Path, mode: Option<u32>) -> Result<Vec<PathBuf>> {
        let mut missing: Vec<&Path> = Vec::new();
        for ancestor in path.ancestors().filter(|ancestor| !ancestor.as_os_str().is_empty()) {
            match self.host.stat(ancestor, true)? {
                None => missing.push(ancestor),
                Some(meta) if meta.is_dir() => break,
                Some(_) => {
                    return Err(Failure::new(format!(
                        "cannot make the directory {}: {} is no directory",
                        path.display(),
                        ancestor.display()
                    )));
                }
            }
        }
        missing.reverse();
        // `new/..` is there once `new` is.
        missing.retain(|dir| dir.file_name().is_some());
        for dir in &missing {
            self.host.make_dir(dir, 0o777)?;
            if let Some(mode) = mode {
                self.host.set_mode(dir, mode)?;
            }
            self.attribute(dir, "state", "absent", "directory");
        }
        Ok(missing.into_iter().map(Path::to_owned).collect())
    }

    /// Ensures a symbolic link with that target (as written). A file or link in its place is replaced.
    pub fn symlink(&mut self, target: &Path, path: &Path) -> Result<bool> {
        let old = self.host.stat(path, false)?;
        let old_target = match &old {
            Some(meta) if meta.is_link() => Some(self.host.read_link(path)?),
            _ => None,
        };
        if old_target.as_deref() == Some(target) {
            return Ok(false);
        }
        self.host.symlink(target, path)?;
        match old_target {
            Some(before) => {
                self.attribute(path, "src", before.to_string_lossy(), target.to_string_lossy());
            }
            None => self.attribute(path, "state", old.as_ref().map_or("absent", state), "link"),
        }
        Ok(true)
    }

    /// Ensures that the path is another name of an existing file.
    pub fn hard_link(&mut self, existing: &Path, path: &Path) -> Result<bool> {
        let source = self
            .host
            .stat(existing, true)?
            .ok_or_else(|| HostError::new("link to", existing, std::io::ErrorKind::NotFound.into()))?;
        let old = self.host.stat(path, false)?;
        if old.as_ref().is_some_and(|old| (old.inode, old.device) == (source.inode, source.device)) {
            return Ok(false);
        }
        self.host.hard_link(existing, path)?;
        self.attribute(path, "state", old.as_ref().map_or("absent", state), "hard");
        Ok(true)
    }

    /// Ensures the permission bits of a file or directory (links are followed).
    pub fn set_mode(&mut self, path: &Path, mode: u32) -> Result<bool> {
        let meta = self.must(path, true)?;
        if meta.mode == mode & 0o7777 {
            return Ok(false);
        }
        self.host.set_mode(path, mode)?;
        self.attribute(path, "mode", format!("0{:03o}", meta.mode), format!("0{:03o}", mode & 0o7777));
        Ok(true)
    }

    /// Ensures owner and group.
    pub fn set_owner(
        &mut self,
        path: &Path,
        uid: Option<u32>,
        gid: Option<u32>,
        follow: bool,
    ) -> Result<bool> {
        let meta = self.must(path, follow)?;
        let uid = uid.filter(|uid| *uid != meta.uid);
        let gid = gid.filter(|gid| *gid != meta.gid);
        if uid.is_none() && gid.is_none() {
            return Ok(false);
        }
        self.host.set_owner(path, uid, gid, follow)?;
        if let Some(uid) = uid {
            self.attribute(path, "owner", meta.uid, uid);
        }
        if let Some(gid) = gid {
            self.attribute(path, "group", meta.gid, gid);
        }
        Ok(true)
    }

    /// Ensures access and modification time; `None` leaves one.
    pub fn set_times(
        &mut self,
        path: &Path,
        atime: Option<Time>,
        mtime: Option<Time>,
        follow: bool,
    ) -> Result<bool> {
        let meta = self.must(path, follow)?;
        let (new_atime, new_mtime) = (atime.unwrap_or(meta.atime), mtime.unwrap_or(meta.mtime));
        if (new_atime, new_mtime) == (meta.atime, meta.mtime) {
            return Ok(false);
        }
        self.host.set_times(path, new_atime, new_mtime, follow)?;
        if new_atime != meta.atime {
            self.attribute(path, "atime", meta.atime.as_f64(), new_atime.as_f64());
        }
        if new_mtime != meta.mtime {
            self.attribute(path, "mtime", meta.mtime.as_f64(), new_mtime.as_f64());
        }
        Ok(true)
    }

    /// Ensures everything [`FileAttributes`] asks for. Says whether something changed. `mode: preserve` is the
    /// module's to resolve.
    pub fn set_attributes(&mut self, path: &Path, wanted: &FileAttributes, follow: bool) -> Result<bool> {
        let (uid, gid) = self.wanted_owner(path, wanted)?;
        let mut changed = false;
        if uid.is_some() || gid.is_some() {
            changed |= self.set_owner(path, uid, gid, follow).map_err(|failure| failure.of(path))?;
        }
        if let Some(mode) = &wanted.mode {
            let meta = self.must(path, follow)?;
            if matches!(mode, Mode::Preserve) {
                let failure = Failure::new("mode must be in octal or symbolic form").of(path);
                return Err(failure.with("details", "bad symbolic permission for mode: preserve"));
            }
            if !meta.is_link() {
                changed |= self.set_mode(path, mode.apply(meta.mode, meta.is_dir(), self.umask()))?;
            }
        }
        if let Some(change) = &wanted.attributes {
            changed |= self.set_flags(path, change)?;
        }
        changed |= self.set_context(path, wanted, follow)?;
        Ok(changed)
    }

    /// The owner and group that are wanted of a path.
    fn wanted_owner(&mut self, path: &Path, wanted: &FileAttributes) -> Result<(Option<u32>, Option<u32>)> {
        let uid = wanted.owner.as_deref().map(|owner| self.uid_of(owner)).transpose();
        let gid = wanted.group.as_deref().map(|group| self.gid_of(group)).transpose();
        let at = |failure: Failure| failure.of(path);
        Ok((uid.map_err(at)?, gid.map_err(at)?))
    }

    /// Gives what a command of this call made to its owner. No change by itself; nothing in check mode.
    pub fn hand_over(&self, path: &Path, uid: u32, gid: u32) -> Result<()> {
        if self.wishes.check { Ok(()) } else { Ok(self.host.set_owner(path, Some(uid), Some(gid), false)?) }
    }

    /// What may not be read counts as different: it is replaced, where its directory allows that.
    fn is_same(&mut self, path: &Path, old: &Meta, content: &Content<'_>) -> Result<bool> {
        if !self.host.access(path, Access::Read) {
            return Ok(false);
        }
        Ok(match content {
            Content::Bytes(bytes) => old.size == bytes.len() as u64 && self.read(path)? == **bytes,
            Content::Control(file) => old.size == file.size && self.has_sha1_of(path, file)?,
            Content::Copy(from) => {
                let source = self.must(from, true)?;
                (source.inode, source.device) == (old.inode, old.device)
                    || (source.size == old.size
                        && self.checksum(from, Algorithm::Sha1)? == self.checksum(path, Algorithm::Sha1)?)
            }
        })
    }

    fn replace(
        &mut self,
        path: &Path,
        old: Option<&Meta>,
        content: &Content<'_>,
        options: &WriteOptions<'_>,
    ) -> Result<Written> {
        let wanted = options.attributes;
        let current = old.map_or(0o666 & !self.umask(), |old| old.mode);
        let mode = match wanted.and_then(|wanted| wanted.mode.as_ref()) {
            Some(mode) => Some(mode.apply(current, false, self.umask())),
            None if old.is_none() => options.new_mode,
            None => None,
        };
        // Who owns a new file is said at once; whether an old one changes hands is recorded as such afterwards.
        let (uid, gid) = match wanted {
            Some(wanted) => self.wanted_owner(path, wanted)?,
            None => (None, None),
        };
        let how = match old {
            None => Placement { mode, uid, gid, ..Placement::default() },
            Some(_) => Placement {
                unsafe_writes: wanted.is_some_and(|wanted| self.writes_unsafely(wanted)),
                ..Placement::default()
            },
        };
        let before = match old {
            Some(meta) => Some(self.snippet_of(path, meta.size, options)?),
            None => None,
        };
        let backup_file = if options.backup { self.backup(path)? } else { None };
        let md5 = match options.validate.filter(|_| !self.wishes.check) {
            None => self.place(path, content, &how, options).map_err(|failure| {
                let is_of_owner = failure.errno == Some(EPERM) && (uid, gid) != (None, None);
                if is_of_owner { failure.of(path) } else { failure }
            })?,
            Some(command) => {
                let draft = path.with_file_name(format!(".fanfare-{}", self.unique()));
                let draft_mode = Placement { mode: Some(0o600), ..Placement::default() };
                let md5 = self.place(&draft, content, &draft_mode, options)?;
                let checked = self.validate(command, &draft);
                let placed = checked.and_then(|()| {
                    let mut file = self.host.open(&draft)?;
                    Ok(self.host.place(path, &mut file, &how)?)
                });
                self.host.remove(&draft)?;
                placed?;
                md5
            }
        };
        let size = self.must(path, false)?.size;
        let after = self.snippet_of(path, size, options)?;
        let source = match content {
            Content::Control(file) if !file.source.is_empty() => Some(file.source.clone()),
            _ => None,
        };
        self.changes.push(Change::Content { path: path.to_owned(), before, after, source });
        if let (None, Some(mode), Shape::Parts | Shape::Edited { .. }) = (old, mode, &self.shape)
            && mode != current
        {
            self.attribute(path, "mode", format!("0{current:03o}"), format!("0{mode:03o}"));
        }
        Ok(Written { changed: true, created: old.is_none(), backup_file, md5 })
    }

    fn writes_unsafely(&self, wanted: &FileAttributes) -> bool {
        let is_yes =
            |text: &str| matches!(text.to_lowercase().as_str(), "1" | "on" | "t" | "true" | "y" | "yes");
        wanted
            .unsafe_writes
            .unwrap_or_else(|| self.env("ANSIBLE_UNSAFE_WRITES").is_some_and(|text| is_yes(text.trim())))
    }

    /// Gives the MD5 where it is wanted.
    fn place(
        &mut self,
        path: &Path,
        content: &Content<'_>,
        how: &Placement,
        options: &WriteOptions<'_>,
    ) -> Result<Option<String>> {
        let host = self.host;
        let put = |reader: &mut dyn Read, size: u64| -> Result<Option<String>> {
            if !options.md5 {
                host.place(path, reader, how)?;
                return Ok(None);
            }
            let mut aside = Aside::new(reader, size);
            host.place(path, &mut aside, how)?;
            let md5 = aside.finish().map_err(|error| HostError::new("write", path, error))?;
            Ok(Some(md5))
        };
        match content {
            Content::Bytes(bytes) => put(&mut bytes.as_ref(), bytes.len() as u64),
            Content::Copy(from) => put(&mut host.open(from)?, self.must(from, true)?.size),
            Content::Control(file) => put(&mut self.control_reader(file, options.asked)?, file.size),
        }
    }

    /// Puts a file of the control node at a temporary path of its own, hands that to `use_it`, and removes it.
    /// Never in check mode.
    pub fn with_control_file<T>(
        &mut self,
        file: &ControlFile,
        mode: u32,
        use_it: impl FnOnce(&mut Self, &Path) -> Result<T>,
    ) -> Result<T> {
        let dir = self.env("TMPDIR").unwrap_or_else(|| "/tmp".to_owned());
        let path = Path::new(&dir).join(format!("fanfare-{}-{}", self.unique(), file.name));
        let how = Placement { mode: Some(mode), ..Placement::default() };
        self.place(&path, &Content::Control(file), &how, &WriteOptions::default())?;
        let used = use_it(self, &path);
        self.host.remove(&path)?;
        used
    }

    /// Content for a diff, read only when one is wanted.
    fn snippet_of(&self, path: &Path, size: u64, options: &WriteOptions<'_>) -> Result<Snippet> {
        Ok(if options.hidden || !self.wishes.diff || !self.host.access(path, Access::Read) {
            Snippet::Unread
        } else if size > MAX_DIFF_BYTES {
            Snippet::Larger(size)
        } else {
            Snippet::of(self.read(path)?, options.charset)
        })
    }

    fn set_flags(&mut self, path: &Path, change: &str) -> Result<bool> {
        let Some(now) = self.host.flags(path)? else {
            return Err(Failure::new(format!(
                "cannot set the attributes of {}: its file system has none",
                path.display()
            )));
        };
        let wanted = flags::apply(change, &now).map_err(|why| Failure::new(format!("attributes: {why}")))?;
        if wanted == now {
            return Ok(false);
        }
        self.host.set_flags(path, &wanted)?;
        self.attribute(path, "attributes", now, wanted);
        Ok(true)
    }

    /// Without SELinux there is no context, and nothing to do: as in Ansible.
    fn set_context(&mut self, path: &Path, wanted: &FileAttributes, follow: bool) -> Result<bool> {
        let parts = [&wanted.seuser, &wanted.serole, &wanted.setype, &wanted.selevel];
        if parts.iter().all(|part| part.is_none()) {
            return Ok(false);
        }
        let Some(now) = self.host.context(path, follow)? else { return Ok(false) };
        let policy = if parts.iter().any(|part| part.as_deref() == Some("_default")) {
            let answer = self.query(Command::new("matchpathcon").arg("-n").arg(path))?;
            answer.stdout().trim().to_owned()
        } else {
            String::new()
        };
        let (mut old, mut default) = (now.splitn(4, ':'), policy.splitn(4, ':'));
        let mut new = Vec::new();
        for part in parts {
            let (old, default) = (old.next().unwrap_or_default(), default.next().unwrap_or_default());
            new.push(match part.as_deref() {
                Some("_default") if !default.is_empty() => default,
                Some("_default") | None => old,
                Some(wanted) => wanted,
            });
        }
        let new = new.join(":").trim_end_matches(':').to_owned();
        if new == now {
            return Ok(false);
        }
        self.host.set_context(path, &new, follow)?;
        self.attribute(path, "secontext", now, new);
        Ok(true)
    }

    pub(super) fn must(&self, path: &Path, follow: bool) -> Result<Meta> {
        let found = self.host.stat(path, follow)?;
        Ok(found.ok_or_else(|| HostError::new("look at", path, std::io::ErrorKind::NotFound.into()))?)
    }

    fn attribute(&mut self, path: &Path, key: &'static str, before: impl Into<Json>, after: impl Into<Json>) {
        let (before, after) = (before.into(), after.into());
        self.changes.push(Change::Attribute { path: path.to_owned(), key, before, after });
    }
}

fn is_directory(verb: &str, path: &Path) -> Failure {
    Failure::new(format!("cannot {verb} {}: it is a directory", path.display()))
}

/// Ansible's name of what something is.
pub(super) fn state(meta: &Meta) -> &'static str {
    match meta.kind {
        FileType::Dir => "directory",
        FileType::Link => "link",
        _ if meta.links > 1 => "hard",
        _ => "file",
    }
}
