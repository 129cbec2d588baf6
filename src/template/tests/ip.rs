//! Addresses and networks: the tests of the collection ansible.utils.

use crate::diagnostic::{Diagnostic, Result};
use crate::template::net::{Net, Version};
use crate::template::{Args, Context, TestEntry, iterate};
use crate::value::Value;

pub(super) static TABLE: &[TestEntry] = &[
    TestEntry::new("ansible.utils.in_any_network", &["networks"], in_any_network),
    TestEntry::new("ansible.utils.in_network", &["network"], subnet_of),
    TestEntry::new("ansible.utils.in_one_network", &["networks"], in_one_network),
    TestEntry::new("ansible.utils.ip", &[], |value, _, _| Ok(network(value).is_some())),
    TestEntry::new("ansible.utils.ip_address", &[], |value, _, _| Ok(address(value).is_some())),
    TestEntry::new("ansible.utils.ipv4", &[], |value, _, _| Ok(is(network(value), Version::V4))),
    TestEntry::new("ansible.utils.ipv4_address", &[], |value, _, _| Ok(is(address(value), Version::V4))),
    TestEntry::new("ansible.utils.ipv4_hostmask", &[], |value, _, _| Ok(mask_of(value, Net::hostmask))),
    TestEntry::new("ansible.utils.ipv4_netmask", &[], |value, _, _| Ok(mask_of(value, Net::netmask))),
    TestEntry::new("ansible.utils.ipv6", &[], |value, _, _| Ok(is(network(value), Version::V6))),
    TestEntry::new("ansible.utils.ipv6_address", &[], |value, _, _| Ok(is(address(value), Version::V6))),
    TestEntry::new("ansible.utils.ipv6_ipv4_mapped", &[], |value, _, _| Ok(within(value, "::ffff:0:0/96"))),
    TestEntry::new("ansible.utils.ipv6_sixtofour", &[], |value, _, _| Ok(within(value, "2002::/16"))),
    TestEntry::new("ansible.utils.ipv6_teredo", &[], |value, _, _| Ok(within(value, "2001::/32"))),
    TestEntry::new("ansible.utils.loopback", &[], |value, _, _| {
        Ok(address(value).is_some_and(Net::is_loopback))
    }),
    TestEntry::new("ansible.utils.mac", &[], mac),
    TestEntry::new("ansible.utils.multicast", &[], |value, _, _| {
        Ok(address(value).is_some_and(Net::is_multicast))
    }),
    TestEntry::new("ansible.utils.private", &[], |value, _, _| Ok(address(value).is_some_and(is_private))),
    TestEntry::new("ansible.utils.public", &[], |value, _, _| Ok(address(value).is_some_and(is_public))),
    TestEntry::new("ansible.utils.reserved", &[], |value, _, _| {
        Ok(RESERVED.iter().any(|net| within(value, net)))
    }),
    TestEntry::new("ansible.utils.subnet_of", &["network"], subnet_of),
    TestEntry::new("ansible.utils.supernet_of", &["network"], supernet_of),
    TestEntry::new("ansible.utils.unspecified", &[], |value, _, _| {
        Ok(address(value).is_some_and(|net| net.ip == 0))
    }),
];

/// What is set aside for times to come.
const RESERVED: &[&str] = &[
    "240.0.0.0/4",
    "::/8",
    "100::/8",
    "200::/7",
    "400::/6",
    "800::/5",
    "1000::/4",
    "4000::/3",
    "6000::/3",
    "8000::/3",
    "a000::/3",
    "c000::/3",
    "e000::/4",
    "f000::/5",
    "f800::/6",
    "fe00::/9",
];

/// An address or a network, with no bits of a host beside the network's.
fn network(value: &Value) -> Option<Net> {
    let text = value.as_str()?;
    // A link may be named.
    let (text, link) = text.split_once('%').map_or((text, None), |(text, link)| (text, Some(link)));
    let net = Net::parse(text)?;
    let named =
        link.is_none_or(|link| net.version == Version::V6 && !link.is_empty() && !link.contains(['%', '/']));
    let prefixed = net.version == Version::V4
        || text.split_once('/').is_none_or(|(_, prefix)| prefix.bytes().all(|byte| byte.is_ascii_digit()));
    (named && prefixed && net.ip == net.first()).then_some(net)
}

fn address(value: &Value) -> Option<Net> {
    network(value).filter(|_| value.as_str().is_some_and(|text| !text.contains('/')))
}

fn is(net: Option<Net>, version: Version) -> bool {
    net.is_some_and(|net| net.version == version)
}

/// Whether it is an address in that network.
fn within(value: &Value, network: &str) -> bool {
    let around = Net::parse(network);
    address(value).zip(around).is_some_and(|(net, around)| around.holds(net))
}

/// Whether it is the mask of a network that begins at 10.0.0.0, where Ansible tries it.
fn mask_of(value: &Value, mask: fn(Net) -> u128) -> bool {
    let Some(address) = address(value).filter(|net| net.version == Version::V4) else { return false };
    Net::parse(&format!("10.0.0.0/{}", address.address()))
        .is_some_and(|net| net.ip == net.first() && mask(net) == address.ip && address.ip != 0)
}

/// Python's sense of it: shared addresses, and those made of IPv4's, are neither.
fn is_private(net: Net) -> bool {
    let shared = Net::parse("100.64.0.0/10").is_some_and(|shared| shared.holds(net));
    let made = Net::parse("2002::/16").is_some_and(|made| made.holds(net));
    match mapped(net) {
        Some(net) => is_private(net),
        None => !net.is_global() && !shared && !made,
    }
}

fn is_public(net: Net) -> bool {
    let shared = Net::parse("100.64.0.0/10").is_some_and(|shared| shared.holds(net));
    !is_private(net) && !shared
}

fn mapped(net: Net) -> Option<Net> {
    let low = net.ip & Version::V4.highest();
    (net.version == Version::V6 && net.ip >> 32 == 0xffff).then(|| Net::single(Version::V4, low))
}

fn mac(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    let Some(text) = subject.as_str() else {
        let error = format!("expected text, got '{}'", subject.type_name());
        return Err(Diagnostic::new(error));
    };
    let hexadecimal = |parts: Vec<&str>, count: usize, length: usize| {
        let right = |part: &&str| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        parts.len() == count && parts.iter().all(right)
    };
    Ok(hexadecimal(text.split([':', '-']).collect(), 6, 2)
        || hexadecimal(text.split('.').collect(), 3, 4)
        || hexadecimal(vec![text], 1, 12))
}

fn holds(outer: &Value, inner: &Value) -> bool {
    network(outer).zip(network(inner)).is_some_and(|(outer, inner)| outer.holds(inner))
}

fn subnet_of(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(holds(args.required("network")?, subject))
}

fn supernet_of(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<bool> {
    Ok(holds(subject, args.required("network")?))
}

fn in_any_network(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<bool> {
    Ok(iterate(args.required("networks")?, context)?.iter().any(|outer| holds(outer, subject)))
}

fn in_one_network(subject: &Value, args: &Args<'_>, context: &Context<'_>) -> Result<bool> {
    let networks = iterate(args.required("networks")?, context)?;
    Ok(networks.iter().filter(|outer| holds(outer, subject)).count() == 1)
}
