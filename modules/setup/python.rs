//! `python`, `python_version`: the Python of the system, when it has one. Nothing of fanfare needs it, but roles ask
//! for it to name packages.
//!
//! Starting Python to ask it would cost more than all other facts together, so its version is read from its file,
//! where it stands as text. Only where it does not stand there is Python asked.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::Facts;
use crate::kit::{Command, Result, System};

/// How much of a file is looked at in one go.
const PIECE: usize = 1 << 18;

/// Longer than any version.
const OVERLAP: usize = 32;

pub(super) fn gather(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let Some((path, Version { major, minor, micro, level, serial })) = look(sys) else { return Ok(()) };
    facts.insert(
        "python".to_owned(),
        json!({
            "executable": path.to_string_lossy(),
            "has_sslcontext": (major, minor, micro) >= (3, 2, 0) || (major, minor) == (2, 7) && micro >= 9,
            "type": "cpython",
            "version": {
                "major": major, "minor": minor, "micro": micro, "releaselevel": level, "serial": serial,
            },
            "version_info": [major, minor, micro, level, serial],
        }),
    );
    Ok(())
}

/// The version alone, which is one of the facts about the platform.
pub(super) fn version(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let known = facts.get("python").and_then(|python| python.get("version"));
    let part = |name: &str| known.and_then(|version| version.get(name)).and_then(Json::as_u64);
    let version = match (part("major"), part("minor"), part("micro")) {
        (Some(major), Some(minor), Some(micro)) => Some(format!("{major}.{minor}.{micro}")),
        _ => look(sys).map(|(_, version)| format!("{}.{}.{}", version.major, version.minor, version.micro)),
    };
    if let Some(version) = version {
        facts.insert("python_version".to_owned(), version.into());
    }
    Ok(())
}

/// The system's Python and its version.
fn look(sys: &mut System<'_>) -> Option<(PathBuf, Version)> {
    let found = ["/usr/bin/python3", "python3", "python"].iter().find_map(|name| sys.which(name))?;
    let path = sys.resolve(&found).unwrap_or(found);
    let named = path.file_name().and_then(|name| name.to_str()?.strip_prefix("python")).map(str::to_owned);
    let written = named.and_then(|series| read_version(sys, &path, &series));
    let version = Version::parse(&written.or_else(|| ask(sys, &path))?)?;
    Some((path, version))
}

/// The version as the program, or the library it is made of, carries it; `series` is the `3.11` of its name.
fn read_version(sys: &System<'_>, program: &Path, series: &str) -> Option<String> {
    let (major, minor) = series.split_once('.')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(major) || !is_number(minor) {
        return None;
    }
    let library = format!("libpython{series}.so.1.0");
    let beside = ["/usr/lib64", "/usr/lib"].map(|dir| PathBuf::from(dir).join(&library));
    let files = [program.to_owned()].into_iter().chain(beside);
    files.into_iter().find_map(|file| scan(sys.open(&file).ok()?, &format!("\0{series}.")))
}

/// The first text that begins with `start` and is a version, up to the NUL after it.
fn scan(mut file: impl Read, start: &str) -> Option<String> {
    let mut held: Vec<u8> = Vec::new();
    let mut piece = vec![0; PIECE];
    loop {
        let count = file.read(&mut piece).ok()?;
        held.extend(piece.get(..count)?);
        let mut from = 0;
        while let Some(at) = find(&held, from, start.as_bytes()) {
            from = at + 1;
            let text = held.get(from..)?;
            let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
            let version = String::from_utf8_lossy(text.get(..end)?).into_owned();
            if Version::parse(&version).is_some() {
                return Some(version);
            }
        }
        if count == 0 {
            return None;
        }
        held.drain(..held.len().saturating_sub(OVERLAP));
    }
}

/// Where `needle` next stands, by Horspool: most bytes of a large file are never looked at.
fn find(bytes: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    let last = needle.len().checked_sub(1)?;
    let mut at = from;
    loop {
        let window = bytes.get(at..=at + last)?;
        if window == needle {
            return Some(at);
        }
        let end = window.get(last)?;
        at +=
            needle.iter().take(last).rev().position(|byte| byte == end).map_or(needle.len(), |back| back + 1);
    }
}

fn ask(sys: &mut System<'_>, program: &Path) -> Option<String> {
    let code = "import sys; print('%d.%d.%d%s%d' % (sys.version_info[:3] + (sys.version_info[3][0], sys.version_info[4])))";
    let command = Command::new(program.to_str()?).arg("-S").arg("-E").arg("-c").arg(code);
    let output = sys.query(command).ok().filter(crate::kit::Output::ok)?;
    // `3.11.2f0`: a final release.
    let said = output.stdout().trim().to_owned();
    Some(said.split_once('f').map_or(said.clone(), |(release, _)| release.to_owned()).replace('c', "rc"))
}

/// `3.13.0`, `3.14.0rc1`, `3.12.1+`.
struct Version {
    major: u32,
    minor: u32,
    micro: u32,
    level: &'static str,
    serial: u32,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim_end_matches('+').splitn(3, '.');
        let (major, minor, rest) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (micro, suffix) = rest.split_at_checked(digits)?;
        let level = |mark: &str| suffix.strip_prefix(mark).and_then(|serial| serial.parse().ok());
        let (level, serial) = match (suffix, level("a"), level("b"), level("rc")) {
            ("", ..) => ("final", 0),
            (_, Some(serial), ..) => ("alpha", serial),
            (_, _, Some(serial), _) => ("beta", serial),
            (_, _, _, Some(serial)) => ("candidate", serial),
            _ => return None,
        };
        Some(Self { major, minor, micro: micro.parse().ok()?, level, serial })
    }
}

#[cfg(test)]
mod tests {
    use super::scan;

    #[test]
    fn versions_in_files() {
        let check = |bytes: &[u8], expect: Option<&str>| {
            assert_eq!(scan(bytes, "\u{0}3.11.").as_deref(), expect, "{}", String::from_utf8_lossy(bytes));
        };
        check(b"\x7fELF\x003.11.2\x00more", Some("3.11.2"));
        check(b"\x003.11.x\x003.11.\x003.11.0rc1\x00", Some("3.11.0rc1"));
        check(b"\x003.11.4+\x00", Some("3.11.4+"));
        check(b"/lib/python3.11.2\x00", None);
        check(b"", None);
        let mut long = vec![b'x'; super::PIECE - 3];
        long.extend(b"\x003.11.9\x00");
        check(&long, Some("3.11.9"));
    }
}
