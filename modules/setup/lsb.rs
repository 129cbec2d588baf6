//! `lsb`.

use serde_json::{Map, Value as Json};

use super::{Facts, line, os_release};
use crate::kit::{Result, System};

pub(super) fn gather(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let mut lsb: Map<String, Json> = Map::new();
    if let Some(text) = line(sys, "/etc/lsb-release") {
        let entries = os_release::parse(&text);
        for (key, fact) in [
            ("DISTRIB_ID", "id"),
            ("DISTRIB_RELEASE", "release"),
            ("DISTRIB_DESCRIPTION", "description"),
            ("DISTRIB_CODENAME", "codename"),
        ] {
            if let Some(value) = entries.get(key) {
                lsb.insert(fact.to_owned(), value.as_str().into());
            }
        }
    } else if sys.which("lsb_release").is_some()
        && let Some(text) = line(sys, "/etc/os-release")
    {
        // What `lsb_release` prints comes from here where there is no file of its own.
        let entries = os_release::parse(&text);
        let get = |key: &str| entries.get(key).cloned();
        let id = get("NAME").and_then(|name| name.split_whitespace().next().map(str::to_owned));
        let values = [
            ("id", id),
            ("release", get("VERSION_ID")),
            ("description", get("PRETTY_NAME")),
            ("codename", get("VERSION_CODENAME")),
        ];
        lsb.extend(values.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))));
    }
    if let Some(release) = lsb.get("release").and_then(Json::as_str) {
        let major = release.split('.').next().unwrap_or_default().to_owned();
        lsb.insert("major_release".to_owned(), major.into());
    }
    facts.insert("lsb".to_owned(), lsb.into());
    Ok(())
}
