//! What dpkg has installed: one read of its database.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::Apt;
use crate::kit::{Command, Failure, Output, Result, System};

/// A row of dpkg's database.
pub(super) struct Package {
    pub version: String,
    /// Unpacked and configured.
    pub installed: bool,
    /// Only its configuration is left.
    pub config_files: bool,
}

/// dpkg's database by name, and by name with architecture.
pub(super) struct Installed {
    packages: HashMap<String, Package>,
    /// Virtual packages that something installed provides.
    provided: HashSet<String>,
}

impl Installed {
    pub fn read(sys: &System<'_>) -> Result<Self> {
        let text = sys.read_text_if_there(Path::new("/var/lib/dpkg/status"))?;
        let text = text.ok_or_else(|| Failure::new("dpkg's database /var/lib/dpkg/status is missing"))?;
        let mut all = Self { packages: HashMap::new(), provided: HashSet::new() };
        for paragraph in text.split("\n\n") {
            all.take(paragraph);
        }
        Ok(all)
    }

    fn take(&mut self, paragraph: &str) {
        let field = |key: &str| {
            paragraph.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": ")).map(str::trim)
        };
        let (Some(name), Some(status)) = (field("Package"), field("Status")) else { return };
        let installed = status.ends_with(" installed");
        let package = || Package {
            version: field("Version").unwrap_or_default().to_owned(),
            installed,
            config_files: status.ends_with("config-files"),
        };
        if let Some(architecture) = field("Architecture") {
            self.packages.insert(format!("{name}:{architecture}"), package());
        }
        if installed || !self.packages.get(name).is_some_and(|known| known.installed) {
            self.packages.insert(name.to_owned(), package());
        }
        if installed && let Some(provides) = field("Provides") {
            for virtual_name in provides.split(',') {
                let virtual_name = virtual_name.split_whitespace().next().unwrap_or_default();
                self.provided.insert(virtual_name.to_owned());
            }
        }
    }

    pub fn get(&self, name: &str) -> Option<&Package> {
        self.packages.get(name)
    }

    pub fn is_provided(&self, name: &str) -> bool {
        self.provided.contains(name)
    }

    /// The names that match a pattern.
    pub fn matching(&self, pattern: &str) -> Vec<String> {
        let plain = self.packages.iter().filter(|(name, _)| !name.contains(':'));
        let mut names: Vec<String> = plain
            .filter(|(name, package)| package.installed && crate::kit::glob::matches(pattern, name))
            .map(|(name, _)| name.clone())
            .collect();
        names.sort();
        names
    }
}

/// Compares versions as dpkg does: `gt`, `ge` …
pub(super) fn is_version(one: &str, how: &str, other: &str, sys: &mut System<'_>) -> Result<bool> {
    Ok(sys.query(Command::new("dpkg").args(["--compare-versions", one, how, other]))?.ok())
}

/// Installs a package file, unless the very version is there.
pub(super) fn deb(apt: &Apt<'_>, path: &Path, sys: &mut System<'_>) -> Result<Option<Output>> {
    if !sys.exists(path)? {
        return Err(Failure::new(format!("deb: {} is not there", path.display())));
    }
    let shown = sys
        .query(Command::new("dpkg-deb").arg("--showformat=${Package} ${Version}").arg("--show").arg(path))?;
    if !shown.ok() {
        return Err(Failure::new(format!("{} is no package: {}", path.display(), shown.stderr().trim())));
    }
    let text = shown.stdout().into_owned();
    let (name, version) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let known = Installed::read(sys)?;
    if known.get(name).is_some_and(|package| package.installed && package.version == version) {
        return Ok(None);
    }
    if let Some(package) = known.get(name).filter(|package| package.installed)
        && !apt.downgrades()
        && is_version(&package.version, "gt", version, sys)?
    {
        return Err(Failure::new("A later version is already installed"));
    }
    apt.run(sys, &["install"], &[path.to_string_lossy().into_owned()])
}

/// What check mode says of a package file that was downloaded: no command sees it, so it is handed to one.
pub(super) fn foretell(apt: &Apt<'_>, path: &Path, sys: &mut System<'_>) -> Result<Option<Output>> {
    let content = sys.read(path)?;
    let fields =
        sys.query(Command::new("dpkg-deb").args(["-f", "-", "Package", "Version"]).stdin(content))?;
    if !fields.ok() {
        return Err(Failure::new(format!("{} is no package: {}", path.display(), fields.stderr().trim())));
    }
    let text = fields.stdout().into_owned();
    let field = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let (name, version) = (field("Package:"), field("Version:"));
    let known = Installed::read(sys)?;
    let there = name.and_then(|name| known.get(name)).filter(|package| package.installed);
    if there.is_some_and(|package| Some(package.version.as_str()) == version) {
        return Ok(None);
    }
    sys.attempt(apt.command().arg("install").arg(path))
}
