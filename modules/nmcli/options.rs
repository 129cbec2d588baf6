//! The options of `nmcli`, and their choices.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// Manages the connections of NetworkManager.
///
/// What is given is compared with what `nmcli` shows; a connection is changed where something of it differs. What is not
/// given stays as it is, but for options with a default, and for `mtu`.
///
/// # Examples
///
/// ```yaml
/// - name: A fixed address
///   nmcli: {conn_name: lan, type: ethernet, ifname: eth0, ip4: 192.0.2.10/24, gw4: 192.0.2.1, dns4: [192.0.2.53], state: present}
///
/// - name: A bond
///   nmcli: {conn_name: bond0, type: bond, mode: active-backup, miimon: 100, state: present}
///
/// - name: Its first interface
///   nmcli: {conn_name: bond0-a, type: ethernet, ifname: eth1, master: bond0, slave_type: bond, state: present}
///
/// - name: A VLAN
///   nmcli: {conn_name: vlan100, type: vlan, vlanid: 100, vlandev: eth0, ip4: 192.0.2.11/24, state: present}
///
/// - name: A wireless network
///   nmcli: {conn_name: office, type: wifi, ifname: wlan0, ssid: office, wifi_sec: {key-mgmt: wpa-psk, psk: "{{ psk }}"}, state: present}
///
/// - name: It is up
///   nmcli: {conn_name: lan, state: up}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [
        ["never_default4", "gw4"], ["routes4_extended", "routes4"], ["routes6_extended", "routes6"],
    ],
    "required_if" = [
        ["type", "wifi", ["ssid"]], ["type", "team-slave", ["master", "ifname"]], ["type", "macvlan", ["macvlan"]],
    ],
))]
pub struct Args {
    /// The name of the connection.
    pub conn_name: String,
    /// Whether the connection is there, or is brought up or down; `up` and `down` change nothing of it.
    pub state: State,
    /// What kind of connection it is. `bond-slave`, `bridge-slave` and `team-slave` are `ethernet` with that `slave_type`.
    #[serde(rename = "type")]
    pub kind: Option<Type>,
    /// The interface; `*` for any. A new connection has its own name's, but for `vpn`.
    pub ifname: Option<String>,
    /// Whether it comes up by itself.
    #[serde(default = "yes")]
    pub autoconnect: bool,
    /// Which of several comes up first: the one with the highest.
    pub autoconnect_priority: Option<i64>,
    /// How often that is tried.
    pub autoconnect_retries: Option<i64>,
    /// Has NetworkManager read its files again after a change, and before `state: up`.
    #[serde(default)]
    pub conn_reload: bool,
    /// The firewall's zone.
    pub zone: Option<String>,
    /// The connection or interface that this one is a part of.
    pub master: Option<String>,
    /// What kind `master` is.
    pub slave_type: Option<SlaveType>,
    /// The hardware address: the bridge's own, or the one that an interface takes.
    pub mac: Option<String>,
    /// The largest packet; what is not given becomes `auto`.
    pub mtu: Option<u32>,
    /// IPv4 addresses, with `/24` or for that host alone; `method4` is then `manual` where it is not given.
    pub ip4: Option<Vec<String>>,
    /// The IPv4 gateway.
    pub gw4: Option<String>,
    /// How IPv4 is set up.
    pub method4: Option<Method4>,
    /// IPv4 name servers.
    pub dns4: Option<Vec<String>>,
    /// Domains that names are looked for in.
    pub dns4_search: Option<Vec<String>>,
    /// Options of name resolution.
    pub dns4_options: Option<Vec<String>>,
    /// Leaves out name servers that a network tells.
    #[serde(default)]
    pub dns4_ignore_auto: bool,
    /// Leaves out routes that a network tells.
    #[serde(default)]
    pub gw4_ignore_auto: bool,
    /// Never makes this connection the default route. `false` where it is not given.
    pub never_default4: Option<bool>,
    /// Whether the connection is up without IPv4.
    #[serde(default = "yes")]
    pub may_fail4: bool,
    /// The metric of its routes.
    pub route_metric4: Option<i64>,
    /// Routes: `192.0.3.0/24 192.0.2.1`.
    pub routes4: Option<Vec<String>>,
    /// The same in parts: `ip`, `next_hop`, `metric`, `cwnd`, `mtu`, `onlink`, `table`, `tos`.
    pub routes4_extended: Option<Vec<Map<String, Json>>>,
    /// Rules as `ip rule add` has them, each with a priority.
    pub routing_rules4: Option<Vec<String>>,
    /// What a DHCP server knows the host by.
    pub dhcp_client_id: Option<String>,
    /// IPv6 addresses, as `ip4`.
    pub ip6: Option<Vec<String>>,
    /// The IPv6 gateway.
    pub gw6: Option<String>,
    /// How IPv6 is set up.
    pub method6: Option<Method6>,
    /// IPv6 name servers.
    pub dns6: Option<Vec<String>>,
    /// Domains that names are looked for in.
    pub dns6_search: Option<Vec<String>>,
    /// Options of name resolution.
    pub dns6_options: Option<Vec<String>>,
    /// Leaves out name servers that a network tells.
    #[serde(default)]
    pub dns6_ignore_auto: bool,
    /// Leaves out routes that a network tells.
    #[serde(default)]
    pub gw6_ignore_auto: bool,
    /// The metric of its routes.
    pub route_metric6: Option<i64>,
    /// Routes: `fd12:3456:789a:1::/64 2001:dead:beef::1`.
    pub routes6: Option<Vec<String>>,
    /// The same in parts, as `routes4_extended` but for `tos`.
    pub routes6_extended: Option<Vec<Map<String, Json>>>,
    /// Rules as `ip -6 rule add` has them, each with a priority.
    pub routing_rules6: Option<Vec<String>>,
    /// Whether IPv6 has temporary addresses.
    pub ip_privacy6: Option<Privacy>,
    /// How IPv6 addresses are made.
    pub addr_gen_mode6: Option<AddressMode>,
    /// How a bond works; `balance-rr` where it is not given.
    pub mode: Option<BondMode>,
    /// What becomes of the mode of a bond that is there where `mode` is not given.
    #[serde(default)]
    pub bond_mode_behavior: ModeBehavior,
    /// Milliseconds between two looks at a bond's links.
    pub miimon: Option<u32>,
    /// Milliseconds after which a bond's link counts as down.
    pub downdelay: Option<u32>,
    /// Milliseconds after which a bond's link counts as up.
    pub updelay: Option<u32>,
    /// Milliseconds between two ARP requests of a bond.
    pub arp_interval: Option<u32>,
    /// Whom a bond asks by ARP; several with commas.
    pub arp_ip_target: Option<String>,
    /// The first interface of a bond.
    pub primary: Option<String>,
    /// How a bond chooses the interface for a packet.
    pub xmit_hash_policy: Option<String>,
    /// What becomes of hardware addresses when a bond changes over.
    pub fail_over_mac: Option<FailOver>,
    /// A bridge's priority in the spanning tree.
    #[serde(default = "usual::priority")]
    pub priority: u32,
    /// Seconds that a bridge keeps addresses for.
    #[serde(default = "usual::ageingtime")]
    pub ageingtime: u32,
    /// Seconds that a bridge waits before it forwards.
    #[serde(default = "usual::forwarddelay")]
    pub forwarddelay: u32,
    /// Seconds between two greetings of a bridge.
    #[serde(default = "usual::hellotime")]
    pub hellotime: u32,
    /// Seconds that a bridge believes what it heard.
    #[serde(default = "usual::maxage")]
    pub maxage: u32,
    /// Whether a bridge takes part in the spanning tree.
    #[serde(default = "yes")]
    pub stp: bool,
    /// What a `bridge-slave` costs in the spanning tree.
    #[serde(default = "usual::path_cost")]
    pub path_cost: u32,
    /// The priority of a `bridge-slave`.
    #[serde(default = "usual::slavepriority")]
    pub slavepriority: u32,
    /// Whether a `bridge-slave` sends back what came from it.
    #[serde(default)]
    pub hairpin: bool,
    /// How a team works.
    #[serde(default)]
    pub runner: Runner,
    /// Where a team's hardware address comes from, with `runner: activebackup`.
    pub runner_hwaddr_policy: Option<AddressPolicy>,
    /// Asks for LACP packets each second, with `runner: lacp`.
    pub runner_fast_rate: Option<bool>,
    /// The id of a VLAN.
    pub vlanid: Option<u32>,
    /// The interface that a VLAN is on.
    pub vlandev: Option<String>,
    /// Flags of a VLAN.
    pub flags: Option<String>,
    /// Priorities of what comes in by a VLAN.
    pub ingress: Option<String>,
    /// Priorities of what goes out by a VLAN.
    pub egress: Option<String>,
    /// The id of a VXLAN.
    pub vxlan_id: Option<u32>,
    /// The interface of a VXLAN.
    pub vxlan_parent: Option<String>,
    /// The address that a VXLAN sends from.
    pub vxlan_local: Option<String>,
    /// The address that a VXLAN sends to.
    pub vxlan_remote: Option<String>,
    /// The interface of a tunnel (`gre`, `ipip`, `sit`).
    pub ip_tunnel_dev: Option<String>,
    /// The address of its near end.
    pub ip_tunnel_local: Option<String>,
    /// The address of its far end.
    pub ip_tunnel_remote: Option<String>,
    /// The key of packets that come by `gre`.
    pub ip_tunnel_input_key: Option<String>,
    /// The key of packets that go by `gre`.
    pub ip_tunnel_output_key: Option<String>,
    /// The routing table of a `vrf`.
    pub table: Option<u32>,
    /// How InfiniBand carries IP.
    pub transport_mode: Option<Transport>,
    /// The hardware address of an InfiniBand interface.
    pub infiniband_mac: Option<String>,
    /// A `macvlan`: `mode` (1 to 5), `parent`, `promiscuous`, `tap`.
    pub macvlan: Option<Map<String, Json>>,
    /// NetworkManager's settings `sriov.*` of an `ethernet`.
    pub sriov: Option<Map<String, Json>>,
    /// The name of a wireless network.
    pub ssid: Option<String>,
    /// NetworkManager's settings `802-11-wireless.*`.
    pub wifi: Option<Map<String, Json>>,
    /// NetworkManager's settings `802-11-wireless-security.*`; its passwords go by standard input.
    pub wifi_sec: Option<Map<String, Json>>,
    /// Warns of what NetworkManager does not know in `wifi` and `wifi_sec`, where it would fail.
    #[serde(default)]
    pub ignore_unsupported_suboptions: bool,
    /// NetworkManager's settings `gsm.*`.
    pub gsm: Option<Map<String, Json>>,
    /// NetworkManager's settings `wireguard.*`.
    pub wireguard: Option<Map<String, Json>>,
    /// A VPN: `permissions` (the user), `service-type`, and what its data are: `gateway`, `user`, `ipsec-enabled`, `ipsec-psk` …
    pub vpn: Option<Map<String, Json>>,
}

