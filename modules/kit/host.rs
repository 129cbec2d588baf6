//! The lowest level: what a module's work comes down to on a machine.
//!
//! Modules never see this; they hold a [`System`](crate::kit::System). There are three hosts: [`Real`] (the only
//! code in this crate that touches the machine), [`Memory`] (for tests) and [`Overlay`] (pending changes over
//! another host: check mode).
//!
//! [`Real`]: crate::kit::real::Real
//! [`Memory`]: crate::kit::memory::Memory
//! [`Overlay`]: crate::kit::overlay::Overlay

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::kit::command::{Command, Output};
use crate::kit::netlink::Network;

/// Which of a command's outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

/// What is heard of a command while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News<'a> {
    /// It takes longer than a moment. Comes once.
    Lasts,
    /// Whole lines, but for the last one.
    Says(Stream, &'a [u8]),
}

/// Hears of a command while it runs.
pub type Hear<'a> = dyn FnMut(News<'_>) + 'a;

/// A machine. All paths are absolute, or relative to the process's working directory.
pub trait Host: Send + Sync {
    /// Looks at what is there; `None` when nothing is (also when a parent is no directory).
    fn stat(&self, path: &Path, follow: bool) -> Result<Option<Meta>>;

    fn open(&self, path: &Path) -> Result<Box<dyn Read + '_>>;

    /// What the kernel calls the architecture: under an emulation, or for the programs of a 32-bit container, another than its
    /// own. `None` where only its files tell.
    fn machine(&self) -> Option<String> {
        None
    }

    /// The names in a directory, sorted.
    fn list(&self, path: &Path) -> Result<Vec<OsString>>;

    fn read_link(&self, path: &Path) -> Result<PathBuf>;

    /// The path without symbolic links. All of it must exist.
    fn canonicalize(&self, path: &Path) -> Result<PathBuf>;

    /// Whether this process may do that with the file.
    fn access(&self, path: &Path, access: Access) -> bool;

    /// Writes a temporary file beside `path`, gives it the owner and mode, and renames it over `path`. On an
    /// error nothing is left behind.
    fn place(&self, path: &Path, content: &mut dyn Read, how: &Placement) -> Result<()>;

    /// Gives a file the extended attributes of another one, as far as may be.
    fn inherit(&self, _from: &Path, _to: &Path) -> Result<()> {
        Ok(())
    }

    /// Removes a file, a link or an empty directory.
    fn remove(&self, path: &Path) -> Result<()>;

    fn remove_tree(&self, path: &Path) -> Result<()>;

    /// Makes one directory; its parent exists.
    fn make_dir(&self, path: &Path, mode: u32) -> Result<()>;

    /// Makes a symbolic link, atomically replacing a file or link.
    fn symlink(&self, target: &Path, path: &Path) -> Result<()>;

    /// Makes a second name for a file, atomically replacing a file or link.
    fn hard_link(&self, existing: &Path, path: &Path) -> Result<()>;

    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    fn set_mode(&self, path: &Path, mode: u32) -> Result<()>;

    /// `follow` says whether a symbolic link's target is meant.
    fn set_owner(&self, path: &Path, uid: Option<u32>, gid: Option<u32>, follow: bool) -> Result<()>;

    /// Seconds and nanoseconds since 1970.
    fn set_times(&self, path: &Path, atime: Time, mtime: Time, follow: bool) -> Result<()>;

    /// The attributes `lsattr` shows, as letters; `None` where the file system has none.
    fn flags(&self, path: &Path) -> Result<Option<String>>;

    /// The file's generation, which `lsattr -v` shows; `None` where the file system has none.
    fn generation(&self, _path: &Path) -> Option<u32> {
        None
    }

    fn set_flags(&self, path: &Path, flags: &str) -> Result<()>;

    /// The SELinux context, where SELinux is on.
    fn context(&self, path: &Path, follow: bool) -> Result<Option<String>>;

    fn set_context(&self, path: &Path, context: &str, follow: bool) -> Result<()>;

    /// Runs a command to its end.
    fn run(&self, command: &Command) -> Result<Output>;

