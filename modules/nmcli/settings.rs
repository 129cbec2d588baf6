//! What the options come to: NetworkManager's settings, in the order in which `nmcli` is told them.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::options::{Args, ModeBehavior, Runner, Type};
use crate::kit::{Failure, Result};

/// A setting that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// As `nmcli con show` calls it; the short names of a bond's options are `nmcli`'s own.
    pub name: String,
    pub value: Value,
    pub way: Way,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<String>),
}

/// How `nmcli` is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As two words.
    Words,
    /// As one of a bond's options that has no short name.
    BondOption,
    /// By standard input: nobody else is to see it.
    Input,
}

impl Value {
    /// As one word of a command.
    pub fn told(&self, name: &str) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(items) => items.join(if name == "vpn.data" { ", " } else { "," }),
        }
    }
}

/// The settings of a connection in the making.
struct Settings(Vec<Setting>);

impl Settings {
    fn push(&mut self, name: impl Into<String>, value: Value, way: Way) {
        self.0.push(Setting { name: name.into(), value, way });
    }

    fn text(&mut self, name: impl Into<String>, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.push(name, Value::Text(value.to_string()), Way::Words);
        }
    }

    fn choice(&mut self, name: &str, value: Option<impl Serialize>) {
        self.text(name, value.map(word));
    }

    fn yes(&mut self, name: &str, value: bool) {
        self.text(name, Some(yes_no(value)));
    }

    fn list(&mut self, name: &str, value: Option<&Vec<String>>) {
        if let Some(items) = value {
            self.push(name, Value::List(items.clone()), Way::Words);
        }
    }

    fn bond_option(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.push(name, Value::Text(value.to_string()), Way::BondOption);
        }
    }

    /// NetworkManager's own names, as the user gives them.
    fn map(&mut self, group: &str, map: Option<&Map<String, Json>>) -> Result<()> {
        for (key, value) in map.into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            let name = format!("{group}.{key}");
            let value = match value {
                Json::Array(items) => {
                    Value::List(items.iter().map(|item| scalar(&name, item)).collect::<Result<_>>()?)
                }
                one => Value::Text(scalar(&name, one)?),
            };
            let way = if is_secret(&name) { Way::Input } else { Way::Words };
            self.push(name, value, way);
        }
        Ok(())
    }
}

pub(super) fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// What the user calls a choice.
pub(super) fn word(choice: impl Serialize) -> String {
    serde_json::to_value(choice).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

fn scalar(name: &str, value: &Json) -> Result<String> {
    match value {
        Json::String(text) => Ok(text.clone()),
        Json::Bool(value) => Ok(yes_no(*value).to_owned()),
        Json::Number(number) => Ok(number.to_string()),
        other => Err(Failure::new(format!("{name} is one value or a list of some, not {other}"))),
    }
}

/// What no list of processes may show.
const SECRET: &[&str] = &[
    "802-11-wireless-security.leap-password",
    "802-11-wireless-security.psk",
    "802-11-wireless-security.wep-key0",
    "802-11-wireless-security.wep-key1",
    "802-11-wireless-security.wep-key2",
    "802-11-wireless-security.wep-key3",
    "gsm.password",
    "gsm.pin",
    "wireguard.private-key",
];

fn is_secret(name: &str) -> bool {
    SECRET.contains(&name)
}

impl Type {
    /// What `nmcli con add` calls it.
    pub fn told(self) -> String {
        if self.is_tunnel() { "ip-tunnel".to_owned() } else { word(self) }
    }

    fn is_tunnel(self) -> bool {
        matches!(self, Self::Gre | Self::Ipip | Self::Sit)
    }

    /// The kind of the connection that it can only be a part of.
    pub fn part_of(self) -> Option<&'static str> {
        match self {
            Self::BondSlave => Some("bond"),
            Self::BridgeSlave => Some("bridge"),
            Self::TeamSlave => Some("team"),
            _ => None,
        }
    }

    /// Whether it can have addresses.
    fn has_addresses(self) -> bool {
        self.part_of().is_none() && !matches!(self, Self::Vxlan | Self::OvsBridge | Self::OvsPort)
    }

    /// Whether it can be a part of another.
    fn has_master(self) -> bool {
        self.part_of().is_some()
            || matches!(
                self,
                Self::Bond
                    | Self::Bridge
                    | Self::Ethernet
                    | Self::Infiniband
                    | Self::OvsInterface
                    | Self::OvsPort
                    | Self::Team
                    | Self::Vlan
                    | Self::Vxlan
                    | Self::Wifi
            )
    }

    /// Where its `mtu` goes.
    fn mtu(self) -> Option<&'static str> {
        match self {
            Self::Bond | Self::BondSlave | Self::Dummy | Self::Ethernet | Self::Vlan => {
                Some("802-3-ethernet.mtu")
            }
            Self::Infiniband => Some("infiniband.mtu"),
            _ => None,
        }
    }

    /// Whether a new one with name servers (or an `mtu`) is brought up at once.
    pub fn is_brought_up(self, args: &Args) -> bool {
        let names = args.dns4.is_some() || args.dns6.is_some();
        match self {
            Self::Team => names,
            Self::Bond | Self::Dummy | Self::Ethernet | Self::Infiniband | Self::Wifi => {
                names || args.mtu.is_some()
            }
            _ => false,
        }
    }
}

