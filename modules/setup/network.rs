//! Interfaces, addresses, routes; asked of the kernel by netlink and read from `/sys`.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use super::{Facts, line};
use crate::kit::netlink::{Address, Link, Network};
use crate::kit::{Result, System, cmd};

pub(super) fn gather(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let Some(state) = sys.network()? else { return Ok(()) };
    let mut names = Vec::new();
    let ethtool = sys.which("ethtool");
    for link in &state.links {
        names.push(Json::from(link.name.as_str()));
        let fact = link.name.replace(['-', ':', '.'], "_");
        let mut interface = interface(sys, link, &state.addresses);
        if let Some(ethtool) = &ethtool {
            abilities(sys, ethtool, &link.name, &mut interface)?;
        }
        facts.insert(fact, interface.into());
    }
    facts.insert("interfaces".to_owned(), names.into());
    let all = |v6: bool| -> Vec<Json> {
        state
            .addresses
            .iter()
            .filter(|address| address.ip.is_ipv6() == v6 && !address.ip.is_loopback())
            .map(|address| address.ip.to_string().into())
            .collect()
    };
    facts.insert("all_ipv4_addresses".to_owned(), all(false).into());
    facts.insert("all_ipv6_addresses".to_owned(), all(true).into());
    facts.insert("default_ipv4".to_owned(), default(sys, &state, false));
    facts.insert("default_ipv6".to_owned(), default(sys, &state, true));
    facts.insert("locally_reachable_ips".to_owned(), local(&state.addresses));
    Ok(())
}

pub(super) fn fibre_channel(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let hosts = Path::new("/sys/class/fc_host");
    let mut adapters = sys.list(hosts).unwrap_or_default();
    adapters.sort();
    let port = |name: &OsString| line(sys, hosts.join(name).join("port_name"));
    let ports = adapters.iter().filter_map(port);
    let names = ports.map(|port| Json::from(port.strip_prefix("0x").unwrap_or(&port))).collect();
    facts.insert("fibre_channel_wwn".to_owned(), names);
    Ok(())
}

pub(super) fn nvme(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    facts.insert("hostnqn".to_owned(), line(sys, "/etc/nvme/hostnqn").unwrap_or_default().into());
    Ok(())
}

pub(super) fn iscsi(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let text = line(sys, "/etc/iscsi/initiatorname.iscsi").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("InitiatorName=")).unwrap_or_default();
    facts.insert("iscsi_iqn".to_owned(), name.into());
    Ok(())
}

fn sysfs(link: &Link) -> PathBuf {
    Path::new("/sys/class/net").join(&link.name)
}

