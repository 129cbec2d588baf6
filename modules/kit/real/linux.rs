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

pub fn set_attribute_of(file: &File, name: &str, value: &[u8]) -> io::Result<()> {
    Ok(rustix::fs::fsetxattr(file, name, value, XattrFlags::empty())?)
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
