//! Paths as users write them on the control node.

use std::path::PathBuf;

/// Expands a leading `~/`; everything else stays.
pub fn expand_home(path: &str) -> PathBuf {
    match path.strip_prefix("~/").zip(std::env::home_dir()) {
        Some((rest, home)) => home.join(rest),
        None => PathBuf::from(path),
    }
}