/// What is wanted of a connection that is new, or of one that has such an `mtu`: `Some` where it has one.
pub(super) fn wanted(args: &Args, is_new: bool, mtu: impl Fn(&str) -> bool) -> Result<Vec<Setting>> {
    let mut settings = Settings(Vec::new());
    let usual = Some(&args.conn_name).filter(|_| is_new && args.kind != Some(Type::Vpn));
    settings.text("connection.interface-name", args.ifname.as_ref().or(usual));
    settings.yes("connection.autoconnect", args.autoconnect);
    settings.text("connection.autoconnect-priority", args.autoconnect_priority);
    settings.text("connection.autoconnect-retries", args.autoconnect_retries);
    settings.text("connection.zone", args.zone.as_ref());
    let Some(kind) = args.kind else { return Ok(settings.0) };
    // What is a part of another has its addresses from that.
    if kind.has_addresses() && (args.master.is_none() || kind == Type::OvsInterface) {
        addresses(args, kind, &mut settings)?;
    }
    let mac = if kind == Type::Bridge { "bridge.mac-address" } else { "802-3-ethernet.cloned-mac-address" };
    settings.text(mac, args.mac.as_ref());
    if let Some(name) = kind.mtu()
        && (args.mtu.is_some() || (!is_new && mtu(name)))
    {
        settings.text(name, Some(args.mtu.unwrap_or(0)));
    }
    if kind.has_master() {
        settings.text("connection.master", args.master.as_ref());
        let usual = match kind {
            Type::Wifi if args.master.is_some() => Some("bond"),
            kind => kind.part_of(),
        };
        let given = args.slave_type.map(word);
        settings.text("connection.slave-type", given.or(usual.map(str::to_owned)));
    }
    own(args, kind, is_new, &mut settings)?;
    Ok(settings.0)
}

fn addresses(args: &Args, kind: Type, settings: &mut Settings) -> Result<()> {
    // A connection that needs no address has none where nothing is said of it.
    let usual = |given: Option<&Vec<String>>| match given {
        Some(given) if !given.is_empty() => Some("manual".to_owned()),
        _ => matches!(kind, Type::Dummy | Type::Macvlan | Type::Wireguard).then(|| "disabled".to_owned()),
    };
    settings.list("ipv4.addresses", with_prefix(args.ip4.as_ref(), "/32").as_ref());
    settings.text("ipv4.dhcp-client-id", args.dhcp_client_id.as_ref());
    settings.list("ipv4.dns", args.dns4.as_ref());
    settings.list("ipv4.dns-search", args.dns4_search.as_ref());
    settings.list("ipv4.dns-options", args.dns4_options.as_ref());
    settings.yes("ipv4.ignore-auto-dns", args.dns4_ignore_auto);
    settings.text("ipv4.gateway", args.gw4.as_ref());
    settings.yes("ipv4.ignore-auto-routes", args.gw4_ignore_auto);
    let routes = in_one(args.routes4_extended.as_ref(), "routes4_extended")?;
    settings.list("ipv4.routes", args.routes4.as_ref().or(routes.as_ref()));
    settings.text("ipv4.route-metric", args.route_metric4);
    settings.list("ipv4.routing-rules", args.routing_rules4.as_ref());
    settings.yes("ipv4.never-default", args.never_default4.unwrap_or(false));
    settings.text("ipv4.method", args.method4.map(word).or_else(|| usual(args.ip4.as_ref())));
    settings.yes("ipv4.may-fail", args.may_fail4);
    settings.list("ipv6.addresses", with_prefix(args.ip6.as_ref(), "/128").as_ref());
    settings.list("ipv6.dns", args.dns6.as_ref());
    settings.list("ipv6.dns-search", args.dns6_search.as_ref());
    settings.list("ipv6.dns-options", args.dns6_options.as_ref());
    settings.yes("ipv6.ignore-auto-dns", args.dns6_ignore_auto);
    settings.text("ipv6.gateway", args.gw6.as_ref());
    settings.yes("ipv6.ignore-auto-routes", args.gw6_ignore_auto);
    let routes = in_one(args.routes6_extended.as_ref(), "routes6_extended")?;
    settings.list("ipv6.routes", args.routes6.as_ref().or(routes.as_ref()));
    settings.text("ipv6.route-metric", args.route_metric6);
    settings.list("ipv6.routing-rules", args.routing_rules6.as_ref());
    settings.text("ipv6.method", args.method6.map(word).or_else(|| usual(args.ip6.as_ref())));
    settings.choice("ipv6.ip6-privacy", args.ip_privacy6);
    settings.choice("ipv6.addr-gen-mode", args.addr_gen_mode6);
    Ok(())
}