    /// The same, and tells of it while it runs.
    fn run_heard(&self, command: &Command, hear: &mut Hear<'_>) -> Result<Output>;

    /// Whether who called for the work is gone.
    fn is_deserted(&self) -> bool {
        false
    }

    /// Runs a command to its end on a terminal of its own, and talks with it there.
    fn converse(&self, command: &Command, _: Manner, _: &mut Partner<'_>) -> Result<Output> {
        Err(HostError::because("run", command.program().as_ref(), "there is no terminal here"))
    }

    /// Starts the worker anew, as a process that outlives this one, to do the [`Job`] in `input`; `false` where
    /// there are no processes to start.
    ///
    /// [`Job`]: crate::kit::background::Job
    fn detach(&self, _input: &[u8]) -> Result<bool> {
        Ok(false)
    }

    /// An environment variable of the worker.
    fn env(&self, name: &str) -> Option<String>;

    /// Every environment variable of the worker, in order.
    fn environment(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The size and use of the file system that holds the path; `None` where there is nothing to say.
    fn filesystem(&self, _path: &Path) -> Result<Option<Filesystem>> {
        Ok(None)
    }

    /// Interfaces, addresses and routes; `None` where the kernel does not tell.
    fn network(&self) -> Result<Option<Network>> {
        Ok(None)
    }

    /// The effective user and group.
    fn identity(&self) -> (u32, u32);

    fn umask(&self) -> u32;

    fn now(&self) -> Time;

    /// A name nobody has used: letters, digits and `_`.
    fn unique(&self) -> String;

    /// Waits. It ends early, with an error, where nobody is there any more to wait for.
    fn sleep(&self, duration: Duration) -> Result<()>;

    /// Opens a TCP connection to an address or name, for as long as it is held. With `path` a Unix socket.
    fn connect(&self, to: &Peer<'_>, timeout: Duration) -> Result<Box<dyn Connection>>;

    /// The connection as that command encrypts it: it talks by its standard streams, and with the other end by the
    /// socket that it is given last, after `-unix`.
    fn encrypt(&self, _stream: Box<dyn Connection>, command: &Command) -> Result<Box<dyn Connection>> {
        Err(HostError::because("run", command.program().as_ref(), "there are no processes here"))
    }

    /// Sends one datagram of UDP over IPv4, to all of a network if that is what the address or name says.
    fn broadcast(&self, to: &str, port: u16, datagram: &[u8]) -> Result<()>;

    /// What check mode foretold of this machine besides its files; `None` where all that is done is real.
    fn foretold(&self) -> Option<&Foretold> {
        None
    }

    /// Whether a check foretells what is at that path: then no program finds it there.
    fn foretells(&self, _path: &Path) -> bool {
        false
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        None
    }
}

/// What check mode foretold of a machine besides its files.
#[derive(Default)]
pub struct Foretold {
    packages: AtomicBool,
    services_stopped: AtomicBool,
}

impl Foretold {
    /// Packages would be installed, and with them services that nobody knows yet.
    pub fn packages(&self) -> bool {
        self.packages.load(Ordering::Relaxed)
    }

    /// A policy keeps the services of the packages that were foretold last from being started.
    pub fn services_stopped(&self) -> bool {
        self.services_stopped.load(Ordering::Relaxed)
    }

    pub fn set_packages(&self, foretold: bool, services_stopped: bool) {
        self.packages.store(foretold, Ordering::Relaxed);
        self.services_stopped.store(services_stopped, Ordering::Relaxed);
    }
}

/// A file system's size and use, in its own blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filesystem {
    pub block_size: u64,
    pub blocks: u64,
    /// Free for ordinary users.
    pub blocks_available: u64,
    pub files: u64,
    pub files_available: u64,
}

/// Who talks with a command on a terminal: is given what the command wrote since the last answer.
pub type Partner<'p> = dyn FnMut(&str) -> Answer + 'p;

/// How a command is talked with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// The terminal shows what is said to it.
    pub echo: bool,
    /// How long to wait for something to answer to.
    pub patience: Option<Duration>,
}

/// What a partner makes of what it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet.
    Wait,
    /// That much of it is answered, in bytes, with that.
    Say { heard: usize, text: String },
    /// No more: the command is ended.
    HangUp,
}

/// Where to connect to.
#[derive(Clone, Copy, Debug)]
pub enum Peer<'a> {
    Tcp { host: &'a str, port: u16 },
    Unix(&'a Path),
}

/// An open stream.
pub trait Connection: Read + io::Write + Send {
    /// Reads give `WouldBlock` or `TimedOut` after that long.
    fn set_read_timeout(&self, timeout: Duration) -> io::Result<()>;
    /// Nothing more is written; reading goes on.
    fn end_of_writing(&self) -> io::Result<()>;
    /// The same stream once more: one can be read while the other is written.
    fn twin(&self) -> io::Result<Box<dyn Connection>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
    Execute,
}

/// Seconds since 1970 and nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    pub secs: i64,
    pub nanos: u32,
}

impl Time {
    #[expect(clippy::cast_precision_loss, reason = "as Python's os.stat gives it")]
    pub fn as_f64(self) -> f64 {
        self.secs as f64 + f64::from(self.nanos) / 1e9
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileType {
    File,
    Dir,
    Link,
    Fifo,
    Socket,
    Block,
    Char,
}

/// What `stat` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    pub kind: FileType,
    /// The permission bits alone.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    pub atime: Time,
    pub mtime: Time,
    pub ctime: Time,
    /// When it was made, where the file system knows.
    pub birth: Option<Time>,
    pub inode: u64,
    pub device: u64,
    /// The device a device file stands for.
    pub rdevice: u64,
    pub links: u64,
    pub blocks: u64,
    pub block_size: u64,
}

impl Meta {
    pub fn is_file(&self) -> bool {
        self.kind == FileType::File
    }

    pub fn is_dir(&self) -> bool {
        self.kind == FileType::Dir
    }

    pub fn is_link(&self) -> bool {
        self.kind == FileType::Link
    }
}

/// How [`Host::place`] leaves a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// Else that of the file replaced, else what the umask leaves of 0666.
    pub mode: Option<u32>,
    /// Else that of the file replaced.
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    /// Where renaming fails because the file is busy or on a mount of its own: write into it.
    pub unsafe_writes: bool,
}

pub type Result<T, E = HostError> = std::result::Result<T, E>;

/// What could not be done, with what, and why.
#[derive(Debug)]
pub struct HostError {
    /// `read`, `write`, `remove` …
    pub operation: &'static str,
    pub path: PathBuf,
    pub source: io::Error,
}

impl HostError {
    pub fn new(operation: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self { operation, path: path.into(), source }
    }

    /// With a reason of our own.
    pub fn because(operation: &'static str, path: impl Into<PathBuf>, why: impl Into<String>) -> Self {
        Self::new(operation, path, io::Error::other(why.into()))
    }

    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.operation, self.path.display(), self.source)
    }
}

impl std::error::Error for HostError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
