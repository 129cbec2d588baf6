use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::around::PlayAround;
use super::{Loader, locked};
use crate::diagnostic::{Diagnostic, Result};
use crate::path::normal;
use crate::playbook::Layer;
use crate::value::Value;
use crate::yaml::{self, Node};

/// A parsed file; `None` when it is empty. Cheap to clone.
pub(super) type File = Option<Node>;

impl Loader {
    /// A YAML file of one document, parsed once for the whole run.
    pub(super) fn file(&self, path: &Path) -> Result<File> {
        if let Some(file) = locked(&self.files).get(path) {
            return file.clone();
        }
        let file = self.parse(path);
        locked(&self.files).insert(path.to_owned(), file.clone());
        file
    }

    fn parse(&self, path: &Path) -> Result<File> {
        let source = Arc::new(yaml::read_source(&self.shown(path))?);
        let (document, warnings) = yaml::load(&source)?.single()?;
        locked(&self.warnings).extend(warnings);
        Ok(document)
    }

    /// The path as messages show it: relative to the current directory where it lies within.
    pub(super) fn shown(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.cwd) {
            Ok(relative) if !relative.as_os_str().is_empty() => relative.to_owned(),
            _ => path.to_owned(),
        }
    }

    /// Absolute, with `.` and `..` taken out.
    pub(super) fn absolute(&self, path: &Path) -> PathBuf {
        normal(&self.cwd.join(path))
    }

    /// The variables of a file; `what` is for the message.
    pub(super) fn layer(&self, path: &Path, what: &str) -> Result<Layer> {
        let Some(node) = self.file(path)? else { return Ok(Layer::default()) };
        if node.is_null() {
            return Ok(Layer::default());
        }
        self.warn_of_reserved(&node);
        match node.to_dict() {
            Some(vars) => Ok(Arc::new(vars)),
            None => {
                Err(Diagnostic::new(format!("{what} must contain a dictionary of variables")).at(&node.place))
            }
        }
    }

    /// What is known of a play's `vars_files` without a host; files that cannot be told or read yet bring
    /// nothing here, and fail when the play runs.
    pub(super) fn vars_files(&self, play: &PlayAround) -> Vec<Layer> {
        let mut layers: Vec<Layer> = play
            .vars_files
            .iter()
            .filter_map(|setting| {
                let names = match &setting.value {
                    Value::List(names) => names.iter().filter_map(Value::as_str).collect(),
                    single => Vec::from_iter(single.as_str()),
                };
                let path = names.into_iter().map(|name| play.dir.join(name)).find(|path| path.is_file())?;
                self.layer(&path, "a file of vars_files").ok()
            })
            .collect();
        layers.reverse();
        layers
    }
}
