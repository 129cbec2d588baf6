//! Workers for other systems than those this program carries one for: looked up by their triple when a host needs one.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::embedded::Worker;

/// What `uname -sm` says, and what the toolchain calls that.
const TRIPLES: &[(&str, &str)] = &[
    ("Linux x86_64", "x86_64-unknown-linux-musl"),
    ("Linux aarch64", "aarch64-unknown-linux-musl"),
    ("Linux armv8l", "armv7-unknown-linux-musleabihf"),
    ("Linux armv7l", "armv7-unknown-linux-musleabihf"),
    ("Linux armv6l", "arm-unknown-linux-musleabihf"),
    ("Linux i386", "i686-unknown-linux-musl"),
    ("Linux i486", "i686-unknown-linux-musl"),
    ("Linux i586", "i686-unknown-linux-musl"),
    ("Linux i686", "i686-unknown-linux-musl"),
    ("Linux loongarch64", "loongarch64-unknown-linux-musl"),
    ("Linux ppc64le", "powerpc64le-unknown-linux-musl"),
    ("Linux riscv64", "riscv64gc-unknown-linux-musl"),
    ("Linux s390x", "s390x-unknown-linux-musl"),
    ("FreeBSD amd64", "x86_64-unknown-freebsd"),
    ("FreeBSD arm64", "aarch64-unknown-freebsd"),
    ("NetBSD amd64", "x86_64-unknown-netbsd"),
    ("OpenBSD amd64", "x86_64-unknown-openbsd"),
    ("Darwin x86_64", "x86_64-apple-darwin"),
    ("Darwin arm64", "aarch64-apple-darwin"),
];

/// Those that were read, which is done once.
static READ: LazyLock<Mutex<HashMap<PathBuf, &'static Worker>>> = LazyLock::new(Mutex::default);

/// The worker for a system, from `dir`; the error tells where one is looked for and how it is built.
pub(super) fn find(system: &str, dir: Option<&Path>) -> Result<&'static Worker, String> {
    let Some((_, triple)) = TRIPLES.iter().find(|(name, _)| *name == system) else {
        return Err(format!("there is no worker for {system}, and no way to build one is known"));
    };
    // musl's targets bring all a linker needs but the linker.
    let linker = if triple.contains("musl") { "RUSTFLAGS=-Clinker=rust-lld " } else { "" };
    let build = format!(
        "rustup target add {triple} && {linker}cargo build --package fanfare-modules --bin fanfare-worker --profile worker \
         --target {triple}"
    );
    let Some(dir) = dir else {
        return Err(format!(
            "this fanfare carries no worker for {system} ({triple}): build one ({build}) and name the directory that \
             holds {triple}/fanfare-worker, such as cargo's target directory (FANFARE_WORKER_DIR, or worker_dir in the section [fanfare] of ansible.cfg)"
        ));
    };
    // Laid down by hand, or as cargo leaves it in its target directory.
    let [path, built] = ["", "worker"].map(|profile| dir.join(triple).join(profile).join("fanfare-worker"));
    let path = if path.exists() { path } else { built };
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(worker) = read.get(&path) {
        return Ok(worker);
    }
    let bytes = std::fs::read(&path).map_err(|error| {
        format!("no worker for {system} ({triple}): {}: {error}; to build one: {build}", path.display())
    })?;
    let worker = pack(triple, &bytes).map_err(|error| format!("packing {}: {error}", path.display()))?;
    // For the rest of the run, as those that are carried.
    let worker: &'static Worker = Box::leak(Box::new(worker));
    read.insert(path, worker);
    Ok(worker)
}

fn pack(triple: &'static str, bytes: &[u8]) -> std::io::Result<Worker> {
    let mut sha256 = String::new();
    for byte in Sha256::digest(bytes) {
        let _ = write!(sha256, "{byte:02x}");
    }
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes)?;
    Ok(Worker {
        arch: triple.split('-').next().unwrap_or(triple),
        packed: packer.finish()?.leak(),
        size: bytes.len(),
        sha256: sha256.leak(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_has_its_triple_and_an_error_that_says_what_to_do() {
        let dir = tempfile::TempDir::new().unwrap();
        for (system, triple) in TRIPLES {
            let error = find(system, Some(dir.path())).unwrap_err();
            let place = dir.path().join(triple).join("worker/fanfare-worker");
            assert!(error.contains(&place.display().to_string()), "{error}");
            assert!(error.contains(&format!("--target {triple}")), "{error}");
            assert!(find(system, None).unwrap_err().contains("FANFARE_WORKER_DIR"));
        }
        let error = find("Linux pdp11", Some(dir.path())).unwrap_err();
        assert_eq!(error, "there is no worker for Linux pdp11, and no way to build one is known");
    }

    #[test]
    fn one_that_is_there_is_read_once() {
        let dir = tempfile::TempDir::new().unwrap();
        let place = dir.path().join("riscv64gc-unknown-linux-musl");
        std::fs::create_dir(&place).unwrap();
        std::fs::write(place.join("fanfare-worker"), b"not really").unwrap();
        let worker = find("Linux riscv64", Some(dir.path())).unwrap();
        assert_eq!((worker.size, &*worker.plain().unwrap()), (10, b"not really".as_slice()));
        assert!(std::ptr::eq(worker, find("Linux riscv64", Some(dir.path())).unwrap()));
    }
}
