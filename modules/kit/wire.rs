//! The frames between control node and worker.
//!
//! A frame is `length: u32` (little-endian, of what follows), `kind: u8`, `id: u32`, payload. Requests and
//! replies are JSON; file content travels raw. Requests may be sent without waiting for earlier replies; the
//! worker answers in order.

use std::time::Duration;

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
    /// Check mode begins anew: what earlier check-mode requests foretold is forgotten. For `check_mode: yes` in
    /// a run that is not itself a check.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// Added to the environment of every process the module starts.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub environment: IndexMap<String, String>,
    /// Seconds after which the worker kills what the module started and fails the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// Not run when a request before it failed, nor when nobody waits for the reply any more: the last one that is not
    /// chained begins anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub chained: bool,
    /// What the `name`s of a loop's items are, this one's among them: one look may do for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub siblings: Vec<String>,
    /// What the user's own commands say is told while they run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follow: bool,
    /// The module runs as a job that outlives the link; the reply tells the job's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<Background>,
}

/// How a job in the background is to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Background {
    /// Seconds after which it is killed.
    pub seconds: u64,
    /// The directory of job files; `~` and `$VAR` are the target's.
    pub dir: String,
}

/// What a module call gave: Ansible's result keys (`changed`, `failed`, `msg`, `diff` …).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Reply {
    pub result: Map<String, Json>,
    /// A chained request that was not run: there is no result.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_run: bool,
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
    /// From the worker: lines that a command said on its stdout.
    Out = 6,
    /// The same of its stderr.
    Err = 7,
    /// To the worker that has nothing to do: somebody is there.
    Beat = 8,
}

/// How often an idle worker hears of the control node.
pub const BEAT: Duration = Duration::from_mins(1);

/// How long a worker that waits hears nothing until nobody is there: no end of its input comes over a link that was cut.
pub const PATIENCE: Duration = Duration::from_mins(10);

/// What the worker writes first. The control node skips everything before it (noise of login scripts).
pub const GREETING: &[u8] = b"\0FANFARE1\n";

/// The longest result there can be. What is longer is told instead of sent: neither side is to be filled by the other.
pub const MAX_REPLY: usize = 256 << 20;

/// Content travels in pieces of this many bytes.
pub const PIECE: usize = 64 * 1024;

/// Bytes of a frame before its payload.
const HEADER: usize = 9;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: Kind,
    /// Of the request it belongs to.
    pub id: u32,
    pub payload: Vec<u8>,
}

/// A stream that does not speak this protocol.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum WireError {
    #[error("a frame of unknown kind {0}")]
    Kind(u8),
    #[error("a frame of impossible length {0}")]
    Length(u32),
    #[error("a piece of content without its key")]
    Blob,
}

impl Kind {
    /// Longer frames are a broken stream, not data.
    fn limit(self) -> usize {
        match self {
            Self::Request => 1 << 30,
            Self::Reply => MAX_REPLY,
            // With a key of any length.
            Self::Blob => PIECE + (64 << 10) + 3,
            Self::Need | Self::Refused => 64 << 10,
            Self::Out | Self::Err => PIECE,
            Self::Beat => 0,
        }
    }
}

impl TryFrom<u8> for Kind {
    type Error = WireError;

    fn try_from(byte: u8) -> Result<Self, WireError> {
        use Kind::{Beat, Blob, Err as Stderr, Need, Out, Refused, Reply, Request};
        [Request, Reply, Need, Blob, Refused, Out, Stderr, Beat]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
            .ok_or(WireError::Kind(byte))
    }
}

/// Appends a frame.
pub fn encode(out: &mut Vec<u8>, kind: Kind, id: u32, payload: &[u8]) {
    encode_parts(out, kind, id, &[payload]);
}

