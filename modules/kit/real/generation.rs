//! The generation of a file.

use std::ffi::c_long;
use std::fs::File;

use rustix::ioctl::{Opcode, Updater, ioctl, opcode};

/// `FS_IOC_GETVERSION`.
const OPCODE: Opcode = opcode::read::<c_long>(b'v', 1);

/// What the file system counts up when it uses an inode anew; `None` where it does not.
#[expect(unsafe_code, reason = "rustix has no safe call for this")]
pub(super) fn of(file: &File) -> Option<u32> {
    // The kernel writes an int, though the number of the call speaks of a long: room for both.
    let mut answer = [0u32; 2];
    // SAFETY: the call writes no more than a long to where `answer` is.
    unsafe { ioctl(file, Updater::<OPCODE, [u32; 2]>::new(&mut answer)) }.ok()?;
    answer.first().copied()
}
