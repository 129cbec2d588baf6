//! Addresses of a network, and what gives them out.

use std::net::IpAddr;

use serde_json::{Map, Value as Json, json};

use super::{Args, words};
use crate::docker::{Told, at, items};
use crate::kit::{Failure, Result, Suboptions};

/// The names of options, and the engine's.
const FIELDS: [(&str, &str); 4] = [
    ("subnet", "Subnet"),
    ("iprange", "IPRange"),
    ("gateway", "Gateway"),
    ("aux_addresses", "AuxiliaryAddresses"),
];

#[derive(Default)]
pub struct Ipam {
    driver: Option<String>,
    options: Option<Map<String, Json>>,
    /// As they are given.
    config: Vec<Map<String, Json>>,
}

impl Ipam {
    pub fn of(args: &Args) -> Result<Self> {
        let known = ["aux_addresses", "gateway", "iprange", "subnet"];
        let mut config = Vec::new();
        for fields in
            Suboptions::each("ipam_config", args.ipam_config.as_deref().unwrap_or_default(), &known)?
        {
            let subnet = fields.needed("subnet")?;
            if range(&subnet).is_none() {
                return Err(Failure::new(format!("\"{subnet}\" is not a valid CIDR")));
            }
            let mut given = Map::from_iter([("subnet".to_owned(), subnet.into())]);
            for name in ["iprange", "gateway"] {
                given.extend(fields.text(name)?.map(|text| (name.to_owned(), text.into())));
            }
            let others = fields.mapping("aux_addresses")?;
            given.extend(others.map(|map| ("aux_addresses".to_owned(), map.into())));
            config.push(given);
        }
        let options = args.ipam_driver_options.clone();
        Ok(Self { driver: args.ipam_driver.clone(), options, config })
    }

    /// For the engine, where anything is said of it.
    pub fn body(&self) -> Option<Json> {
        if self.driver.is_none() && self.options.is_none() && self.config.is_empty() {
            return None;
        }
        let named = |given: &Map<String, Json>| {
            let fields = FIELDS.iter().filter_map(|(option, name)| {
                let value = given.get(*option)?;
                Some(((*name).to_owned(), value.clone()))
            });
            Json::Object(fields.collect())
        };
        let config: Vec<Json> = self.config.iter().map(named).collect();
        let driver = self.driver.as_deref().unwrap_or("default");
        Some(json!({"Driver": driver, "Options": self.options, "Config": config}))
    }

    pub fn compare(&self, network: &Json, told: &mut Told) {
        let there = at(network, "IPAM");
        if let Some(wanted) = self.driver.as_ref().filter(|wanted| *wanted != at(there, "Driver")) {
            told.state("ipam_driver", wanted.as_str(), there.clone());
        }
        if let Some(wanted) = &self.options {
            let current = words::mapping(there, "Options");
            if *wanted != current {
                told.state("ipam_driver_options", wanted.clone(), current);
            }
        }
        for (index, wanted) in self.config.iter().enumerate() {
            if items(there, "Config").iter().any(|one| is_same(wanted, one)) {
                continue;
            }
            for (option, _) in FIELDS {
                if let Some(value) = wanted.get(option) {
                    told.state(&format!("ipam_config[{index}].{option}"), value.clone(), Json::Null);
                }
            }
        }
    }
}

/// Whether what is there has all that is wanted.
fn is_same(wanted: &Map<String, Json>, there: &Json) -> bool {
    FIELDS.iter().all(|(option, name)| {
        let Some(wanted) = wanted.get(*option) else { return true };
        let current = at(there, name);
        match (wanted.as_str(), current.as_str()) {
            (Some(wanted), Some(current)) => plain(wanted) == plain(current),
            _ => wanted == current,
        }
    })
}

/// An address or a range, in the one way it can be written.
fn plain(text: &str) -> String {
    match (range(text), text.parse::<IpAddr>()) {
        (Some((address, length)), _) => format!("{address}/{length}"),
        (None, Ok(address)) => address.to_string(),
        (None, Err(_)) => text.to_owned(),
    }
}

fn range(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let length: u8 = length.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    (length <= most).then_some((address, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_the_same_however_they_are_written() {
        assert_eq!(plain("fdd1:ac8c:0557::/64"), plain("fdd1:ac8c:557:0::/64"));
        assert_eq!(plain("10.0.0.1"), "10.0.0.1");
        for bad in ["foo", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "fdd1::/129"] {
            assert!(range(bad).is_none(), "{bad}");
        }
    }
}
