mod tar;
#[cfg(test)]
mod tests;
mod zip;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::{When, yes};
use crate::kit::http;
use crate::kit::{Command, ControlSource, Failure, FileAttributes, FileFacts, FilePath, Result, System};

/// Unpacks an archive on the target.
///
/// The target's own tools do it: GNU `tar` (with what it needs for `gzip`, `bzip2`, `xz` and `zstd`), or `unzip`. What
/// is there already is compared first, and only an archive that differs is unpacked.
///
/// # Examples
///
/// ```yaml
/// - name: An archive of the control node
///   unarchive:
///     src: foo.tgz
///     dest: /var/lib/foo
///
/// - name: One that is on the target already
///   unarchive: {src: /tmp/foo.zip, dest: /usr/local/bin, remote_src: yes}
///
/// - name: One that is to be downloaded, without its first directory
///   unarchive:
///     src: https://example.com/example-1.0.tar.xz
///     dest: /usr/local/example
///     remote_src: yes
///     extra_opts: [--strip-components=1]
///     creates: /usr/local/example/bin
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["include", "exclude"], ["copy", "remote_src"]]))]
pub struct Args {
    /// The archive: on the control node, or with `remote_src` on the target, or a URL.
    #[schemars(extend("unless" = "remote_src", "only_if" = "copy"))]
    pub src: ControlSource,
    /// The directory to unpack it in. It must be there.
    pub dest: FilePath,
    /// Whether `src` is on the target, or a URL that the target downloads.
    #[serde(default)]
    pub remote_src: bool,
    /// The opposite of `remote_src`: its name of old.
    #[serde(default = "yes")]
    pub copy: bool,
    /// A path or pattern. When something is there, nothing is done.
    pub creates: Option<FilePath>,
    /// Whether the result lists what is in the archive.
    #[serde(default)]
    pub list_files: bool,
    /// What is not unpacked.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// What alone is unpacked.
    #[serde(default)]
    pub include: Vec<String>,
    /// More options for `tar` or `unzip`.
    #[serde(default)]
    pub extra_opts: Vec<String>,
    /// Leaves files alone that are newer than those in the archive.
    #[serde(default)]
    pub keep_newer: bool,
    /// Checks the certificate of the server it is downloaded from.
    #[serde(default = "yes")]
    pub validate_certs: bool,
    /// How much of a file is held in memory at once while it is compared with that of a zip archive, in bytes.
    #[serde(default = "buffer_size")]
    pub io_buffer_size: usize,
    /// Whether a vaulted archive is decrypted. Done on the control node.
    #[serde(default = "yes")]
    #[expect(dead_code, reason = "the control node reads it")]
    pub decrypt: bool,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

fn buffer_size() -> usize {
    65536
}

#[derive(Debug, Default, Serialize)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    dest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handler: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extract_results: Option<Extracted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<String>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<String>,
    #[serde(flatten)]
    facts: Option<FileFacts>,
}

#[derive(Debug, Serialize)]
struct Extracted {
    cmd: Vec<String>,
    rc: i32,
    out: String,
    err: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let when = When { creates: args.creates.clone(), ..When::default() };
    if let Some(needless) = when.needless(sys)? {
        let msg = format!("skipped, since {} {}", needless.path, needless.state);
        return Ok(Returns { skipped: true, msg: Some(msg), ..Returns::default() });
    }
    match &args.src {
        ControlSource::Tree(tree) => {
            Err(Failure::new(format!("src must be a file, and {} is a directory", tree.source)))
        }
        ControlSource::File(_) | ControlSource::Path(_) if !is_dir(&args.dest, sys)? => {
            Err(Failure::new(format!("dest '{}' must be an existing dir", args.dest.text())))
        }
        ControlSource::File(file) if sys.is_check() => {
            // Check mode leaves no file behind for the tools to read: tar reads its input, unzip cannot.
            let bytes = sys.control_content(file)?;
            match Kind::of(&bytes) {
                Kind::Zip => Ok(Returns {
                    skipped: true,
                    msg: Some(
                        "Check mode is not supported for a zip archive of the control node.".to_owned(),
                    ),
                    ..Returns::default()
                }),
                Kind::Tar(packed) => unpack(
                    &args,
                    &Archive { path: "-".into(), kind: Kind::Tar(packed), input: Some(bytes) },
                    sys,
                ),
            }
        }
        ControlSource::File(file) => sys.with_control_file(&file.clone(), 0o600, |sys, path| {
            unpack(&args, &Archive::at(path.to_owned(), sys)?, sys)
        }),
        ControlSource::Path(path) if args.copy && !args.remote_src => {
            Err(Failure::new(format!("the control node sent a name and no file: {path}")))
        }
        ControlSource::Path(path) if path.contains("://") => download(&args, path, sys),
        ControlSource::Path(path) => {
            let path = PathBuf::from(sys.expand(path)?);
            if !sys.exists(&path)? {
                return Err(Failure::new(format!("Source '{}' does not exist", path.display())));
            }
            if !sys.access(&path, crate::kit::Access::Read) {
                return Err(Failure::new(format!("Source '{}' not readable", path.display())));
            }
            unpack(&args, &Archive::at(path, sys)?, sys)
        }
    }
}

