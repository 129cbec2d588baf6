//! From `-i` to an inventory: which kind of source each is.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use fanfare_modules::kit::regex::{Flags, Regex};

use super::computed::safe_group_name;
use super::data::Inventory;
use super::file::SourceFile;
use super::plugins::Plugin;
use super::range::{self, Expanded, Mistake};
use super::vars_dir::VarsDir;
use crate::config::{GroupNames, InventoryOptions};
use crate::diagnostic::{Diagnostic, Result};
use crate::value::Value;

/// Where Ansible looks when nobody says where; it need not exist.
const DEFAULT_SOURCE: &str = "/etc/ansible/hosts";

impl Inventory {
    /// Reads all sources, in order: files (YAML, JSON, INI, TOML), executables, directories of these, and host
    /// lists (`a,b,`). Warnings are for the user; what `unparsed_is_failed` makes of a bad source is in
    /// [`InventoryOptions`].
    pub fn load(options: &InventoryOptions) -> Result<(Self, Vec<Diagnostic>)> {
        let mut inventory = Self::default();
        inventory.merges = options.merges;
        inventory.replaces_names =
            matches!(options.group_names, GroupNames::Replace | GroupNames::ReplaceSilently);
        let mut loader = Loader { options, warnings: Vec::new(), is_any_read: false };
        for source in &options.sources {
            loader.source(&mut inventory, source)?;
        }
        loader.finish(&mut inventory)?;
        Ok((inventory, loader.warnings))
    }
}

struct Loader<'a> {
    options: &'a InventoryOptions,
    warnings: Vec<Diagnostic>,
    is_any_read: bool,
}

