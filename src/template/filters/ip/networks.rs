//! Reckoning with addresses in a network: `ipmath`, `nthhost`, `next_nth_usable`, `network_in_network` and their kin.

use super::{Subject, text_of, whole};
use crate::diagnostic::{Diagnostic, Result};
use crate::template::net::{Net, Version};
use crate::template::{Args, Context, FilterEntry};
use crate::value::{Dict, Value};

pub(in super::super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("ansible.utils.ip4_hex", &["delimiter"], ip4_hex),
    FilterEntry::new("ansible.utils.ipcut", &["amount"], ipcut),
    FilterEntry::new("ansible.utils.ipmath", &["amount"], ipmath),
    FilterEntry::new("ansible.utils.ipv6form", &["format"], ipv6form),
    FilterEntry::new("ansible.utils.network_in_network", &["test"], network_in_network),
    FilterEntry::new("ansible.utils.network_in_usable", &["test"], network_in_usable),
    FilterEntry::new("ansible.utils.next_nth_usable", &["offset"], next_nth_usable),
    FilterEntry::new("ansible.utils.nthhost", &["query"], nthhost),
    FilterEntry::new("ansible.utils.previous_nth_usable", &["offset"], previous_nth_usable),
    FilterEntry::new("ansible.utils.reduce_on_network", &["network"], reduce_on_network),
    FilterEntry::new("ansible.utils.usable_range", &[], usable_range),
];

/// How many addresses `usable_range` lists at most: all of 10.0.0.0/12.
const RANGE_BITS: u32 = 20;

fn invalid(subject: &Value) -> Diagnostic {
    Diagnostic::new(format!("You must pass a valid IP address; {} is invalid", text_of(subject)))
}

/// Text that is an address; with its network where that is allowed.
fn address(subject: &Value, with_prefix: bool) -> Result<Net> {
    let text = subject.as_str().filter(|text| with_prefix || !text.contains('/'));
    text.and_then(Net::parse).ok_or_else(|| invalid(subject))
}

fn amount(args: &Args<'_>) -> Result<i64> {
    let missing = || Diagnostic::new("You must pass an integer for arithmetic; None is not a valid integer");
    whole(args, "amount")?.ok_or_else(missing)
}

fn ipmath(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let net = address(subject, true)?;
    let sum = super::i128_offset(net.ip, amount(args)?.into());
    let sum = sum.filter(|sum| *sum <= net.version.highest());
    let sum = sum.ok_or_else(|| Diagnostic::new("result outside valid IP address boundary!"))?;
    Ok(net.show(sum).into())
}

fn ip4_hex(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let net = address(subject, false)?;
    let Ok(ip) = u32::try_from(net.ip) else { return Err(invalid(subject)) };
    if net.version == Version::V6 {
        return Err(invalid(subject));
    }
    let parts: Vec<String> = ip.to_be_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(parts.join(&args.string("delimiter").unwrap_or_default()).into())
}

/// The first bits of an address, or the last ones, in the groups that an address is written in.
fn ipcut(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let net = address(subject, false)?;
    let amount = amount(args)?;
    let width = net.version.width();
    let count = u32::try_from(amount.unsigned_abs()).unwrap_or(width).min(width);
    let start = if amount < 0 { width - count } else { 0 };
    let group = if net.version == Version::V4 { 8 } else { 16 };
    let mut parts = Vec::new();
    let mut at = start;
    while at < start + count {
        let bits = group.min(start + count - at);
        let part = (net.ip >> (width - at - bits)) & ((1 << bits) - 1);
        parts.push(if net.version == Version::V4 { part.to_string() } else { format!("{part:x}") });
        at += bits;
    }
    Ok(parts.join(if net.version == Version::V4 { "." } else { ":" }).into())
}

