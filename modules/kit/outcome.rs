//! How a module call ends.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::kit::command::Output;
use crate::kit::host::HostError;

/// What a module returns: its own result keys. `changed`, `diff` and warnings are the kit's.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a module failed, and what it knows beside.
#[derive(Clone, Debug, Default)]
pub struct Failure {
    /// What, with what, and why, on one line.
    pub msg: String,
    /// More result keys: `rc`, `stdout`, `path` …
    pub fields: Map<String, Json>,
    /// What the system said, for a module that tells of it. No result key.
    pub errno: Option<i32>,
}

impl Failure {
    pub fn new(msg: impl Into<String>) -> Self {
        Self { msg: msg.into(), fields: Map::new(), errno: None }
    }

    /// Adds a result key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Serialize) -> Self {
        self.fields.insert(key.to_owned(), serde_json::to_value(value).unwrap_or(Json::Null));
        self
    }

    /// Adds all keys of what a success would have returned.
    #[must_use]
    pub fn with_all(mut self, results: impl Serialize) -> Self {
        if let Ok(Json::Object(map)) = serde_json::to_value(results) {
            self.fields.extend(map);
        }
        self
    }

    /// Adds how a command ended, and what it said.
    #[must_use]
    pub fn with_output(self, output: &Output) -> Self {
        self.with("rc", output.code).with("stdout", output.stdout()).with("stderr", output.stderr())
    }

    /// Tells which path it is about. The kit adds what is there.
    #[must_use]
    pub fn of(self, path: &std::path::Path) -> Self {
        self.with("path", path.to_string_lossy())
    }

    /// Of a command that failed: what it said is the message, as with most of Ansible's modules.
    #[must_use]
    pub fn as_said(self) -> Self {
        let text = |key: &str| self.fields.get(key).and_then(Json::as_str).map(str::trim).unwrap_or_default();
        let said =
            [text("stderr"), text("stdout")].into_iter().find(|text| !text.is_empty()).map(str::to_owned);
        match said {
            Some(msg) => Self { msg, ..self },
            None => self,
        }
    }

    /// Takes a result key away.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.fields.shift_remove(key);
        self
    }

    /// Puts a lead before the message.
    #[must_use]
    pub fn context(mut self, lead: impl std::fmt::Display) -> Self {
        self.msg = format!("{lead}: {}", self.msg);
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.msg)
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Self { errno: error.source.raw_os_error(), ..Self::new(error.to_string()) }
    }
}

/// `fail!("no package called {name}")`: returns a [`Failure`](crate::kit::Failure).
#[macro_export]
macro_rules! fail {
    ($($arg:tt)+) => {
        return Err($crate::kit::Failure::new(format!($($arg)+)).into())
    };
}

/// Turns what a module returned into a result map.
pub fn result_map(outcome: Result<Json>) -> Map<String, Json> {
    match outcome {
        Ok(Json::Object(map)) => map,
        Ok(Json::Null) => Map::new(),
        Ok(other) => Map::from_iter([("result".to_owned(), other)]),
        Err(failure) => {
            // The fields may be those of a success, with a message of its own.
            let mut map = failure.fields;
            map.insert("failed".to_owned(), Json::Bool(true));
            map.insert("msg".to_owned(), Json::String(failure.msg));
            map
        }
    }
}
