//! `fanfare install-shims`: links to this program under Ansible's names.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::Exit;
use crate::cli::SHIMS;
use crate::diagnostic::{Diagnostic, Result};
use crate::output;

/// Makes the links in a directory. Links that are there already are renewed; other files are left alone.
pub(super) fn install_shims(dir: &Path) -> Result<Exit> {
    let program = std::env::current_exe()
        .map_err(|error| Diagnostic::new(format!("cannot find out where fanfare is: {error}")))?;
    let failed = |what: &Path, error: &std::io::Error| {
        Diagnostic::new(format!("cannot make {}: {error}", what.display()))
    };
    fs::create_dir_all(dir).map_err(|error| failed(dir, &error))?;
    let mut made = String::new();
    for (name, _) in SHIMS {
        let link = dir.join(name);
        match fs::symlink_metadata(&link) {
            Ok(meta) if !meta.is_symlink() => {
                return Err(Diagnostic::new(format!("{} is there and is no link", link.display()))
                    .hint("choose another directory, or remove it"));
            }
            Ok(_) => fs::remove_file(&link).map_err(|error| failed(&link, &error))?,
            Err(_) => {}
        }
        symlink(&program, &link).map_err(|error| failed(&link, &error))?;
        writeln!(made, "{} -> {}", link.display(), program.display()).unwrap_or_default();
    }
    output::print(&made)?;
    Ok(Exit::Done)
}
