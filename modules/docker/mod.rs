//! What the modules of Docker share: the way to the engine, by its own interface.

pub mod client;
pub mod compose;
pub mod context;
pub mod engine;
pub mod events;
#[cfg(test)]
pub mod fake;
pub mod filters;
pub mod image;
pub mod name;
pub mod options;
pub mod registry;
pub mod saved;
pub mod stream;
pub mod told;
pub mod words;

use serde_json::Value as Json;

pub use self::options::EngineOptions;
pub use self::told::Told;

/// The value at a path of keys, `HostConfig/Memory`; null where there is none.
pub fn at<'a>(value: &'a Json, path: &str) -> &'a Json {
    path.split('/').try_fold(value, |value, key| value.get(key)).unwrap_or(&Json::Null)
}

/// The text there; empty where there is none.
pub fn text<'a>(value: &'a Json, path: &str) -> &'a str {
    at(value, path).as_str().unwrap_or_default()
}

/// The items there; none where there is no list.
pub fn items<'a>(value: &'a Json, path: &str) -> &'a [Json] {
    at(value, path).as_array().map(Vec::as_slice).unwrap_or_default()
}
