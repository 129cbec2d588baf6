//! Volumes and mounts.

use serde_json::{Map, Value as Json, json};

use super::Surroundings;
use super::environment::sorted;
use super::ports::names;
use super::size;
use super::wish::{Kind, Wish};
use crate::docker::at;
use crate::kit::{Failure, Result, Suboptions, System};

const FIELDS: [&str; 18] = [
    "consistency",
    "create_mountpoint",
    "labels",
    "no_copy",
    "non_recursive",
    "propagation",
    "read_only",
    "read_only_force_recursive",
    "read_only_non_recursive",
    "source",
    "subpath",
    "target",
    "tmpfs_mode",
    "tmpfs_options",
    "tmpfs_size",
    "type",
    "volume_driver",
    "volume_options",
];

pub fn wishes(surroundings: &Surroundings, image: &Json, sys: &System<'_>) -> Result<Vec<Wish>> {
    let mut wishes = Vec::new();
    let mut taken: Vec<(String, &str)> = Vec::new();
    let mut take = |place: &str, option: &'static str| {
        let how = match taken.iter().find(|(known, _)| known == place) {
            None => {
                taken.push((place.to_owned(), option));
                return Ok(());
            }
            Some((_, other)) if *other == option => format!("twice in the {option} option"),
            Some((_, other)) => format!("both in the {other} and {option} option"),
        };
        Err(Failure::new(format!("The mount point \"{place}\" appears {how}")))
    };
    let (mut binds, mut places) = (Vec::new(), Vec::new());
    if let Some(given) = &surroundings.volumes {
        for text in given {
            match bind(text, sys)? {
                Some(bind) => binds.push(bind),
                None => places.push(text.split(':').next().unwrap_or(text).to_owned()),
            }
        }
        for bind in &binds {
            let bind: &String = bind;
            take(bind.split(':').nth(1).unwrap_or_default(), "volumes")?;
        }
        for place in &places {
            take(place, "volumes")?;
        }
        let binds = sorted(&binds.into());
        wishes.push(Wish::new("volume_binds", Kind::Set, "HostConfig/Binds", binds).alike(whole_binds));
    }
    let inherited = at(image, "Config/Volumes").as_object();
    let mut expected: Vec<&String> =
        inherited.into_iter().flatten().map(|(place, _)| place).chain(&places).collect();
    expected.sort();
    expected.dedup();
    if !expected.is_empty() {
        let expected = json!(expected);
        let map: Map<String, Json> = places.into_iter().map(|place| (place, json!({}))).collect();
        let value = if map.is_empty() { Json::Null } else { map.into() };
        let wish = Wish::new("volumes", Kind::Set, "Config/Volumes", value);
        wishes.push(wish.expecting(expected).seen_as(names));
    }
    if let Some(given) = &surroundings.mounts {
        let mut mounts = Vec::new();
        for fields in Suboptions::each("mounts", given, &FIELDS)? {
            take(&fields.needed("target")?, "mounts")?;
            mounts.push(mount(&fields, sys)?);
        }
        let expected: Vec<Json> = mounts.iter().map(|mount| in_options(mount, false)).collect();
        let wish = Wish::new("mounts", Kind::Records, "HostConfig/Mounts", mounts.into());
        wishes.push(wish.expecting(expected.into()).seen_as(seen_mounts));
    }
    Ok(wishes)
}

/// `host:place[:mode]` with its mode; `None` for a place alone.
fn bind(text: &str, sys: &System<'_>) -> Result<Option<String>> {
    let parts: Vec<&str> = text.split(':').collect();
    let (host, place, mode) = match parts.as_slice() {
        [_] => return Ok(None),
        [_, mode] if is_mode(mode) => return Ok(None),
        [host, place] => (*host, *place, "rw"),
        [host, place, mode] if is_mode(mode) => (*host, *place, *mode),
        [_, _, mode] => return Err(Failure::new(format!("Found invalid volumes mode: {mode}"))),
        _ => return Err(Failure::new(format!("volumes: {text:?} has too many colons"))),
    };
    Ok(Some(format!("{}:{place}:{mode}", on_host(host, sys)?)))
}

