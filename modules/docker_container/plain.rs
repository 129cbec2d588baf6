//! Options that the engine keeps as they are given, or nearly.

use serde_json::{Map, Value as Json, json};

use super::wish::{Kind, Wish};
use super::{Args, size};
use crate::kit::args::Kind as Type;
use crate::kit::{Failure, Result};

/// How a value of an option becomes the engine's.
#[derive(Clone, Copy)]
enum Convert {
    AsItIs,
    Bytes,
    Swap,
    Nano,
    Texts,
    Hosts,
    Tmpfs,
}

use Convert::{AsItIs, Bytes, Hosts, Nano, Swap, Texts, Tmpfs};

/// The option, how it is compared, where the engine keeps it.
type Row = (&'static str, Kind, &'static str, Convert);

const TABLE: &[Row] = &[
    ("auto_remove", Kind::Value, "HostConfig/AutoRemove", AsItIs),
    ("blkio_weight", Kind::Value, "HostConfig/BlkioWeight", AsItIs),
    ("cgroup_parent", Kind::Value, "HostConfig/CgroupParent", AsItIs),
    ("cgroupns_mode", Kind::Value, "HostConfig/CgroupnsMode", AsItIs),
    ("cpu_period", Kind::Value, "HostConfig/CpuPeriod", AsItIs),
    ("cpu_quota", Kind::Value, "HostConfig/CpuQuota", AsItIs),
    ("cpu_shares", Kind::Value, "HostConfig/CpuShares", AsItIs),
    ("cpus", Kind::Value, "HostConfig/NanoCpus", Nano),
    ("cpuset_cpus", Kind::Value, "HostConfig/CpusetCpus", AsItIs),
    ("cpuset_mems", Kind::Value, "HostConfig/CpusetMems", AsItIs),
    ("device_cgroup_rules", Kind::List, "HostConfig/DeviceCgroupRules", AsItIs),
    ("dns_opts", Kind::Set, "HostConfig/DnsOptions", AsItIs),
    ("dns_search_domains", Kind::List, "HostConfig/DnsSearch", AsItIs),
    ("dns_servers", Kind::List, "HostConfig/Dns", AsItIs),
    ("domainname", Kind::Value, "Config/Domainname", AsItIs),
    ("etc_hosts", Kind::Set, "HostConfig/ExtraHosts", Hosts),
    ("groups", Kind::Set, "HostConfig/GroupAdd", AsItIs),
    ("hostname", Kind::Value, "Config/Hostname", AsItIs),
    ("init", Kind::Value, "HostConfig/Init", AsItIs),
    ("interactive", Kind::Value, "Config/OpenStdin", AsItIs),
    ("ipc_mode", Kind::Value, "HostConfig/IpcMode", AsItIs),
    ("kernel_memory", Kind::Value, "HostConfig/KernelMemory", Bytes),
    ("log_driver", Kind::Value, "HostConfig/LogConfig/Type", AsItIs),
    ("log_options", Kind::Dict, "HostConfig/LogConfig/Config", Texts),
    ("memory", Kind::Value, "HostConfig/Memory", Bytes),
    ("memory_reservation", Kind::Value, "HostConfig/MemoryReservation", Bytes),
    ("memory_swap", Kind::Value, "HostConfig/MemorySwap", Swap),
    ("memory_swappiness", Kind::Value, "HostConfig/MemorySwappiness", AsItIs),
    ("oom_killer", Kind::Value, "HostConfig/OomKillDisable", AsItIs),
    ("oom_score_adj", Kind::Value, "HostConfig/OomScoreAdj", AsItIs),
    ("pid_mode", Kind::Value, "HostConfig/PidMode", AsItIs),
    ("pids_limit", Kind::Value, "HostConfig/PidsLimit", AsItIs),
    ("privileged", Kind::Value, "HostConfig/Privileged", AsItIs),
    ("publish_all_ports", Kind::Value, "HostConfig/PublishAllPorts", AsItIs),
    ("read_only", Kind::Value, "HostConfig/ReadonlyRootfs", AsItIs),
    ("restart_policy", Kind::Value, "HostConfig/RestartPolicy/Name", AsItIs),
    ("restart_retries", Kind::Value, "HostConfig/RestartPolicy/MaximumRetryCount", AsItIs),
    ("runtime", Kind::Value, "HostConfig/Runtime", AsItIs),
    ("security_opts", Kind::Set, "HostConfig/SecurityOpt", AsItIs),
    ("shm_size", Kind::Value, "HostConfig/ShmSize", Bytes),
    ("stop_signal", Kind::Value, "Config/StopSignal", AsItIs),
    ("stop_timeout", Kind::Value, "Config/StopTimeout", AsItIs),
    ("storage_opts", Kind::Dict, "HostConfig/StorageOpt", Texts),
    ("sysctls", Kind::Dict, "HostConfig/Sysctls", Texts),
    ("tmpfs", Kind::Dict, "HostConfig/Tmpfs", Tmpfs),
    ("tty", Kind::Value, "Config/Tty", AsItIs),
    ("user", Kind::Value, "Config/User", AsItIs),
    ("userns_mode", Kind::Value, "HostConfig/UsernsMode", AsItIs),
    ("uts", Kind::Value, "HostConfig/UTSMode", AsItIs),
    ("volume_driver", Kind::Value, "HostConfig/VolumeDriver", AsItIs),
    ("volumes_from", Kind::Set, "HostConfig/VolumesFrom", AsItIs),
    ("working_dir", Kind::Value, "Config/WorkingDir", AsItIs),
];

