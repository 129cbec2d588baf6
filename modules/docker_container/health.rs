//! How a container is known to be well.

use serde_json::{Map, Value as Json, json};

use super::size::nanoseconds;
use super::wish::{Kind, Wish};
use crate::kit::{Result, Suboptions};

const FIELDS: [&str; 7] =
    ["test", "test_cli_compatible", "interval", "timeout", "start_period", "start_interval", "retries"];

const SPANS: [(&str, &str); 4] = [
    ("interval", "Interval"),
    ("timeout", "Timeout"),
    ("start_period", "StartPeriod"),
    ("start_interval", "StartInterval"),
];

pub fn wish(given: Option<&Map<String, Json>>) -> Result<Option<Wish>> {
    let Some(given) = given else { return Ok(None) };
    let fields = Suboptions::of("healthcheck", given, &FIELDS)?;
    let mut check = Map::new();
    let compatible = fields.flag("test_cli_compatible")?.unwrap_or_default();
    match fields.raw("test") {
        Some(Json::Array(_)) => {
            let words = fields.texts("test")?.unwrap_or_default();
            if words.first().is_some_and(|word| word == "NONE") {
                return Ok(Some(
                    Wish::new("healthcheck", Kind::Value, "Config/Healthcheck", none()).seen_as(seen),
                ));
            }
            check.insert("Test".to_owned(), words.into());
        }
        Some(_) => {
            let text = fields.needed("test")?;
            check.insert("Test".to_owned(), json!(["CMD-SHELL", text]));
        }
        None if compatible => {}
        // Without a test it is no check.
        None => return Ok(None),
    }
    for (name, key) in SPANS {
        if let Some(text) = fields.text(name)? {
            check.insert(key.to_owned(), nanoseconds(&text)?.into());
        }
    }
    if let Some(retries) = fields.int("retries")? {
        check.insert("Retries".to_owned(), retries.into());
    }
    Ok(Some(Wish::new("healthcheck", Kind::Dict, "Config/Healthcheck", check.into()).seen_as(seen)))
}

fn none() -> Json {
    json!({"Test": ["NONE"]})
}

/// None is none, whether the image or the container says so.
fn seen(value: &Json) -> Json {
    let is_none = value.get("Test").and_then(Json::as_array).is_none_or(Vec::is_empty);
    if is_none { none() } else { value.clone() }
}