fn kind(sys: &System<'_>, link: &Link) -> &'static str {
    let there = |name: &str| sys.exists(&sysfs(link).join(name)).unwrap_or(false);
    match link.hardware {
        _ if there("bridge") => "bridge",
        _ if there("bonding") => "bonding",
        1 => "ether",
        32 => "infiniband",
        512 => "ppp",
        772 => "loopback",
        65534 => "tunnel",
        _ => "unknown",
    }
}

fn interface(sys: &System<'_>, link: &Link, addresses: &[Address]) -> Map<String, Json> {
    let sysfs = sysfs(link);
    let mut fact = Map::new();
    let mut put = |name: &str, value: Json| fact.insert(name.to_owned(), value);
    put("device", link.name.as_str().into());
    if let Some(mac) = &link.mac {
        put("macaddress", mac.as_str().into());
    }
    put("mtu", link.mtu.into());
    put("active", (!link.is_down).into());
    let kind = kind(sys, link);
    put("type", kind.into());
    put("promisc", link.promiscuous.into());
    if let Some(speed) = line(sys, sysfs.join("speed")).and_then(|text| text.parse::<i64>().ok()) {
        put("speed", speed.into());
    }
    if let Ok(device) = sys.read_link(&sysfs.join("device")) {
        let id = device.file_name().unwrap_or_default().to_string_lossy().into_owned();
        put("pciid", id.into());
    }
    if let Ok(driver) = sys.read_link(&sysfs.join("device/driver/module")) {
        put("module", driver.file_name().unwrap_or_default().to_string_lossy().into());
    }
    if kind == "bridge" {
        let members = sys.list(&sysfs.join("brif")).unwrap_or_default();
        put("interfaces", members.iter().map(|name| Json::from(name.to_string_lossy())).collect());
        put("stp", (line(sys, sysfs.join("bridge/stp_state")).as_deref() == Some("1")).into());
        put("id", line(sys, sysfs.join("bridge/bridge_id")).unwrap_or_default().into());
    }
    if kind == "bonding" {
        let read = |name: &str| line(sys, sysfs.join("bonding").join(name)).unwrap_or_default();
        let slaves: Vec<Json> = read("slaves").split_whitespace().map(Json::from).collect();
        put("slaves", slaves.into());
        put("mode", read("mode").split_whitespace().next().unwrap_or_default().into());
        put("miimon", read("miimon").into());
        put("lacp_rate", read("lacp_rate").split_whitespace().next().unwrap_or_default().into());
        if let Some(primary) = line(sys, sysfs.join("bonding/primary")) {
            put("primary", primary.into());
            put("all_slaves_active", (read("all_slaves_active") == "1").into());
        }
    }
    if let Some(address) = line(sys, sysfs.join("bonding_slave/perm_hwaddr")) {
        put("perm_macaddress", address.into());
    }
    let mine = || addresses.iter().filter(|address| address.link == link.index);
    let mut v4 = mine().filter_map(ipv4);
    if let Some(first) = v4.next() {
        put("ipv4", first);
    }
    let secondaries: Vec<Json> = v4.collect();
    if !secondaries.is_empty() {
        put("ipv4_secondaries", secondaries.into());
    }
    let v6: Vec<Json> = mine()
        .filter(|address| address.ip.is_ipv6())
        .map(|address| {
            json!({"address": address.ip.to_string(), "prefix": address.prefix.to_string(), "scope": address.scope()})
        })
        .collect();
    if !v6.is_empty() {
        put("ipv6", v6.into());
    }
    fact
}

/// What `ethtool` tells of an interface, where it is installed. The kernel would tell by itself, but the program's words are the
/// fact: they change with its version.
fn abilities(sys: &mut System<'_>, ethtool: &Path, name: &str, fact: &mut Map<String, Json>) -> Result<()> {
    let features = sys.query(cmd![ethtool, "-k", name])?;
    if features.ok() {
        let of_line = |line: &str| {
            let (key, value) = line.split_once(": ")?;
            Some((key.trim().replace('-', "_"), Json::from(value.trim())))
        };
        fact.insert("features".to_owned(), features.stdout().lines().filter_map(of_line).collect());
    }
    let stamps = sys.query(cmd![ethtool, "-T", name])?;
    if stamps.ok() {
        let said = stamps.stdout();
        let named = |prefix: &str| -> Json {
            let words = said.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            words.filter_map(|word| word.strip_prefix(prefix)).map(str::to_lowercase).collect()
        };
        fact.insert("timestamping".to_owned(), named("SOF_TIMESTAMPING_"));
        fact.insert("hw_timestamp_filters".to_owned(), named("HWTSTAMP_FILTER_"));
        let clock = said.lines().find_map(|line| line.strip_prefix("PTP Hardware Clock: "));
        if let Some(clock) = clock.and_then(|clock| clock.trim().parse::<i64>().ok()) {
            fact.insert("phc_index".to_owned(), clock.into());
        }
    }
    Ok(())
}

fn ipv4(address: &Address) -> Option<Json> {
    let IpAddr::V4(ip) = address.ip else { return None };
    let mask = netmask(address.prefix);
    let broadcast = address.broadcast.map_or_else(String::new, |ip| ip.to_string());
    Some(json!({
        "address": ip.to_string(),
        "broadcast": broadcast,
        "netmask": mask.to_string(),
        "network": (ip & mask).to_string(),
        "prefix": address.prefix.to_string(),
    }))
}

fn netmask(prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0))
}

/// The address that the default route uses.
fn default(sys: &System<'_>, network: &Network, v6: bool) -> Json {
    let Network { links, addresses, routes } = network;
    let route =
        routes.iter().filter(|route| route.is_default && route.v6 == v6).min_by_key(|route| route.metric);
    let Some(route) = route else { return json!({}) };
    let Some(link) = links.iter().find(|link| link.index == route.link) else { return json!({}) };
    let address = addresses
        .iter()
        .filter(|address| address.link == link.index && address.ip.is_ipv6() == v6)
        .find(|address| match (route.source, address.ip) {
            (Some(source), ip) => source == ip,
            (None, IpAddr::V6(ip)) => !is_link_local(ip),
            (None, IpAddr::V4(_)) => true,
        });
    let mut fact = json!({
        "interface": link.name,
        "macaddress": link.mac,
        "mtu": link.mtu,
        "type": kind(sys, link),
    });
    let Json::Object(map) = &mut fact else { return fact };
    if let Some(gateway) = route.gateway {
        map.insert("gateway".to_owned(), gateway.to_string().into());
    }
    if let Some(address) = address {
        if v6 {
            map.insert("address".to_owned(), address.ip.to_string().into());
            map.insert("prefix".to_owned(), address.prefix.to_string().into());
            map.insert("scope".to_owned(), address.scope().into());
        } else if let Some(Json::Object(more)) = ipv4(address) {
            map.extend(more);
            map.insert("alias".to_owned(), link.name.as_str().into());
        }
    }
    fact
}

