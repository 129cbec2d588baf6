//! Where `ansible.cfg` is.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::Surroundings;
use crate::diagnostic::Diagnostic;

/// The first that exists of `$ANSIBLE_CONFIG`, `./ansible.cfg`, `~/.ansible.cfg`, `/etc/ansible/ansible.cfg`.
///
/// Anybody could have put a file into a world-writable current directory: that one is left out, with a warning.
pub(super) fn config_file(surroundings: &Surroundings, warnings: &mut Vec<Diagnostic>) -> Option<PathBuf> {
    let directory = &surroundings.directory;
    if let Some(named) = surroundings.variables.get("ANSIBLE_CONFIG").filter(|named| !named.is_empty()) {
        let path = directory.join(named);
        let path = if path.is_dir() { path.join("ansible.cfg") } else { path };
        if path.exists() {
            return Some(path);
        }
        warnings.push(Diagnostic::new(format!(
            "ANSIBLE_CONFIG names {named}, which does not exist; looking in the usual places"
        )));
    }
    let here = directory.join("ansible.cfg");
    if here.exists() {
        let mode = std::fs::metadata(directory).map_or(0, |meta| meta.permissions().mode());
        if mode & 0o002 == 0 {
            return Some(here);
        }
        warnings.push(
            Diagnostic::new(format!(
                "{} is world-writable: its ansible.cfg is not used",
                directory.display()
            ))
            .hint("take the write permission away (chmod o-w), or name the file in ANSIBLE_CONFIG"),
        );
    }
    let home = surroundings.variables.get("HOME").map(|home| PathBuf::from(home).join(".ansible.cfg"));
    let system = PathBuf::from("/etc/ansible/ansible.cfg");
    home.into_iter().chain([system]).find(|path| path.exists())
}
