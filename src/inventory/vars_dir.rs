//! `group_vars` and `host_vars` of one directory.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::diagnostic::{Diagnostic, Result};
use crate::value::Dict;
use crate::yaml;

/// The variables of a file, with its path.
pub(super) type VarsFiles = Arc<Vec<(Arc<Path>, Arc<Dict>)>>;

/// A directory that may hold `group_vars/` and `host_vars/`. Each is listed once, each file read once and
/// only if a group or host of its name is asked for.
#[derive(Debug)]
pub(super) struct VarsDir {
    path: PathBuf,
    listings: [OnceLock<Vec<OsString>>; 2],
    files: Mutex<HashMap<(Kind, Box<str>), VarsFiles>>,
    warnings: Mutex<Vec<Diagnostic>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Group,
    Host,
}

/// What may follow the name, in the order of preference: the first that exists is taken, alone.
const EXTENSIONS: [&str; 4] = ["", ".yml", ".yaml", ".json"];

impl VarsDir {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            listings: [OnceLock::new(), OnceLock::new()],
            files: Mutex::default(),
            warnings: Mutex::default(),
        }
    }

    /// The files for a group or host, in the order in which they override one another.
    pub(super) fn files(&self, kind: Kind, name: &str) -> Result<VarsFiles> {
        let directory = match kind {
            Kind::Group => "group_vars",
            Kind::Host => "host_vars",
        };
        let listing = self
            .listings
            .get(kind as usize)
            .map(|listing| listing.get_or_init(|| list(&self.path.join(directory))));
        let found = EXTENSIONS.iter().find_map(|extension| {
            let file = OsString::from(format!("{name}{extension}"));
            listing?.binary_search(&file).is_ok().then_some(file)
        });
        let Some(found) = found else { return Ok(VarsFiles::default()) };

        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (kind, Box::from(name));
        if let Some(files) = files.get(&key) {
            return Ok(Arc::clone(files));
        }
        let loaded = Arc::new(self.load(&self.path.join(directory).join(found))?);
        files.insert(key, Arc::clone(&loaded));
        Ok(loaded)
    }

    pub(super) fn take_warnings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn load(&self, path: &Path) -> Result<Vec<(Arc<Path>, Arc<Dict>)>> {
        let mut paths = Vec::new();
        if path.is_dir() {
            collect(path, &mut paths, 0);
        } else {
            paths.push(path.to_owned());
        }
        paths
            .into_iter()
            .map(|path| Ok((Arc::from(path.as_path()), Arc::new(self.load_file(&path)?))))
            .collect()
    }

    fn load_file(&self, path: &Path) -> Result<Dict> {
        let (document, warnings) = yaml::load_file(path)?.single()?;
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).extend(warnings);
        let Some(document) = document else { return Ok(Dict::new()) };
        match document.to_dict() {
            Some(vars) => Ok(vars),
            None if document.is_null() => Ok(Dict::new()),
            None => Err(Diagnostic::new(format!(
                "variables are a mapping of names to values, this file holds {}",
                document.describe()
            ))
            .at(&document.place)),
        }
    }
}

/// The names in a directory, sorted; none when it does not exist.
fn list(path: &Path) -> Vec<OsString> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<OsString> = entries.map(|entry| entry.file_name()).collect();
    names.sort();
    names
}

/// No symlink may lead round in circles.
const MAX_DEPTH: usize = 32;

/// The files of a directory of variables, with those of its subdirectories, in order.
fn collect(path: &Path, paths: &mut Vec<PathBuf>, depth: usize) {
    for name in list(path) {
        let shown = name.to_string_lossy();
        if shown.starts_with('.') || shown.ends_with('~') {
            continue;
        }
        let entry = path.join(&name);
        let extension = entry.extension().and_then(OsStr::to_str);
        if entry.is_dir() {
            if extension.is_none() && depth < MAX_DEPTH {
                collect(&entry, paths, depth + 1);
            }
        } else if matches!(extension, None | Some("yml" | "yaml" | "json")) {
            paths.push(entry);
        }
    }
}