fn is_dir(path: &Path, sys: &System<'_>) -> Result<bool> {
    Ok(matches!(sys.stat_followed(path)?, Some(meta) if meta.is_dir()))
}

fn download(args: &Args, url: &str, sys: &mut System<'_>) -> Result<Returns> {
    if sys.is_check() {
        let msg = "Check mode is not supported for an archive that is to be downloaded.".to_owned();
        return Ok(Returns { skipped: true, msg: Some(msg), ..Returns::default() });
    }
    let scratch = sys.scratch(None);
    let done = http::fetch(url, &scratch, args.validate_certs, sys)
        .map_err(|failure| Failure {
            msg: format!("Failure downloading {}, {}", http::shown(url), failure.msg),
            ..failure
        })
        .and_then(|()| unpack(args, &Archive::at(scratch.clone(), sys)?, sys));
    sys.discard(&scratch)?;
    done
}

/// What kind of archive it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Zip,
    Tar(tar::Packed),
}

impl Kind {
    fn of(start: &[u8]) -> Self {
        if start.starts_with(b"PK") { Self::Zip } else { Self::Tar(tar::Packed::of(start)) }
    }
}

/// An archive on the target.
struct Archive {
    path: PathBuf,
    kind: Kind,
    /// What the tool reads instead of the file.
    input: Option<Vec<u8>>,
}

impl Archive {
    fn at(path: PathBuf, sys: &System<'_>) -> Result<Self> {
        let mut start = Vec::new();
        sys.open(&path)?
            .take(16)
            .read_to_end(&mut start)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
        Ok(Self { kind: Kind::of(&start), path, input: None })
    }

    fn unusable(&self, program: &str, why: &str) -> Failure {
        Failure::new(format!(
            "Failed to find handler for \"{}\". Make sure the required command to extract the file is installed.\n\
             Command \"{program}\" could not handle archive: {}",
            self.path.display(),
            why.trim_end()
        ))
    }
}

/// What a look at the archive and the directory told.
struct Looked {
    handler: &'static str,
    /// As the archive names them, with those left out that are not wanted.
    names: Vec<String>,
    differs: bool,
    extract: Command,
}

fn unpack(args: &Args, archive: &Archive, sys: &mut System<'_>) -> Result<Returns> {
    let looked = match archive.kind {
        Kind::Zip => zip::look(args, archive, sys)?,
        Kind::Tar(packed) => tar::look(args, archive, packed, sys)?,
    };
    let src = archive.path.to_string_lossy().into_owned();
    let mut returns = Returns {
        dest: Some(args.dest.text().into_owned()),
        src: Some(src.clone()),
        handler: Some(looked.handler),
        files: args.list_files.then(|| looked.names.clone()),
        ..Returns::default()
    };
    if looked.differs {
        let cmd = looked.extract.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        if let Some(output) = sys.attempt(looked.extract)? {
            let (out, err) = (output.stdout().into_owned(), output.stderr().into_owned());
            returns.extract_results = Some(Extracted { cmd, rc: output.code, out, err });
            if !output.ok() {
                let msg = format!("failed to unpack {src} to {}", args.dest.text());
                return Err(Failure::new(msg).with_all(returns));
            }
        }
    }
    for path in paths(&args.dest, &looked.names) {
        // In check mode what would be unpacked is not there.
        if sys.stat(&path)?.is_some() {
            sys.set_attributes(&path, &args.attributes, false)?;
        }
    }
    returns.facts = Some(sys.file_facts(&args.dest, true)?);
    Ok(returns)
}

/// Where what is in the archive is, with the directories at the top. Nothing outside of the directory.
fn paths(dest: &Path, names: &[String]) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut tops: Vec<&str> = Vec::new();
    for name in names {
        let plain = name.trim_start_matches("./").trim_matches('/');
        if plain.is_empty() || plain.split('/').any(|part| part == "..") {
            continue;
        }
        let top = plain.split('/').next().unwrap_or_default();
        if !tops.contains(&top) {
            tops.push(top);
            paths.push(dest.join(top));
        }
        if plain != top {
            paths.push(dest.join(plain));
        }
    }
    paths
}
