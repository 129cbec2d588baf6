//! Packages of dpkg, and the archives they are from.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::json;

use super::{Packages, add};
use crate::kit::{Command, Failure, Result, System};

pub(super) const STATUS: &str = "/var/lib/dpkg/status";
const LISTS: &str = "/var/lib/apt/lists";
const HELPER: &str = "/usr/lib/apt/apt-helper";

pub(super) fn list(sys: &mut System<'_>, packages: &mut Packages) -> Result<()> {
    let mut installed = Vec::new();
    each(Path::new(STATUS), &mut sys.open(Path::new(STATUS))?, |fields| {
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        if field("Status").ends_with(" installed") {
            installed.push(["Package", "Version", "Architecture", "Section"].map(field));
        }
    })?;
    let origins = origins(&installed, sys)?;
    for ([name, version, arch, section], origin) in installed.iter().zip(origins) {
        let package = json!({
            "name": name, "version": version, "arch": arch, "category": section, "origin": origin,
            "source": "apt",
        });
        add(packages, name, package);
    }
    Ok(())
}

/// For each of these packages, whose archive has its version; empty where none has.
fn origins(installed: &[[String; 4]], sys: &mut System<'_>) -> Result<Vec<String>> {
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, [name, ..]) in installed.iter().enumerate() {
        by_name.entry(name).or_default().push(at);
    }
    let mut origins = vec![String::new(); installed.len()];
    let dir = Path::new(LISTS);
    if !sys.exists(dir)? {
        return Ok(origins);
    }
    let names: Vec<String> =
        sys.list(dir)?.into_iter().map(|name| name.to_string_lossy().into_owned()).collect();
    for name in &names {
        let Some((_, packed)) = name.rsplit_once("_Packages") else { continue };
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
        let take = |fields: &HashMap<&'static str, String>| {
            let [package, version] = ["Package", "Version"].map(|name| fields.get(name).map(String::as_str));
            for at in package.and_then(|package| by_name.get(package)).into_iter().flatten() {
                let is_it = installed.get(*at).is_some_and(|[_, known, ..]| Some(known.as_str()) == version);
                if let Some(known) = origins.get_mut(*at).filter(|known| is_it && known.is_empty()) {
                    origin.trim().clone_into(known);
                }
            }
        };
        let path = dir.join(name);
        match packed {
            "" => each(&path, &mut sys.open(&path)?, take)?,
            // As images of containers keep them; apt knows how to unpack what it packed.
            ".lz4" | ".gz" | ".xz" | ".bz2" | ".zst" => {
                let unpacked = sys.query(Command::new(HELPER).arg("cat-file").arg(path.as_os_str()))?;
                if !unpacked.ok() {
                    let why = unpacked.stderr().trim().to_owned();
                    return Err(Failure::new(format!("cannot read {}: {why}", path.display())));
                }
                each(&path, &mut unpacked.stdout.as_slice(), take)?;
            }
            _ => {}
        }
    }
    Ok(origins)
}

/// Hands over the fields of interest of each paragraph. Read line by line: the lists are large.
fn each(
    path: &Path,
    content: &mut dyn Read,
    mut does: impl FnMut(&HashMap<&'static str, String>),
) -> Result<()> {
    const FIELDS: [&str; 5] = ["Package", "Version", "Architecture", "Section", "Status"];
    let mut reader = BufReader::new(content);
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
