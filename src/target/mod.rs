//! Reaching hosts: connections, hops, the worker's bootstrap and its frames.

mod askpass;
mod bootstrap;
mod budget;
pub mod embedded;
pub mod hops;
mod known_hosts;
mod lanes;
pub mod limits;
mod links;
mod local;
mod notes;
mod opening;
mod pattern;
mod pipe;
mod prebuilt;
pub mod programs;
mod quote;
mod raw;
mod readonce;
mod replies;
mod ssh;
mod ssh_config;
mod surroundings;
mod traffic;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fanfare_modules::kit::host::Stream;

pub use self::askpass::{Answers, asked_by_ssh};
pub use self::links::{Lab, Links};
pub use self::notes::NoteTaker;
pub use self::pipe::ByteStream;
pub use self::programs::{Program, Shell};
pub use self::replies::Replies;
pub use self::surroundings::{Asker, Surroundings};
pub use self::traffic::Counts;

/// Where a task runs and how to get there: the key under which a link is shared within a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// The inventory's name of the host, for messages.
    pub name: Arc<str>,
    pub transport: Transport,
    pub hop: Option<Hop>,
    /// Directories to try for the worker's cache before the usual ones (`ansible_remote_tmp`).
    pub remote_tmp: Option<String>,
    /// Whether nothing of ours is to be left there (`--no-cache`).
    pub traceless: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    Local,
    Ssh(SshOptions),
    Program(Program),
}

/// What the inventory, the play and the command line say about an SSH connection. `~/.ssh/config` fills in
/// what is absent here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SshOptions {
    /// `ansible_host`, else the inventory name.
    pub host: String,
    pub port: Option<u16>,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub private_key: Option<PathBuf>,
    /// The text of a private key, and what it is encrypted with.
    pub key: Option<Secret>,
    pub passphrase: Option<Secret>,
    /// `ansible_ssh_common_args` + `ansible_ssh_extra_args` + `ansible_ssh_args`, unparsed.
    pub args: Vec<String>,
    /// `ANSIBLE_HOST_KEY_CHECKING`, `ansible_host_key_checking`.
    pub host_key_checking: Option<bool>,
    pub connect_timeout: Option<Duration>,
    /// How often a host that was not reached is tried again.
    pub retries: u32,
}

/// `become`: the worker is started as another user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hop {
    /// `sudo`, `su` …: a row of the table in `target/hops.rs`.
    pub method: String,
    pub user: String,
    pub password: Option<Secret>,
    pub exe: Option<String>,
    pub flags: Option<String>,
    /// Where to start it.
    pub chdir: Option<String>,
    /// How a method that prompts on the terminal asks for the password; by a colon at the end where there are none.
    pub prompts: Vec<String>,
    /// How many seconds it may take to ask or to let us through.
    pub patience: Option<u64>,
}

/// Text that never shows: `Debug` prints `***`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Why a call gave no reply.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// The host cannot be reached, or the link broke: the host is UNREACHABLE.
    #[error("{0}")]
    Unreachable(String),
    /// The host answers but cannot do it (the hop was refused, no place for the worker): the task failed.
    #[error("{0}")]
    Failed(String),
    /// The hop ended with a code of its own before the worker ran: the task failed.
    #[error("{reason}")]
    Refused { reason: String, code: u32 },
    /// The hop wants a password, and none was given: the task failed. The code is the hop's, when it ended by itself.
    #[error("{reason}")]
    NoPassword { reason: String, code: Option<u32> },
}

/// Content the worker may ask for while it runs a request, by hash. Also takes what it sends back (`fetch`), and what it
/// tells meanwhile.
pub trait Blobs: Send + Sync {
    /// A reader over the content with that key; `None` when unknown.
    fn open(&self, key: &str) -> Option<std::io::Result<Box<dyn std::io::Read + Send>>>;

    /// Takes a piece of content the worker sends; `last` with the final piece.
    fn receive(&self, key: &str, piece: &[u8], last: bool) -> std::io::Result<()>;

    /// Hears what the user's own command says while it runs, where the request asked for that.
    fn hear(&self, _: Stream, _: &[u8]) {}
}

/// What a command that ran without the worker left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawOutput {
    /// 255 when a signal ended it, or when nobody said how it ended.
    pub rc: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

#[cfg(test)]
mod tests;
