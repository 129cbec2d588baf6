//! What archives and files are compressed with.

use std::ffi::OsString;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::{GzEncoder, MultiGzDecoder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entry::{self, Known};
use super::{Source, tar, zip};
use crate::kit::{Command, Failure, Result, System};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Bz2,
    #[default]
    Gz,
    Tar,
    Xz,
    Zip,
    Zstd,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Self::Bz2 => "bz2",
            Self::Gz => "gz",
            Self::Tar => "tar",
            Self::Xz => "xz",
            Self::Zip => "zip",
            Self::Zstd => "zstd",
        }
    }

    /// The program that compresses, with what makes it write one file in the place of another, and what it adds to
    /// the name.
    fn program(self) -> Option<(&'static str, &'static [&'static str], &'static str)> {
        match self {
            Self::Bz2 => Some(("bzip2", &["-f"], ".bz2")),
            Self::Xz => Some(("xz", &["-f"], ".xz")),
            Self::Zstd => Some(("zstd", &["-q", "-f", "--rm"], ".zst")),
            Self::Gz | Self::Tar | Self::Zip => None,
        }
    }
}

/// Whether a file of that name is an archive, not just compressed.
pub(super) fn is_archive(path: &Path) -> bool {
    let name = path.to_string_lossy();
    let ends = [".tar", ".tar.gz", ".tgz", ".tbz2", ".tar.bz2", ".tar.xz", ".txz", ".tar.zst", ".zip"];
    ends.iter().any(|end| name.ends_with(end))
}

/// Packs it into a temporary file, which is the one given or one beside it.
pub(super) fn pack(
    format: Format,
    source: &Source<'_>,
    scratch: &Path,
    sys: &mut System<'_>,
) -> Result<PathBuf> {
    {
        let sys = &*sys;
        let stream: Box<dyn Read + '_> = match source {
            Source::Tree(entries) if format == Format::Zip => Box::new(zip::Zip::of(entries, sys)),
            Source::Tree(entries) => Box::new(tar::Tar::of(entries, sys)),
            Source::File(path) => sys.open(path)?,
        };
        let mut stream = match format {
            Format::Gz => Box::new(GzEncoder::new(stream, Compression::default())),
            _ => stream,
        };
        sys.spool(scratch, 0o600, &mut stream)?;
    }
    let Some((name, options, suffix)) = format.program() else { return Ok(scratch.to_owned()) };
    let program = find(format, name, sys)?;
    let output = sys.query(Command::new(program).args(options.iter().copied()).arg(scratch.to_owned()))?;
    let mut packed = OsString::from(scratch);
    packed.push(suffix);
    let packed = PathBuf::from(packed);
    if output.ok() {
        return Ok(packed);
    }
    sys.discard(&packed)?;
    Err(Failure::new(format!("{name} could not compress: {}", output.stderr().trim()))
        .with("rc", output.code))
}

fn find(format: Format, name: &str, sys: &System<'_>) -> Result<PathBuf> {
    sys.which(name).ok_or_else(|| {
        Failure::new(format!("format: {} needs the program {name} on this host", format.name()))
    })
}

/// What an archive holds; `None` where it is none.
pub(super) fn list(format: Format, path: &Path, sys: &mut System<'_>) -> Result<Option<Vec<Known>>> {
    if format == Format::Zip {
        return zip::list(path, sys);
    }
    let Some(unpacked) = unpacked(format, path, sys)? else { return Ok(None) };
    Ok(tar::list(unpacked).ok())
}

/// The checksum and size of what a compressed file holds; `None` where it is none.
pub(super) fn sum(format: Format, path: &Path, sys: &mut System<'_>) -> Result<Option<(u32, u64)>> {
    let Some(mut unpacked) = unpacked(format, path, sys)? else { return Ok(None) };
    Ok(entry::sum(&mut unpacked).ok())
}

fn unpacked<'s>(format: Format, path: &Path, sys: &'s mut System<'_>) -> Result<Option<Box<dyn Read + 's>>> {
    if let Some((name, ..)) = format.program() {
        let program = find(format, name, sys)?;
        let output = sys.query(Command::new(program).arg("-dc").arg(path.to_owned()))?;
        let ok = output.ok();
        return Ok(ok.then(|| Box::new(Cursor::new(output.stdout)) as Box<dyn Read>));
    }
    let file = sys.open(path)?;
    Ok(Some(if format == Format::Gz { Box::new(MultiGzDecoder::new(file)) } else { file }))
}
