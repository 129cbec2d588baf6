//! The `vars_files` of a play: read once, whichever hosts want them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::settings;
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::{Layer, Play, Setting};
use crate::template::Context;
use crate::value::{Dict, Value};
use crate::vars::Scope;
use crate::yaml::{self, Loaded, Node};

#[derive(Default)]
pub(super) struct VarsFiles {
    /// Whether dictionaries of one name are laid over each other.
    merges: bool,
    read: Mutex<HashMap<PathBuf, Layer>>,
    by_host: Mutex<HashMap<Arc<str>, OfHost>>,
}

/// Whether there were facts to name them by, and what they hold.
type OfHost = (bool, Vec<Layer>);

impl VarsFiles {
    pub fn new(merges: bool) -> Self {
        Self { merges, ..Self::default() }
    }

    /// Those for a host, weakest first. `scope` is what their names are rendered with.
    pub fn of(
        &self,
        host: &Arc<str>,
        play: &Play,
        has_facts: bool,
        scope: impl FnOnce() -> Scope,
    ) -> Result<Vec<Layer>> {
        if let Some((had_facts, layers)) = self.by_host.lock().get(host)
            && *had_facts == has_facts
        {
            return Ok(layers.clone());
        }
        let scope = scope();
        let context = Context::new(&scope);
        let base = play.path.parent().unwrap_or(Path::new(""));
        let mut layers = Vec::new();
        let mut complete = true;
        for setting in &play.vars_files {
            match find(setting, base, &context) {
                Ok(Some(path)) => layers.push(self.load(path)?),
                Ok(None) => {}
                // Names that need facts wait until there are some.
                Err(error) if !has_facts && error.is_undefined() => complete = false,
                Err(error) => return Err(error),
            }
        }
        if complete {
            self.by_host.lock().insert(host.clone(), (has_facts, layers.clone()));
        }
        Ok(layers)
    }

    fn load(&self, path: PathBuf) -> Result<Layer> {
        if let Some(layer) = self.read.lock().get(&path) {
            return Ok(layer.clone());
        }
        let layer = load(&path, self.merges)?;
        Ok(self.read.lock().entry(path).or_insert(layer).clone())
    }
}

/// Reads one entry of `vars_files`: a path, or a list of which the first existing one counts.
fn find(setting: &Setting, base: &Path, context: &Context<'_>) -> Result<Option<PathBuf>> {
    let candidates = names(setting, context)?;
    if candidates.is_empty() {
        return Ok(None);
    }
    if let Some(path) = candidates.iter().find_map(|name| existing(base, name)) {
        return Ok(Some(path));
    }
    let message = format!("vars file {} was not found", candidates.join(", "));
    let error = Diagnostic::missing(message).at(&setting.place);
    Err(error
        .hint(format!("looked in {} and its `vars/`", base.display()))
        .hint("a list of files means the first that exists: `- [site.yml, /dev/null]` takes none as well"))
}

fn names(setting: &Setting, context: &Context<'_>) -> Result<Vec<String>> {
    Ok(match settings::rendered(setting, context)? {
        Value::List(items) => items.iter().map(ToString::to_string).collect(),
        Value::None | Value::Omit => Vec::new(),
        other => vec![other.to_string()],
    })
}

/// Fails where a file of a play's `vars_files` is there and cannot be read: no host of the play could run. Files
/// whose names need a host's variables are left for later.
pub(super) fn check(play: &Play, context: &Context<'_>) -> Result<()> {
    let base = play.path.parent().unwrap_or(Path::new(""));
    for setting in &play.vars_files {
        let names = names(setting, context).unwrap_or_default();
        if let Some(path) = names.iter().find_map(|name| existing(base, name)) {
            load(&path, false)?;
        }
    }
    Ok(())
}

fn existing(base: &Path, name: &str) -> Option<PathBuf> {
    let name = crate::path::expand_home(name);
    [base.join("vars").join(&name), base.join(&name)].into_iter().find(|path| path.exists() && !path.is_dir())
}

/// Loads a file of `vars_files`: one dictionary of variables, or a list of them.
fn load(path: &Path, merges: bool) -> Result<Layer> {
    let loaded = yaml::load_file(path)?;
    let Some(Value::List(layers)) = loaded.documents.first().map(Node::to_value) else {
        return load_vars(path);
    };
    let mut vars = Dict::new();
    for layer in layers.iter() {
        let Value::Dict(layer) = layer else { return load_vars(path) };
        crate::vars::merge(&mut vars, layer, merges);
    }
    Ok(Arc::new(vars))
}

/// Loads a file that holds one dictionary of variables; an empty file is an empty one.
fn load_vars(path: &Path) -> Result<Layer> {
    variables(&yaml::load_file(path)?)
}

/// The one dictionary of variables of a file.
pub(super) fn variables(loaded: &Loaded) -> Result<Layer> {
    let Some(document) = loaded.documents.first() else { return Ok(Layer::default()) };
    match document.to_value() {
        Value::Dict(vars) => Ok(vars),
        Value::None => Ok(Layer::default()),
        other => {
            let message = format!("expected a dictionary of variables, found {}", other.type_name());
            Err(Diagnostic::new(message).at(&document.place))
        }
    }
}
