//! The overlay as a host.

use std::ffi::OsString;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{Below, Content, Found, Node, Overlay};
use crate::kit::command::{Command, Output};
use crate::kit::host::{
    Access, Connection, FileType, Filesystem, Foretold, Hear, Host, HostError, Manner, Meta, News, Partner,
    Peer, Placement, Result, Stream, Time,
};
use crate::kit::netlink::Network;

impl Host for Overlay<'_> {
    fn foretold(&self) -> Option<&Foretold> {
        self.host().map(|_| &self.foretold)
    }

    fn foretells(&self, path: &Path) -> bool {
        let found = self.look(&self.layer(), path, true);
        self.host().is_some() && matches!(found, Ok(Some((_, found))) if !matches!(found, Found::Below(_)))
    }

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

    fn generation(&self, path: &Path) -> Option<u32> {
        match (self.look(&self.layer(), path, false), self.host()) {
            (Ok(Some((path, Found::Below(_)))), Some(host)) => host.generation(&path),
            _ => None,
        }
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

    fn run_heard(&self, command: &Command, hear: &mut Hear<'_>) -> Result<Output> {
        match &self.below {
            Below::Host(host) => host.run_heard(command, hear),
            Below::Nothing(machine) => {
                hear(News::Lasts);
                let output = machine.run(command, self)?;
                hear(News::Says(Stream::Out, &output.stdout));
                hear(News::Says(Stream::Err, &output.stderr));
                Ok(output)
            }
        }
    }

    fn converse(&self, command: &Command, manner: Manner, partner: &mut Partner<'_>) -> Result<Output> {
        match &self.below {
            Below::Host(host) => host.converse(command, manner, partner),
            Below::Nothing(machine) => machine.converse(command, partner, self),
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

    fn machine(&self) -> Option<String> {
        self.host().and_then(Host::machine)
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

    fn sleep(&self, duration: Duration) -> Result<()> {
        match &self.below {
            Below::Host(host) => host.sleep(duration),
            Below::Nothing(machine) => {
                machine.sleep(duration);
                Ok(())
            }
        }
    }

    fn broadcast(&self, to: &str, port: u16, datagram: &[u8]) -> Result<()> {
        match &self.below {
            Below::Host(host) => host.broadcast(to, port, datagram),
            Below::Nothing(machine) => {
                machine.broadcast(to, port, datagram);
                Ok(())
            }
        }
    }

    fn connect(&self, to: &Peer<'_>, timeout: Duration) -> Result<Box<dyn Connection>> {
        match &self.below {
            Below::Host(host) => host.connect(to, timeout),
            Below::Nothing(machine) => machine.connect(to),
        }
    }

    fn encrypt(&self, stream: Box<dyn Connection>, command: &Command) -> Result<Box<dyn Connection>> {
        match &self.below {
            Below::Host(host) => host.encrypt(stream, command),
            Below::Nothing(machine) => Ok(machine.encrypt(stream, command)),
        }
    }
}
