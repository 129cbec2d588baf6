//! `ipaddr` with its queries, `ipv4`, `ipv6` and `ipwrap`.

use num_bigint::BigInt;

use super::{Subject, of_number};
use crate::diagnostic::{Diagnostic, Result};
use crate::template::net::{Net, Version};
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(in super::super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("ansible.utils.ipaddr", &["query", "version", "alias", "*"], ipaddr),
    FilterEntry::new("ansible.utils.ipv4", &["query", "*"], ipv4),
    FilterEntry::new("ansible.utils.ipv6", &["query", "*"], ipv6),
    FilterEntry::new("ansible.utils.ipwrap", &["query", "*"], ipwrap),
];

fn ipaddr(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let version = match args.some("version") {
        Some(value) if value.is_truthy() => super::whole(args, "version")?,
        _ => None,
    };
    filter(subject, args, version)
}

fn ipv4(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    filter(subject, args, Some(4))
}

fn ipv6(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    filter(subject, args, Some(6))
}

/// Only what is an address of IPv6 is changed.
fn ipwrap(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let wrapped = |value: &Value| {
        let subject = Subject::read(value, None)?;
        Ok(subject.map_or_else(|| value.clone(), |subject| wrap(&subject)))
    };
    match subject {
        Value::Str(_) | Value::Bool(_) => wrapped(subject),
        Value::List(items) => Ok(Value::list(items.iter().map(wrapped).collect::<Result<_>>()?)),
        other => Err(unrecognized(other, "ipwrap")),
    }
}

fn unrecognized(value: &Value, name: &str) -> Diagnostic {
    Diagnostic::new(format!("Unrecognized type <<class '{}'>> for {name} filter <value>", value.type_name()))
}

fn filter(subject: &Value, args: &Args<'_>, version: Option<i64>) -> Result<Value> {
    let query = args.some("query");
    match subject {
        Value::Str(_) | Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::List(_) => {
            each(subject, query, version)
        }
        other => Err(unrecognized(other, "ipaddr")),
    }
}

/// Of a list, what is an address and matches is kept.
fn each(value: &Value, query: Option<&Value>, version: Option<i64>) -> Result<Value> {
    let Value::List(items) = value else {
        let Some(subject) = Subject::read(value, version)? else { return Ok(false.into()) };
        return ask(&subject, query);
    };
    let mut kept = Vec::new();
    for item in items.iter() {
        let answer = each(item, query, version)?;
        if answer.is_truthy() {
            kept.push(answer);
        }
    }
    Ok(kept.into())
}

fn ask(subject: &Subject, query: Option<&Value>) -> Result<Value> {
    let query = match query {
        None => String::new(),
        #[expect(clippy::cast_possible_truncation, reason = "as Python's int() does")]
        Some(Value::Float(number)) => (*number as i64).to_string(),
        Some(value) => value.to_string(),
    };
    let net = subject.net;
    // What only asks hands the value back, or nothing.
    let when = |matches: bool| if matches { subject.given.clone() } else { Value::None };
    let text = |text: Option<String>| text.map_or(Value::None, Value::from);
    let mask = |address: u128, mask: u128| format!("{} {}", net.show(address), net.show(mask));
    let all = !net.is_network() || net.host_bits() == 1;
    Ok(match &*query {
        "" if subject.slashed => net.to_string().into(),
        "" => net.address().into(),
        "bool" => true.into(),
        "address" | "ip" => text((all || net.version == Version::V6).then(|| net.address())),
        "host" => text(all.then(|| net.to_string())),
        "net" => text(net.is_network().then(|| net.to_string())),
        "ip/prefix" => text((all && net.host_bits() > 0).then(|| net.to_string())),
        "ip_netmask" => text((all && net.host_bits() > 0).then(|| mask(net.ip, net.netmask()))),
        "address/prefix" | "host/prefix" | "hostnet" | "gateway" | "gw" | "router" => {
            if net.host_bits() > 1 && (net.is_network() || net.ip == net.last()) {
                false.into()
            } else {
                net.to_string().into()
            }
        }
        "cidr" => net.to_string().into(),
        "network" | "network_id" => net.show(net.first()).into(),
        "network/prefix" | "subnet" => net.network().to_string().into(),
        "network_netmask" => mask(net.first(), net.netmask()).into(),
        "network_wildcard" => mask(net.first(), net.hostmask()).into(),
        "netmask" => net.show(net.netmask()).into(),
        "hostmask" | "wildcard" => net.show(net.hostmask()).into(),
        "broadcast" => text((net.host_bits() > 1).then(|| net.show(net.last()))),
        "prefix" => Value::Int(net.prefix.into()),
        "size" => net.size().into(),
        "size_usable" => match net.host_bits() {
            0 => Value::Int(0),
            1 => Value::Int(2),
            _ => Value::from(net.size() - 2_u8),
        },
        "first_usable" => text(usable(subject)?.map(|(first, _)| of_number(first))),
        "last_usable" => text(usable(subject)?.map(|(_, last)| of_number(last))),
        "range_usable" => {
            text(usable(subject)?.map(|(first, last)| format!("{}-{}", of_number(first), of_number(last))))
        }
        "next_usable" => text(usable(subject)?.and_then(|_| subject.usable_at(1))),
        "previous_usable" => {
            if usable(subject)?.is_some() && net.ip == 0 {
                return Err(Diagnostic::new("failed to detect a valid IP address from -1"));
            }
            text(subject.usable_at(-1))
        }
        "peer" => peer(subject)?.into(),
        "int" if subject.slashed => format!("{}/{}", net.ip, net.prefix).into(),
        "int" => BigInt::from(net.ip).into(),
        "revdns" => reverse(net).into(),
        "type" => if net.is_network() { "network" } else { "address" }.into(),
        "version" => Value::Int(net.version.number()),
        "wrap" => wrap(subject),
        "link-local" => when(net.is_link_local()),
        "loopback" | "lo" => when(net.is_loopback()),
        "multicast" => when(is_multicast(net)),
        "unicast" => when(!is_multicast(net)),
        "private" => when(!net.is_global()),
        "public" => when(net.is_global() && !net.is_multicast()),
        "ipv4" => to_ipv4(subject),
        "ipv6" => to_ipv6(subject),
        "6to4" => six_to_four(subject),
        // Ansible fails on these two, with an error of its own making.
        "v4" => return Err(unknown("v4").hint("Write 'ipv4' or the filter ipv4.")),
        "v6" => return Err(unknown("v6").hint("Write 'ipv6' or the filter ipv6.")),
        other => match (other.trim().parse(), Net::parse(other)) {
            (Ok(index), _) => nth(subject, index),
            (_, Some(around)) => when(around.holds(net)),
            _ => return Err(unknown(other)),
        },
    })
}

