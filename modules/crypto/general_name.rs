//! Names of many kinds: `DNS:host`, `IP:address`, as alternative names and constraints have them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::der::{self, Element};
use super::key::colons;
use super::subject::Name;
use crate::kit::{Failure, Result};

/// From its text. A network (`IP:10.0.0.0/8`) is one of constraints.
pub fn encode(text: &str) -> Result<Vec<u8>> {
    let wrong = |why: &str| Failure::new(format!("Cannot parse Subject Alternative Name \"{text}\": {why}"));
    let (kind, value) = text.split_once(':').ok_or_else(|| {
        Failure::new(format!("Cannot parse Subject Alternative Name \"{text}\" (forgot \"DNS:\" prefix?)"))
    })?;
    let ascii = |tag| {
        if !value.is_ascii() {
            return Err(wrong("only ASCII is known: write a host as xn--…"));
        }
        Ok(der::element(tag, value.trim().as_bytes()))
    };
    match kind {
        "email" => ascii(der::plain(1)),
        "DNS" => ascii(der::plain(2)),
        "URI" => ascii(der::plain(6)),
        "dirName" => Ok(der::element(der::inside(4), &Name::parse(value)?.der()?)),
        "IP" => Ok(der::element(der::plain(7), &address(value).ok_or_else(|| wrong("no address"))?)),
        "RID" => {
            let oid = der::oid(value).ok_or_else(|| wrong("no object identifier"))?;
            let content = Element::of(&oid).map(|oid| oid.content.to_vec()).unwrap_or_default();
            Ok(der::element(der::plain(8), &content))
        }
        "otherName" => {
            let (number, value) =
                value.split_once(';').ok_or_else(|| wrong("an otherName is OID;UTF8:text, or OID;hex"))?;
            let oid = der::oid(number).ok_or_else(|| wrong("no object identifier"))?;
            let value = match value.strip_prefix("UTF8:") {
                Some(text) => der::element(der::UTF8_STRING, text.as_bytes()),
                None => from_hex(value).ok_or_else(|| wrong("neither UTF8:text nor hex"))?,
            };
            Ok(der::holding(der::inside(0), &[oid, der::element(der::inside(0), &value)]))
        }
        _ => Err(wrong("the kind is not known")),
    }
}

/// As text.
pub fn decode(element: &Element<'_>) -> String {
    let text = || String::from_utf8_lossy(element.content).into_owned();
    match element.tag & 0x1f {
        0 => {
            let mut parts = element.elements();
            let number = parts.next().and_then(|oid| oid.oid()).unwrap_or_default();
            let value = parts.next().map(|value| value.content).unwrap_or_default();
            format!("otherName:{number};{}", colons(value))
        }
        1 => format!("email:{}", text()),
        2 => format!("DNS:{}", text()),
        4 => {
            let name = Element::of(element.content).and_then(|name| Name::read(&name)).unwrap_or_default();
            format!("dirName:{}", name.text())
        }
        6 => format!("URI:{}", text()),
        7 => format!("IP:{}", shown(element.content)),
        8 => {
            let oid = der::element(der::OID, element.content);
            format!("RID:{}", Element::of(&oid).and_then(|oid| oid.oid()).unwrap_or_default())
        }
        other => format!("unknown[{other}]:{}", colons(element.content)),
    }
}

/// The bytes of an address, or of a network: address and mask.
fn address(text: &str) -> Option<Vec<u8>> {
    let (address, prefix) = match text.trim().split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
        None => (text.trim(), None),
    };
    let bytes = match address.parse().ok()? {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let Some(prefix) = prefix else { return Some(bytes) };
    if u64::from(prefix) > bytes.len() as u64 * 8 {
        return None;
    }
    let mask = (0..u32::try_from(bytes.len()).ok()?).map(|n| {
        let ones = prefix.saturating_sub(n * 8).min(8);
        u8::try_from(0xff00_u32 >> ones & 0xff).unwrap_or_default()
    });
    Some(bytes.iter().copied().chain(mask).collect())
}

fn shown(bytes: &[u8]) -> String {
    let (address, mask) = match bytes.len() {
        8 | 32 => bytes.split_at(bytes.len() / 2),
        _ => (bytes, &[][..]),
    };
    let address = match (<[u8; 4]>::try_from(address), <[u8; 16]>::try_from(address)) {
        (Ok(four), _) => Ipv4Addr::from(four).to_string(),
        (_, Ok(sixteen)) => Ipv6Addr::from(sixteen).to_string(),
        _ => colons(bytes),
    };
    if mask.is_empty() {
        return address;
    }
    format!("{address}/{}", mask.iter().map(|byte| byte.count_ones()).sum::<u32>())
}

/// Bytes in hex, with colons or not.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|c| *c != ':' && !c.is_whitespace()).collect();
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok().filter(|_| pair.len() == 2))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in [
            "DNS:www.example.com",
            "DNS:*.example.com",
            "IP:1.2.3.4",
            "IP:2001:db8::1",
            "IP:10.0.0.0/8",
            "IP:fe80::/10",
            "email:a@b.c",
            "URI:https://x/y",
            "RID:1.2.3",
            "otherName:1.2.3.4;0c:01:61",
            "dirName:CN=a,O=b",
        ] {
            let bytes = encode(text).unwrap();
            assert_eq!(decode(&Element::of(&bytes).unwrap()), text);
        }
    }

    #[test]
    fn what_is_no_name_is_told() {
        for text in
            ["www", "IP:x", "IP:1.2.3.4/99", "IP:::/129", "XX:y", "DNS:müller", "otherName:1.2", "RID:x"]
        {
            assert!(encode(text).unwrap_err().msg.contains(text), "{text}");
        }
    }
}
