//! Paths as users write them on the control node.

use std::path::{Component, Path, PathBuf};

/// Expands a leading `~/`; everything else stays.
pub fn expand_home(path: &str) -> PathBuf {
    match path.strip_prefix("~/").zip(std::env::home_dir()) {
        Some((rest, home)) => home.join(rest),
        None => PathBuf::from(path),
    }
}

/// Takes `.` and `..` out of an absolute path by its text alone, as Python's `normpath` does.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}
