//! The machine this process runs on. Nothing else in this crate touches it.

pub mod detached;
#[cfg_attr(not(target_os = "linux"), path = "real/elsewhere.rs")]
#[cfg_attr(target_os = "linux", path = "real/linux.rs")]
pub(super) mod kernel;
pub mod patient;
pub mod terminal;
mod tunnel;
pub mod vanish;

use std::any::Any;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufWriter, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use self::kernel::To;
pub use self::kernel::keep_secrets;
use rustix::fs::{AtFlags, CWD, Gid, Timespec, Timestamps, UTIME_NOW, Uid};
use rustix::io::Errno;
use signal_hook::consts::SIGHUP;

use crate::kit::command::{Command, Output};
use crate::kit::flags;
use crate::kit::host::{
    Access, Connection, FileType, Filesystem, Hear, Host, HostError, Manner, Meta, Partner, Peer, Placement,
    Result, Time,
};
use crate::kit::netlink::Network;
use crate::kit::process;
use crate::kit::wire::PIECE;

/// Lets this process end what it started when its terminal goes: the end of its input tells it to. What it starts is ended by a
/// hangup as ever.
pub fn outlive_terminal() -> io::Result<()> {
    signal_hook::flag::register(SIGHUP, Arc::default())?;
    Ok(())
}

/// The real machine.
#[derive(Debug, Default)]
pub struct Real {
    /// While a command runs, the end of the worker's input is watched for: then the command is killed.
    watch_input: bool,
    umask: OnceLock<u32>,
}

impl Real {
    /// For use within another program.
    pub fn new() -> Self {
        Self::default()
    }

    /// For the worker, whose standard input is the control node.
    pub fn watching_input() -> Self {
        Self { watch_input: true, ..Self::default() }
    }
}

const SELINUX: &str = "security.selinux";

impl Host for Real {
    fn stat(&self, path: &Path, follow: bool) -> Result<Option<Meta>> {
        let found = if follow { fs::metadata(path) } else { fs::symlink_metadata(path) };
        match found {
            Ok(found) => Ok(Some(meta(&found))),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(e) => Err(HostError::new("look at", path, e)),
        }
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Read + '_>> {
        let file = File::open(path).map_err(|e| HostError::new("read", path, e))?;
        Ok(Box::new(file))
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>> {
        let fail = |e| HostError::new("list", path, e);
        let mut names = Vec::new();
        for entry in fs::read_dir(path).map_err(fail)? {
            names.push(entry.map_err(fail)?.file_name());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf> {
        fs::read_link(path).map_err(|e| HostError::new("read the link", path, e))
    }

    fn canonicalize(&self, path: &Path) -> Result<PathBuf> {
        fs::canonicalize(path).map_err(|e| HostError::new("resolve", path, e))
    }

    fn access(&self, path: &Path, access: Access) -> bool {
        let access = match access {
            Access::Read => rustix::fs::Access::READ_OK,
            Access::Write => rustix::fs::Access::WRITE_OK,
            Access::Execute => rustix::fs::Access::EXEC_OK,
        };
        rustix::fs::accessat(CWD, path, access, AtFlags::EACCESS)
            .or_else(|_| rustix::fs::access(path, access))
            .is_ok()
    }

    fn place(&self, path: &Path, content: &mut dyn Read, how: &Placement) -> Result<()> {
        let fail = |e| HostError::new("write", path, e);
        let old = match fs::symlink_metadata(path) {
            Ok(old) if old.is_file() => Some(old),
            _ => None,
        };
        let temporary = self.beside(path);
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary);
        let mut file = match opened {
            Ok(file) => file,
            // No place beside it (a mount of its own in a read-only directory): straight into it.
            Err(_) if how.unsafe_writes && old.is_some() => return self.write_into(path, content, how),
            Err(e) => return Err(HostError::new("create a file in", path.parent().unwrap_or(path), e)),
        };
        let placed = self.fill(&mut file, content, path, old.as_ref(), how).and_then(|()| {
            match fs::rename(&temporary, path) {
                Err(e) if how.unsafe_writes && old.is_some() && is_busy(&e) => {
                    let mut copy = File::open(&temporary)?;
                    let mut into = OpenOptions::new().write(true).truncate(true).open(path)?;
                    io::copy(&mut copy, &mut into)?;
                    fs::remove_file(&temporary)
                }
                done => done,
            }
        });
        if let Err(e) = placed {
            // The first error is the one to tell.
            let _ = fs::remove_file(&temporary);
            return Err(fail(e));
        }
        Ok(())
    }

    fn inherit(&self, from: &Path, to: &Path) -> Result<()> {
        kernel::inherit(from, To::Path(to)).map_err(|e| HostError::new("set the access list of", to, e))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let fail = |e| HostError::new("remove", path, e);
        if fs::symlink_metadata(path).map_err(fail)?.is_dir() {
            fs::remove_dir(path).map_err(fail)
        } else {
            fs::remove_file(path).map_err(fail)
        }
    }

    fn remove_tree(&self, path: &Path) -> Result<()> {
        fs::remove_dir_all(path).map_err(|e| HostError::new("remove", path, e))
    }

    fn make_dir(&self, path: &Path, mode: u32) -> Result<()> {
        fs::DirBuilder::new()
            .mode(mode)
            .create(path)
            .map_err(|e| HostError::new("make the directory", path, e))
    }

    fn symlink(&self, target: &Path, path: &Path) -> Result<()> {
        self.replace(path, "make the link", |at| std::os::unix::fs::symlink(target, at))
    }

    fn hard_link(&self, existing: &Path, path: &Path) -> Result<()> {
        self.replace(path, "make the link", |at| fs::hard_link(existing, at))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(from, to).map_err(|e| HostError::new("rename to", to, e))
    }

    fn set_mode(&self, path: &Path, mode: u32) -> Result<()> {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
            .map_err(|e| HostError::new("set the mode of", path, e))
    }

    fn set_owner(&self, path: &Path, uid: Option<u32>, gid: Option<u32>, follow: bool) -> Result<()> {
        let flags = if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
        rustix::fs::chownat(CWD, path, uid.map(Uid::from_raw), gid.map(Gid::from_raw), flags)
            .map_err(|e| HostError::new("set the owner of", path, e.into()))
    }

    fn set_times(&self, path: &Path, atime: Time, mtime: Time, follow: bool) -> Result<()> {
        let flags = if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
        let spec = |time: Time| Timespec { tv_sec: time.secs, tv_nsec: time.nanos.into() };
        let times = Timestamps { last_access: spec(atime), last_modification: spec(mtime) };
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let is_now = |time: Time| (self.now().secs - time.secs).abs() <= 1;
        rustix::fs::utimensat(CWD, path, &times, flags)
            .or_else(|error| match error {
                // Who may write a file of somebody else's may set both times to now, and to no other.
                Errno::PERM if is_now(atime) && is_now(mtime) => {
                    let times = Timestamps { last_access: now, last_modification: now };
                    rustix::fs::utimensat(CWD, path, &times, flags)
                }
                error => Err(error),
            })
            .map_err(|e| HostError::new("set the times of", path, e.into()))
    }

    fn flags(&self, path: &Path) -> Result<Option<String>> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_file() || found.is_dir() => {}
            _ => return Ok(None),
        }
        let Ok(file) = File::open(path) else { return Ok(None) };
        Ok(kernel::flags(&file).map(flags::letters))
    }

