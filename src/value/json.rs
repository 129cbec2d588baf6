//! To and from JSON: what travels to the worker and back.

use std::str::FromStr;

use num_bigint::BigInt;
use serde_json::{Map, Number, Value as Json};

use super::{Dict, Value};

impl From<Json> for Value {
    /// Text becomes [`Value::Str`]: nothing that arrives as JSON is ever rendered.
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Self::None,
            Json::Bool(flag) => Self::Bool(flag),
            Json::Number(number) => number_from_json(&number),
            Json::String(text) => Self::from(text),
            Json::Array(items) => Self::list(items.into_iter().map(Self::from).collect()),
            Json::Object(entries) => Self::dict(Dict::from(entries)),
        }
    }
}

impl From<Map<String, Json>> for Dict {
    fn from(entries: Map<String, Json>) -> Self {
        entries.into_iter().map(|(key, value)| (key, Value::from(value))).collect()
    }
}

fn number_from_json(number: &Number) -> Value {
    if let Some(int) = number.as_i64() {
        Value::Int(int)
    } else if number.is_u64() {
        BigInt::from_str(&number.to_string()).map_or(Value::None, Value::from)
    } else {
        number.as_f64().map_or(Value::None, Value::Float)
    }
}

impl Value {
    /// A fully rendered value as JSON. Templates and vaulted text give their source, undefined gives null:
    /// render first (`template::render_all`) what must be exact.
    pub fn to_json(&self) -> Json {
        match self {
            Self::None | Self::Undefined(_) | Self::Omit => Json::Null,
            Self::Bool(flag) => Json::Bool(*flag),
            Self::Int(number) => Json::from(*number),
            // JSON in Rust stops at 64 bits; the digits are what matters to people.
            Self::BigInt(number) => Json::String(number.to_string()),
            Self::Float(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
            Self::Str(text) => Json::String(text.to_string()),
            Self::Template(template) => Json::String(template.source().to_string()),
            Self::Vault(vaulted) => Json::String(vaulted.ciphertext.to_string()),
            Self::Tuple(items) | Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Dict(entries) => Json::Object(entries.to_json()),
            Self::Object(object) => match object.keys() {
                Some(keys) => keys
                    .iter()
                    .filter_map(|key| Some((key.to_string(), object.get(key)?.to_json())))
                    .collect(),
                None => match object.items() {
                    Some(items) => items.iter().map(Self::to_json).collect(),
                    None => Json::String(object.in_json()),
                },
            },
        }
    }
}

impl Dict {
    pub fn to_json(&self) -> Map<String, Json> {
        self.iter().map(|(key, value)| (json_key(key), value.to_json())).collect()
    }
}

/// A key as Python's `json.dumps` writes it.
fn json_key(key: &Value) -> String {
    match key {
        Value::None => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        other => other.to_string(),
    }
}
