//! Modules that are elsewhere: those of Ansible's that are not here, and Python that the user's own files hold.

use std::path::{Path, PathBuf};

use super::around::Around;
use super::{Loader, locked};
use crate::diagnostic::{Diagnostic, Place};

/// Where a module is that cannot be run.
#[derive(Clone, Debug)]
pub(super) enum Elsewhere {
    /// In Ansible or one of its collections.
    Known,
    /// In a file of the user's.
    Own(PathBuf),
}

/// Files that Ansible does not take for plugins.
const NO_PLUGINS: [&str; 12] =
    ["pyc", "pyo", "swp", "bak", "rpm", "md", "txt", "rst", "yaml", "yml", "ini", "json"];

/// How deep directories of plugins may be sorted into categories.
const CATEGORIES: usize = 2;

impl Loader {
    /// Where the module of that name is, if Ansible would find one.
    pub(super) fn elsewhere(&self, name: &str, around: &Around) -> Option<Elsewhere> {
        if self.options.actions.is_foreign(name) {
            return Some(Elsewhere::Known);
        }
        if name.contains('.') {
            return self.in_collection(name, around).map(Elsewhere::Own);
        }
        let beside = locked(&self.plugin_dirs).clone();
        let beside = beside.iter().flat_map(|dir| [dir.join("library"), dir.join("action_plugins")]);
        let installed = self.options.plugins_path.iter();
        let installed = installed.flat_map(|path| with_those_below(self.absolute(path), CATEGORIES));
        if let Some(file) = beside.chain(installed).find_map(|dir| plugin(&dir, name)) {
            return Some(Elsewhere::Own(file));
        }
        around.collections.iter().find_map(|space| {
            let full = format!("{space}.{name}");
            if self.options.actions.is_foreign(&full) {
                return Some(Elsewhere::Known);
            }
            self.in_collection(&full, around).map(Elsewhere::Own)
        })
    }

    /// A module or action plugin of a collection beside the playbook or installed.
    fn in_collection(&self, full: &str, around: &Around) -> Option<PathBuf> {
        let mut parts = full.splitn(3, '.');
        let (space, collection, module) = (parts.next()?, parts.next()?, parts.next()?);
        let module = module.replace('.', "/");
        self.collections(&around.play.dir).iter().find_map(|base| {
            let plugins = base.join("ansible_collections").join(space).join(collection).join("plugins");
            ["modules", "action"].iter().find_map(|kind| plugin(&self.absolute(&plugins.join(kind)), &module))
        })
    }

    /// Remembers a directory that may have modules of its own; from then on every task may call them.
    pub(super) fn may_have_plugins(&self, dir: &Path) {
        let mut dirs = locked(&self.plugin_dirs);
        if dirs.iter().any(|known| known == dir) {
            return;
        }
        dirs.push(dir.to_owned());
        drop(dirs);
        self.warn_of_namesakes(dir);
    }

    /// Python that would take the place of a module that is here: what it does otherwise, nobody would miss at once.
    fn warn_of_namesakes(&self, dir: &Path) {
        let files = ["library", "action_plugins"].into_iter().flat_map(|plugins| entries(&dir.join(plugins)));
        for file in files.filter(|file| file.extension().is_some_and(|ending| ending == "py")) {
            let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            if self.options.actions.resolve(name).is_some() {
                let told =
                    format!("{} is not run: '{name}' is fanfare's own module", self.shown(&file).display());
                let hint = "give the file another name where it does something else; Python is not run here";
                self.warn(Diagnostic::new(told).hint(hint));
            }
        }
    }
}

impl Elsewhere {
    /// That the module of that name cannot be run.
    pub fn refuse(&self, name: &str, place: &Place) -> Diagnostic {
        let error = Diagnostic::new(format!("not supported yet: the module '{name}'")).at(place);
        match self {
            Self::Known => error.hint(super::called::INDEX),
            Self::Own(file) => error.hint(format!("{} is Python, which is not run", file.display())),
        }
    }
}

/// The plugin `name` in a directory: `name.py`, or the name with another ending or none. It may hold slashes.
fn plugin(dir: &Path, name: &str) -> Option<PathBuf> {
    let direct = dir.join(format!("{name}.py"));
    if direct.is_file() {
        return Some(direct);
    }
    let (below, stem) = name.rsplit_once('/').unwrap_or(("", name));
    let is_plugin = |path: &PathBuf| {
        let ending = path.extension();
        path.file_stem().is_some_and(|own| own == stem)
            && ending.is_none_or(|ending| !NO_PLUGINS.iter().any(|other| ending == *other))
            && path.is_file()
    };
    entries(&dir.join(below)).find(is_plugin)
}

/// A directory and those in it, down to `depth`.
fn with_those_below(dir: PathBuf, depth: usize) -> Vec<PathBuf> {
    let mut below: Vec<_> = entries(&dir).filter(|path| depth > 0 && path.is_dir()).collect();
    below.sort();
    let below = below.into_iter().flat_map(|dir| with_those_below(dir, depth - 1));
    std::iter::once(dir.clone()).chain(below).collect()
}

fn entries(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    entries.filter_map(std::result::Result::ok).map(|entry| entry.path())
}
