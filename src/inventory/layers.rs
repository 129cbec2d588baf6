//! A host's variables from the inventory, in layers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::data::{Inventory, PRIORITY};
use super::vars_dir::{Kind, VarsDir};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Value};

/// Where a variable of the inventory ranks, with the numbers of Ansible's list of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Variables of groups in the inventory source, `all` first.
    InventoryGroup = 3,
    /// `group_vars/all` beside the inventory.
    InventoryAllFile = 4,
    /// `group_vars/all` beside the playbook.
    PlaybookAllFile = 5,
    /// Other `group_vars` beside the inventory.
    InventoryGroupFile = 6,
    /// Other `group_vars` beside the playbook.
    PlaybookGroupFile = 7,
    /// Variables of the host in the inventory source.
    InventoryHost = 8,
    /// `host_vars` beside the inventory.
    InventoryHostFile = 9,
    /// `host_vars` beside the playbook.
    PlaybookHostFile = 10,
}

/// Some variables and where they come from.
#[derive(Clone, Debug)]
pub struct Layer {
    pub level: Level,
    pub origin: Origin,
    pub vars: Arc<Dict>,
}

/// Where a layer's variables stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the inventory source, at this group.
    Group(Arc<str>),
    /// In the inventory source, at this host.
    Host(Arc<str>),
    /// In this file of `group_vars` or `host_vars`.
    File(Arc<Path>),
    /// Nowhere: localhost exists without being named.
    Implicit,
}

/// What was computed and read so far. Reading happens once a file; a host's list is built once per
/// playbook directory.
#[derive(Debug, Default)]
pub(super) struct LayerCache {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    playbook_dirs: HashMap<PathBuf, Arc<VarsDir>>,
    /// By directory of the playbook (empty for none), then by host.
    hosts: HashMap<PathBuf, HashMap<Arc<str>, Arc<[Layer]>>>,
}

impl LayerCache {
    pub(super) fn clear(&mut self) {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner).hosts.clear();
    }
}

impl Inventory {
    /// The variables of a host, least precedence first; later layers win. `playbook_dir` is the directory
    /// of the running playbook, whose own `group_vars` and `host_vars` count too.
    ///
    /// The files are read when first asked for: one that cannot be read is the error of whoever asks.
    /// A host that the inventory does not name is answered for only if it is localhost.
    pub fn host_layers(&self, host: &str, playbook_dir: Option<&Path>) -> Result<Arc<[Layer]>> {
        if !self.hosts.contains_key(host) && self.localhost(host).is_none() {
            return Err(Diagnostic::new(format!("no host `{host}` in the inventory")));
        }
        self.delegate_layers(host, playbook_dir)
    }

    /// The same for any host that tasks may be delegated to: one that the inventory does not name has what all hosts
    /// have, and its files of `host_vars`.
    pub fn delegate_layers(&self, host: &str, playbook_dir: Option<&Path>) -> Result<Arc<[Layer]>> {
        let mut state = self.cache.state.lock().unwrap_or_else(PoisonError::into_inner);
        let key = playbook_dir.unwrap_or(Path::new(""));
        if let Some(layers) = state.hosts.get(key).and_then(|hosts| hosts.get(host)) {
            return Ok(Arc::clone(layers));
        }
        let playbook = playbook_dir.map(|dir| state.playbook_vars(dir));
        let layers: Arc<[Layer]> = self.compute_layers(host, playbook.as_deref())?.into();
        state.hosts.entry(key.to_owned()).or_default().insert(host.into(), Arc::clone(&layers));
        Ok(layers)
    }

    /// The variables set at one group, not at those above it, least precedence first.
    pub fn group_layers(&self, group: &str, playbook_dir: Option<&Path>) -> Result<Vec<Layer>> {
        let playbook = playbook_dir
            .map(|dir| self.cache.state.lock().unwrap_or_else(PoisonError::into_inner).playbook_vars(dir));
        let (inventory_level, playbook_level) = if group == "all" {
            (Level::InventoryAllFile, Level::PlaybookAllFile)
        } else {
            (Level::InventoryGroupFile, Level::PlaybookGroupFile)
        };
        let mut layers = Vec::new();
        if let Some((name, group)) = self.groups.get_key_value(group) {
            layers.push(group_layer(name, Arc::clone(&group.vars)));
        }
        for dir in &self.vars_dirs {
            push_files(&mut layers, inventory_level, dir, Kind::Group, group)?;
        }
        if let Some(dir) = &playbook {
            push_files(&mut layers, playbook_level, dir, Kind::Group, group)?;
        }
        Ok(layers)
    }

