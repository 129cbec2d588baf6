//! What `parted --machine` prints of a device.

use serde::Serialize;
use serde_json::{Value as Json, json};

#[derive(Clone, Debug, Serialize)]
pub struct Disk {
    dev: String,
    size: Json,
    pub unit: String,
    pub table: String,
    model: String,
    logical_block: Option<u64>,
    physical_block: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chs_info: Option<Json>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Partition {
    pub num: u32,
    begin: Json,
    pub end: Json,
    size: Json,
    fstype: String,
    pub name: String,
    pub flags: Vec<String>,
    unit: String,
}

impl Disk {
    /// Its size as a number.
    pub fn length(&self) -> f64 {
        self.size.as_f64().unwrap_or_default()
    }
}

/// The disk and its partitions. `None` where it is no such text. Units are in lower case, or as in `unit`.
pub fn parse(text: &str, unit: Option<&str>) -> Option<(Disk, Vec<Partition>)> {
    let mut lines = text.lines().map(str::trim).skip_while(|line| !["BYT;", "CHS;", "CYL;"].contains(line));
    let kind = lines.next()?;
    let fields = split(lines.next()?);
    let [dev, size, _, logical, physical, table, model, ..] = fields.as_slice() else { return None };
    let (amount, written) = amount(size);
    let cased = |written: &str| match unit {
        Some(unit) if unit.eq_ignore_ascii_case(written) => unit.to_owned(),
        _ => written.to_lowercase(),
    };
    let mut disk = Disk {
        dev: dev.clone(),
        size: amount,
        unit: cased(&written),
        table: table.clone(),
        model: model.clone(),
        logical_block: logical.parse().ok(),
        physical_block: physical.parse().ok(),
        chs_info: None,
    };
    if kind != "BYT;" {
        let fields = split(lines.next()?);
        let [cylinders, heads, sectors, size, ..] = fields.as_slice() else { return None };
        let (size, written) = self::amount(size);
        let count = |text: &str| text.parse::<u64>().ok();
        disk.chs_info = Some(json!({
            "cylinders": count(cylinders), "heads": count(heads), "sectors": count(sectors),
            "cyl_size": size, "cyl_size_unit": cased(&written),
        }));
    }
    let partition = |line: &str| {
        let mut fields = split(line).into_iter();
        let num = fields.next()?.parse().ok()?;
        let (begin, end) = (self::amount(&fields.next()?).0, self::amount(&fields.next()?).0);
        // Cylinders, heads and sectors have no size.
        let size = if kind == "CHS;" { json!("") } else { self::amount(&fields.next()?).0 };
        let (fstype, name) = (fields.next()?, fields.next()?);
        let flags = fields.next().unwrap_or_default();
        let flags = flags.split(", ").filter(|flag| !flag.is_empty()).map(str::to_owned).collect();
        Some(Partition { num, begin, end, size, fstype, name, flags, unit: disk.unit.clone() })
    };
    let partitions = lines.filter_map(partition).collect();
    Some((disk, partitions))
}

/// The fields of a line, which ends with a semicolon. A backslash hides what is behind it.
fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.strip_suffix(';').unwrap_or(line).chars();
    while let Some(c) = chars.next() {
        match (c, fields.last_mut()) {
            (':', _) => fields.push(String::new()),
            ('\\', Some(field)) => field.extend(chars.next()),
            (c, Some(field)) => field.push(c),
            (_, None) => {}
        }
    }
    fields
}

/// `10.5MiB`, and its unit; `12,3,4` is a place by cylinder, head and sector.
fn amount(text: &str) -> (Json, String) {
    let places: Vec<u64> = text.split(',').filter_map(|place| place.parse().ok()).collect();
    if let [cylinder, head, sector] = places.as_slice() {
        return (json!({"cylinder": cylinder, "head": head, "sector": sector}), "chs".into());
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end).unwrap_or((text, ""));
    (number.parse::<f64>().map_or(Json::Null, Json::from), unit.to_owned())
}