/// An address alone is a host's.
fn with_prefix(given: Option<&Vec<String>>, prefix: &str) -> Option<Vec<String>> {
    let whole = |address: &String| match address.trim() {
        address if address.contains('/') || address.is_empty() => address.to_owned(),
        address => format!("{address}{prefix}"),
    };
    Some(given?.iter().map(whole).collect())
}

/// Routes in parts, as `nmcli` takes them.
fn in_one(given: Option<&Vec<Map<String, Json>>>, option: &str) -> Result<Option<Vec<String>>> {
    let Some(given) = given else { return Ok(None) };
    let mut known = vec!["ip", "next_hop", "metric", "cwnd", "mtu", "onlink", "table"];
    if option == "routes4_extended" {
        known.push("tos");
    }
    let route = |parts: &Map<String, Json>| {
        if let Some(key) = parts.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(Failure::new(format!("{option} has no {key}: it has {}", known.join(", "))));
        }
        let part = |key: &str| match parts.get(key) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Bool(value)) => Ok(Some(value.to_string())),
            Some(value) => scalar(&format!("{option}.{key}"), value).map(Some),
        };
        let Some(mut text) = part("ip")? else {
            return Err(Failure::new(format!("missing required arguments: ip found in {option}")));
        };
        for key in ["next_hop", "metric"] {
            if let Some(value) = part(key)? {
                text = format!("{text} {value}");
            }
        }
        for key in known.iter().skip(3) {
            if let Some(value) = part(key)? {
                text = format!("{text} {key}={value}");
            }
        }
        Ok(text)
    };
    given.iter().map(route).collect::<Result<Vec<_>>>().map(Some)
}

/// What only this kind of connection has.
fn own(args: &Args, kind: Type, is_new: bool, settings: &mut Settings) -> Result<()> {
    match kind {
        Type::Bond => {
            settings.bond_option("arp_interval", args.arp_interval);
            // Commas part the options of a bond.
            settings
                .bond_option("arp_ip_target", args.arp_ip_target.as_ref().map(|list| list.replace(',', " ")));
            settings.text("downdelay", args.downdelay);
            settings.text("miimon", args.miimon);
            settings.text("primary", args.primary.as_ref());
            settings.text("updelay", args.updelay);
            settings.bond_option("xmit_hash_policy", args.xmit_hash_policy.as_ref());
            settings.bond_option("fail_over_mac", args.fail_over_mac.map(word));
            let usual =
                (is_new || args.bond_mode_behavior == ModeBehavior::Reset).then(|| "balance-rr".to_owned());
            settings.text("mode", args.mode.map(word).or(usual));
        }
        Type::Bridge => {
            settings.text("bridge.ageing-time", Some(args.ageingtime));
            settings.text("bridge.forward-delay", Some(args.forwarddelay));
            settings.text("bridge.hello-time", Some(args.hellotime));
            settings.text("bridge.max-age", Some(args.maxage));
            settings.text("bridge.priority", Some(args.priority));
            settings.yes("bridge.stp", args.stp);
        }
        Type::BridgeSlave => {
            settings.text("bridge-port.path-cost", Some(args.path_cost));
            settings.yes("bridge-port.hairpin-mode", args.hairpin);
            settings.text("bridge-port.priority", Some(args.slavepriority));
        }
        Type::Team => {
            settings.choice("team.runner", Some(args.runner));
            settings.choice("team.runner-hwaddr-policy", args.runner_hwaddr_policy);
            settings.text("team.runner-fast-rate", args.runner_fast_rate.map(yes_no));
        }
        Type::Vlan => {
            settings.text("vlan.id", args.vlanid);
            settings.text("vlan.parent", args.vlandev.as_ref());
            settings.text("vlan.flags", args.flags.as_ref());
            settings.text("vlan.ingress", args.ingress.as_ref());
            settings.text("vlan.egress", args.egress.as_ref());
        }
        Type::Vxlan => {
            settings.text("vxlan.id", args.vxlan_id);
            settings.text("vxlan.parent", args.vxlan_parent.as_ref());
            settings.text("vxlan.local", args.vxlan_local.as_ref());
            settings.text("vxlan.remote", args.vxlan_remote.as_ref());
        }
        Type::Gre | Type::Ipip | Type::Sit => {
            settings.text("ip-tunnel.local", args.ip_tunnel_local.as_ref());
            settings.choice("ip-tunnel.mode", Some(kind));
            settings.text("ip-tunnel.parent", args.ip_tunnel_dev.as_ref());
            settings.text("ip-tunnel.remote", args.ip_tunnel_remote.as_ref());
            if kind == Type::Gre {
                settings.text("ip-tunnel.input-key", args.ip_tunnel_input_key.as_ref());
                settings.text("ip-tunnel.output-key", args.ip_tunnel_output_key.as_ref());
            }
        }
        Type::Infiniband => {
            settings.choice("infiniband.transport-mode", args.transport_mode);
            settings.text("infiniband.mac-address", args.infiniband_mac.as_ref());
        }
        Type::Ethernet => settings.map("sriov", args.sriov.as_ref())?,
        Type::Wifi => {
            settings.text("802-11-wireless.ssid", args.ssid.as_ref());
            settings.map("802-11-wireless", args.wifi.as_ref())?;
            settings.map("802-11-wireless-security", args.wifi_sec.as_ref())?;
        }
        Type::Gsm => settings.map("gsm", args.gsm.as_ref())?,
        Type::Macvlan => macvlan(args.macvlan.as_ref(), settings)?,
        Type::Wireguard => settings.map("wireguard", args.wireguard.as_ref())?,
        Type::Vpn => vpn(args.vpn.as_ref(), settings)?,
        Type::Vrf => settings.text("table", args.table),
        _ => {}
    }
    Ok(())
}

