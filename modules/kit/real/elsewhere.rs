//! What stands for Linux's own on FreeBSD and macOS: there is no SELinux, no `chattr` and no netlink.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Child;

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;

use crate::kit::netlink::Network;

pub fn generation(_: &File) -> Option<u32> {
    None
}

pub fn flags(_: &File) -> Option<u32> {
    None
}

pub fn set_flags(_: &File, _: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub fn attribute(_: &Path, _: &str, _: bool) -> Option<Vec<u8>> {
    None
}

pub fn set_attribute(_: &Path, _: &str, _: &[u8], _: bool) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whose attributes are set.
pub enum To<'a> {
    File(&'a File),
    Path(&'a Path),
}

pub fn inherit(_: &Path, _: To<'_>) -> io::Result<()> {
    Ok(())
}

/// None: who waits looks again and again.
pub fn end_of(_: &Child) -> Option<OwnedFd> {
    None
}

pub fn bits(mode: Mode) -> u32 {
    mode.bits().into()
}

/// The other side of a terminal.
pub fn peer(terminal: &OwnedFd, flags: OpenptFlags) -> io::Result<OwnedFd> {
    let name = rustix::pty::ptsname(terminal, Vec::new())?;
    let path = name.to_str().map_err(io::Error::other)?;
    let own = OFlags::from_bits_retain(flags.bits()) & OFlags::NOCTTY;
    let own = i32::try_from(own.bits()).map_err(io::Error::other)?;
    Ok(OpenOptions::new().read(true).write(true).custom_flags(own).open(path)?.into())
}

pub fn myself() -> io::Result<PathBuf> {
    std::env::current_exe()
}

pub fn keep_secrets() {}

pub fn network() -> io::Result<Network> {
    Err(io::ErrorKind::Unsupported.into())
}
