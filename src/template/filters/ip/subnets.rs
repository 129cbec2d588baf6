//! `ipsubnet`: the subnets of a network, and the networks around an address.

use super::{Subject, whole};
use crate::diagnostic::{Diagnostic, Result};
use crate::template::net::Net;
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(in super::super) static TABLE: &[FilterEntry] =
    &[FilterEntry::new("ansible.utils.ipsubnet", &["query", "index"], ipsubnet)];

fn ipsubnet(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let index = whole(args, "index")?;
    let Some(subject) = Subject::read(subject, None)? else { return Ok(false.into()) };
    let net = subject.net.network();
    let query = args.string("query").unwrap_or_default();
    if query.is_empty() {
        return Ok(net.to_string().into());
    }
    if !query.bytes().all(|byte| byte.is_ascii_digit()) {
        return rank(net, &query);
    }
    let size = query.parse().unwrap_or(u32::MAX);
    match index {
        _ if size > net.version.width() => Ok(false.into()),
        _ if net.host_bits() == 0 => around(net, size, index.unwrap_or(0)),
        None => count(net, size),
        Some(index) => Ok(inside(net, size, index)),
    }
}

/// Which of the subnets of its size in another network it is, counted from one.
fn rank(net: Net, around: &str) -> Result<Value> {
    let outer = Net::parse(around).map(Net::network).ok_or_else(|| {
        Diagnostic::new(format!("You must pass a valid subnet or IP address; {around} is invalid"))
    })?;
    if !outer.holds(net) {
        return Err(Diagnostic::new(format!("{net} is not in the subnet {outer}")));
    }
    let before = (net.ip - outer.ip).checked_shr(net.host_bits()).unwrap_or(0);
    Ok((before + 1).to_string().into())
}

/// The networks around an address, from the one of that size down to the one of two.
fn around(net: Net, size: u32, index: i64) -> Result<Value> {
    let last = i64::from(net.version.width());
    let prefix = if index < 0 { last } else { i64::from(size) }.saturating_add(index);
    if prefix >= last {
        return Err(Diagnostic::new("list index out of range")
            .hint(format!("An address is in networks of sizes from 0 to {}.", last - 1)));
    }
    Ok(match u32::try_from(prefix) {
        Ok(prefix) if prefix >= size => Net { prefix, ..net }.network().to_string().into(),
        _ => false.into(),
    })
}

fn count(net: Net, size: u32) -> Result<Value> {
    match size.checked_sub(net.prefix) {
        Some(128) => Ok(net.size().to_string().into()),
        Some(bits) => Ok((1_u128 << bits).to_string().into()),
        None => Err(Diagnostic::new(format!("Requested subnet size of {size} is invalid"))),
    }
}

fn inside(net: Net, size: u32, index: i64) -> Value {
    let Some(bits) = size.checked_sub(net.prefix) else {
        // Ansible only writes the larger size to it.
        return if index == 0 { Net { prefix: size, ..net }.to_string().into() } else { false.into() };
    };
    let host_bits = net.version.width() - size;
    let most = if bits >= 128 { u128::MAX } else { (1 << bits) - 1 };
    let distance = u128::from(index.unsigned_abs());
    let number = if index < 0 {
        (most - 1).checked_add(2).unwrap_or(most).checked_sub(distance)
    } else {
        Some(distance)
    };
    let subnet = number.filter(|number| *number <= most).map(|number| {
        let ip = net.ip | number.checked_shl(host_bits).unwrap_or(0);
        Net { ip, prefix: size, ..net }
    });
    subnet.map_or(false.into(), |subnet| subnet.to_string().into())
}
