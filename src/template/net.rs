//! An address and the network it is in: what `ipaddr` and its kin reckon with.

use std::fmt::{self, Display};
use std::net::{Ipv4Addr, Ipv6Addr};

use num_bigint::BigInt;

/// Of the Internet Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    V4,
    V6,
}

impl Version {
    /// How many bits an address has.
    pub const fn width(self) -> u32 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    pub const fn number(self) -> i64 {
        match self {
            Self::V4 => 4,
            Self::V6 => 6,
        }
    }

    /// The highest address.
    pub const fn highest(self) -> u128 {
        match self {
            Self::V4 => u32::MAX as u128,
            Self::V6 => u128::MAX,
        }
    }

    /// The one that an address given as a number is taken for.
    pub const fn of_number(number: u128) -> Self {
        if number <= Self::V4.highest() { Self::V4 } else { Self::V6 }
    }

    /// An address as text.
    pub fn show(self, address: u128) -> String {
        match (self, u32::try_from(address)) {
            (Self::V4, Ok(small)) => Ipv4Addr::from_bits(small).to_string(),
            // As the C library writes it: an address of IPv4 that is in one of IPv6 shows, `::1` is none.
            (Self::V6, Ok(small)) if small > 0xffff => format!("::{}", Ipv4Addr::from_bits(small)),
            _ => Ipv6Addr::from_bits(address).to_string(),
        }
    }
}

/// An address with its prefix, as `192.168.1.10/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    pub version: Version,
    pub ip: u128,
    /// At most the version's width.
    pub prefix: u32,
}

impl Net {
    pub const fn single(version: Version, ip: u128) -> Self {
        Self { version, ip, prefix: version.width() }
    }

    /// Text as `10.0.0.1`, `10.0.0.1/8`, `10.0.0.1/255.0.0.0`, `10.0.0.1/0.255.255.255` or `::1/64`.
    pub fn parse(text: &str) -> Option<Self> {
        let Some((address, mask)) = text.split_once('/') else { return Self::parse_address(text) };
        let net = Self::parse_address(address)?;
        Some(Self { prefix: net.parse_mask(mask)?, ..net })
    }

    fn parse_address(text: &str) -> Option<Self> {
        let four =
            text.parse::<Ipv4Addr>().map(|address| Self::single(Version::V4, address.to_bits().into()));
        let six = || text.parse::<Ipv6Addr>().map(|address| Self::single(Version::V6, address.to_bits()));
        four.or_else(|_| six()).ok()
    }

    fn parse_mask(self, mask: &str) -> Option<u32> {
        if mask.bytes().all(|byte| byte.is_ascii_digit()) {
            return mask.parse().ok().filter(|prefix| *prefix <= self.version.width());
        }
        let mask = Self::parse_address(mask).filter(|mask| mask.version == self.version)?;
        let ones = mask.ip.count_ones();
        let with = |prefix| Self { prefix, ..self };
        let width = self.version.width();
        if with(ones).netmask() == mask.ip {
            Some(ones)
        } else if with(width - ones).hostmask() == mask.ip {
            Some(width - ones)
        } else {
            None
        }
    }

    /// The bits of the host, all set.
    pub fn hostmask(self) -> u128 {
        self.version.highest().checked_shr(self.prefix).unwrap_or(0)
    }

    pub fn netmask(self) -> u128 {
        self.version.highest() & !self.hostmask()
    }

    pub fn first(self) -> u128 {
        self.ip & self.netmask()
    }

    pub fn last(self) -> u128 {
        self.ip | self.hostmask()
    }

    /// The network without the host's part.
    #[must_use]
    pub fn network(self) -> Self {
        Self { ip: self.first(), ..self }
    }

    /// How many bits the host's part has.
    pub const fn host_bits(self) -> u32 {
        self.version.width() - self.prefix
    }

    pub fn size(self) -> BigInt {
        BigInt::from(self.hostmask()) + 1
    }

    /// Whether it names a network, not a host in it.
    pub fn is_network(self) -> bool {
        self.host_bits() > 0 && self.ip == self.first()
    }

    /// Whether all of another is in it.
    pub fn holds(self, other: Self) -> bool {
        self.version == other.version && self.first() <= other.first() && other.last() <= self.last()
    }

    /// The first and the last address that a host can have; a single address has none.
    pub fn usable(self) -> Option<(u128, u128)> {
        match self.host_bits() {
            0 => None,
            1 => Some((self.first(), self.last())),
            _ => Some((self.first() + 1, self.last() - 1)),
        }
    }

    /// The address that many places after the first one, or before the one after the last; `None` when that is
    /// outside.
    pub fn nth(self, index: i128) -> Option<u128> {
        let distance = index.unsigned_abs();
        let ip = if index < 0 {
            self.last().checked_sub(distance - 1)?
        } else {
            self.first().checked_add(distance)?
        };
        (self.first()..=self.last()).contains(&ip).then_some(ip)
    }

    /// The address alone.
    pub fn address(self) -> String {
        self.version.show(self.ip)
    }

    /// Another address of the same version.
    pub fn show(self, address: u128) -> String {
        self.version.show(address)
    }

    pub fn is_loopback(self) -> bool {
        is_in(self, &["127.0.0.0/8", "::1"])
    }

    pub fn is_link_local(self) -> bool {
        is_in(self, &["169.254.0.0/16", "fe80::/10"])
    }

    pub fn is_multicast(self) -> bool {
        is_in(self, &["224.0.0.0/4", "ff00::/8"])
    }

    /// Whether the registry of special addresses says that it can be reached from everywhere.
    pub fn is_global(self) -> bool {
        is_in(self, GLOBAL) || !is_in(self, SPECIAL)
    }
}

impl Display for Net {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address(), self.prefix)
    }
}

/// IANA's special-purpose addresses that cannot be reached from everywhere.
const SPECIAL: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::/127",
    "::ffff:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
];

/// Those among them that can.
const GLOBAL: &[&str] = &[
    "192.0.0.9",
    "192.0.0.10",
    "2001:1::1",
    "2001:1::2",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:20::/28",
    "2001:30::/28",
];

/// Whether the address is in one of these networks.
fn is_in(net: Net, networks: &[&str]) -> bool {
    let ip = Net::single(net.version, net.ip);
    networks.iter().filter_map(|network| Net::parse(network)).any(|network| network.holds(ip))
}
