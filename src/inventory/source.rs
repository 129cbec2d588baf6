//! From `-i` to an inventory: which kind of source each is.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use fanfare_modules::kit::regex::{Flags, Regex};

use super::data::Inventory;
use super::vars_dir::VarsDir;
use super::{ini, range, script, yaml};
use crate::config::InventoryOptions;
use crate::diagnostic::{Diagnostic, Result, Source};
use crate::value::Value;
use crate::yaml as yaml_text;

/// Where Ansible looks when nobody says where; it need not exist.
const DEFAULT_SOURCE: &str = "/etc/ansible/hosts";

impl Inventory {
    /// Reads all sources, in order: files (YAML, JSON, INI), executables, directories of these, and host
    /// lists (`a,b,`). Warnings are for the user; what `unparsed_is_failed` makes of a bad source is in
    /// [`InventoryOptions`].
    pub fn load(options: &InventoryOptions) -> Result<(Self, Vec<Diagnostic>)> {
        let mut inventory = Self::default();
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
        if source.contains(',') && !path.exists() {
            self.host_list(inventory, source);
            return Ok(());
        }
        if !path.exists() {
            if source == DEFAULT_SOURCE {
                return Ok(());
            }
            let error = Diagnostic::new(format!("there is no inventory at {source}"))
                .hint("a list of hosts needs a comma: `-i host,`");
            return self.failed(source, error);
        }
        let directory = if path.is_dir() { path } else { parent(path) };
        inventory.vars_dirs.push(Arc::new(VarsDir::new(directory)));
        if path.is_dir() { self.directory(inventory, path, 0) } else { self.file(inventory, path) }
    }

    fn host_list(&mut self, inventory: &mut Inventory, list: &str) {
        let source: Arc<Path> = Path::new(list).into();
        for host in list.split(',').map(str::trim).filter(|host| !host.is_empty()) {
            let (name, port) = range::split_port(host);
            inventory.name_host(name, Some(&source));
            inventory.put(name, "ungrouped");
            if let Some(port) = port {
                inventory.set_host_var(name, &Value::from("ansible_port"), Value::Int(port.into()));
            }
        }
        self.is_any_read = true;
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

    fn file(&mut self, inventory: &mut Inventory, path: &Path) -> Result<()> {
        match self.read_file(inventory, path) {
            Ok(()) => {
                self.is_any_read = true;
                Ok(())
            }
            Err(error) => self.failed(&path.display().to_string(), error),
        }
    }

    fn read_file(&mut self, inventory: &mut Inventory, path: &Path) -> Result<()> {
        let absolute: Arc<Path> = absolute(path).into();
        if is_script(path)? {
            return script::load(inventory, &absolute);
        }
        let text = Arc::new(yaml_text::read_source(path)?);
        let extension = path.extension().and_then(std::ffi::OsStr::to_str);
        match extension {
            Some("yml" | "yaml" | "json") => {
                yaml::load(inventory, yaml_text::load(&text)?, &absolute, &mut self.warnings)
            }
            Some("toml") => Err(Diagnostic::new("not supported yet: an inventory in TOML")
                .hint("`ansible-inventory --list --export --yaml` turns it into YAML")),
            None if !looks_like_ini(&text) => match yaml_text::load(&text) {
                Ok(loaded) if loaded.documents.first().is_some_and(|first| first.as_map().is_some()) => {
                    yaml::load(inventory, loaded, &absolute, &mut self.warnings)
                }
                // Plain lines of hosts are no YAML mapping, and may not be YAML at all.
                _ => self.ini(inventory, &text, &absolute),
            },
            _ => self.ini(inventory, &text, &absolute),
        }
    }

    fn ini(&mut self, inventory: &mut Inventory, text: &Arc<Source>, absolute: &Arc<Path>) -> Result<()> {
        self.warnings.extend(ini::load(inventory, text, absolute)?);
        Ok(())
    }

    fn failed(&mut self, source: &str, error: Diagnostic) -> Result<()> {
        if self.options.any_unparsed_is_failed {
            return Err(error);
        }
        self.warnings.push(error);
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
                self.warnings.push(Diagnostic::new(message));
            }
        }
        let is_odd = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_digit())
                || name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        };
        if inventory.groups().any(|(name, _)| is_odd(name)) {
            let message =
                "Invalid characters were found in group names but not replaced, use -vvvv to see details";
            self.warnings.push(Diagnostic::new(message));
        }
        Ok(())
    }
}

/// Whether the file begins, comments aside, as only an INI inventory does.
fn looks_like_ini(text: &Source) -> bool {
    let first =
        text.text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    first.is_some_and(|line| line.starts_with('[') && line.trim_end().ends_with(']'))
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

/// Executables are asked, unless they are text without `#!`: files on some mounts are all executable.
fn is_script(path: &Path) -> Result<bool> {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    let failed =
        |error: std::io::Error| Diagnostic::new(format!("could not read {}: {error}", path.display()));
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if metadata.permissions().mode() & 0o111 == 0 {
        return Ok(false);
    }
    let mut start = Vec::new();
    std::fs::File::open(path).and_then(|file| file.take(4).read_to_end(&mut start)).map_err(failed)?;
    Ok(start.starts_with(b"#!") || start.starts_with(b"\x7fELF"))
}
