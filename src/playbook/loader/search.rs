//! Where task files are looked for.

use std::path::{Path, PathBuf};

use super::Loader;
use super::around::Around;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::path::normal;

/// Static imports and dynamic includes look in different orders (tried on ansible-core 2.21).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Import,
    Include,
}

impl Loader {
    /// The file of tasks that `name` means where `place` stands.
    pub(super) fn find_tasks(
        &self,
        name: &str,
        manner: Manner,
        around: &Around,
        place: &Place,
    ) -> Result<PathBuf> {
        let here = self.absolute(place.source.path.parent().unwrap_or(Path::new("")));
        let candidates: Vec<_> = directories(&here, manner, around)
            .into_iter()
            .map(|directory| directory.join(expand_home(name)))
            // An include tells its file's path as it was put together.
            .map(|path| if manner == Manner::Import { normal(&path) } else { path })
            .collect();
        if let Some(path) = candidates.iter().find(|path| path.is_file()) {
            return Ok(path.clone());
        }
        let mut looked: Vec<_> = candidates
            .iter()
            .filter_map(|path| path.parent())
            .map(|path| path.display().to_string())
            .collect();
        looked.dedup();
        Err(Diagnostic::missing(format!("Could not find or access '{name}' on the Ansible Controller."))
            .at(place)
            .hint(format!("looked in {}", looked.join(", "))))
    }
}

fn directories(here: &Path, manner: Manner, around: &Around) -> Vec<PathBuf> {
    let play = &around.play.dir;
    let in_play = [play.join("tasks"), play.clone()];
    match (&around.role, manner) {
        (Some(role), Manner::Include) => {
            let tasks = role.path.join("tasks");
            let own = [tasks, here.to_owned(), here.join("tasks"), role.path.clone()];
            own.into_iter().chain(in_play).collect()
        }
        (Some(role), Manner::Import) => {
            let own = [here.to_owned(), role.path.join("tasks")];
            own.into_iter().chain(in_play).chain([role.path.clone()]).collect()
        }
        (None, _) => vec![play.clone(), here.to_owned()],
    }
}

/// `~/x` in the home directory.
pub(super) fn expand_home(name: &str) -> PathBuf {
    match (name.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(name),
    }
}