fn unknown(query: &str) -> Diagnostic {
    Diagnostic::new(format!("ipaddr: unknown filter type: {query}"))
}

fn is_multicast(net: Net) -> bool {
    net.is_multicast() && Net { ip: net.last(), ..net }.is_multicast() && net.network().is_multicast()
}

fn usable(subject: &Subject) -> Result<Option<(u128, u128)>> {
    if subject.slashed { Ok(subject.net.usable()) } else { Err(Diagnostic::new("Not a network address")) }
}

/// The other end of a link between two hosts.
fn peer(subject: &Subject) -> Result<String> {
    usable(subject)?;
    let net = subject.net;
    match (net.host_bits(), net.ip & 3) {
        (1, _) => Ok(of_number(net.ip ^ 1)),
        (2, 0) => Err(Diagnostic::new("Network address of /30 has no peer")),
        (2, 3) => Err(Diagnostic::new("Broadcast address of /30 has no peer")),
        (2, _) => Ok(of_number(net.ip ^ 3)),
        _ => Err(Diagnostic::new("Not a point-to-point network")),
    }
}

fn nth(subject: &Subject, index: i128) -> Value {
    let net = subject.net;
    if !subject.slashed {
        return net.address().into();
    }
    if net.host_bits() == 0 {
        return net.to_string().into();
    }
    net.nth(index).map_or(false.into(), |ip| Net { ip, ..net }.to_string().into())
}

fn wrap(subject: &Subject) -> Value {
    let net = subject.net;
    match (net.version, subject.slashed) {
        (Version::V4, _) => subject.given.clone(),
        (Version::V6, true) => format!("[{}]/{}", net.address(), net.prefix).into(),
        (Version::V6, false) => format!("[{}]", net.address()).into(),
    }
}

/// The name that is looked up for the address's name.
fn reverse(net: Net) -> String {
    let (width, count, domain) = match net.version {
        Version::V4 => (8, 4, "in-addr.arpa."),
        Version::V6 => (4, 32, "ip6.arpa."),
    };
    let part = |place: u32| (net.ip >> (place * width)) & ((1_u128 << width) - 1);
    let label = |part: u128| match net.version {
        Version::V4 => part.to_string(),
        Version::V6 => format!("{part:x}"),
    };
    let mut labels: Vec<String> = (0..count).map(part).map(label).collect();
    labels.push(domain.to_owned());
    labels.join(".")
}

fn to_ipv4(subject: &Subject) -> Value {
    let net = subject.net;
    // Both the mapped addresses and the old compatible ones.
    let (high, low) = (net.ip >> 32, net.ip & Version::V4.highest());
    match net.version {
        Version::V4 => subject.given.clone(),
        Version::V6 if net.prefix >= 96 && matches!(high, 0 | 0xffff) => {
            Net { version: Version::V4, ip: low, prefix: net.prefix - 96 }.to_string().into()
        }
        Version::V6 => false.into(),
    }
}

fn to_ipv6(subject: &Subject) -> Value {
    let net = subject.net;
    match net.version {
        Version::V4 => {
            let ip = net.ip | (0xffff << 32);
            Net { version: Version::V6, ip, prefix: net.prefix + 96 }.to_string().into()
        }
        Version::V6 => subject.given.clone(),
    }
}

fn six_to_four(subject: &Subject) -> Value {
    let net = subject.net;
    match net.version {
        _ if net.is_network() || net.is_multicast() => false.into(),
        Version::V4 => format!("2002:{:04x}:{:04x}::1/48", net.ip >> 16, net.ip & 0xffff).into(),
        Version::V6 if net.ip >> 112 == 0x2002 => subject.given.clone(),
        Version::V6 => false.into(),
    }
}
