//! Packages of dpkg, and the archives they are from.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::json;

use super::{Packages, add};
use crate::kit::{Failure, Result, System};

pub(super) const STATUS: &str = "/var/lib/dpkg/status";
const LISTS: &str = "/var/lib/apt/lists";

pub(super) fn list(sys: &System<'_>, packages: &mut Packages) -> Result<()> {
    let origins = origins(sys)?;
    each(sys, Path::new(STATUS), |fields| {
        let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        if !field("Status").ends_with(" installed") {
            return;
        }
        let (name, version, arch) = (field("Package"), field("Version"), field("Architecture"));
        let origin = origins.get(&(name.to_owned(), version.to_owned())).map_or("", String::as_str);
        let package = json!({
            "name": name, "version": version, "arch": arch, "category": field("Section"), "origin": origin,
            "source": "apt",
        });
        add(packages, name, package);
    })
}

/// Whose archive has that version of a package.
fn origins(sys: &System<'_>) -> Result<HashMap<(String, String), String>> {
    let mut origins = HashMap::new();
    let dir = Path::new(LISTS);
    if !sys.exists(dir)? {
        return Ok(origins);
    }
    let names: Vec<String> =
        sys.list(dir)?.into_iter().map(|name| name.to_string_lossy().into_owned()).collect();
    for name in names.iter().filter(|name| name.ends_with("_Packages")) {
        // The release is called as its lists begin.
        let release = names.iter().find_map(|release| {
            let start = release.strip_suffix("_InRelease").or_else(|| release.strip_suffix("_Release"))?;
            name.starts_with(start).then_some(release)
        });
        let text = match release {
            Some(release) => sys.read_text_if_there(&dir.join(release))?.unwrap_or_default(),
            None => continue,
        };
        let Some(origin) = text.lines().find_map(|line| line.strip_prefix("Origin: ")) else { continue };
        each(sys, &dir.join(name), |fields| {
            if let (Some(package), Some(version)) = (fields.get("Package"), fields.get("Version")) {
                origins.entry((package.clone(), version.clone())).or_insert_with(|| origin.trim().to_owned());
            }
        })?;
    }
    Ok(origins)
}

/// Hands over the fields of interest of each paragraph. Read line by line: the lists are large.
fn each(sys: &System<'_>, path: &Path, mut does: impl FnMut(&HashMap<&'static str, String>)) -> Result<()> {
    const FIELDS: [&str; 5] = ["Package", "Version", "Architecture", "Section", "Status"];
    let mut reader = BufReader::new(sys.open(path)?);
    let mut fields = HashMap::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let n = reader
            .read_until(b'\n', &mut line)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if text.is_empty() && !fields.is_empty() {
            does(&fields);
            fields.clear();
        }
        if n == 0 {
            return Ok(());
        }
        if let Some((name, value)) = text.split_once(": ")
            && let Some(name) = FIELDS.iter().find(|known| **known == name)
        {
            fields.insert(*name, value.to_owned());
        }
    }
}
