//! A layer of files in memory over another host, or over nothing.
//!
//! Check mode runs a module on an overlay: its changes stay in the layer, later reads see them, and the machine
//! below is only read. [`Memory`](crate::kit::memory::Memory) is an overlay over nothing.

mod host;

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::kit::host::{Access, FileType, Foretold, Host, Meta, Time};
use crate::kit::memory::Machine;

/// Pending changes over a host.
pub struct Overlay<'h> {
    below: Below<'h>,
    layer: Mutex<Layer>,
    foretold: Foretold,
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
        Self { below: Below::Host(below), layer: Mutex::default(), foretold: Foretold::default() }
    }

    /// Forgets all pending changes.
    pub fn clear(&self) {
        *self.layer() = Layer::default();
        self.foretold.set_packages(false, false);
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
        let overlay =
            Self { below: Below::Nothing(machine), layer: Mutex::default(), foretold: Foretold::default() };
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
