//! Block devices.

use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::{Facts, line};
use crate::kit::{Result, System};

pub(super) fn gather(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let mut devices = Map::new();
    let root = Path::new("/sys/block");
    for name in sys.list(root).unwrap_or_default() {
        let name = name.to_string_lossy().into_owned();
        devices.insert(name.clone(), device(sys, &root.join(&name), &name));
    }
    facts.insert("devices".to_owned(), devices.into());
    let links = json!({"ids": {}, "labels": {}, "masters": {}, "uuids": {}});
    facts.insert("device_links".to_owned(), device_links(sys, links));
    facts.insert("lvm".to_owned(), "N/A".into());
    Ok(())
}

fn device(sys: &System<'_>, path: &Path, name: &str) -> Json {
    let read = |file: &str| line(sys, path.join(file));
    let number = |file: &str| read(file).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let sectors = number("size");
    let sector_size = read("queue/logical_block_size").unwrap_or_else(|| "512".to_owned());
    let target = sys.read_link(path).ok();
    let is_virtual = target.as_ref().is_some_and(|target| target.to_string_lossy().contains("/virtual/"));
    let scheduler = read("queue/scheduler").unwrap_or_default();
    let scheduler = scheduler
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
        .map_or_else(String::new, |(mode, _)| mode.to_owned());
    json!({
        "virtual": i32::from(is_virtual),
        "links": links_of(sys, name),
        "vendor": read("device/vendor"),
        "model": read("device/model"),
        "sas_address": read("device/sas_address"),
        "sas_device_handle": read("device/sas_device_handle"),
        "removable": read("removable").unwrap_or_default(),
        "support_discard": read("queue/discard_granularity").unwrap_or_default(),
        "partitions": partitions(sys, path, name),
        "rotational": read("queue/rotational").unwrap_or_default(),
        "scheduler_mode": scheduler,
        "sectors": sectors,
        "sectorsize": sector_size,
        "size": size(sectors * 512),
        "host": "",
        "holders": names(sys, &path.join("holders")),
    })
}

fn partitions(sys: &System<'_>, path: &Path, disk: &str) -> Json {
    let mut partitions = Map::new();
    for name in names(sys, path) {
        let dir = path.join(&name);
        if !name.starts_with(disk) || line(sys, dir.join("start")).is_none() {
            continue;
        }
        let number =
            |file: &str| line(sys, dir.join(file)).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        let sectors = number("size");
        let links = links_of(sys, &name);
        let uuid = links.pointer("/uuids/0").cloned().unwrap_or(Json::Null);
        let partition = json!({
            "links": links,
            "start": number("start").to_string(),
            "sectors": sectors,
            "sectorsize": 512,
            "size": size(sectors * 512),
            "uuid": uuid,
            "holders": names(sys, &dir.join("holders")),
        });
        partitions.insert(name, partition);
    }
    partitions.into()
}

fn names(sys: &System<'_>, dir: &Path) -> Vec<String> {
    let names = sys.list(dir).unwrap_or_default();
    names.into_iter().map(|name| name.to_string_lossy().into_owned()).collect()
}

/// The links that udev keeps for a device, by kind.
const LINKS: [(&str, &str); 3] = [("ids", "by-id"), ("uuids", "by-uuid"), ("labels", "by-label")];

fn links_of(sys: &System<'_>, device: &str) -> Json {
    let mut links = json!({"ids": [], "labels": [], "masters": [], "uuids": []});
    for (kind, dir) in LINKS {
        let found: Vec<Json> = udev_links(sys, dir)
            .into_iter()
            .filter(|(target, _)| target == device)
            .map(|(_, link)| link.into())
            .collect();
        if let Some(slot) = links.get_mut(kind) {
            *slot = found.into();
        }
    }
    links
}

fn device_links(sys: &System<'_>, mut links: Json) -> Json {
    for (kind, dir) in LINKS {
        let Some(Json::Object(slot)) = links.get_mut(kind) else { continue };
        for (device, link) in udev_links(sys, dir) {
            if let Json::Array(list) = slot.entry(device).or_insert_with(|| json!([])) {
                list.push(link.into());
            }
        }
    }
    links
}

/// Device -> link, for one of udev's directories.
fn udev_links(sys: &System<'_>, dir: &str) -> Vec<(String, String)> {
    let dir = Path::new("/dev/disk").join(dir);
    names(sys, &dir)
        .into_iter()
        .filter_map(|link| {
            let target = sys.read_link(&dir.join(&link)).ok()?;
            Some((target.file_name()?.to_string_lossy().into_owned(), link))
        })
        .collect()
}

/// Bytes as people read them: `2.00 GB`.
fn size(bytes: u64) -> String {
    let units =
        [("YB", 80), ("ZB", 70), ("EB", 60), ("PB", 50), ("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10)];
    for (unit, bits) in units {
        if bits < 64 && bytes >= 1 << bits {
            #[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
            let number = bytes as f64 / f64::from(2).powi(bits);
            return format!("{number:.2} {unit}");
        }
    }
    format!("{bytes}.00 Bytes")
}
