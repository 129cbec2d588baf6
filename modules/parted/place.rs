//! Where a partition starts or ends: `10MiB`, `-1GB`, `30%`.

pub struct Place {
    value: f64,
    /// From the end of the disk.
    backwards: bool,
    unit: &'static str,
}

/// The units, with what one of them is in bytes.
const UNITS: [(&str, f64); 9] = [
    ("B", 1.0),
    ("KB", 1e3),
    ("KiB", 1024.0),
    ("MB", 1e6),
    ("MiB", 1_048_576.0),
    ("GB", 1e9),
    ("GiB", 1_073_741_824.0),
    ("TB", 1e12),
    ("TiB", 1_099_511_627_776.0),
];
const OTHERS: [&str; 3] = ["s", "%", "cyl"];

impl Place {
    pub fn parse(text: &str) -> Option<Self> {
        let backwards = text.starts_with('-');
        let rest = text.strip_prefix('-').unwrap_or(text);
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at_checked(end)?;
        let units = UNITS.iter().map(|(name, _)| *name).chain(OTHERS);
        let unit = units.into_iter().find(|name| *name == unit.trim())?;
        Some(Self { value: number.parse().ok()?, backwards, unit })
    }

    /// The unit in which parted has to tell where something is, for `is_at`.
    pub fn told_in(&self) -> &'static str {
        if ["s", "cyl"].contains(&self.unit) { self.unit } else { "B" }
    }

    /// Whether it is where a partition ends on a disk of that length, as precisely as parted takes it: a sector, half
    /// of a unit of a thousand, and for a share of the disk what is lost to alignment and the table's copy.
    pub fn is_at(&self, end: f64, length: f64) -> bool {
        let factor = UNITS.iter().find(|(name, _)| *name == self.unit).map(|(_, factor)| *factor);
        let (given, slack) = match (self.unit, factor) {
            ("%", _) => (self.value * length / 100.0, 1_048_576.0),
            (_, None) => (self.value, 0.0),
            ("KB" | "MB" | "GB" | "TB", Some(factor)) => (self.value * factor, (factor / 2.0).max(512.0)),
            (_, Some(factor)) => (self.value * factor, 512.0),
        };
        let wanted = if self.backwards { length - given } else { given };
        // The last byte is in it.
        let end = if factor.is_some() || self.unit == "%" { end + 1.0 } else { end };
        (end - wanted).abs() <= slack
    }
}
