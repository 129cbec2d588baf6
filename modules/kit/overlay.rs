//! A layer of files in memory over another host, or over nothing.
//!
//! Check mode runs a module on an overlay: its changes stay in the layer, later reads see them, and the machine
//! below is only read. [`Memory`](crate::kit::memory::Memory) is an overlay over nothing.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io::{self, Cursor, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::kit::command::{Command, Output};
use crate::kit::host::{
    Access, Connection, FileType, Filesystem, Host, HostError, Meta, Peer, Placement, Result, Time,
};
use crate::kit::memory::Machine;
use crate::kit::netlink::Network;

/// Pending changes over a host.
pub struct Overlay<'h> {
    below: Below<'h>,
    layer: Mutex<Layer>,
}

enum Below<'h> {
    Host(&'h dyn Host),
    /// No files at all; the rest is scripted.
    Nothing(Machine),
}

#[derive(Default)]
struct Layer {
    nodes: Vec<Node>,
    /// By path without symbolic links. `None`: removed.
    names: BTreeMap<PathBuf, Option<usize>>,
}

#[derive(Clone)]
struct Node {
    meta: Meta,
    content: Content,
    flags: Option<String>,
    context: Option<String>,
}

#[derive(Clone)]
enum Content {
    Bytes(Arc<[u8]>),
    /// Still that of the file below.
    Below(PathBuf),
    Link(PathBuf),
    /// `opaque`: what the directory below holds is gone.
    Dir {
        opaque: bool,
    },
    Special,
}

/// What is at a path.
enum Found {
    Here(usize, Meta),
    Below(Meta),
}

impl Found {
    fn meta(&self) -> &Meta {
        match self {
            Self::Here(_, meta) | Self::Below(meta) => meta,
        }
    }
}

impl<'h> Overlay<'h> {
    pub fn over(below: &'h dyn Host) -> Self {
        Self { below: Below::Host(below), layer: Mutex::default() }
    }

    /// Forgets all pending changes.
    pub fn clear(&self) {
        *self.layer() = Layer::default();
    }