fn yes() -> bool {
    true
}

/// NetworkManager's own numbers for bridges.
mod usual {
    pub fn priority() -> u32 {
        128
    }

    pub fn ageingtime() -> u32 {
        300
    }

    pub fn forwarddelay() -> u32 {
        15
    }

    pub fn hellotime() -> u32 {
        2
    }

    pub fn maxage() -> u32 {
        20
    }

    pub fn path_cost() -> u32 {
        100
    }

    pub fn slavepriority() -> u32 {
        32
    }
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Absent,
    Present,
    Up,
    Down,
}

/// Kinds of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Type {
    Bond,
    BondSlave,
    Bridge,
    BridgeSlave,
    Dummy,
    Ethernet,
    Generic,
    Gre,
    Infiniband,
    Ipip,
    Macvlan,
    Sit,
    Team,
    TeamSlave,
    Vlan,
    Vxlan,
    Wifi,
    Gsm,
    Wireguard,
    OvsBridge,
    OvsPort,
    OvsInterface,
    Vpn,
    Vrf,
    Loopback,
}

/// What a connection can be a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SlaveType {
    Bond,
    Bridge,
    Team,
    OvsPort,
    Vrf,
}

/// How IPv4 is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method4 {
    Auto,
    LinkLocal,
    Manual,
    Shared,
    Disabled,
}

/// How IPv6 is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method6 {
    Ignore,
    Auto,
    Dhcp,
    LinkLocal,
    Manual,
    Shared,
    Disabled,
}

/// Whether there are temporary addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Privacy {
    Disabled,
    PreferPublicAddr,
    PreferTempAddr,
    Unknown,
}

/// How addresses are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AddressMode {
    Default,
    DefaultOrEui64,
    Eui64,
    StablePrivacy,
}

/// How a bond works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BondMode {
    #[serde(rename = "802.3ad")]
    Lacp,
    ActiveBackup,
    BalanceAlb,
    BalanceRr,
    BalanceTlb,
    BalanceXor,
    Broadcast,
}

/// What becomes of a mode that is not given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ModeBehavior {
    Preserve,
    #[default]
    Reset,
}

/// What becomes of hardware addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailOver {
    None,
    Active,
    Follow,
}

/// How a team works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Runner {
    Broadcast,
    #[default]
    Roundrobin,
    Activebackup,
    Loadbalance,
    Lacp,
}

/// Where a team's hardware address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddressPolicy {
    SameAll,
    ByActive,
    OnlyActive,
}

/// How InfiniBand carries IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    Datagram,
    Connected,
}
