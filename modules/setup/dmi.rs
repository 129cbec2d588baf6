//! What the firmware says about the machine.

use serde_json::Value as Json;

use super::{Facts, line};
use crate::kit::{Result, System};

/// Fact -> file under `/sys/devices/virtual/dmi/id`.
const FILES: &[(&str, &str)] = &[
    ("bios_date", "bios_date"),
    ("bios_vendor", "bios_vendor"),
    ("bios_version", "bios_version"),
    ("board_asset_tag", "board_asset_tag"),
    ("board_name", "board_name"),
    ("board_serial", "board_serial"),
    ("board_vendor", "board_vendor"),
    ("board_version", "board_version"),
    ("chassis_asset_tag", "chassis_asset_tag"),
    ("chassis_serial", "chassis_serial"),
    ("chassis_vendor", "chassis_vendor"),
    ("chassis_version", "chassis_version"),
    ("form_factor", "chassis_type"),
    ("product_name", "product_name"),
    ("product_serial", "product_serial"),
    ("product_uuid", "product_uuid"),
    ("product_version", "product_version"),
    ("system_vendor", "sys_vendor"),
];

/// Chassis types by number, as SMBIOS lists them.
const FORM_FACTORS: &[&str] = &[
    "Unknown",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];

pub(super) fn gather(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    for (fact, file) in FILES {
        let value = line(sys, format!("/sys/devices/virtual/dmi/id/{file}"));
        let value = match (*fact, value) {
            ("form_factor", Some(number)) => number
                .parse::<usize>()
                .ok()
                .and_then(|index| FORM_FACTORS.get(index))
                .map_or_else(|| format!("unknown ({number})"), |name| (*name).to_owned()),
            (_, Some(value)) => value,
            (_, None) => "NA".to_owned(),
        };
        facts.insert((*fact).to_owned(), Json::from(value));
    }
    Ok(())
}
