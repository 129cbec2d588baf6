//! Devices, how fast they are, and limits of processes.

use serde_json::{Map, Value as Json, json};

use super::Resources;
use super::size;
use super::wish::{Kind, Wish};
use crate::kit::{Failure, Result, Suboptions};

pub fn wishes(resources: &Resources) -> Result<Vec<Wish>> {
    let mut wishes = Vec::new();
    let mut add = |option: &'static str, place: &'static str, records: Option<Vec<Json>>| {
        if let Some(records) = records {
            wishes.push(Wish::new(option, Kind::Records, place, records.into()));
        }
    };
    add("devices", "HostConfig/Devices", each(resources.devices.as_deref(), |text| Ok(device(text)))?);
    add("ulimits", "HostConfig/Ulimits", each(resources.ulimits.as_deref(), |text| ulimit(text))?);
    for (option, place, given, is_bytes) in [
        ("device_read_bps", "HostConfig/BlkioDeviceReadBps", &resources.device_read_bps, true),
        ("device_write_bps", "HostConfig/BlkioDeviceWriteBps", &resources.device_write_bps, true),
        ("device_read_iops", "HostConfig/BlkioDeviceReadIOps", &resources.device_read_iops, false),
        ("device_write_iops", "HostConfig/BlkioDeviceWriteIOps", &resources.device_write_iops, false),
    ] {
        add(option, place, each(given.as_deref(), |map| rate(option, map, is_bytes))?);
    }
    add("device_requests", "HostConfig/DeviceRequests", each(resources.device_requests.as_deref(), request)?);
    Ok(wishes)
}

fn each<T>(given: Option<&[T]>, convert: impl Fn(&T) -> Result<Json>) -> Result<Option<Vec<Json>>> {
    given.map(|list| list.iter().map(convert).collect()).transpose()
}

/// `/dev/a:/dev/b:rwm`
fn device(text: &str) -> Json {
    let mut parts = text.split(':');
    let here = parts.next().unwrap_or_default();
    let (there, rights) = match (parts.next(), parts.next()) {
        (Some(there), Some(rights)) => (there, rights),
        (Some(rights), None) if !rights.starts_with('/') => (here, rights),
        (there, _) => (there.unwrap_or(here), "rwm"),
    };
    json!({"PathOnHost": here, "PathInContainer": there, "CgroupPermissions": rights})
}

/// `nofile:1024:2048`
fn ulimit(text: &str) -> Result<Json> {
    let mut parts = text.split(':');
    let name = parts.next().unwrap_or_default();
    let number = |part: &str| {
        part.parse::<i64>().map_err(|_| Failure::new(format!("ulimits: {part} of {text} is no number")))
    };
    let soft = number(parts.next().ok_or_else(|| Failure::new(format!("ulimits: {text} has no limit")))?)?;
    let hard = parts.next().map_or(Ok(soft), number)?;
    Ok(json!({"Name": name, "Soft": soft, "Hard": hard}))
}

fn rate(option: &str, map: &Map<String, Json>, is_bytes: bool) -> Result<Json> {
    let fields = Suboptions::of(option, map, &["path", "rate"])?;
    let rate = if is_bytes {
        size::bytes(option, &fields.needed("rate")?)?
    } else {
        fields.needed("rate")?;
        fields.int("rate")?.into()
    };
    Ok(json!({"Path": fields.needed("path")?, "Rate": rate}))
}

fn request(map: &Map<String, Json>) -> Result<Json> {
    let known = ["capabilities", "count", "device_ids", "driver", "options"];
    let fields = Suboptions::of("device_requests", map, &known)?;
    let ids = fields.texts("device_ids")?;
    let count = fields.int("count")?;
    if ids.is_some() && count.is_some() {
        return Err(Failure::new("device_requests: count and device_ids exclude each other"));
    }
    Ok(json!({
        "Driver": fields.text("driver")?,
        "Count": count,
        "DeviceIDs": ids,
        "Capabilities": fields.raw("capabilities"),
        "Options": fields.mapping("options")?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_and_limits_are_taken_apart() {
        let record = |here: &str, there: &str, rights: &str| json!({"PathOnHost": here, "PathInContainer": there, "CgroupPermissions": rights});
        assert_eq!(device("/dev/a"), record("/dev/a", "/dev/a", "rwm"));
        assert_eq!(device("/dev/a:/dev/b"), record("/dev/a", "/dev/b", "rwm"));
        assert_eq!(device("/dev/a:/dev/b:r"), record("/dev/a", "/dev/b", "r"));
        assert_eq!(device("/dev/a:rw"), record("/dev/a", "/dev/a", "rw"));
        let limit = ulimit("nofile:1:2").unwrap();
        assert_eq!(limit, json!({"Name": "nofile", "Soft": 1, "Hard": 2}));
        assert_eq!(ulimit("n:5").unwrap()["Hard"], 5);
        assert!(ulimit("n").is_err() && ulimit("n:x").is_err());
    }
}
