//! Plain text in the user's editor, and nowhere else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::Stop;
use crate::diagnostic::{Diagnostic, Result};

/// An editor without a terminal waits for ever.
pub(super) fn check_terminal(skip: bool) -> Result<(), Stop> {
    if skip || io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Stop::misuse("not a tty, editor cannot be opened"))
}

/// Lets the user edit text, and gives what it has become. The name's ending tells the editor what it is.
pub(super) fn edit(text: &[u8], name: &Path, editor: &str) -> Result<Vec<u8>> {
    let wrong =
        |what: &str, error: &dyn std::fmt::Display| Diagnostic::new(format!("cannot {what}: {error}"));
    let words = shlex::split(editor).filter(|words| !words.is_empty());
    let words = words.ok_or_else(|| Diagnostic::new(format!("the editor {editor:?} is no command line")))?;
    // An interrupt is the editor's: it must not leave the plain text behind.
    let _interrupts = Interrupts::ignored().map_err(|error| wrong("mind interrupts", &error))?;
    let scratch = Scratch::new(text, name).map_err(|error| wrong("write the text for the editor", &error))?;
    let mut command = Command::new(words.first().map_or("vi", String::as_str));
    command.args(words.iter().skip(1)).arg(&scratch.path);
    let status = command
        .status()
        .map_err(|error| wrong(&format!("run the editor {editor}"), &error).hint("set EDITOR to another"))?;
    if !status.success() {
        return Err(Diagnostic::new(format!("the editor {editor} ended with {status}; nothing was changed")));
    }
    fs::read(&scratch.path).map_err(|error| wrong("read what was edited", &error))
}

/// Plain text in a directory that only its owner may enter, in memory where the system has such a place.
struct Scratch {
    path: PathBuf,
    /// Removed with all that the editor put beside the text.
    dir: TempDir,
}

impl Scratch {
    fn new(text: &[u8], name: &Path) -> io::Result<Self> {
        let memory = Path::new("/dev/shm");
        let mut builder = tempfile::Builder::new();
        builder.prefix("fanfare-").permissions(fs::Permissions::from_mode(0o700));
        let dir = builder.tempdir_in(memory).or_else(|_| builder.tempdir())?;
        let path = dir.path().join(name.file_name().unwrap_or("text".as_ref()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(text)?;
        Ok(Self { path, dir })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is on a disk after all is overwritten first; the directory goes in any case.
        for entry in fs::read_dir(self.dir.path()).into_iter().flatten().flatten() {
            let _ = overwrite(&entry.path());
        }
    }
}

fn overwrite(path: &Path) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    io::copy(&mut io::Read::take(io::repeat(0), length), &mut file)?;
    file.sync_all()
}

/// While it lives, an interrupt or a request to end does not end this process.
struct Interrupts {
    _runtime: tokio::runtime::Runtime,
}

impl Interrupts {
    fn ignored() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        {
            let _inside = runtime.enter();
            for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
                // To be listened to once is enough: the system's own answer is gone then.
                drop(signal(kind)?);
            }
        }
        Ok(Self { _runtime: runtime })
    }
}
