//! `mounts`.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::{Facts, line};
use crate::kit::{Result, System};

pub(super) fn gather(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let table = line(sys, "/proc/self/mounts").or_else(|| line(sys, "/etc/mtab")).unwrap_or_default();
    let uuids = uuids(sys);
    let mut mounts = Vec::new();
    for entry in table.lines() {
        let mut words = entry.split(' ');
        let (Some(device), Some(mount), Some(fstype), Some(options)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let number = |word: Option<&str>| word.and_then(|word| word.parse::<i64>().ok()).unwrap_or(0);
        let (dump, passno) = (number(words.next()), number(words.next()));
        // Only what stands on a device or comes over the network.
        let counts = device.starts_with('/') || device.starts_with("\\134") || device.contains(":/");
        if !counts || fstype == "none" {
            continue;
        }
        let (device, mount) = (unescape(device), unescape(mount));
        let mut fact = json!({
            "mount": mount,
            "device": device,
            "fstype": fstype,
            "options": options,
            "dump": dump,
            "passno": passno,
            "uuid": uuids.get(&device).map_or("N/A", String::as_str),
        });
        if let Json::Object(fact) = &mut fact {
            fact.extend(usage(sys, Path::new(&mount))?);
        }
        mounts.push(fact);
    }
    facts.insert("mounts".to_owned(), mounts.into());
    Ok(())
}

/// How large the file system is that holds the path, and how much of it is used; nothing where it does not say.
pub(crate) fn usage(sys: &System<'_>, path: &Path) -> Result<Map<String, Json>> {
    let Some(usage) = sys.filesystem(path)? else { return Ok(Map::new()) };
    let facts = [
        ("size_total", usage.blocks * usage.block_size),
        ("size_available", usage.blocks_available * usage.block_size),
        ("block_size", usage.block_size),
        ("block_total", usage.blocks),
        ("block_available", usage.blocks_available),
        ("block_used", usage.blocks.saturating_sub(usage.blocks_available)),
        ("inode_total", usage.files),
        ("inode_available", usage.files_available),
        ("inode_used", usage.files.saturating_sub(usage.files_available)),
    ];
    Ok(facts.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
}

/// Device -> UUID, from udev's links.
pub(crate) fn uuids(sys: &System<'_>) -> HashMap<String, String> {
    let dir = Path::new("/dev/disk/by-uuid");
    let Ok(names) = sys.list(dir) else { return HashMap::new() };
    names
        .into_iter()
        .filter_map(|name| {
            let device = sys.resolve(&dir.join(&name)).ok()?;
            Some((device.to_string_lossy().into_owned(), name.to_string_lossy().into_owned()))
        })
        .collect()
}

/// Turns `\040` and its like back into what they stand for.
pub(crate) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, after) = rest.split_at(at);
        plain.push_str(before);
        let byte = after.get(1..4).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        plain.push(byte.map_or('\\', char::from));
        rest = after.get(if byte.is_some() { 4 } else { 1 }..).unwrap_or_default();
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    #[test]
    fn unescapes() {
        assert_eq!(super::unescape("/mnt/a\\040b\\134c\\"), "/mnt/a b\\c\\");
    }
}