    fn machine(&self) -> Option<String> {
        Some(rustix::system::uname().machine().to_string_lossy().into_owned())
    }

    fn generation(&self, path: &Path) -> Option<u32> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_file() || found.is_dir() => kernel::generation(&File::open(path).ok()?),
            _ => None,
        }
    }

    fn set_flags(&self, path: &Path, letters: &str) -> Result<()> {
        let fail = |e| HostError::new("set the attributes of", path, e);
        let bits = flags::bits(letters).map_err(|why| fail(io::Error::other(why)))?;
        let file = File::open(path).map_err(fail)?;
        kernel::set_flags(&file, bits).map_err(fail)
    }

    fn context(&self, path: &Path, follow: bool) -> Result<Option<String>> {
        let Some(value) = kernel::attribute(path, SELINUX, follow) else { return Ok(None) };
        Ok(Some(String::from_utf8_lossy(&value).trim_end_matches('\0').to_owned()))
    }

    fn set_context(&self, path: &Path, context: &str, follow: bool) -> Result<()> {
        let value = [context.as_bytes(), b"\0"].concat();
        kernel::set_attribute(path, SELINUX, &value, follow)
            .map_err(|e| HostError::new("set the SELinux context of", path, e))
    }

    fn run(&self, command: &Command) -> Result<Output> {
        let input = io::stdin();
        let watch: Option<BorrowedFd<'_>> = self.watch_input.then(|| input.as_fd());
        process::run(command, watch, None).map_err(|e| HostError::new("run", command.program().as_ref(), e))
    }

    fn run_heard(&self, command: &Command, hear: &mut Hear<'_>) -> Result<Output> {
        let input = io::stdin();
        let watch: Option<BorrowedFd<'_>> = self.watch_input.then(|| input.as_fd());
        process::run(command, watch, Some(hear))
            .map_err(|e| HostError::new("run", command.program().as_ref(), e))
    }

    fn is_deserted(&self) -> bool {
        self.watch_input && process::hung_up(io::stdin().as_fd())
    }

    fn converse(&self, command: &Command, manner: Manner, partner: &mut Partner<'_>) -> Result<Output> {
        let input = io::stdin();
        let watch: Option<BorrowedFd<'_>> = self.watch_input.then(|| input.as_fd());
        terminal::converse(command, manner, partner, watch)
            .map_err(|e| HostError::new("run", command.program().as_ref(), e))
    }

    fn detach(&self, input: &[u8]) -> Result<bool> {
        // Within another program there is no worker to start.
        if !self.watch_input {
            return Ok(false);
        }
        detached::start(input).map_err(|e| HostError::new("start", "the worker", e))?;
        Ok(true)
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn environment(&self) -> Vec<(String, String)> {
        std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect()
    }

    fn filesystem(&self, path: &Path) -> Result<Option<Filesystem>> {
        // A mount that cannot be asked (no permission, gone stale) has nothing to say.
        let Ok(usage) = rustix::fs::statvfs(path) else { return Ok(None) };
        Ok(Some(Filesystem {
            block_size: usage.f_frsize,
            blocks: usage.f_blocks,
            blocks_available: usage.f_bavail,
            files: usage.f_files,
            files_available: usage.f_ffree,
        }))
    }

    fn network(&self) -> Result<Option<Network>> {
        Ok(kernel::network().ok())
    }

    fn identity(&self) -> (u32, u32) {
        (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
    }

    fn umask(&self) -> u32 {
        *self.umask.get_or_init(|| {
            let old = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
            rustix::process::umask(old);
            kernel::bits(old)
        })
    }

    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time { secs: i64::try_from(since.as_secs()).unwrap_or(i64::MAX), nanos: since.subsec_nanos() }
    }

    fn unique(&self) -> String {
        let random = RandomState::new().build_hasher().finish();
        format!("{:x}{random:x}", std::process::id())
    }

    fn sleep(&self, duration: Duration) -> Result<()> {
        let input = io::stdin();
        let watch: Option<BorrowedFd<'_>> = self.watch_input.then(|| input.as_fd());
        process::pause(duration, watch).map_err(|e| HostError::new("wait for", "the clock", e))
    }

    fn connect(&self, to: &Peer<'_>, timeout: Duration) -> Result<Box<dyn Connection>> {
        match to {
            Peer::Unix(path) => {
                let stream = UnixStream::connect(path).map_err(|e| HostError::new("connect to", *path, e))?;
                Ok(Box::new(stream))
            }
            Peer::Tcp { host, port } => {
                let fail = |e| HostError::new("connect to", format!("{host}:{port}"), e);
                let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                for address in addresses(host).map_err(fail)? {
                    match TcpStream::connect_timeout(&SocketAddr::new(address, *port), timeout) {
                        Ok(stream) => return Ok(Box::new(stream)),
                        Err(e) => last = e,
                    }
                }
                Err(fail(last))
            }
        }
    }

    fn encrypt(&self, stream: Box<dyn Connection>, command: &Command) -> Result<Box<dyn Connection>> {
        let dir = std::env::temp_dir().join(format!(".fanfare-{}", self.unique()));
        tunnel::through(command, stream, &dir)
            .map_err(|e| HostError::new("run", command.program().as_ref(), e))
    }

    fn broadcast(&self, to: &str, port: u16, datagram: &[u8]) -> Result<()> {
        let fail = |e| HostError::new("send to", format!("{to}:{port}"), e);
        let address = addresses(to).map_err(fail)?.into_iter().find(IpAddr::is_ipv4);
        let address =
            address.ok_or_else(|| fail(io::Error::new(io::ErrorKind::NotFound, "it has no IPv4 address")))?;
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).map_err(fail)?;
        socket.set_broadcast(true).map_err(fail)?;
        socket.send_to(datagram, SocketAddr::new(address, port)).map_err(fail)?;
        Ok(())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl Real {
    /// A name in the same directory that nobody uses.
    fn beside(&self, path: &Path) -> PathBuf {
        path.with_file_name(format!(".fanfare-{}", self.unique()))
    }

    fn fill(
        &self,
        file: &mut File,
        content: &mut dyn Read,
        path: &Path,
        old: Option<&fs::Metadata>,
        how: &Placement,
    ) -> io::Result<()> {
        pour(content, file)?;
        let mine = self.identity();
        let uid = how.uid.or(old.map(MetadataExt::uid)).filter(|uid| *uid != mine.0);
        let gid = how.gid.or(old.map(MetadataExt::gid)).filter(|gid| *gid != mine.1);
        if (uid.is_some() || gid.is_some())
            && let Err(e) = std::os::unix::fs::fchown(&*file, uid, gid)
            // Keeping the old owner is best effort: who may write the directory may replace the file.
            && (how.uid.is_some() || how.gid.is_some())
        {
            return Err(e);
        }
        let mode = how.mode.or(old.map(|old| old.mode() & 0o7777)).unwrap_or_else(|| 0o666 & !self.umask());
        if old.is_some() {
            kernel::inherit(path, To::File(file))?;
        }
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        if old.is_some() {
            // A crash must not lose the old content and the new.
            file.sync_data()?;
        }
        Ok(())
    }

    fn write_into(&self, path: &Path, content: &mut dyn Read, how: &Placement) -> Result<()> {
        let fail = |e| HostError::new("write", path, e);
        let mut file = OpenOptions::new().write(true).truncate(true).open(path).map_err(fail)?;
        pour(content, &mut file).map_err(fail)?;
        if let Some(mode) = how.mode {
            self.set_mode(path, mode)?;
        }
        if how.uid.is_some() || how.gid.is_some() {
            self.set_owner(path, how.uid, how.gid, true)?;
        }
        Ok(())
    }

    /// Makes something beside the path and renames it over.
    fn replace(
        &self,
        path: &Path,
        operation: &'static str,
        make: impl Fn(&Path) -> io::Result<()>,
    ) -> Result<()> {
        match make(path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            done => return done.map_err(|e| HostError::new(operation, path, e)),
        }
        let temporary = self.beside(path);
        let made = make(&temporary).and_then(|()| fs::rename(&temporary, path));
        // Renaming one name of a file over another one does nothing: then the temporary name is still there.
        let _ = fs::remove_file(&temporary);
        made.map_err(|e| HostError::new(operation, path, e))
    }
}

impl Connection for TcpStream {
    fn set_read_timeout(&self, timeout: Duration) -> io::Result<()> {
        Self::set_read_timeout(self, Some(timeout.max(Duration::from_millis(1))))
    }

    fn end_of_writing(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn twin(&self) -> io::Result<Box<dyn Connection>> {
        Ok(Box::new(self.try_clone()?))
    }
}

impl Connection for UnixStream {
    fn set_read_timeout(&self, timeout: Duration) -> io::Result<()> {
        Self::set_read_timeout(self, Some(timeout.max(Duration::from_millis(1))))
    }

    fn end_of_writing(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }

    fn twin(&self) -> io::Result<Box<dyn Connection>> {
        Ok(Box::new(self.try_clone()?))
    }
}

/// The addresses of a name, without the C library's resolver (which would load plugins into a static binary).
fn addresses(name: &str) -> io::Result<Vec<IpAddr>> {
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let mut found: Vec<IpAddr> = Vec::new();
    for line in hosts.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
        if words.any(|word| word.eq_ignore_ascii_case(name)) {
            found.extend(address);
        }
    }
    if found.is_empty() {
        let answer = process::run(&Command::new("getent").arg("ahosts").arg(name), None, None)?;
        for line in answer.stdout().lines() {
            let address = line.split_whitespace().next().and_then(|word| word.parse().ok());
            found.extend(address.filter(|address| !found.contains(address)));
        }
    }
    if found.is_empty() && name == "localhost" {
        found.push(IpAddr::from([127, 0, 0, 1]));
    }
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name is not known"));
    }
    Ok(found)
}

