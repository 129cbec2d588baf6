//! Options that an engine of an older interface would pass over in silence.

use serde_json::{Map, Value as Json};

use super::Args;
use crate::docker::engine::Engine;
use crate::kit::{Failure, Result};

type Version = (u32, u32);

const OPTIONS: [(&str, Version); 4] = [
    ("platform", (1, 41)),
    ("cgroupns_mode", (1, 41)),
    ("device_requests", (1, 40)),
    ("device_cgroup_rules", (1, 28)),
];

const OF_NETWORKS: [(&str, Version); 3] =
    [("driver_opts", (1, 32)), ("gw_priority", (1, 48)), ("mac_address", (1, 44))];

const OF_HEALTHCHECK: [(&str, Version); 1] = [("start_interval", (1, 44))];

const OF_MOUNTS: [(&str, Version); 6] = [
    ("non_recursive", (1, 40)),
    ("create_mountpoint", (1, 42)),
    ("read_only_non_recursive", (1, 44)),
    ("read_only_force_recursive", (1, 44)),
    ("subpath", (1, 45)),
    ("tmpfs_options", (1, 46)),
];

const TYPES_OF_MOUNTS: [(&str, Version); 2] = [("cluster", (1, 42)), ("image", (1, 47))];

/// That the engine knows all that it is told.
pub fn check(args: &Args, given: &Map<String, Json>, engine: &Engine) -> Result<()> {
    let mut options = Vec::new();
    needed("", given, &OPTIONS, &mut options);
    for network in args.networks.iter().flatten() {
        needed("networks.", network, &OF_NETWORKS, &mut options);
    }
    if let Some(check) = &args.process.healthcheck {
        needed("healthcheck.", check, &OF_HEALTHCHECK, &mut options);
    }
    for mount in args.surroundings.mounts.iter().flatten() {
        needed("mounts.", mount, &OF_MOUNTS, &mut options);
        let kind = mount.get("type").and_then(Json::as_str);
        let kinds = TYPES_OF_MOUNTS.iter().filter(|(name, _)| kind == Some(name));
        options.extend(kinds.map(|(name, version)| (format!("mounts.type={name}"), *version)));
    }
    let Some((option, (major, minor))) = options.into_iter().find(|(_, version)| engine.version < *version)
    else {
        return Ok(());
    };
    let (own_major, own_minor) = engine.version;
    Err(Failure::new(format!(
        "Docker API version is {own_major}.{own_minor}. Minimum version required is {major}.{minor} to set {option} \
         option."
    )))
}

fn needed(
    of: &str,
    given: &Map<String, Json>,
    table: &[(&str, Version)],
    options: &mut Vec<(String, Version)>,
) {
    let set = table.iter().filter(|(name, _)| given.get(*name).is_some_and(|value| !value.is_null()));
    options.extend(set.map(|(name, version)| (format!("{of}{name}"), *version)));
}