fn is_link_local(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xffc0 == 0xfe80
}

fn local(addresses: &[Address]) -> Json {
    let list = |v6: bool| {
        let mut ips: Vec<String> = addresses
            .iter()
            .filter(|address| address.ip.is_ipv6() == v6)
            .map(|address| address.ip.to_string())
            .collect();
        if !v6 && ips.iter().any(|ip| ip == "127.0.0.1") {
            ips.push("127.0.0.0/8".to_owned());
        }
        ips.sort();
        ips.dedup();
        ips
    };
    json!({"ipv4": list(false), "ipv6": list(true)})
}

pub(super) fn dns(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let mut dns = Map::new();
    let list = |dns: &mut Map<String, Json>, key: &str, words: &mut dyn Iterator<Item = &str>| {
        let slot = dns.entry(key.to_owned()).or_insert_with(|| json!([]));
        if let Json::Array(items) = slot {
            items.extend(words.map(Json::from));
        }
    };
    for entry in line(sys, "/etc/resolv.conf").unwrap_or_default().lines() {
        if entry.starts_with(['#', ';']) {
            continue;
        }
        let mut words = entry.split_whitespace();
        match words.next() {
            Some("nameserver") => list(&mut dns, "nameservers", &mut words),
            Some("domain") => {
                if let Some(domain) = words.next() {
                    dns.insert("domain".to_owned(), domain.into());
                }
            }
            Some("search") => list(&mut dns, "search", &mut words),
            Some("sortlist") => list(&mut dns, "sortlist", &mut words),
            Some("options") => {
                let mut options = Map::new();
                for option in words {
                    let (name, value) = match option.split_once(':') {
                        Some((name, value)) => (name, Json::from(value)),
                        None => (option, Json::from(true)),
                    };
                    options.insert(name.to_owned(), value);
                }
                dns.insert("options".to_owned(), options.into());
            }
            _ => {}
        }
    }
    facts.insert("dns".to_owned(), dns.into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kit::background::Nobody;
    use crate::kit::memory::Memory;
    use crate::kit::system::Wishes;

    #[test]
    fn a_bond_and_what_ethtool_tells_of_it() {
        let host = Memory::new();
        for (name, text) in [
            ("slaves", "eth1 eth2\n"),
            ("mode", "802.3ad 4\n"),
            ("miimon", "100\n"),
            ("lacp_rate", "slow 0\n"),
            ("primary", "eth1\n"),
            ("all_slaves_active", "0\n"),
        ] {
            host.file(format!("/sys/class/net/bond0/bonding/{name}"), text);
        }
        host.answer(
            "/usr/sbin/ethtool -k bond0",
            0,
            "Features for bond0:\nrx-checksumming: off [fixed]\ntx-checksumming: on\n\ttx-checksum-ipv4: on\n",
        );
        host.answer(
            "/usr/sbin/ethtool -T bond0",
            0,
            "Time stamping parameters for bond0:\nCapabilities:\n\thardware-transmit     \
             (SOF_TIMESTAMPING_TX_HARDWARE)\nPTP Hardware Clock: 2\nHardware Receive Filter Modes:\n\tall  \
             (HWTSTAMP_FILTER_ALL)\n",
        );
        let mut nobody = Nobody;
        let mut sys = System::new(&*host, &mut nobody, Wishes::default());
        let link =
            Link { name: "bond0".to_owned(), hardware: 1, mtu: 1500, is_down: true, ..Link::default() };
        let mut fact = interface(&sys, &link, &[]);
        abilities(&mut sys, Path::new("/usr/sbin/ethtool"), "bond0", &mut fact).expect("told");
        let expected = json!({
            "device": "bond0", "mtu": 1500, "active": false, "type": "bonding", "promisc": false,
            "slaves": ["eth1", "eth2"], "mode": "802.3ad", "miimon": "100", "lacp_rate": "slow",
            "primary": "eth1", "all_slaves_active": false,
            "features": {"rx_checksumming": "off [fixed]", "tx_checksumming": "on", "tx_checksum_ipv4": "on"},
            "timestamping": ["tx_hardware"], "hw_timestamp_filters": ["all"], "phc_index": 2,
        });
        assert_eq!(Json::from(fact), expected);
    }
}
