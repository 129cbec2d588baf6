//! What the kernel knows about the network: rtnetlink dumps, read and parsed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The network as the kernel sees it.
#[derive(Clone, Debug, Default)]
pub struct Network {
    pub links: Vec<Link>,
    pub addresses: Vec<Address>,
    pub routes: Vec<Route>,
}

/// An interface.
#[derive(Clone, Debug, Default)]
pub struct Link {
    pub index: u32,
    pub name: String,
    /// The kernel's number of its kind of hardware (`ARPHRD_…`).
    pub hardware: u16,
    pub mac: Option<String>,
    pub mtu: u32,
    /// Whether anything could be carried: not whether somebody set it up.
    pub is_down: bool,
    /// Also where it is a bridge that wishes for it, which no flag of the interface tells.
    pub promiscuous: bool,
}

#[derive(Clone, Debug)]
pub struct Address {
    pub link: u32,
    pub ip: IpAddr,
    pub prefix: u8,
    pub broadcast: Option<Ipv4Addr>,
    scope: u8,
}

#[derive(Clone, Debug)]
pub struct Route {
    pub v6: bool,
    pub is_default: bool,
    pub link: u32,
    pub gateway: Option<IpAddr>,
    pub source: Option<IpAddr>,
    pub metric: u32,
}

impl Address {
    /// The scope's name, as `ip` prints it.
    pub fn scope(&self) -> &'static str {
        match self.scope {
            0 => "global",
            200 => "site",
            253 => "link",
            254 => "host",
            _ => "unknown",
        }
    }
}

/// Message types of rtnetlink.
pub(super) const GET_LINK: u16 = 18;
pub(super) const GET_ADDRESS: u16 = 22;
pub(super) const GET_ROUTE: u16 = 26;
const NEW_LINK: u16 = 16;
const NEW_ADDRESS: u16 = 20;
const NEW_ROUTE: u16 = 24;
pub(super) const DONE: u16 = 3;
pub(super) const ERROR: u16 = 2;

/// A request for all of a kind.
pub(super) fn dump_request(kind: u16) -> Vec<u8> {
    const REQUEST_AND_DUMP: u16 = 0x1 | 0x300;
    let mut message = Vec::with_capacity(32);
    message.extend(32_u32.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(REQUEST_AND_DUMP.to_ne_bytes());
    message.extend([0; 8]);
    // The family-specific header, all zero: any family.
    message.extend([0; 16]);
    message
}

/// Splits a datagram into messages: type and body.
pub(super) fn messages(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    while let (Some(length), Some(kind)) = (u32_at(bytes, 0), u16_at(bytes, 4)) {
        let length = length as usize;
        let Some(body) = bytes.get(16..length) else { break };
        found.push((kind, body));
        bytes = bytes.get(aligned(length)..).unwrap_or_default();
    }
    found
}

impl Network {
    /// Takes in one message of a dump.
    pub(super) fn take(&mut self, kind: u16, body: &[u8]) {
        match kind {
            NEW_LINK => self.links.extend(link(body)),
            NEW_ADDRESS => self.addresses.extend(address(body)),
            NEW_ROUTE => self.routes.extend(route(body)),
            _ => {}
        }
    }
}

fn link(body: &[u8]) -> Option<Link> {
    const DOWN: u8 = 2;
    let mut link = Link { index: u32_at(body, 4)?, hardware: u16_at(body, 2)?, ..Link::default() };
    for (attribute, value) in attributes(body.get(16..)?) {
        match attribute {
            1 if value.iter().any(|byte| *byte != 0) => {
                let pairs: Vec<String> = value.iter().map(|byte| format!("{byte:02x}")).collect();
                link.mac = Some(pairs.join(":"));
            }
            3 => String::from_utf8_lossy(value).trim_end_matches('\0').clone_into(&mut link.name),
            4 => link.mtu = u32_at(value, 0)?,
            16 => link.is_down = value.first() == Some(&DOWN),
            30 => link.promiscuous = u32_at(value, 0)? > 0,
            _ => {}
        }
    }
    Some(link)
}

fn address(body: &[u8]) -> Option<Address> {
    let [_, prefix, _, scope, ..] = *body else { return None };
    let mut plain = None;
    let mut local = None;
    let mut broadcast = None;
    for (attribute, value) in attributes(body.get(8..)?) {
        match attribute {
            1 => plain = ip(value),
            2 => local = ip(value),
            4 => broadcast = ip(value),
            _ => {}
        }
    }
    let broadcast = match broadcast {
        Some(IpAddr::V4(broadcast)) => Some(broadcast),
        _ => None,
    };
    // On a point-to-point link the plain address is the other end's.
    Some(Address { link: u32_at(body, 4)?, ip: local.or(plain)?, prefix, broadcast, scope })
}

fn route(body: &[u8]) -> Option<Route> {
    const MAIN: u8 = 254;
    const UNICAST: u8 = 1;
    let [family, prefix, _, _, table, _, _, kind, ..] = *body else { return None };
    if table != MAIN || kind != UNICAST {
        return None;
    }
    let mut route =
        Route { v6: family == 10, is_default: prefix == 0, link: 0, gateway: None, source: None, metric: 0 };
    for (attribute, value) in attributes(body.get(12..)?) {
        match attribute {
            4 => route.link = u32_at(value, 0)?,
            5 => route.gateway = ip(value),
            6 => route.metric = u32_at(value, 0)?,
            7 => route.source = ip(value),
            _ => {}
        }
    }
    Some(route)
}

fn attributes(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    while let (Some(length), Some(kind)) = (u16_at(bytes, 0), u16_at(bytes, 2)) {
        let length = usize::from(length);
        let Some(value) = bytes.get(4..length) else { break };
        found.push((kind & 0x3fff, value));
        bytes = bytes.get(aligned(length)..).unwrap_or_default();
    }
    found
}

fn aligned(length: usize) -> usize {
    length.max(4).next_multiple_of(4)
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::V4(Ipv4Addr::from(four)));
    }
    <[u8; 16]>::try_from(bytes).ok().map(|sixteen| IpAddr::V6(Ipv6Addr::from(sixteen)))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}
