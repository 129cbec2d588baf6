//! Builds the worker and lays it down for `src/target/embedded.rs`.
//!
//! In this order, for each architecture: a prebuilt file (`FANFARE_WORKER_DIR/<triple>/fanfare-worker`, for
//! releases); a nested cargo build for musl, where that standard library is installed; for the host's own
//! architecture a static glibc build; else nothing, and the run says what to install.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The worker never unwinds, so that it needs no tables for it.
const LEAN: &str = "-Cforce-unwind-tables=no";

fn main() -> Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for input in ["build.rs", "modules", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(input).display());
    }
    println!("cargo::rerun-if-env-changed=FANFARE_WORKER_DIR");
    let mut rows = String::from("&[\n");
    for arch in ["x86_64", "aarch64"] {
        if let Some(worker) = find_worker(arch, &root, &out)? {
            let bytes = fs::read(&worker)?;
            let size = bytes.len();
            let mut sha256 = String::new();
            for byte in Sha256::digest(&bytes) {
                write!(sha256, "{byte:02x}")?;
            }
            let packed = pack(&bytes, &out.join(format!("{arch}.gz")))?;
            writeln!(
                rows,
                "Worker {{ arch: {arch:?}, packed: include_bytes!({packed:?}), size: {size}, \
                 sha256: {sha256:?} }},"
            )?;
        }
    }
    rows.push(']');
    fs::write(out.join("workers.rs"), rows)?;
    Ok(())
}

fn is_release() -> bool {
    env::var("PROFILE").is_ok_and(|profile| profile == "release")
}

/// Writes the worker compressed: as it travels. A development build has no time for the last few percent.
fn pack(bytes: &[u8], path: &Path) -> Result<String> {
    let level = if is_release() { Compression::best() } else { Compression::fast() };
    let mut packer = GzEncoder::new(fs::File::create(path)?, level);
    packer.write_all(bytes)?;
    packer.finish()?;
    Ok(path.to_str().ok_or("the build directory's name is not UTF-8")?.to_owned())
}

fn find_worker(arch: &str, root: &Path, out: &Path) -> Result<Option<PathBuf>> {
    let musl = format!("{arch}-unknown-linux-musl");
    let gnu = format!("{arch}-unknown-linux-gnu");
    if let Some(dir) = env::var_os("FANFARE_WORKER_DIR") {
        for triple in [&musl, &gnu] {
            let prebuilt = PathBuf::from(&dir).join(triple).join("fanfare-worker");
            println!("cargo::rerun-if-changed={}", prebuilt.display());
            if prebuilt.is_file() {
                return Ok(Some(prebuilt));
            }
        }
    }
    if has_std(&musl)? {
        // The musl target brings its own C runtime; the toolchain's linker makes a foreign one possible.
        let flags =
            if rust_lld().is_some() { LEAN.to_owned() + " -Clinker=rust-lld" } else { LEAN.to_owned() };
        match build(&musl, &flags, root, out)? {
            Ok(worker) => return Ok(Some(worker)),
            Err(why) => warn(&format!("the worker does not build for {musl}"), &why),
        }
    }
    if env::var("HOST")? == gnu && has_std(&gnu)? {
        match build(&gnu, &format!("{LEAN} -Ctarget-feature=+crt-static"), root, out)? {
            Ok(worker) => return Ok(Some(worker)),
            Err(why) => warn("no static worker (is glibc-static missing?): building a dynamic one", &why),
        }
        match build(&gnu, LEAN, root, out)? {
            Ok(worker) => return Ok(Some(worker)),
            Err(why) => warn("the worker does not build", &why),
        }
    }
    Ok(None)
}

/// Builds the worker with a cargo of its own, in a target directory of its own: the outer cargo holds the lock
/// of the usual one. The inner error is the compiler's output.
fn build(triple: &str, flags: &str, root: &Path, out: &Path) -> Result<std::result::Result<PathBuf, String>> {
    let profile = if is_release() { "worker" } else { "worker-dev" };
    let target = beside(out).join(if flags == LEAN { "dynamic" } else { "static" });
    let mut cargo = Command::new(env::var("CARGO")?);
    for (name, _) in env::vars_os() {
        // What the outer cargo set for this script (and clippy for itself) must not reach the inner one.
        if name.to_str().is_none_or(is_outer) {
            cargo.env_remove(name);
        }
    }
    cargo.current_dir(root).env("CARGO_TARGET_DIR", &target).env("RUSTFLAGS", flags);
    cargo.args(["build", "--package", "fanfare-modules", "--bin", "fanfare-worker"]);
    cargo.args(["--profile", profile, "--target", triple]);
    if root.join("Cargo.lock").exists() {
        cargo.arg("--locked");
    }
    let done = cargo.output()?;
    if !done.status.success() {
        return Ok(Err(String::from_utf8_lossy(&done.stderr).into_owned()));
    }
    let mine = out.join(format!("fanfare-worker-{triple}"));
    fs::copy(target.join(triple).join(profile).join("fanfare-worker"), &mine)?;
    Ok(Ok(mine))
}

/// A directory that check, clippy and build share, so that the worker is compiled once: `target/worker-build`,
/// seen from `target/debug/build/fanfare-…/out`.
fn beside(out: &Path) -> PathBuf {
    out.ancestors().nth(4).unwrap_or(out).join("worker-build")
}

fn is_outer(name: &str) -> bool {
    const KEPT: [&str; 6] =
        ["CARGO_HOME", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTR", "CARGO_SOURCE_", "CARGO_TERM_"];
    const SET: [&str; 12] = [
        "RUSTFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "MAKEFLAGS",
        "MFLAGS",
        "TARGET",
        "HOST",
        "PROFILE",
        "OPT_LEVEL",
        "DEBUG",
        "NUM_JOBS",
        "OUT_DIR",
    ];
    (name.starts_with("CARGO") && !KEPT.iter().any(|kept| name.starts_with(kept))) || SET.contains(&name)
}

fn rustc(args: &[&str]) -> Result<String> {
    let done = Command::new(env::var("RUSTC")?).args(args).output()?;
    Ok(String::from_utf8(done.stdout)?.trim().to_owned())
}

/// Whether the toolchain has a standard library for that target.
fn has_std(triple: &str) -> Result<bool> {
    let dir = rustc(&["--print", "target-libdir", "--target", triple])?;
    let Ok(mut files) = Path::new(&dir).read_dir() else { return Ok(false) };
    Ok(files.any(|f| f.is_ok_and(|f| f.file_name().to_string_lossy().starts_with("libstd-"))))
}

fn rust_lld() -> Option<PathBuf> {
    let sysroot = rustc(&["--print", "sysroot"]).ok()?;
    let host = env::var("HOST").ok()?;
    let lld = Path::new(&sysroot).join("lib/rustlib").join(host).join("bin/rust-lld");
    lld.is_file().then_some(lld)
}

fn warn(what: &str, output: &str) {
    println!("cargo::warning={what}");
    for line in output.lines().filter(|line| !line.trim().is_empty()).take(12) {
        println!("cargo::warning=  {line}");
    }
}