/// As content comes: in pieces of up to 64 KiB.
fn pour(content: &mut dyn Read, file: &mut File) -> io::Result<()> {
    let mut into = BufWriter::with_capacity(PIECE, file);
    io::copy(content, &mut into)?;
    into.flush()
}

fn is_busy(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ResourceBusy
            | io::ErrorKind::ExecutableFileBusy
            | io::ErrorKind::CrossesDevices
            | io::ErrorKind::PermissionDenied
    )
}

fn meta(found: &fs::Metadata) -> Meta {
    let time = |secs, nanos: i64| Time { secs, nanos: u32::try_from(nanos).unwrap_or(0) };
    let birth = found.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let kind = found.file_type();
    Meta {
        kind: if kind.is_dir() {
            FileType::Dir
        } else if kind.is_symlink() {
            FileType::Link
        } else if kind.is_fifo() {
            FileType::Fifo
        } else if kind.is_socket() {
            FileType::Socket
        } else if kind.is_block_device() {
            FileType::Block
        } else if kind.is_char_device() {
            FileType::Char
        } else {
            FileType::File
        },
        mode: found.mode() & 0o7777,
        uid: found.uid(),
        gid: found.gid(),
        size: found.size(),
        atime: time(found.atime(), found.atime_nsec()),
        mtime: time(found.mtime(), found.mtime_nsec()),
        ctime: time(found.ctime(), found.ctime_nsec()),
        birth: birth.map(|since| Time {
            secs: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            nanos: since.subsec_nanos(),
        }),
        inode: found.ino(),
        device: found.dev(),
        rdevice: found.rdev(),
        links: found.nlink(),
        blocks: found.blocks(),
        block_size: found.blksize(),
    }
}

#[cfg(test)]
mod tests;