    /// What reading `group_vars` and `host_vars` has found so far that is worth a warning; each is told once.
    pub fn take_warnings(&self) -> Vec<Diagnostic> {
        let state = self.cache.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.vars_dirs
            .iter()
            .chain(state.playbook_dirs.values())
            .flat_map(|dir| dir.take_warnings())
            .collect()
    }

    fn compute_layers(&self, host: &str, playbook: Option<&VarsDir>) -> Result<Vec<Layer>> {
        let groups = self.groups_in_order(host);
        let mut layers = Vec::new();
        self.push_group(&mut layers, "all");
        for group in &groups {
            self.push_group(&mut layers, group);
        }
        for dir in &self.vars_dirs {
            push_files(&mut layers, Level::InventoryAllFile, dir, Kind::Group, "all")?;
        }
        if let Some(dir) = playbook {
            push_files(&mut layers, Level::PlaybookAllFile, dir, Kind::Group, "all")?;
        }
        for dir in &self.vars_dirs {
            for group in &groups {
                push_files(&mut layers, Level::InventoryGroupFile, dir, Kind::Group, group)?;
            }
        }
        if let Some(dir) = playbook {
            for group in &groups {
                push_files(&mut layers, Level::PlaybookGroupFile, dir, Kind::Group, group)?;
            }
        }
        match self.hosts.get_key_value(host) {
            Some((name, host)) if !host.vars.is_empty() => layers.push(Layer {
                level: Level::InventoryHost,
                origin: Origin::Host(Arc::clone(name)),
                vars: Arc::clone(&host.vars),
            }),
            None if self.localhost(host).is_some() => layers.push(Layer {
                level: Level::InventoryHost,
                origin: Origin::Implicit,
                vars: Arc::new(implicit_vars()),
            }),
            _ => {}
        }
        for dir in &self.vars_dirs {
            push_files(&mut layers, Level::InventoryHostFile, dir, Kind::Host, host)?;
        }
        if let Some(dir) = playbook {
            push_files(&mut layers, Level::PlaybookHostFile, dir, Kind::Host, host)?;
        }
        Ok(layers)
    }

    /// The groups of a host without `all`, in the order in which they override one another.
    fn groups_in_order(&self, host: &str) -> Vec<Arc<str>> {
        let mut groups = self.groups_above(host);
        groups.sort_by_cached_key(|name| {
            let group = self.groups.get(*name);
            (group.map(|group| (group.depth, group.priority)), Arc::clone(name))
        });
        groups.into_iter().cloned().collect()
    }

    /// A group's own variables, without the one that is about the group.
    fn push_group(&self, layers: &mut Vec<Layer>, name: &str) {
        let Some((name, group)) = self.groups.get_key_value(name) else { return };
        let mut vars = Arc::clone(&group.vars);
        if vars.contains(PRIORITY) {
            Arc::make_mut(&mut vars).remove(PRIORITY);
        }
        if !vars.is_empty() {
            layers.push(group_layer(name, vars));
        }
    }
}

fn group_layer(name: &Arc<str>, vars: Arc<Dict>) -> Layer {
    Layer { level: Level::InventoryGroup, origin: Origin::Group(Arc::clone(name)), vars }
}

impl State {
    fn playbook_vars(&mut self, dir: &Path) -> Arc<VarsDir> {
        if let Some(vars) = self.playbook_dirs.get(dir) {
            return Arc::clone(vars);
        }
        let vars = Arc::new(VarsDir::new(dir));
        self.playbook_dirs.insert(dir.to_owned(), Arc::clone(&vars));
        vars
    }
}

fn push_files(layers: &mut Vec<Layer>, level: Level, dir: &VarsDir, kind: Kind, name: &str) -> Result<()> {
    for (path, vars) in dir.files(kind, name)?.iter() {
        if !vars.is_empty() {
            layers.push(Layer { level, origin: Origin::File(Arc::clone(path)), vars: Arc::clone(vars) });
        }
    }
    Ok(())
}

/// What a localhost that nobody named is like.
pub(super) fn implicit_vars() -> Dict {
    Dict::from_iter(
        [("ansible_connection", "local"), ("ansible_host", "127.0.0.1")]
            .map(|(name, value)| (Value::from(name), Value::from(value))),
    )
}
