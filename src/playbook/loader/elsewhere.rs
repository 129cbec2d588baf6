//! Modules that are elsewhere: the user's own, which run on the target, and those of Ansible's that are not here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::around::Around;
use super::{Loader, locked};
use crate::custom::{Custom, Roots};
use crate::diagnostic::{Diagnostic, Place, Result};

/// Where a module is that is not fanfare's.
#[derive(Clone, Debug)]
pub(super) enum Elsewhere {
    /// In Ansible or one of its collections.
    Known,
    /// In a file of the user's, which may be in a package of Python: that of a collection.
    Module { file: PathBuf, package: Option<String> },
    /// An action plugin of the user's.
    Action(PathBuf),
}

/// Files that Ansible does not take for plugins.
const NO_PLUGINS: [&str; 12] =
    ["pyc", "pyo", "swp", "bak", "rpm", "md", "txt", "rst", "yaml", "yml", "ini", "json"];

/// How deep directories of plugins may be sorted into categories.
const CATEGORIES: usize = 2;

impl Loader {
    /// Where the module of that name is, if Ansible would find one.
    pub(super) fn elsewhere(&self, name: &str, around: &Around) -> Option<Elsewhere> {
        let known = || self.options.actions.is_foreign(name).then_some(Elsewhere::Known);
        let name = name.strip_prefix("ansible.legacy.").unwrap_or(name);
        if name.contains('.') {
            return self.in_collection(name, around).or_else(known);
        }
        let beside = locked(&self.plugin_dirs).clone();
        let installed = |path: &[PathBuf]| {
            path.iter().flat_map(|dir| with_those_below(self.absolute(dir), CATEGORIES)).collect::<Vec<_>>()
        };
        let mut actions =
            beside.iter().map(|dir| dir.join("action_plugins")).chain(installed(&self.options.action_path));
        if let Some(file) = actions.find_map(|dir| plugin(&dir, name)) {
            return Some(Elsewhere::Action(file));
        }
        let mut modules =
            beside.iter().map(|dir| dir.join("library")).chain(installed(&self.options.module_path));
        if let Some(file) = modules.find_map(|dir| plugin(&dir, name)) {
            return Some(Elsewhere::Module { file, package: None });
        }
        let of_collection = |space: &String| {
            let full = format!("{space}.{name}");
            let known = || self.options.actions.is_foreign(&full).then_some(Elsewhere::Known);
            self.in_collection(&full, around).or_else(known)
        };
        around.collections.iter().find_map(of_collection).or_else(known)
    }

    /// A module or action plugin of a collection beside the playbook or installed.
    fn in_collection(&self, full: &str, around: &Around) -> Option<Elsewhere> {
        let mut parts = full.splitn(3, '.');
        let (space, collection, module) = (parts.next()?, parts.next()?, parts.next()?);
        let path = module.replace('.', "/");
        self.collections(&around.play.dir).iter().find_map(|base| {
            let plugins = base.join("ansible_collections").join(space).join(collection).join("plugins");
            let find = |kind: &str| plugin(&self.absolute(&plugins.join(kind)), &path);
            if let Some(file) = find("action") {
                return Some(Elsewhere::Action(file));
            }
            let below = module.rsplit_once('.').map(|(below, _)| format!(".{below}")).unwrap_or_default();
            let package = format!("ansible_collections.{space}.{collection}.plugins.modules{below}");
            find("modules").map(|file| Elsewhere::Module { file, package: Some(package) })
        })
    }

    /// The module of the user's that is called, read once for the whole run.
    pub(super) fn custom(
        &self,
        elsewhere: &Elsewhere,
        name: &str,
        place: &Place,
        around: &Around,
    ) -> Result<Arc<Custom>> {
        let Elsewhere::Module { file, package } = elsewhere else {
            return Err(elsewhere.refuse(name, place));
        };
        if let Some(custom) = locked(&self.customs).get(file) {
            return custom.clone();
        }
        let beside = locked(&self.plugin_dirs).iter().map(|dir| dir.join("module_utils")).collect::<Vec<_>>();
        let installed = self.options.module_utils_path.iter();
        let roots = Roots {
            utils: beside.into_iter().chain(installed.map(|dir| self.absolute(dir))).collect(),
            collections: self.collections(&around.play.dir).iter().map(|dir| self.absolute(dir)).collect(),
        };
        let custom = Custom::load(name, file, package.as_deref(), &roots);
        let custom = custom.map(Arc::new).map_err(|error| error.at(place));
        locked(&self.customs).insert(file.clone(), custom.clone());
        custom
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

    /// Files that would take the place of a module that is here: what they do otherwise, nobody would miss at once.
    fn warn_of_namesakes(&self, dir: &Path) {
        let files = ["library", "action_plugins"].into_iter().flat_map(|plugins| entries(&dir.join(plugins)));
        for file in files.filter(|file| file.extension().is_some_and(|ending| ending == "py")) {
            let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            if self.options.actions.resolve(name).is_some() {
                let told =
                    format!("{} is not run: '{name}' is fanfare's own module", self.shown(&file).display());
                let hint = "give the file another name where it does something else";
                self.warn(Diagnostic::new(told).hint(hint));
            }
        }
    }
}

impl Elsewhere {
    /// Whether it may take text: of what cannot be run nobody knows.
    pub fn is_free_form(&self) -> bool {
        !matches!(self, Self::Module { .. })
    }

    /// That the module of that name cannot be run.
    pub fn refuse(&self, name: &str, place: &Place) -> Diagnostic {
        let error = Diagnostic::new(format!("not supported yet: the module '{name}'")).at(place);
        match self {
            Self::Known | Self::Module { .. } => error.hint(super::called::INDEX),
            Self::Action(file) => error.hint(format!(
                "{} is an action plugin: Python for the control node, which is not run",
                file.display()
            )),
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
