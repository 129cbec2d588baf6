//! Texts read and written: whole, and never readable by others while they are plain.

use std::fmt::{self, Display, Formatter};
use std::fs::{self, Permissions};
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::diagnostic::{Diagnostic, Result};
use crate::output;

/// Where text is read from and written to.
#[derive(Clone)]
pub(super) enum Text {
    /// Stdin and stdout.
    Streams,
    File(PathBuf),
}

/// Who may read what is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// The owner alone.
    Private,
    /// As the file that is replaced.
    AsBefore,
}

impl Text {
    pub fn of(path: PathBuf) -> Self {
        if path == Path::new("-") { Self::Streams } else { Self::File(path) }
    }

    pub fn read(&self) -> Result<Vec<u8>> {
        match self {
            Self::File(path) => fs::read(path).map_err(|error| {
                Diagnostic::new(format!("Unable to read source file ({}): {error}", path.display()))
            }),
            Self::Streams => {
                if io::stdin().is_terminal() {
                    output::note("Reading from stdin. (ctrl-d ends it)")?;
                }
                let mut text = Vec::new();
                io::stdin()
                    .read_to_end(&mut text)
                    .map_err(|error| Diagnostic::new(format!("Unable to read stdin: {error}")))?;
                Ok(text)
            }
        }
    }

    /// Writes it beside the file first, so that there is always a whole one.
    pub fn write(&self, text: &[u8], access: Access) -> Result<()> {
        let Self::File(path) = self else { return output::print_bytes(text) };
        let failed = |error: io::Error| Diagnostic::new(format!("cannot write {}: {error}", path.display()));
        // What a link points to is what is meant.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let before = fs::metadata(&path).ok();
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(dir).map_err(failed)?;
        file.write_all(text).map_err(failed)?;
        if let Some(before) = before {
            let own = rustix::process::geteuid().as_raw();
            if before.uid() != own {
                std::os::unix::fs::chown(file.path(), Some(before.uid()), Some(before.gid()))
                    .map_err(failed)?;
            }
            if access == Access::AsBefore {
                let mode = Permissions::from_mode(before.mode() & 0o7777);
                file.as_file().set_permissions(mode).map_err(failed)?;
            }
        }
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Streams => f.write_str("stdin"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Shows text on stdout, on a terminal through the pager.
pub(super) fn show(text: &[u8], pager: &str) -> Result<()> {
    if io::stdout().is_terminal()
        && let Some(()) = page(text, pager)
    {
        return Ok(());
    }
    output::print_bytes(text)?;
    if text.ends_with(b"\n") { Ok(()) } else { output::print_bytes(b"\n") }
}

/// `None` when there is no such pager.
fn page(text: &[u8], pager: &str) -> Option<()> {
    let words = shlex::split(pager)?;
    let (program, args) = words.split_first()?;
    let mut child = Command::new(program).args(args).stdin(Stdio::piped()).spawn().ok()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A pager that was left early has shown enough.
        let _ = stdin.write_all(text);
    }
    child.wait().ok().map(drop)
}
