//! What Linux alone can do.

use std::ffi::c_long;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use rustix::fs::{IFlags, Mode, XattrFlags};
use rustix::ioctl::{Opcode, Updater, ioctl, opcode};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink as protocol};
use rustix::process::{DumpableBehavior, Pid, PidfdFlags, pidfd_open, set_dumpable_behavior};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer};

use crate::kit::netlink::{self, Network};

/// Secrets pass through the memory of this process: no core dump of it is written, and no other process of the same user may
/// look into it.
pub fn keep_secrets() {
    // What it starts may be dumped again. Where the kernel refuses, there is nothing else to be done.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// `FS_IOC_GETVERSION`.
const GENERATION: Opcode = opcode::read::<c_long>(b'v', 1);

/// What the file system counts up when it uses an inode anew; `None` where it does not.
#[expect(unsafe_code, reason = "rustix has no safe call for this")]
pub fn generation(file: &File) -> Option<u32> {
    // The kernel writes an int, though the number of the call speaks of a long: room for both.
    let mut answer = [0u32; 2];
    // SAFETY: the call writes no more than a long to where `answer` is.
    unsafe { ioctl(file, Updater::<GENERATION, [u32; 2]>::new(&mut answer)) }.ok()?;
    answer.first().copied()
}

/// The bits that `lsattr` shows as letters.
pub fn flags(file: &File) -> Option<u32> {
    rustix::fs::ioctl_getflags(file).ok().map(|bits| bits.bits())
}

pub fn set_flags(file: &File, bits: u32) -> io::Result<()> {
    Ok(rustix::fs::ioctl_setflags(file, IFlags::from_bits_retain(bits))?)
}

/// An extended attribute; `None` where it has none, or it is too long.
pub fn attribute(path: &Path, name: &str, follow: bool) -> Option<Vec<u8>> {
    let mut buffer = [0u8; 512];
    let got = if follow {
        rustix::fs::getxattr(path, name, &mut buffer)
    } else {
        rustix::fs::lgetxattr(path, name, &mut buffer)
    };
    buffer.get(..got.ok()?).map(<[u8]>::to_vec)
}

pub fn set_attribute(path: &Path, name: &str, value: &[u8], follow: bool) -> io::Result<()> {
    let done = if follow {
        rustix::fs::setxattr(path, name, value, XattrFlags::empty())
    } else {
        rustix::fs::lsetxattr(path, name, value, XattrFlags::empty())
    };
    Ok(done?)
}

/// Whose attributes are set.
#[derive(Clone, Copy)]
pub enum To<'a> {
    File(&'a File),
    Path(&'a Path),
}

impl To<'_> {
    fn names(self) -> Vec<u8> {
        grown(|buffer| match self {
            Self::File(file) => rustix::fs::flistxattr(file, buffer),
            Self::Path(path) => rustix::fs::llistxattr(path, buffer),
        })
    }

    fn set(self, name: &[u8], value: &[u8]) -> rustix::io::Result<()> {
        match self {
            Self::File(file) => rustix::fs::fsetxattr(file, name, value, XattrFlags::empty()),
            Self::Path(path) => rustix::fs::lsetxattr(path, name, value, XattrFlags::empty()),
        }
    }

    fn remove(self, name: &[u8]) -> rustix::io::Result<()> {
        match self {
            Self::File(file) => rustix::fs::fremovexattr(file, name),
            Self::Path(path) => rustix::fs::lremovexattr(path, name),
        }
    }
}

/// Gives a file the extended attributes of another one and no others: its access list, its capabilities, its SELinux
/// context, what users noted there.
///
/// One that may not be set, as the context where SELinux is off, is left out. An access list is not: the group's bits of the
/// mode are its mask, and would be the group's own without it.
pub fn inherit(from: &Path, to: To<'_>) -> io::Result<()> {
    /// They speak of the content.
    const OF_CONTENT: [&[u8]; 2] = [b"security.evm", b"security.ima"];
    let wanted = To::Path(from).names();
    for name in parts(&to.names()).filter(|name| !parts(&wanted).any(|wanted| wanted == *name)) {
        let _ = to.remove(name);
    }
    for name in parts(&wanted).filter(|name| !OF_CONTENT.contains(name)) {
        let value = grown(|buffer| rustix::fs::lgetxattr(from, name, buffer));
        let set = to.set(name, &value);
        if name.starts_with(b"system.posix_acl_") {
            set?;
        }
    }
    Ok(())
}

/// Names that end with a null byte each.
fn parts(names: &[u8]) -> impl Iterator<Item = &[u8]> {
    names.split(|byte| *byte == 0).filter(|name| !name.is_empty())
}

/// What a call writes to a buffer that is large enough; nothing where it has nothing to say.
fn grown(call: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> Vec<u8> {
    /// The kernel's limit for the names and for one value.
    const MOST: usize = 64 << 10;
    let mut buffer = vec![0; 512];
    let mut got = call(&mut buffer);
    if got == Err(rustix::io::Errno::RANGE) {
        buffer.resize(MOST, 0);
        got = call(&mut buffer);
    }
    buffer.truncate(got.unwrap_or_default());
    buffer
}

/// What can be polled for a child's end.
pub fn end_of(child: &Child) -> Option<OwnedFd> {
    pidfd_open(Pid::from_child(child), PidfdFlags::empty()).ok()
}

pub fn bits(mode: Mode) -> u32 {
    mode.bits()
}

/// The other side of a terminal.
pub fn peer(terminal: &OwnedFd, flags: OpenptFlags) -> io::Result<OwnedFd> {
    Ok(ioctl_tiocgptpeer(terminal, flags)?)
}

/// This program, which may have been removed meanwhile.
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it may fail")]
pub fn myself() -> io::Result<PathBuf> {
    Ok(PathBuf::from("/proc/self/exe"))
}

/// Asks the kernel for links, addresses and routes.
pub fn network() -> io::Result<Network> {
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        // The protocol for routes is number 0, which is the default.
        None,
    )?;
    rustix::net::sockopt::set_socket_timeout(
        &socket,
        rustix::net::sockopt::Timeout::Recv,
        Some(Duration::from_secs(2)),
    )?;
    let kernel = protocol::SocketAddrNetlink::new(0, 0);
    let mut network = Network::default();
    let mut buffer = vec![0; 64 * 1024];
    for kind in [netlink::GET_LINK, netlink::GET_ADDRESS, netlink::GET_ROUTE] {
        rustix::net::sendto(&socket, &netlink::dump_request(kind), SendFlags::empty(), &kernel)?;
        'dump: loop {
            let (_, length) = rustix::net::recv(&socket, buffer.as_mut_slice(), RecvFlags::empty())?;
            let received = buffer.get(..length).unwrap_or_default();
            if received.is_empty() {
                break;
            }
            for (kind, body) in netlink::messages(received) {
                match kind {
                    netlink::DONE => break 'dump,
                    netlink::ERROR => return Err(io::Error::other("the kernel refused a netlink dump")),
                    _ => network.take(kind, body),
                }
            }
        }
    }
    Ok(network)
}
