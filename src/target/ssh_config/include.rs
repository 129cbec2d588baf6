//! The files an `Include` pattern names.

use std::path::{Component, Path, PathBuf};

use crate::target::pattern;

/// The existing paths that match, sorted within each directory. Like the shell's, a wildcard never matches a
/// leading dot.
pub(super) fn glob(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let Component::Normal(name) = component else {
            for path in &mut found {
                path.push(component);
            }
            continue;
        };
        let name = name.to_string_lossy();
        if !name.contains(['*', '?']) {
            for path in &mut found {
                path.push(&*name);
            }
            continue;
        }
        found = found.iter().flat_map(|dir| within(dir, &name)).collect();
    }
    found.retain(|path| path.exists());
    found
}

fn within(dir: &Path, name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|entry| !entry.starts_with('.') || name.starts_with('.'))
        .filter(|entry| pattern::matches(name, entry))
        .collect();
    names.sort();
    names.into_iter().map(|entry| dir.join(entry)).collect()
}
