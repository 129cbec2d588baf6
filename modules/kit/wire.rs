//! The frames between control node and worker.
//!
//! A frame is `length: u32` (little-endian, of what follows), `kind: u8`, `id: u32`, payload. Requests and
//! replies are JSON; file content travels raw. Requests may be sent without waiting for earlier replies; the
//! worker answers in order.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// One module call.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Request {
    /// The module's short name.
    pub module: String,
    /// Options as [`crate::kit::args`] normalised them: known names, exact types.
    pub args: Map<String, Json>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub check: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub diff: bool,
    /// Added to the environment of every process the module starts.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub environment: IndexMap<String, String>,
    /// Seconds after which the worker kills what the module started and fails the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
}

/// What a module call gave: Ansible's result keys (`changed`, `failed`, `msg`, `diff` …).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Reply {
    pub result: Map<String, Json>,
}

/// The kind byte of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// To the worker: [`Request`] as JSON.
    Request = 1,
    /// From the worker: [`Reply`] as JSON.
    Reply = 2,
    /// From the worker: wants the content with the key in the payload (UTF-8).
    Need = 3,
    /// Either way: `last: u8`, `key length: u16`, key, a piece of content.
    Blob = 4,
    /// To the worker: the content asked for is not to be had; the payload says why (UTF-8).
    Refused = 5,
}