    fn layer(&self) -> MutexGuard<'_, Layer> {
        self.layer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn host(&self) -> Option<&'h dyn Host> {
        match &self.below {
            Below::Host(host) => Some(*host),
            Below::Nothing(_) => None,
        }
    }

    /// The host below, when nothing is pending: then it knows all.
    fn untouched(&self) -> Option<&'h dyn Host> {
        self.host().filter(|_| self.layer().names.is_empty())
    }

    fn find(&self, layer: &Layer, path: &Path) -> io::Result<Option<Found>> {
        for (depth, ancestor) in path.ancestors().enumerate() {
            let Some(entry) = layer.names.get(ancestor) else { continue };
            let Some(node) = entry.and_then(|at| layer.nodes.get(at).map(|node| (at, node))) else {
                return Ok(None);
            };
            if depth == 0 {
                return Ok(Some(Found::Here(node.0, node.1.meta.clone())));
            }
            if !matches!(node.1.content, Content::Dir { opaque: false }) {
                return Ok(None);
            }
            break;
        }
        match self.host() {
            Some(host) => Ok(host.stat(path, false).map_err(|e| e.source)?.map(Found::Below)),
            None => Ok(None),
        }
    }

    /// The path without symbolic links (but for the last name, unless `follow`), `.` and `..`. What is missing
    /// stays as written.
    fn resolve(&self, layer: &Layer, path: &Path, follow: bool) -> io::Result<PathBuf> {
        let mut at = PathBuf::from("/");
        if path.is_relative()
            && let Some(host) = self.host()
        {
            at = host.canonicalize(Path::new(".")).map_err(|e| e.source)?;
        }
        let mut rest: VecDeque<OsString> = names(path).collect();
        let mut links = 0;
        while let Some(name) = rest.pop_front() {
            if name == ".." {
                at.pop();
                continue;
            }
            let next = at.join(&name);
            if (follow || !rest.is_empty())
                && let Some(found) = self.find(layer, &next)?
                && found.meta().is_link()
            {
                links += 1;
                if links > 40 {
                    return Err(io::Error::other("too many levels of symbolic links"));
                }
                let target = self.target(layer, &next, &found)?;
                if target.is_absolute() {
                    at = PathBuf::from("/");
                }
                for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
                    rest.push_front(name);
                }
            } else {
                at = next;
            }
        }
        Ok(at)
    }

    fn target(&self, layer: &Layer, path: &Path, found: &Found) -> io::Result<PathBuf> {
        match (found, self.host()) {
            (Found::Here(at, _), _) => match layer.nodes.get(*at).map(|node| &node.content) {
                Some(Content::Link(target)) => Ok(target.clone()),
                _ => Err(io::ErrorKind::InvalidInput.into()),
            },
            (Found::Below(_), Some(host)) => host.read_link(path).map_err(|e| e.source),
            (Found::Below(_), None) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Looks up a path for reading.
    fn look(&self, layer: &Layer, path: &Path, follow: bool) -> io::Result<Option<(PathBuf, Found)>> {
        let path = self.resolve(layer, path, follow)?;
        Ok(self.find(layer, &path)?.map(|found| (path, found)))
    }

    fn must(&self, layer: &Layer, path: &Path, follow: bool) -> io::Result<(PathBuf, Found)> {
        self.look(layer, path, follow)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The node of a path, brought up from below when it is there.
    fn own(&self, layer: &mut Layer, path: &Path, found: Found) -> io::Result<usize> {
        let meta = match found {
            Found::Here(at, _) => return Ok(at),
            Found::Below(meta) => meta,
        };
        let host = self.host();
        let content = match meta.kind {
            FileType::File => Content::Below(path.to_owned()),
            FileType::Dir => Content::Dir { opaque: false },
            FileType::Link => match host {
                Some(host) => Content::Link(host.read_link(path).map_err(|e| e.source)?),
                None => return Err(io::ErrorKind::NotFound.into()),
            },
            _ => Content::Special,
        };
        let flags = host.and_then(|host| host.flags(path).ok().flatten());
        let context = host.and_then(|host| host.context(path, false).ok().flatten());
        Ok(layer.put(path, Node { meta, content, flags, context }))
    }

    /// Changes something about a path.
    fn alter(&self, path: &Path, follow: bool, change: impl FnOnce(&mut Node, Time)) -> io::Result<()> {
        let now = self.now();
        let mut layer = self.layer();
        let (path, found) = self.must(&layer, path, follow)?;
        let (me, _) = self.identity();
        if me != 0 && found.meta().uid != me {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let at = self.own(&mut layer, &path, found)?;
        if let Some(node) = layer.nodes.get_mut(at) {
            change(node, now);
            node.meta.ctime = now;
        }
        Ok(())
    }

    /// Where a new name goes: its directory must exist and be ours to write.
    fn slot(&self, layer: &Layer, path: &Path) -> io::Result<PathBuf> {
        let path = self.resolve(layer, path, false)?;
        let Some(parent) = path.parent() else { return Err(io::ErrorKind::AlreadyExists.into()) };
        match self.find(layer, parent)? {
            // An overlay over nothing starts without even a root.
            None if parent == Path::new("/") && self.host().is_none() => {}
            None => return Err(io::ErrorKind::NotFound.into()),
            Some(found) if !found.meta().is_dir() => return Err(io::ErrorKind::NotADirectory.into()),
            Some(found) if !self.may(parent, &found, Access::Write) => {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            Some(_) => {}
        }
        Ok(path)
    }

    fn may(&self, path: &Path, found: &Found, access: Access) -> bool {
        let meta = match (found, self.host()) {
            (Found::Below(_), Some(host)) => return host.access(path, access),
            (found, _) => found.meta(),
        };
        let bit = match access {
            Access::Read => 4,
            Access::Write => 2,
            Access::Execute => 1,
        };
        match self.identity() {
            (0, _) => access != Access::Execute || meta.is_dir() || meta.mode & 0o111 != 0,
            (me, _) if me == meta.uid => meta.mode >> 6 & bit != 0,
            (_, group) if group == meta.gid => meta.mode >> 3 & bit != 0,
            _ => meta.mode & bit != 0,
        }
    }

    fn fresh(&self, kind: FileType, mode: u32, size: u64, inode: usize) -> Meta {
        let now = self.now();
        let (uid, gid) = self.identity();
        Meta {
            kind,
            mode,
            uid,
            gid,
            size,
            atime: now,
            mtime: now,
            ctime: now,
            birth: Some(now),
            inode: 1_000_000 + inode as u64,
            device: 1,
            rdevice: 0,
            links: if kind == FileType::Dir { 2 } else { 1 },
            blocks: size.div_ceil(4096) * 8,
            block_size: 4096,
        }
    }

    fn make(&self, path: &Path, kind: FileType, mode: u32, content: Content) -> io::Result<()> {
        let mut layer = self.layer();
        let path = self.slot(&layer, path)?;
        match self.find(&layer, &path)? {
            Some(found) if kind == FileType::Dir || found.meta().is_dir() => {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            _ => {}
        }
        let size = match &content {
            Content::Link(target) => target.as_os_str().len() as u64,
            _ => 4096,
        };
        let meta = self.fresh(kind, mode, size, layer.nodes.len());
        layer.put(&path, Node { meta, content, flags: None, context: None });
        Ok(())
    }

    fn entries(&self, layer: &Layer, path: &Path, found: &Found) -> io::Result<Vec<OsString>> {
        if !found.meta().is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let opaque = match found {
            Found::Here(at, _) => {
                matches!(layer.nodes.get(*at).map(|node| &node.content), Some(Content::Dir { opaque: true }))
            }
            Found::Below(_) => false,
        };
        let mut all: BTreeMap<OsString, bool> = BTreeMap::new();
        if let (false, Some(host)) = (opaque, self.host()) {
            all.extend(host.list(path).map_err(|e| e.source)?.into_iter().map(|name| (name, true)));
        }
        for (name, entry) in layer.under(path) {
            if name.parent() == Some(path)
                && let Some(last) = name.file_name()
            {
                all.insert(last.to_owned(), entry.is_some());
            }
        }
        Ok(all.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect())
    }

    /// Moves a name and all below it.
    fn transfer(&self, layer: &mut Layer, from: &Path, to: &Path, found: Found) -> io::Result<()> {
        let inside = if found.meta().is_dir() { self.entries(layer, from, &found)? } else { Vec::new() };
        let at = self.own(layer, from, found)?;
        for name in inside {
            let (old, new) = (from.join(&name), to.join(&name));
            if let Some(found) = self.find(layer, &old)? {
                self.transfer(layer, &old, &new, found)?;
            }
        }
        if let Some(Node { content: Content::Dir { opaque }, .. }) = layer.nodes.get_mut(at) {
            *opaque = true;
        }
        layer.names.insert(to.to_owned(), Some(at));
        layer.names.insert(from.to_owned(), None);
        Ok(())
    }
}

impl Overlay<'static> {
    /// A host of its own, with nothing on it but `/`.
    pub(super) fn alone(machine: Machine) -> Self {
        let overlay = Self { below: Below::Nothing(machine), layer: Mutex::default() };
        let meta = overlay.fresh(FileType::Dir, 0o755, 4096, 0);
        let root = Node { meta, content: Content::Dir { opaque: true }, flags: None, context: None };
        overlay.layer().put(Path::new("/"), root);
        overlay
    }

    pub(super) fn machine(&self) -> Option<&Machine> {
        match &self.below {
            Below::Nothing(machine) => Some(machine),
            Below::Host(_) => None,
        }
    }
}

impl Layer {
    fn put(&mut self, path: &Path, node: Node) -> usize {
        self.nodes.push(node);
        let at = self.nodes.len() - 1;
        self.names.insert(path.to_owned(), Some(at));
        at
    }

    /// All names within a directory, at any depth.
    fn under<'a>(&'a self, dir: &'a Path) -> impl Iterator<Item = (&'a PathBuf, &'a Option<usize>)> {
        self.names
            .range(dir.to_owned()..)
            .skip_while(move |(name, _)| *name == dir)
            .take_while(move |(name, _)| name.starts_with(dir))
    }

    /// Removes a path and all below it from the layer, and hides what the host has.
    fn hide(&mut self, path: &Path) {
        let inside: Vec<PathBuf> = self.under(path).map(|(name, _)| name.clone()).collect();
        for name in inside {
            self.names.remove(&name);
        }
        self.names.insert(path.to_owned(), None);
    }
}

fn names(path: &Path) -> impl Iterator<Item = OsString> + '_ {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsStr::new("..").to_owned()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    })
}

impl Host for Overlay<'_> {
    fn stat(&self, path: &Path, follow: bool) -> Result<Option<Meta>> {
        if let Some(host) = self.untouched() {
            return host.stat(path, follow);
        }
        match self.look(&self.layer(), path, follow) {
            Ok(found) => Ok(found.map(|(_, found)| found.meta().clone())),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(e) => Err(HostError::new("look at", path, e)),
        }
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Read + '_>> {
        let fail = |e| HostError::new("read", path, e);
        if let Some(host) = self.untouched() {
            return host.open(path);
        }
        let layer = self.layer();
        let (real, found) = self.must(&layer, path, true).map_err(fail)?;
        let below = match &found {
            Found::Below(_) => real,
            Found::Here(at, _) => match layer.nodes.get(*at).map(|node| &node.content) {
                Some(Content::Bytes(bytes)) => return Ok(Box::new(Cursor::new(Arc::clone(bytes)))),
                Some(Content::Below(path)) => path.clone(),
                Some(Content::Dir { .. }) => return Err(fail(io::ErrorKind::IsADirectory.into())),
                _ => return Err(fail(io::ErrorKind::InvalidInput.into())),
            },
        };
        match self.host() {
            Some(host) => host.open(&below),
            None => Err(fail(io::ErrorKind::NotFound.into())),
        }
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>> {
        if let Some(host) = self.untouched() {
            return host.list(path);
        }
        let layer = self.layer();
        self.must(&layer, path, true)
            .and_then(|(path, found)| self.entries(&layer, &path, &found))
            .map_err(|e| HostError::new("list", path, e))
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf> {
        let layer = self.layer();
        self.must(&layer, path, false)
            .and_then(|(path, found)| self.target(&layer, &path, &found))
            .map_err(|e| HostError::new("read the link", path, e))
    }

    fn canonicalize(&self, path: &Path) -> Result<PathBuf> {
        if let Some(host) = self.untouched() {
            return host.canonicalize(path);
        }
        let layer = self.layer();
        self.must(&layer, path, true).map(|(path, _)| path).map_err(|e| HostError::new("resolve", path, e))
    }

    fn access(&self, path: &Path, access: Access) -> bool {
        if let Some(host) = self.untouched() {
            return host.access(path, access);
        }
        let found = self.look(&self.layer(), path, true);
        matches!(found, Ok(Some((path, found))) if self.may(&path, &found, access))
    }

    fn place(&self, path: &Path, content: &mut dyn Read, how: &Placement) -> Result<()> {
        let fail = |e| HostError::new("write", path, e);
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(fail)?;
        let mut layer = self.layer();
        let at = self.slot(&layer, path).map_err(fail)?;
        let old = self.find(&layer, &at).map_err(fail)?;
        if old.as_ref().is_some_and(|old| old.meta().is_dir()) {
            return Err(fail(io::ErrorKind::IsADirectory.into()));
        }
        let old = old.map(|old| old.meta().clone()).filter(Meta::is_file);
        let mut meta =
            self.fresh(FileType::File, 0o666 & !self.umask(), bytes.len() as u64, layer.nodes.len());
        if let Some(old) = &old {
            (meta.mode, meta.uid, meta.gid) = (old.mode, old.uid, old.gid);
        }
        meta.mode = how.mode.unwrap_or(meta.mode);
        meta.uid = how.uid.unwrap_or(meta.uid);
        meta.gid = how.gid.unwrap_or(meta.gid);
        layer.put(&at, Node { meta, content: Content::Bytes(bytes.into()), flags: None, context: None });
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let fail = |e| HostError::new("remove", path, e);
        let mut layer = self.layer();
        let at = self.slot(&layer, path).map_err(fail)?;
        let (at, found) = self.must(&layer, &at, false).map_err(fail)?;
        if found.meta().is_dir() && !self.entries(&layer, &at, &found).map_err(fail)?.is_empty() {
            return Err(fail(io::ErrorKind::DirectoryNotEmpty.into()));
        }
        layer.hide(&at);
        Ok(())
    }

    fn remove_tree(&self, path: &Path) -> Result<()> {
        let fail = |e| HostError::new("remove", path, e);
        let mut layer = self.layer();
        let at = self.slot(&layer, path).map_err(fail)?;
        let (at, _) = self.must(&layer, &at, false).map_err(fail)?;
        layer.hide(&at);
        Ok(())
    }

    fn make_dir(&self, path: &Path, mode: u32) -> Result<()> {
        self.make(path, FileType::Dir, mode & !self.umask(), Content::Dir { opaque: true })
            .map_err(|e| HostError::new("make the directory", path, e))
    }

    fn symlink(&self, target: &Path, path: &Path) -> Result<()> {
        self.make(path, FileType::Link, 0o777, Content::Link(target.to_owned()))
            .map_err(|e| HostError::new("make the link", path, e))
    }

    fn hard_link(&self, existing: &Path, path: &Path) -> Result<()> {
        let fail = |e| HostError::new("make the link", path, e);
        let mut layer = self.layer();
        let to = self.slot(&layer, path).map_err(fail)?;
        let (from, found) = self.must(&layer, existing, false).map_err(fail)?;
        if found.meta().is_dir() {
            return Err(fail(io::ErrorKind::PermissionDenied.into()));
        }
        let at = self.own(&mut layer, &from, found).map_err(fail)?;
        if let Some(node) = layer.nodes.get_mut(at) {
            node.meta.links += 1;
        }
        layer.names.insert(to, Some(at));
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let fail = |e| HostError::new("rename to", to, e);
        let mut layer = self.layer();
        let target = self.slot(&layer, to).map_err(fail)?;
        let (source, found) = self.must(&layer, from, false).map_err(fail)?;
        layer.hide(&target);
        self.transfer(&mut layer, &source, &target, found).map_err(fail)
    }

    fn set_mode(&self, path: &Path, mode: u32) -> Result<()> {
        self.alter(path, true, |node, _| node.meta.mode = mode)
            .map_err(|e| HostError::new("set the mode of", path, e))
    }

    fn set_owner(&self, path: &Path, uid: Option<u32>, gid: Option<u32>, follow: bool) -> Result<()> {
        let fail = |e| HostError::new("set the owner of", path, e);
        let (me, _) = self.identity();
        if uid.is_some_and(|uid| me != 0 && uid != me) {
            return Err(fail(io::ErrorKind::PermissionDenied.into()));
        }
        self.alter(path, follow, |node, _| {
            node.meta.uid = uid.unwrap_or(node.meta.uid);
            node.meta.gid = gid.unwrap_or(node.meta.gid);
        })
        .map_err(fail)
    }

    fn set_times(&self, path: &Path, atime: Time, mtime: Time, follow: bool) -> Result<()> {
        self.alter(path, follow, |node, _| (node.meta.atime, node.meta.mtime) = (atime, mtime))
            .map_err(|e| HostError::new("set the times of", path, e))
    }

    fn flags(&self, path: &Path) -> Result<Option<String>> {
        let layer = self.layer();
        match (self.look(&layer, path, false), self.host()) {
            (Ok(Some((_, Found::Here(at, meta)))), _) => {
                let plain = (meta.is_file() || meta.is_dir()).then(String::new);
                Ok(layer.nodes.get(at).and_then(|node| node.flags.clone()).or(plain))
            }
            (Ok(Some((path, Found::Below(_)))), Some(host)) => host.flags(&path),
            (Ok(_), _) => Ok(None),
            (Err(e), _) => Err(HostError::new("read the attributes of", path, e)),
        }
    }

    fn set_flags(&self, path: &Path, flags: &str) -> Result<()> {
        self.alter(path, false, |node, _| node.flags = Some(flags.to_owned()))
            .map_err(|e| HostError::new("set the attributes of", path, e))
    }

    fn context(&self, path: &Path, follow: bool) -> Result<Option<String>> {
        let layer = self.layer();
        match (self.look(&layer, path, follow), self.host()) {
            (Ok(Some((_, Found::Here(at, _)))), _) => {
                Ok(layer.nodes.get(at).and_then(|node| node.context.clone()))
            }
            (Ok(Some((path, Found::Below(_)))), Some(host)) => host.context(&path, false),
            (Ok(_), _) => Ok(None),
            (Err(e), _) => Err(HostError::new("read the SELinux context of", path, e)),
        }
    }

    fn set_context(&self, path: &Path, context: &str, follow: bool) -> Result<()> {
        self.alter(path, follow, |node, _| node.context = Some(context.to_owned()))
            .map_err(|e| HostError::new("set the SELinux context of", path, e))
    }

    fn run(&self, command: &Command) -> Result<Output> {
        match &self.below {
            Below::Host(host) => host.run(command),
            Below::Nothing(machine) => machine.run(command, self),
        }
    }

    fn env(&self, name: &str) -> Option<String> {
        match &self.below {
            Below::Host(host) => host.env(name),
            Below::Nothing(machine) => machine.env(name),
        }
    }

    fn environment(&self) -> Vec<(String, String)> {
        match &self.below {
            Below::Host(host) => host.environment(),
            Below::Nothing(_) => Vec::new(),
        }
    }

    fn filesystem(&self, path: &Path) -> Result<Option<Filesystem>> {
        match &self.below {
            Below::Host(host) => host.filesystem(path),
            Below::Nothing(_) => Ok(None),
        }
    }

    fn network(&self) -> Result<Option<Network>> {
        match &self.below {
            Below::Host(host) => host.network(),
            Below::Nothing(_) => Ok(None),
        }
    }

    fn identity(&self) -> (u32, u32) {
        match &self.below {
            Below::Host(host) => host.identity(),
            Below::Nothing(machine) => machine.identity(),
        }
    }

    fn umask(&self) -> u32 {
        match &self.below {
            Below::Host(host) => host.umask(),
            Below::Nothing(_) => 0o022,
        }
    }

    fn now(&self) -> Time {
        match &self.below {
            Below::Host(host) => host.now(),
            Below::Nothing(machine) => machine.now(),
        }
    }

    fn unique(&self) -> String {
        match &self.below {
            Below::Host(host) => host.unique(),
            Below::Nothing(machine) => machine.unique(),
        }
    }

    fn sleep(&self, duration: Duration) {
        match &self.below {
            Below::Host(host) => host.sleep(duration),
            Below::Nothing(machine) => machine.sleep(duration),
        }
    }

    fn connect(&self, to: &Peer<'_>, timeout: Duration) -> Result<Box<dyn Connection>> {
        match &self.below {
            Below::Host(host) => host.connect(to, timeout),
            Below::Nothing(machine) => machine.connect(to),
        }
    }
}
