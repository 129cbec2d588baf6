//! One mount, as a file or program tells it.

use serde_json::{Map, Value as Json, json};

use crate::setup::mounts::unescape;

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub device: String,
    pub mount: String,
    pub fstype: String,
    options: String,
    dump: Option<i64>,
    passno: Option<i64>,
    source: String,
    line: String,
}

impl Entry {
    pub fn fact(&self, uuid: Option<&str>) -> Map<String, Json> {
        let mut fact = Map::new();
        let mut put = |name: &str, value: Json| fact.insert(name.to_owned(), value);
        put("ansible_context", json!({"source": self.source, "source_data": self.line}));
        put("device", self.device.as_str().into());
        put("fstype", self.fstype.as_str().into());
        put("mount", self.mount.as_str().into());
        put("options", self.options.as_str().into());
        put("uuid", uuid.into());
        if let Some(dump) = self.dump {
            put("dump", dump.into());
        }
        if let Some(passno) = self.passno {
            put("passno", passno.into());
        }
        fact
    }
}

/// The lines of a file such as `/etc/fstab`; `None` when one of them is none of these: then the file is another.
pub(super) fn parse_table(source: &str, text: &str) -> Option<Vec<Entry>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| parse_line(source, line)).collect()
}

fn parse_line(source: &str, line: &str) -> Option<Entry> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [device, mount, fstype, options, rest @ ..] = words.as_slice() else { return None };
    let number = |at: usize| rest.get(at).map(|word| word.parse::<i64>()).transpose();
    Some(Entry {
        device: unescape(device),
        mount: unescape(mount),
        fstype: unescape(fstype),
        options: unescape(options),
        dump: number(0).ok()?,
        passno: number(1).ok()?,
        source: source.to_owned(),
        line: line.to_owned(),
    })
    .filter(|_| rest.len() <= 2)
}

/// A line of `mount`: `/dev/vda on / type ext4 (rw,relatime)`.
pub(super) fn parse_mount(source: &str, line: &str) -> Option<Entry> {
    let (device, rest) = line.split_once(" on ")?;
    let (mount, rest) = rest.rsplit_once(" type ")?;
    let (fstype, options) = rest.split_once(" (")?;
    Some(Entry {
        device: device.to_owned(),
        mount: mount.to_owned(),
        fstype: fstype.to_owned(),
        options: options.trim_end().trim_end_matches(')').to_owned(),
        dump: None,
        passno: None,
        source: source.to_owned(),
        line: line.to_owned(),
    })
}
