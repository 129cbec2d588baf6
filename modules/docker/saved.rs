//! Archives of images, as `docker save` writes them.

use std::io::{self, Read};
use std::path::Path;

use serde_json::Value as Json;

use crate::docker::{items, text};
use crate::kit::{Failure, Result, System};

/// What an archive holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Saved {
    /// Without `sha256:`.
    pub id: String,
    pub names: Vec<String>,
}

/// The one image of an archive; an error where there is none, or more. `None`: there is no file.
pub fn read(path: &Path, sys: &System<'_>) -> Result<Option<Saved>> {
    match read_all(path, sys)?.map(TryInto::<[Saved; 1]>::try_into) {
        None => Ok(None),
        Some(Ok([image])) => Ok(Some(image)),
        Some(Err(_)) => Err(unreadable(path, &"it does not hold one image")),
    }
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("{} is no archive of an image: {why}", path.display()))
}

/// All images of an archive. `None`: there is no file.
pub fn read_all(path: &Path, sys: &System<'_>) -> Result<Option<Vec<Saved>>> {
    if !sys.exists(path)? {
        return Ok(None);
    }
    let unreadable = |why: &dyn std::fmt::Display| unreadable(path, why);
    let manifest = manifest(&mut sys.open(path)?).map_err(|error| unreadable(&error))?;
    let images: Json = serde_json::from_slice(&manifest).map_err(|error| unreadable(&error))?;
    let saved = |image: &Json| {
        let config = text(image, "Config");
        let id = config.strip_suffix(".json").or_else(|| config.rsplit('/').next()).unwrap_or_default();
        let names = items(image, "RepoTags").iter().filter_map(Json::as_str).map(str::to_owned).collect();
        Saved { id: id.to_owned(), names }
    };
    let images = images.as_array().ok_or_else(|| unreadable(&"its manifest.json is no list"))?;
    Ok(Some(images.iter().map(saved).collect()))
}

/// The content of `manifest.json`.
fn manifest(archive: &mut dyn Read) -> io::Result<Vec<u8>> {
    let bad = |why: &'static str| io::Error::new(io::ErrorKind::InvalidData, why);
    loop {
        let mut head = [0; 512];
        archive.read_exact(&mut head)?;
        let field = |from: usize, to: usize| {
            let bytes = head.get(from..to).unwrap_or_default();
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).trim().to_owned()
        };
        let name = field(0, 100);
        if name.is_empty() {
            return Err(bad("it has no manifest.json"));
        }
        let size = u64::from_str_radix(&field(124, 136), 8).map_err(|_| bad("a size in it is no number"))?;
        if name == "manifest.json" {
            let mut content = Vec::new();
            archive.take(size.min(1 << 24)).read_to_end(&mut content)?;
            return Ok(content);
        }
        let whole = size.next_multiple_of(512);
        if io::copy(&mut archive.take(whole), &mut io::sink())? < whole {
            return Err(bad("it ends too early"));
        }
    }
}

#[cfg(test)]
pub fn archive_of(manifest: &str) -> Vec<u8> {
    let mut bytes = vec![0; 512];
    bytes[..13].copy_from_slice(b"manifest.json");
    bytes[124..135].copy_from_slice(format!("{:011o}", manifest.len()).as_bytes());
    bytes.extend(manifest.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(512) + 1024, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_found() {
        let json = r#"[{"Config":"12ab.json","RepoTags":["a:1"]}]"#;
        assert_eq!(manifest(&mut archive_of(json).as_slice()).unwrap(), json.as_bytes());
        for bad in [&b"me:x\n"[..], &[0; 1024], &[b'x'; 1024]] {
            assert!(manifest(&mut &*bad).is_err());
        }
    }
}