fn ipv6form(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let format = args.string("format");
    let Some(format) = format else {
        return Err(Diagnostic::new("You must pass valid format; None is not a valid format"));
    };
    if !matches!(&*format, "expand" | "compress" | "x509") {
        return Err(Diagnostic::new(format!(
            "value of format must be one of: compress, expand, x509, got: {format}"
        )));
    }
    let net = address(subject, false)?;
    let groups = |each: fn(u128) -> String| {
        let groups: Vec<String> = (0..8).rev().map(|place| each((net.ip >> (place * 16)) & 0xffff)).collect();
        groups.join(":")
    };
    Ok(match (net.version, &*format) {
        (Version::V4, "x509") => return Err(invalid(subject)),
        (Version::V6, "expand") => groups(|group| format!("{group:04x}")),
        (Version::V6, "x509") => groups(|group| format!("{group:x}")),
        // Here alone the end is not written as an address of IPv4.
        (Version::V6, _) if net.ip >> 32 == 0xffff => {
            format!("::ffff:{:x}:{:x}", (net.ip >> 16) & 0xffff, net.ip & 0xffff)
        }
        (Version::V6, _) if net.ip >> 32 == 0 && net.ip > 0xffff => {
            format!("::{:x}:{:x}", net.ip >> 16, net.ip & 0xffff)
        }
        _ => net.address(),
    }
    .into())
}

fn nthhost(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let index = args.some("query").and_then(|query| query.to_string().trim().parse::<i128>().ok());
    let (Some(subject), Some(index)) = (Subject::read(subject, None)?, index) else {
        return Ok(false.into());
    };
    let net = subject.net;
    match net.nth(index) {
        Some(ip) => Ok(net.show(ip).into()),
        None if index < 0 => Err(Diagnostic::new("index out range for address range size!")),
        None => Ok(false.into()),
    }
}

fn next_nth_usable(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    nth_usable(subject, args, 1)
}

fn previous_nth_usable(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    nth_usable(subject, args, -1)
}

fn nth_usable(subject: &Value, args: &Args<'_>, direction: i128) -> Result<Value> {
    let offset = whole(args, "offset")?;
    let Some(subject) = Subject::read(subject, None)? else { return Ok(false.into()) };
    let offset = offset.ok_or_else(|| Diagnostic::new("Must pass in an integer"))?;
    let address = subject.slashed.then(|| subject.usable_at(direction * i128::from(offset))).flatten();
    Ok(address.map_or(Value::None, Value::from))
}

/// The first and the last number of a network, as these filters see it: one without a broadcast address is only its
/// first.
fn bounds(net: Net) -> (u128, u128) {
    (net.first(), if net.host_bits() > 1 { net.last() } else { net.first() })
}

/// Whether the bounds of one lie in those of the other. Ansible compares bare numbers; two that are no addresses are
/// the same to it.
fn lies_in(outer: &Value, inner: &Value, bounds_of: fn(Net) -> (u128, u128)) -> Result<bool> {
    Ok(match (Subject::read(outer, None)?, Subject::read(inner, None)?) {
        (Some(outer), Some(inner)) => {
            let (first, last) = bounds_of(outer.net);
            let inner = bounds(inner.net);
            first <= inner.0 && inner.1 <= last
        }
        (None, None) => true,
        _ => false,
    })
}

fn network_in_network(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    Ok(lies_in(subject, args.get("test").unwrap_or(&Value::None), bounds)?.into())
}

fn network_in_usable(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let usable = |net: Net| net.usable().unwrap_or((net.ip, net.ip));
    Ok(lies_in(subject, args.get("test").unwrap_or(&Value::None), usable)?.into())
}

fn reduce_on_network(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let network = args.get("network").unwrap_or(&Value::None);
    let mut inside = Vec::new();
    for item in super::merge::listed(subject, "value")? {
        if lies_in(network, &item, bounds)? {
            inside.push(item);
        }
    }
    Ok(inside.into())
}

fn usable_range(subject: &Value, _: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let text = subject.to_string();
    let wrong = |what: String| Diagnostic::new(format!("Error while using plugin 'usable_range': {what}"));
    let net = Net::parse(&text)
        .ok_or_else(|| wrong(format!("'{text}' does not appear to be an IPv4 or IPv6 network")))?;
    if net.ip != net.first() {
        return Err(wrong(format!("{text} has host bits set")));
    }
    if net.host_bits() > RANGE_BITS {
        return Err(wrong(format!("{text} has too many addresses to list"))
            .hint("ipaddr('range_usable') tells the first and the last."));
    }
    let addresses: Vec<Value> = (net.first()..=net.last()).map(|ip| net.show(ip).into()).collect();
    let count = addresses.len();
    let entries: [(&str, Value); 2] = [("usable_ips", addresses.into()), ("number_of_ips", count.into())];
    Ok(Dict::from_iter(entries).into())
}