/// Paths of the machine are whole ones.
fn on_host(path: &str, sys: &System<'_>) -> Result<String> {
    match path.chars().next() {
        Some('~') => sys.expand(path),
        Some('.') => Err(Failure::new(format!(
            "volumes: {path:?} is no whole path: nobody knows which directory it starts in"
        ))),
        _ => Ok(path.to_owned()),
    }
}

fn is_mode(text: &str) -> bool {
    const MODES: [&str; 14] = [
        "rw",
        "ro",
        "z",
        "Z",
        "consistent",
        "delegated",
        "cached",
        "rprivate",
        "private",
        "rshared",
        "shared",
        "rslave",
        "slave",
        "nocopy",
    ];
    text.split(',').all(|word| MODES.contains(&word))
}

/// With their modes, sorted.
fn whole_binds(value: &Json) -> Json {
    let Some(binds) = value.as_array() else { return value.clone() };
    let whole = binds
        .iter()
        .filter_map(Json::as_str)
        .map(|bind| if bind.split(':').count() == 2 { format!("{bind}:rw") } else { bind.to_owned() });
    sorted(&whole.collect::<Vec<_>>().into())
}

fn mount(fields: &Suboptions<'_>, sys: &System<'_>) -> Result<Json> {
    let kind = fields.choice("type", &["bind", "npipe", "tmpfs", "volume", "cluster", "image"])?;
    let kind = kind.unwrap_or_else(|| "volume".to_owned());
    let target = fields.needed("target")?;
    let of = format!("for mount \"{target}\" of type \"{kind}\"");
    let mut mount = Map::from_iter([("Target".to_owned(), target.into())]);
    let mut set = |key: &str, value: Json| {
        if !value.is_null() {
            mount.insert(key.to_owned(), value);
        }
    };
    match fields.text("source")? {
        Some(source) if kind == "tmpfs" && !source.is_empty() => {
            return Err(Failure::new(format!("source cannot be specified {of}")));
        }
        Some(source) => set("Source", on_host(&source, sys)?.into()),
        None if !["tmpfs", "volume"].contains(&kind.as_str()) => {
            return Err(Failure::new(format!("source must be specified {of}")));
        }
        None => {}
    }
    set("ReadOnly", fields.flag("read_only")?.into());
    set(
        "Consistency",
        fields.choice("consistency", &["cached", "consistent", "default", "delegated"])?.into(),
    );
    let propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];
    let bind = [
        ("propagation", "Propagation", fields.choice("propagation", &propagations)?.into()),
        ("non_recursive", "NonRecursive", fields.flag("non_recursive")?.into()),
        ("create_mountpoint", "CreateMountpoint", fields.flag("create_mountpoint")?.into()),
        ("read_only_non_recursive", "ReadOnlyNonRecursive", fields.flag("read_only_non_recursive")?.into()),
        (
            "read_only_force_recursive",
            "ReadOnlyForceRecursive",
            fields.flag("read_only_force_recursive")?.into(),
        ),
    ];
    let driver = match (fields.text("volume_driver")?, fields.mapping("volume_options")?) {
        (None, None) => Json::Null,
        (name, options) => {
            let mut driver = Map::new();
            driver.extend(name.map(|name| ("Name".to_owned(), name.into())));
            driver.extend(options.map(|options| ("Options".to_owned(), options.into())));
            driver.into()
        }
    };
    let volume = [
        ("no_copy", "NoCopy", fields.flag("no_copy")?.into()),
        ("labels", "Labels", fields.mapping("labels")?.into()),
        ("volume_driver", "DriverConfig", driver),
    ];
    let size = match fields.text("tmpfs_size")? {
        Some(text) => size::bytes("tmpfs_size", &text)?,
        None => Json::Null,
    };
    let mode = match fields.text("tmpfs_mode")? {
        Some(text) => i64::from_str_radix(&text, 8)
            .map_err(|_| Failure::new(format!("tmp_fs mode of mount is not an octal string: {text}")))?
            .into(),
        None => Json::Null,
    };
    let memory = [
        ("tmpfs_size", "SizeBytes", size),
        ("tmpfs_mode", "Mode", mode),
        ("tmpfs_options", "Options", tmpfs_options(fields.raw("tmpfs_options"))),
    ];
    let subpath = fields.text("subpath")?;
    let groups: [(&str, &str, Vec<_>); 3] = [
        ("bind", "BindOptions", bind.into()),
        ("volume", "VolumeOptions", volume.into()),
        ("tmpfs", "TmpfsOptions", memory.into()),
    ];
    for (group, key, options) in groups {
        let mut given = Map::new();
        for (option, name, value) in options {
            if value.is_null() {
                continue;
            }
            if group != kind {
                return Err(Failure::new(format!(
                    "{option} cannot be specified {of} (needs type \"{group}\")"
                )));
            }
            given.insert(name.to_owned(), value);
        }
        if let Some(subpath) = subpath.as_ref().filter(|_| group == "volume" && kind == "volume") {
            given.insert("Subpath".to_owned(), subpath.as_str().into());
        }
        if !given.is_empty() {
            set(key, given.into());
        }
    }
    match (&subpath, kind.as_str()) {
        (Some(subpath), "image") => set("ImageOptions", json!({"Subpath": subpath})),
        (Some(_), "volume") | (None, _) => {}
        (Some(_), _) => {
            return Err(Failure::new(format!("subpath cannot be specified {of}")));
        }
    }
    set("Type", kind.into());
    Ok(mount.into())
}

