//! A connection as `nmcli` shows it, beside what is wanted.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::settings::{Setting, Value, Way};

/// What `nmcli con show NAME` says.
#[derive(Default)]
pub(super) struct Shown(BTreeMap<String, String>);

impl Shown {
    pub fn of(text: &str) -> Self {
        let row = |line: &str| {
            let (name, value) = line.split_once(':')?;
            let value = value.trim();
            Some((name.trim().to_owned(), if value == "--" { String::new() } else { value.to_owned() }))
        };
        let mut rows: BTreeMap<String, String> = text.lines().filter_map(row).collect();
        // What `nmcli` has shorter names for when it is told.
        for (short, long) in [
            ("table", "vrf.table"),
            ("vlan.ingress", "vlan.ingress-priority-map"),
            ("vlan.egress", "vlan.egress-priority-map"),
        ] {
            if let Some(value) = rows.get(long).cloned() {
                rows.insert(short.to_owned(), value);
            }
        }
        let options = rows.get("bond.options").cloned().unwrap_or_default();
        let options = options.split(',').filter_map(|option| option.split_once('='));
        rows.extend(options.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())));
        Self(rows)
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// What it is now, in the form of what is wanted.
    pub fn value(&self, wanted: &Setting) -> Option<Value> {
        let raw = self.0.get(&wanted.name)?;
        Some(match &wanted.value {
            Value::Text(_) => Value::Text(raw.clone()),
            Value::List(_) => Value::List(items(&wanted.name, raw)),
        })
    }

    /// Whether it is as wanted.
    pub fn is(&self, wanted: &Setting) -> bool {
        match (&wanted.value, self.value(wanted)) {
            (Value::Text(wanted), None) => wanted.is_empty(),
            (Value::List(wanted), None) => wanted.is_empty(),
            (Value::Text(text), Some(Value::Text(raw))) => is_same(&wanted.name, text, &raw),
            (Value::List(list), Some(Value::List(items))) => {
                let (mut list, mut items) = (canonical(&wanted.name, list), canonical(&wanted.name, &items));
                if wanted.name == "vpn.data" {
                    list.sort();
                    items.sort();
                }
                list == items
            }
            _ => false,
        }
    }
}

fn items(name: &str, raw: &str) -> Vec<String> {
    let is_route = name.ends_with(".routes");
    let items = raw.split(if is_route { ';' } else { ',' }).map(str::trim).filter(|item| !item.is_empty());
    items.map(|item| if is_route { route(item) } else { item.to_owned() }).collect()
}

/// `{ ip = 10.2.0.0/16, nh = 10.0.0.9, mt = 5 mtu=1300 }` as it is told: `10.2.0.0/16 10.0.0.9 5 mtu=1300`.
fn route(shown: &str) -> String {
    let inner = shown.trim_start_matches('{').trim_end_matches('}').trim();
    let parts = inner.split(", ").map(|part| part.split_once(" = ").map_or(part, |(_, value)| value).trim());
    parts.collect::<Vec<_>>().join(" ")
}

/// What counts the same, written the same.
fn canonical(name: &str, items: &[String]) -> Vec<String> {
    let one = |item: &String| match name {
        "vpn.data" => item.replacen(" = ", "=", 1),
        "ipv4.routes" => host_route(item, "/32"),
        "ipv6.routes" => host_route(item, "/128"),
        name if name.contains("mac-address") => item.to_uppercase(),
        _ => item.clone(),
    };
    items.iter().map(one).collect()
}

fn host_route(route: &str, prefix: &str) -> String {
    let mut words = route.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    if let Some(first) = words.first_mut().filter(|first| !first.contains('/')) {
        first.push_str(prefix);
    }
    words.join(" ")
}

/// `nmcli` shows numbers with what they mean: `1 (REORDER_HEADERS)`, `0x5`, `-1 (default)`.
fn is_same(name: &str, wanted: &str, shown: &str) -> bool {
    let (number, meaning) = match shown.strip_suffix(')').and_then(|text| text.split_once(" (")) {
        Some((number, meaning)) => (number, Some(meaning)),
        None => (shown, None),
    };
    let truth = |word: &str| match word {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    };
    wanted == shown
        || wanted == number
        || meaning == Some(wanted)
        || (name.ends_with("mac-address") && wanted.eq_ignore_ascii_case(shown))
        || (is_mtu(name) && wanted == "0" && shown == "auto")
        || (name == "connection.permissions" && shown.strip_prefix("user:") == Some(wanted))
        || (truth(wanted).is_some() && truth(wanted) == truth(meaning.unwrap_or(number)))
        || (amount(wanted).is_some() && amount(wanted) == amount(number))
        || (name == "sriov.vfs" && wanted.replace(", ", ",") == shown.replace(", ", ","))
}

fn is_mtu(name: &str) -> bool {
    name.split_once('.').is_some_and(|(_, key)| key == "mtu")
}

fn amount(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// For the diff. Secrets say nothing.
pub(super) fn told(wanted: &Setting, value: Option<&Value>) -> Json {
    match value {
        _ if wanted.way == Way::Input => "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER".into(),
        Some(Value::Text(text)) if text.is_empty() => Json::Null,
        Some(Value::Text(text)) if is_mtu(&wanted.name) && text == "0" => "auto".into(),
        Some(Value::Text(text)) if wanted.name.ends_with("mac-address") => text.to_uppercase().into(),
        Some(Value::Text(text)) => {
            let number = text.strip_suffix(')').and_then(|text| text.split_once(" ("));
            number.map_or(text.as_str(), |(number, _)| number).into()
        }
        Some(Value::List(items)) => canonical(&wanted.name, items).into(),
        None => Json::Null,
    }
}