/// Appends a frame whose payload is in parts.
fn encode_parts(out: &mut Vec<u8>, kind: Kind, id: u32, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    // Payloads are far below 4 GiB; a longer one would be refused as impossible by the other side.
    let length = u32::try_from(length + HEADER - 4).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.push(kind as u8);
    out.extend_from_slice(&id.to_le_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Takes the first frame off a buffer: the frame and how many bytes it took; `None` when it is not all there.
pub fn decode(buffer: &[u8]) -> Result<Option<(Frame, usize)>, WireError> {
    let Some((&[a, b, c, d, kind], _)) = buffer.split_first_chunk::<5>() else { return Ok(None) };
    let (length, kind) = (u32::from_le_bytes([a, b, c, d]), Kind::try_from(kind)?);
    let size = length as usize;
    if !(HEADER - 4..=kind.limit() + HEADER - 4).contains(&size) {
        return Err(WireError::Length(length));
    }
    let rest = buffer.get(4..).unwrap_or_default();
    let Some(frame) = rest.get(..size) else { return Ok(None) };
    let Some((&[_, a, b, c, d], payload)) = frame.split_first_chunk::<5>() else {
        return Err(WireError::Length(length));
    };
    let frame = Frame { kind, id: u32::from_le_bytes([a, b, c, d]), payload: payload.to_vec() };
    Ok(Some((frame, size + 4)))
}

/// Appends a Blob frame.
pub fn encode_blob(out: &mut Vec<u8>, id: u32, key: &str, piece: &[u8], last: bool) {
    let length = u16::try_from(key.len()).unwrap_or(u16::MAX);
    let key = key.as_bytes().get(..length.into()).unwrap_or_default();
    encode_parts(out, Kind::Blob, id, &[&[u8::from(last)], &length.to_le_bytes(), key, piece]);
}

/// What is in a Blob frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob<'a> {
    pub last: bool,
    pub key: &'a str,
    pub piece: &'a [u8],
}

pub fn decode_blob(payload: &[u8]) -> Result<Blob<'_>, WireError> {
    let (&[last, a, b], rest) = payload.split_first_chunk::<3>().ok_or(WireError::Blob)?;
    let (key, piece) = rest.split_at_checked(u16::from_le_bytes([a, b]).into()).ok_or(WireError::Blob)?;
    let key = std::str::from_utf8(key).map_err(|_| WireError::Blob)?;
    Ok(Blob { last: last != 0, key, piece })
}

#[cfg(test)]
mod tests {
    use super::{Blob, Kind, WireError, decode, decode_blob, encode, encode_blob};

    #[test]
    fn frames_come_back_one_by_one_from_any_split() {
        let mut stream = Vec::new();
        encode(&mut stream, Kind::Request, 7, b"{}");
        encode_blob(&mut stream, 7, "key", b"piece", true);
        for end in 0..stream.len() {
            let (first, rest) = stream.split_at(end);
            let mut taken = 0;
            while let Some((_, n)) = decode(&first[taken..]).unwrap() {
                taken += n;
            }
            assert_eq!(taken + first[taken..].len() + rest.len(), stream.len());
        }
        let (request, n) = decode(&stream).unwrap().unwrap();
        assert_eq!((request.kind, request.id, request.payload.as_slice()), (Kind::Request, 7, &b"{}"[..]));
        let (blob, _) = decode(&stream[n..]).unwrap().unwrap();
        assert_eq!(decode_blob(&blob.payload), Ok(Blob { last: true, key: "key", piece: b"piece" }));
    }

    #[test]
    fn a_broken_stream_is_an_error() {
        assert_eq!(decode(&[5, 0, 0, 0, 99, 0, 0, 0, 0]), Err(WireError::Kind(99)));
        assert_eq!(decode(&[0xff, 0xff, 0xff, 0xff, 2]), Err(WireError::Length(u32::MAX)));
        // A question needs no more than a key.
        assert_eq!(decode(&[0, 0, 2, 0, 3]), Err(WireError::Length(2 << 16)));
        assert_eq!(decode(&[1, 0, 0, 0, 1]), Err(WireError::Length(1)));
        assert_eq!(decode_blob(&[1, 9, 0, b'k']), Err(WireError::Blob));
    }
}