impl Loader<'_> {
    fn source(&mut self, inventory: &mut Inventory, source: &str) -> Result<()> {
        let path = Path::new(source);
        if !path.exists() {
            return self.host_list(inventory, source);
        }
        let directory = if path.is_dir() { path } else { parent(path) };
        inventory.vars_dirs.push(Arc::new(VarsDir::new(directory)));
        if path.is_dir() { self.directory(inventory, path, 0) } else { self.file(inventory, path) }
    }

    fn host_list(&mut self, inventory: &mut Inventory, list: &str) -> Result<()> {
        if list == DEFAULT_SOURCE {
            return Ok(());
        }
        if !list.contains(',') {
            let error = Diagnostic::new(format!("there is no inventory at {list}"))
                .hint("a list of hosts needs a comma: `-i host,`");
            return self.failed(&absolute(Path::new(list)).to_string_lossy(), vec![(None, error)]);
        }
        let mut failures = Vec::new();
        for plugin in &self.options.plugins {
            let with_ranges = match plugin {
                Plugin::HostList => false,
                Plugin::AdvancedHostList => true,
                _ => continue,
            };
            match self.read_list(inventory, list, with_ranges) {
                Ok(()) => {
                    self.is_any_read = true;
                    return Ok(());
                }
                Err(error) => failures.push((Some(*plugin), error)),
            }
        }
        self.failed(list, failures)
    }

    fn read_list(&mut self, inventory: &mut Inventory, list: &str, with_ranges: bool) -> Result<()> {
        let source: Arc<Path> = Path::new(list).into();
        for host in list.split(',').map(str::trim).filter(|host| !host.is_empty()) {
            let expanded = if with_ranges { range::expand(host) } else { Ok(range::whole(host)) };
            let expanded = match expanded {
                Ok(expanded) => expanded,
                Err(Mistake::NoNumber(message)) => return Err(Diagnostic::new(message)),
                Err(Mistake::Form(message)) => {
                    self.warnings.push(Diagnostic::new(format!(
                        "Unable to parse address from hostname, leaving unchanged: {message}"
                    )));
                    Expanded { names: vec![host.to_owned()], port: None }
                }
            };
            for name in &expanded.names {
                inventory.name_host(name, Some(&source));
                inventory.put(name, "ungrouped");
                if let Some(port) = expanded.port {
                    inventory.set_host_var(name, &Value::from("ansible_port"), Value::Int(port.into()));
                }
            }
        }
        Ok(())
    }

    /// Every file of a directory and of those below it, by name, except what is no inventory.
    fn directory(&mut self, inventory: &mut Inventory, path: &Path, depth: usize) -> Result<()> {
        const MAX_DEPTH: usize = 32;
        let entries = std::fs::read_dir(path)
            .map_err(|error| Diagnostic::new(format!("could not list {}: {error}", path.display())))?;
        let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        for name in names {
            if self.is_ignored(&name.to_string_lossy())? {
                continue;
            }
            let entry = path.join(name);
            if !entry.is_dir() {
                self.file(inventory, &entry)?;
            } else if depth < MAX_DEPTH {
                self.directory(inventory, &entry, depth + 1)?;
            }
        }
        Ok(())
    }

    fn is_ignored(&self, name: &str) -> Result<bool> {
        if name.starts_with('.') || matches!(name, "group_vars" | "host_vars" | "vars_plugins") {
            return Ok(true);
        }
        if self.options.ignore_extensions.iter().any(|ending| name.ends_with(ending.as_str())) {
            return Ok(true);
        }
        for pattern in &self.options.ignore_patterns {
            let regex = Regex::cached(pattern, Flags::default())
                .map_err(|error| Diagnostic::new(format!("inventory ignore_patterns: {error}")))?;
            if regex.is_match(name).map_err(|error| Diagnostic::new(error.to_string()))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets the enabled plugins try, in their order, as far as the file is of their kind.
    fn file(&mut self, inventory: &mut Inventory, path: &Path) -> Result<()> {
        let shown = absolute(path);
        let mut file = match SourceFile::open(path, shown.as_path().into()) {
            Ok(file) => file,
            Err(error) => return self.failed(&shown.to_string_lossy(), vec![(None, error)]),
        };
        let mut failures = Vec::new();
        for plugin in &self.options.plugins {
            match file.read_as(*plugin, inventory, self.options) {
                Ok(None) => {}
                Ok(Some(warnings)) => {
                    self.warnings.extend(warnings);
                    inventory.files.push(path.into());
                    self.is_any_read = true;
                    return Ok(());
                }
                Err(error) => failures.push((Some(*plugin), error)),
            }
        }
        self.failed(&shown.to_string_lossy(), failures)
    }

    /// No plugin could read the source: an error, or what Ansible makes of it.
    fn failed(&mut self, source: &str, failures: Vec<(Option<Plugin>, Diagnostic)>) -> Result<()> {
        if self.options.any_unparsed_is_failed.unwrap_or(true) {
            let error = failures.into_iter().next().map(|(_, error)| error);
            return Err(error.unwrap_or_else(|| {
                Diagnostic::new(format!("no enabled inventory plugin reads {source}"))
                    .hint("inventory.enable_plugins in ansible.cfg names those that are tried")
            }));
        }
        for (plugin, error) in failures {
            if let Some(plugin) = plugin {
                let lead = format!("Failed to parse inventory with '{}' plugin", plugin.name());
                self.warnings.push(error.context(lead));
            }
        }
        self.warnings.push(Diagnostic::new(format!("Unable to parse {source} as an inventory source")));
        Ok(())
    }

    fn finish(&mut self, inventory: &mut Inventory) -> Result<()> {
        for name in inventory.reconcile() {
            self.warnings.push(Diagnostic::new(format!("Found both group and host with same name: {name}")));
        }
        if !self.is_any_read {
            if self.options.unparsed_is_failed {
                return Err(Diagnostic::new(
                    "No inventory was parsed, please check your configuration and options",
                ));
            }
            if self.options.unparsed_warning {
                let message = "No inventory was parsed, only implicit localhost is available";
                let hint = "name one: `-i FILE`, `inventory = FILE` in ansible.cfg";
                self.warnings.push(Diagnostic::new(message).hint(hint));
            }
        }
        let (count, what) = match self.options.group_names {
            GroupNames::Keep => {
                let is_odd = |(name, _): &(&Arc<str>, _)| safe_group_name(name) != ***name;
                (inventory.groups().filter(is_odd).count(), "but not replaced")
            }
            GroupNames::Replace => (inventory.replaced, "and automatically replaced"),
            GroupNames::KeepSilently | GroupNames::ReplaceSilently => (0, ""),
        };
        if count > 0 {
            self.warnings.push(Diagnostic::new(format!(
                "Invalid characters were found in group names {what}, use -vvvv to see details"
            )));
        }
        Ok(())
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// The path from the root, with `.` and `..` resolved by name, as Ansible shows it.
fn absolute(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut clean = PathBuf::new();
    for component in absolute.components() {
        match component {
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}
