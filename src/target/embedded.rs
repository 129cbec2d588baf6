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

/// The worker for an architecture, by its `uname -m` name.
pub fn worker(arch: &str) -> Option<&'static Worker> {
    let arch = match arch {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        other => other,
    };
    WORKERS.iter().find(|worker| worker.arch == arch)
}

impl Worker {
    /// The program itself, for the rare target that cannot unpack it.
    pub fn plain(&self) -> io::Result<Bytes> {
        let mut bytes = Vec::with_capacity(self.size);
        GzDecoder::new(self.packed).read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// What to do when [`worker`] has nothing.
pub fn hint(arch: &str) -> String {
    format!(
        "this fanfare carries no worker for {arch}: run `rustup target add {arch}-unknown-linux-musl` \
         and build it again"
    )
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use sha2::{Digest, Sha256};

    #[test]
    fn the_build_hosts_own_worker_is_carried_and_its_hash_is_right() {
        let worker = super::worker(std::env::consts::ARCH).unwrap();
        let plain = worker.plain().unwrap();
        assert_eq!((plain.get(..4), plain.len()), (Some(b"\x7fELF".as_slice()), worker.size));
        let mut hex = String::new();
        for byte in Sha256::digest(&plain) {
            write!(hex, "{byte:02x}").unwrap();
        }
        assert_eq!(hex, worker.sha256);
        assert!(super::worker("pdp11").is_none());
        assert!(super::hint("pdp11").contains("pdp11-unknown-linux-musl"));
    }
}