/// What can change in a running container.
const LIVE: [&str; 12] = [
    "blkio_weight",
    "cpu_period",
    "cpu_quota",
    "cpu_shares",
    "cpuset_cpus",
    "cpuset_mems",
    "kernel_memory",
    "memory",
    "memory_reservation",
    "memory_swap",
    "restart_policy",
    "restart_retries",
];

pub fn wishes(given: &Map<String, Json>) -> Result<Vec<Wish>> {
    let mut wishes = Vec::new();
    for (option, kind, place, convert) in TABLE {
        if let Some(value) = given.get(*option).filter(|value| !value.is_null()) {
            let mut wish = Wish::new(option, *kind, place, convert.of(option, value)?);
            wish.is_live = LIVE.contains(option);
            // How long it takes to stop is not what it is.
            wish.is_ignored = *option == "stop_timeout";
            wishes.push(wish);
        }
    }
    for (option, place) in [("capabilities", "HostConfig/CapAdd"), ("cap_drop", "HostConfig/CapDrop")] {
        if let Some(value) = given.get(option).filter(|value| !value.is_null()) {
            wishes.push(Wish::new(option, Kind::Set, place, value.clone()).alike(capabilities));
        }
    }
    Ok(wishes)
}

/// Containers it knows by name, as the engine writes them: `/other:/me/alias`.
pub fn links(args: &Args) -> Option<Wish> {
    let whole = |link: &String| {
        let (other, alias) = link.split_once(':').unwrap_or((link, link));
        format!("/{other}:/{}/{alias}", args.name)
    };
    let links: Vec<String> = args.surroundings.links.as_ref()?.iter().map(whole).collect();
    Some(Wish::new("links", Kind::Set, "HostConfig/Links", links.into()))
}

impl Convert {
    fn of(self, option: &str, value: &Json) -> Result<Json> {
        Ok(match self {
            AsItIs => value.clone(),
            Swap if value == "unlimited" || value == "-1" => json!(-1),
            Bytes | Swap => bytes(option, value)?,
            Nano => nano(option, value)?,
            Texts => texts(value),
            Hosts => hosts(value),
            Tmpfs => tmpfs(value),
        })
    }
}

fn bytes(option: &str, value: &Json) -> Result<Json> {
    size::bytes(option, value.as_str().unwrap_or_default())
}

/// Processors in billionths.
fn nano(option: &str, value: &Json) -> Result<Json> {
    let billionths = value.as_f64().map(|cpus| format!("{:.0}", cpus * 1e9));
    billionths
        .and_then(|text| text.parse::<i64>().ok())
        .map(Json::from)
        .ok_or_else(|| Failure::new(format!("{option}: {value} is no number of processors")))
}

/// A mapping of texts.
pub fn texts(value: &Json) -> Json {
    let text = |(key, value): (&String, &Json)| {
        (key.clone(), Type::Str.convert(value).unwrap_or_else(|_| value.clone()))
    };
    value.as_object().map(|map| map.iter().map(text).collect::<Map<_, _>>()).into()
}

/// `name:address`, sorted.
fn hosts(value: &Json) -> Json {
    let hosts = texts(value);
    let pairs = hosts.as_object().into_iter().flatten();
    let mut lines: Vec<String> =
        pairs.map(|(name, address)| format!("{name}:{}", address.as_str().unwrap_or_default())).collect();
    lines.sort();
    lines.into()
}

/// `/run:size=1M`: options by places.
fn tmpfs(value: &Json) -> Json {
    let mounts = value.as_array().into_iter().flatten().filter_map(Json::as_str).map(|text| {
        let (place, options) = text.split_once(':').unwrap_or((text, ""));
        (place.to_owned(), options.into())
    });
    Json::Object(mounts.collect())
}

/// As the engine names them: `NET_RAW` is `CAP_NET_RAW`.
fn capabilities(value: &Json) -> Json {
    let Some(names) = value.as_array() else { return value.clone() };
    let whole = names.iter().filter_map(Json::as_str).map(|name| {
        let name = name.to_uppercase();
        if name == "ALL" || name.starts_with("CAP_") { name } else { format!("CAP_{name}") }
    });
    whole.collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_the_engines() {
        let given = json!({
            "memory": "1M", "memory_swap": "unlimited", "cpus": 0.5, "tmpfs": ["/a", "/b:size=1M"],
            "etc_hosts": {"z": "1.2.3.4", "a": "::1"}, "sysctls": {"a.b": 1}, "capabilities": ["sys_time"],
            "user": null,
        });
        let wishes = wishes(given.as_object().unwrap()).unwrap();
        for (option, value) in [
            ("memory", json!(1_048_576)),
            ("memory_swap", json!(-1)),
            ("cpus", json!(500_000_000)),
            ("tmpfs", json!({"/a": "", "/b": "size=1M"})),
            ("etc_hosts", json!(["a:::1", "z:1.2.3.4"])),
            ("sysctls", json!({"a.b": "1"})),
        ] {
            let wish = wishes.iter().find(|wish| wish.option == option).unwrap();
            assert_eq!(wish.expected, value, "{option}");
        }
        assert!(!wishes.iter().any(|wish| wish.option == "user"));
        assert_eq!(
            capabilities(&json!(["sys_time", "CAP_X", "all"])),
            json!(["CAP_SYS_TIME", "CAP_X", "ALL"])
        );
    }
}
