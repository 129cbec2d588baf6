//! Addresses of network cards: `hwaddr`, `macaddr`, and `slaac`, which makes an address of IPv6 of one.

use super::Subject;
use crate::diagnostic::{Diagnostic, Result};
use crate::template::net::Version;
use crate::template::{Args, Context, FilterEntry};
use crate::value::Value;

pub(in super::super) static TABLE: &[FilterEntry] = &[
    FilterEntry::new("ansible.utils.hwaddr", &["query", "alias"], hwaddr),
    FilterEntry::new("ansible.utils.macaddr", &["query", "*"], macaddr),
    FilterEntry::new("ansible.utils.slaac", &["query"], slaac),
];

/// A hardware address: a number, and whether it has the long form of 64 bits.
#[derive(Clone, Copy)]
struct Hardware {
    number: u64,
    long: bool,
}

impl Hardware {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Str(text) => Self::parse(text),
            Value::Int(number) => Some(Self::of_number(u64::try_from(*number).ok()?)),
            _ => None,
        }
    }

    fn of_number(number: u64) -> Self {
        Self { number, long: number >> 48 != 0 }
    }

    /// Groups of hexadecimal digits, as many as there are ways to write them, or a decimal number.
    fn parse(text: &str) -> Option<Self> {
        let hexadecimal = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
        let separator = text.chars().find(|letter| matches!(letter, ':' | '-' | '.'));
        let parts: Vec<&str> = match separator {
            Some(separator) => text.split(separator).collect(),
            None => vec![text],
        };
        let lengths = |shortest, longest| {
            parts.iter().all(|part| (shortest..=longest).contains(&part.len()) && hexadecimal(part))
        };
        // The digits of a whole group, and whether all make up the long form.
        let (digits, long) = match (parts.len(), separator) {
            (1, _) if lengths(11, 12) => (12, false),
            (1, _) if lengths(16, 16) => (16, true),
            (2, Some(':' | '-')) if lengths(5, 6) => (6, false),
            (3, _) if lengths(1, 4) => (4, false),
            (4, _) if lengths(1, 4) => (4, true),
            (6, Some(':' | '-')) if lengths(1, 2) => (2, false),
            (8, Some(':' | '-')) if lengths(1, 2) => (2, true),
            _ => {
                let decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                return decimal.then(|| text.parse().ok())?.map(Self::of_number);
            }
        };
        let whole = parts.iter().map(|part| format!("{part:0>digits$}")).collect::<Vec<_>>().concat();
        Some(Self { number: u64::from_str_radix(&whole, 16).ok()?, long })
    }

    /// Its six bytes, each written so, with a mark after every few.
    fn groups(self, each: fn(u64) -> String, size: usize, mark: &str) -> String {
        let bytes: Vec<String> =
            (0..6).rev().map(|place| each((self.number >> (place * 8)) & 0xff)).collect();
        bytes.chunks(size).map(<[String]>::concat).collect::<Vec<_>>().join(mark)
    }
}

fn hwaddr(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    form(subject, args, &args.string("alias").unwrap_or("hwaddr".into()))
}

fn macaddr(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    form(subject, args, "macaddr")
}

fn form(subject: &Value, args: &Args<'_>, name: &str) -> Result<Value> {
    let query = args.string("query").unwrap_or_default();
    let Some(address) = Hardware::read(subject) else {
        if matches!(&*query, "" | "bool") {
            return Ok(Value::None);
        }
        let subject = super::text_of(subject);
        return Err(Diagnostic::new(format!("{name}: not a hardware address: {subject}")));
    };
    let two = |byte| format!("{byte:02x}");
    let upper = |byte| format!("{byte:02X}");
    let text = match &*query {
        "" => return Ok(subject.to_string().into()),
        "bool" => return Ok(true.into()),
        "int" => return Ok(i128::from(address.number).into()),
        "bare" => address.groups(upper, 6, ""),
        "cisco" => address.groups(two, 2, "."),
        "eui48" | "win" => address.groups(upper, 1, "-"),
        "linux" => address.groups(two, 1, ":"),
        "unix" => address.groups(|byte| format!("{byte:x}"), 1, ":"),
        "pgsql" | "postgresql" | "psql" => address.groups(two, 3, ":"),
        other => return Err(Diagnostic::new(format!("{name}: unknown filter type: {other}"))),
    };
    if address.long {
        return Err(Diagnostic::new(format!("integer out of bounds: '{:#x}'!", address.number)));
    }
    Ok(text.into())
}

/// The address that a host with that card gives itself in a network.
fn slaac(subject: &Value, args: &Args<'_>, _: &Context<'_>) -> Result<Value> {
    let hardware = args.some("query").and_then(Hardware::read);
    let (Some(subject), Some(hardware)) = (Subject::read(subject, None)?, hardware) else {
        return Ok(false.into());
    };
    if subject.net.version == Version::V4 {
        return Ok(false.into());
    }
    let number = u128::from(hardware.number);
    let long =
        if hardware.long { number } else { (number >> 24 << 40) | (0xfffe << 24) | (number & 0x00ff_ffff) };
    let base = if subject.slashed { subject.net.first() } else { subject.net.ip };
    // The bit that tells a card's own address from one given by hand is turned over.
    let ip = base.checked_add(long ^ (1 << 57));
    Ok(ip.map_or(false.into(), |ip| subject.net.show(ip).into()))
}