fn macvlan(given: Option<&Map<String, Json>>, settings: &mut Settings) -> Result<()> {
    let known = ["mode", "parent", "promiscuous", "tap"];
    let mut given = given.cloned().unwrap_or_default();
    if let Some(key) = given.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(Failure::new(format!("macvlan has no {key}: it has {}", known.join(", "))));
    }
    if let Some(key) = ["mode", "parent"].into_iter().find(|key| given.get(*key).is_none_or(Json::is_null)) {
        return Err(Failure::new(format!("missing required arguments: {key} found in macvlan")));
    }
    if given.get("tap").is_none_or(Json::is_null) {
        given.insert("tap".to_owned(), false.into());
    }
    settings.map("macvlan", Some(&given))
}

fn vpn(given: Option<&Map<String, Json>>, settings: &mut Settings) -> Result<()> {
    let given = given.cloned().unwrap_or_default();
    let mut data = Vec::new();
    for (key, value) in given.iter().filter(|(_, value)| !value.is_null()) {
        if !["permissions", "service-type"].contains(&key.as_str()) {
            data.push(format!("{key}={}", scalar(&format!("vpn.{key}"), value)?));
        }
    }
    if !data.is_empty() {
        let is_secret = given.get("ipsec-psk").is_some_and(|psk| !psk.is_null());
        settings.push("vpn.data", Value::List(data), if is_secret { Way::Input } else { Way::Words });
    }
    for (key, name) in [("permissions", "connection.permissions"), ("service-type", "vpn.service-type")] {
        if let Some(value) = given.get(key).filter(|value| !value.is_null()) {
            settings.text(name, Some(scalar(name, value)?));
        }
    }
    Ok(())
}

/// What cannot be, before anything is asked.
pub(super) fn check(args: &Args) -> Result<()> {
    let part_of = args.kind.and_then(Type::part_of);
    if let (Some(kind), Some(only), Some(given)) = (args.kind, part_of, args.slave_type.map(word))
        && only != given
    {
        let kind = word(kind);
        return Err(Failure::new(format!(
            "Connection type '{kind}' cannot be combined with '{given}' slave-type. Allowed slave-type for '{kind}' is \
             '{only}'."
        )));
    }
    if args.slave_type.is_some() && args.master.is_none() && part_of.is_none() {
        return Err(Failure::new("'master' option is required when 'slave_type' is specified."));
    }
    if args.kind == Some(Type::Team) {
        if args.runner_hwaddr_policy.is_some() && args.runner != Runner::Activebackup {
            return Err(Failure::new("Runner-hwaddr-policy is only allowed for runner activebackup"));
        }
        if args.runner_fast_rate.is_some() && args.runner != Runner::Lacp {
            return Err(Failure::new("runner-fast-rate is only allowed for runner lacp"));
        }
    }
    Ok(())
}
