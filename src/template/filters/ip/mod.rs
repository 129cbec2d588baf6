//! Addresses and networks: the filters of the collection ansible.utils.

#[cfg(test)]
mod cases;
mod hardware;
mod ipaddr;
mod merge;
mod networks;
mod subnets;

pub(super) use hardware::TABLE as HARDWARE;
pub(super) use ipaddr::TABLE as IPADDR;
pub(super) use merge::TABLE as MERGE;
pub(super) use merge::listed;
pub(super) use networks::TABLE as NETWORKS;
pub(super) use subnets::TABLE as SUBNETS;

use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::diagnostic::{Diagnostic, Result};
use crate::template::Args;
use crate::template::net::{Net, Version};
use crate::value::Value;

/// What a filter was given, when that is an address.
#[derive(Clone)]
struct Subject {
    net: Net,
    /// Whether it came with a prefix.
    slashed: bool,
    /// What is handed back by the queries that only ask: the text as it was, for a number the address it means.
    given: Value,
}

impl Subject {
    /// An address as text or as a number, of that version where one is asked for; `None` is no address.
    fn read(value: &Value, version: Option<i64>) -> Result<Option<Self>> {
        let subject = match value {
            Value::Str(text) => match numbered(text) {
                Some((number, prefix)) => Self::of_number(&number, prefix, version)?,
                None => Net::parse(text).map(|net| Self {
                    net,
                    slashed: text.contains('/'),
                    given: value.clone(),
                }),
            },
            // Zero is nothing to Ansible, as text it is an address.
            Value::Int(0) => None,
            Value::Int(number) => Self::of_number(&BigInt::from(*number), None, version)?,
            Value::BigInt(number) => Self::of_number(number, None, version)?,
            _ => None,
        };
        Ok(subject.filter(|subject| version.is_none_or(|version| subject.net.version.number() == version)))
    }

    fn of_number(number: &BigInt, prefix: Option<u32>, version: Option<i64>) -> Result<Option<Self>> {
        let Some(ip) = number.to_u128() else { return Ok(None) };
        let version = match version {
            None => Version::of_number(ip),
            Some(4) => Version::V4,
            Some(6) => Version::V6,
            Some(other) => {
                return Err(Diagnostic::new(format!("{other} is no version of IP: there are 4 and 6")));
            }
        };
        let net = Net { prefix: prefix.unwrap_or(version.width()), ..Net::single(version, ip) };
        let fits = ip <= version.highest() && net.prefix <= version.width();
        Ok(fits.then(|| Self { net, slashed: prefix.is_some(), given: net.to_string().into() }))
    }

    /// The address that many places on, when a host of its network can have it.
    fn usable_at(&self, offset: i128) -> Option<String> {
        let (first, last) = self.net.usable()?;
        let ip = i128_offset(self.net.ip, offset)?;
        (first..=last).contains(&ip).then(|| of_number(ip))
    }
}

/// An address as Ansible writes one that it had as a number: the low ones of IPv6 look like IPv4.
fn of_number(ip: u128) -> String {
    Version::of_number(ip).show(ip)
}

fn i128_offset(ip: u128, offset: i128) -> Option<u128> {
    let distance = offset.unsigned_abs();
    if offset < 0 { ip.checked_sub(distance) } else { ip.checked_add(distance) }
}

/// Text that is a number, or a number and a prefix.
fn numbered(text: &str) -> Option<(BigInt, Option<u32>)> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (number, prefix) = match text.split_once('/') {
        Some((number, prefix)) => (number, Some(Some(prefix).filter(|prefix| digits(prefix))?)),
        None => (text, None),
    };
    let number = digits(number).then(|| number.parse().ok())??;
    Some((number, prefix.map(str::parse).transpose().ok()?))
}

/// An argument that is a whole number, or text that is one.
fn whole(args: &Args<'_>, param: &str) -> Result<Option<i64>> {
    let Some(value) = args.some(param) else { return Ok(None) };
    let number = match value {
        Value::Str(text) => text.trim().parse().ok(),
        Value::Int(_) => value.as_int(),
        _ => None,
    };
    let wrong = || Diagnostic::new(format!("'{param}' must be an integer, not {}", value.repr()));
    number.map(Some).ok_or_else(wrong)
}

/// `str()` of a value, of nothing the empty text.
fn text_of(value: &Value) -> String {
    if value.is_none() { String::new() } else { value.to_string() }
}