/// `[{noexec: null}, {mode: "1"}]` as the engine has it: lists of one or two words.
fn tmpfs_options(given: Option<&Json>) -> Json {
    let Some(list) = given.and_then(Json::as_array) else { return Json::Null };
    let words = list.iter().filter_map(Json::as_object).flatten().map(|(key, value)| match value.as_str() {
        Some(text) => json!([key, text]),
        None => json!([key]),
    });
    words.collect::<Vec<_>>().into()
}

fn seen_mounts(value: &Json) -> Json {
    let Some(mounts) = value.as_array() else { return value.clone() };
    mounts.iter().map(|mount| in_options(mount, true)).collect::<Vec<_>>().into()
}

/// A mount of the engine's, in options. With `all` also those it has nothing of.
fn in_options(mount: &Json, all: bool) -> Json {
    let driver = at(mount, "VolumeOptions/DriverConfig");
    let subpath =
        at(mount, "VolumeOptions").get("Subpath").unwrap_or_else(|| at(mount, "ImageOptions/Subpath"));
    let found = [
        ("target", at(mount, "Target").clone()),
        ("source", at(mount, "Source").clone()),
        ("type", at(mount, "Type").clone()),
        ("read_only", at(mount, "ReadOnly").clone()),
        ("consistency", at(mount, "Consistency").clone()),
        ("propagation", at(mount, "BindOptions/Propagation").clone()),
        ("non_recursive", at(mount, "BindOptions/NonRecursive").clone()),
        ("create_mountpoint", at(mount, "BindOptions/CreateMountpoint").clone()),
        ("read_only_non_recursive", at(mount, "BindOptions/ReadOnlyNonRecursive").clone()),
        ("read_only_force_recursive", at(mount, "BindOptions/ReadOnlyForceRecursive").clone()),
        ("no_copy", at(mount, "VolumeOptions/NoCopy").clone()),
        ("labels", at(mount, "VolumeOptions/Labels").clone()),
        ("volume_driver", at(driver, "Name").clone()),
        ("volume_options", at(driver, "Options").clone()),
        ("tmpfs_size", at(mount, "TmpfsOptions/SizeBytes").clone()),
        ("tmpfs_mode", at(mount, "TmpfsOptions/Mode").clone()),
        ("tmpfs_options", at(mount, "TmpfsOptions/Options").clone()),
        ("subpath", subpath.clone()),
    ];
    // The engine leaves away what is usual.
    let usual = |name: &str| match name {
        "read_only" | "no_copy" => Json::Bool(false),
        "labels" | "volume_options" => json!({}),
        _ => Json::Null,
    };
    let told = found.into_iter().filter(|(_, value)| all || !value.is_null()).map(|(name, value)| {
        let value = if value.is_null() { usual(name) } else { value };
        (name.to_owned(), value)
    });
    Json::Object(told.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_of_volumes_are_known() {
        assert!(is_mode("ro,z") && is_mode("rw") && !is_mode("/x") && !is_mode("ro,x"));
        assert_eq!(whole_binds(&json!(["b:/b", "a:/a:ro"])), json!(["a:/a:ro", "b:/b:rw"]));
    }
}
