//! The worker's binaries, built by `build.rs` and carried inside this program.

use std::io::{self, Read as _};

use bytes::Bytes;
use flate2::read::GzDecoder;

/// The worker for one architecture.
#[derive(Debug)]
pub struct Worker {
    /// As `uname -m` says it: `x86_64`, `aarch64`.
    pub arch: &'static str,
    /// Compressed by gzip: half of what it is.
    pub packed: &'static [u8],
    /// In bytes, not compressed.
    pub size: usize,
    /// Of the program, not compressed, in lower-case hex.
    pub sha256: &'static str,
}

/// All workers this program carries.
#[expect(clippy::unreadable_literal, reason = "written by build.rs")]
pub static WORKERS: &[Worker] = include!(concat!(env!("OUT_DIR"), "/workers.rs"));

impl Worker {
    /// The program itself, for the rare target that cannot unpack it.
    pub fn plain(&self) -> io::Result<Bytes> {
        let mut bytes = Vec::with_capacity(self.size);
        GzDecoder::new(self.packed).read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use sha2::{Digest, Sha256};

    #[test]
    fn the_build_hosts_own_worker_is_carried_and_its_hash_is_right() {
        let worker = super::WORKERS.iter().find(|one| one.arch == std::env::consts::ARCH).unwrap();
        let plain = worker.plain().unwrap();
        assert_eq!((plain.get(..4), plain.len()), (Some(b"\x7fELF".as_slice()), worker.size));
        let mut hex = String::new();
        for byte in Sha256::digest(&plain) {
            write!(hex, "{byte:02x}").unwrap();
        }
        assert_eq!(hex, worker.sha256);
    }
}
