use std::io;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::serve;
use crate::kit::memory::Memory;
use crate::kit::real::Real;
use crate::kit::wire::{GREETING, Kind, decode, decode_blob, encode, encode_blob};

/// Feeds frames to a worker and gives what it wrote: replies as JSON, other frames as `[kind, text]`.
fn talk(host: &Memory, frames: &[(Kind, u32, Json)]) -> Vec<Json> {
    let mut input = Vec::new();
    for (kind, id, payload) in frames {
        match payload {
            Json::String(text) if *kind == Kind::Blob => {
                let (key, piece) = text.split_once(':').unwrap();
                encode_blob(&mut input, *id, key, piece.as_bytes(), true);
            }
            payload => encode(&mut input, *kind, *id, payload.to_string().as_bytes()),
        }
    }
    let mut output = Vec::new();
    serve(&**host, input.as_slice(), &mut output).unwrap();
    let mut rest = output.strip_prefix(GREETING).unwrap();
    let mut said = Vec::new();
    while let Some((frame, length)) = decode(rest).unwrap() {
        rest = &rest[length..];
        said.push(match frame.kind {
            Kind::Reply => {
                let reply: Json = serde_json::from_slice(&frame.payload).unwrap();
                json!({"id": frame.id, "result": reply["result"]})
            }
            Kind::Blob => json!(decode_blob(&frame.payload).unwrap().key),
            kind => json!([format!("{kind:?}"), String::from_utf8(frame.payload).unwrap()]),
        });
    }
    assert!(rest.is_empty());
    said
}

fn ping(data: &str) -> Json {
    json!({"module": "ping", "args": {"data": data}})
}

#[test]
fn requests_are_answered_in_order() {
    let said = talk(&Memory::new(), &[(Kind::Request, 1, ping("a")), (Kind::Request, 2, ping("b"))]);
    assert_eq!(said.len(), 2);
    assert_eq!(said[0], json!({"id": 1, "result": {"ping": "a", "changed": false}}));
    assert_eq!(said[1]["result"]["ping"], "b");
}

#[test]
fn a_bad_request_fails_alone() {
    let said = talk(
        &Memory::new(),
        &[
            (Kind::Request, 1, json!("nonsense")),
            (Kind::Request, 2, json!({"module": "nope", "args": {}})),
            (Kind::Request, 3, json!({"module": "ping", "args": {"data": []}})),
            (Kind::Request, 4, ping("x")),
        ],
    );
    let messages: Vec<&str> = said.iter().filter_map(|reply| reply["result"]["msg"].as_str()).collect();
    assert_eq!(messages.len(), 3, "{said:?}");
    assert_eq!(messages[1], "this worker has no module nope");
    assert_eq!(said[3]["result"]["ping"], "x");
}

#[test]
fn the_services_of_a_loop_are_looked_at_once() {
    let shown = |state: &str| format!("LoadState=loaded\nActiveState={state}\n");
    let ask = |name: &str, alone: bool| {
        let siblings: &[&str] = if alone { &[] } else { &["a", "b", "c"] };
        json!({"module": "systemd", "args": {"name": name, "state": "started"}, "siblings": siblings})
    };
    let host = Memory::new();
    let all = ["active", "inactive", "active"].map(shown).join("\n");
    host.answer("systemctl", 0, "").answer("systemctl show a", 0, &shown("active"));
    host.answer("systemctl show a b c", 0, &all);
    let said = talk(
        &host,
        &[
            (Kind::Request, 1, ask("a", false)),
            (Kind::Request, 2, ask("b", false)),
            (Kind::Request, 3, ask("c", false)),
            (Kind::Request, 4, ask("a", true)),
        ],
    );
    let changed: Vec<_> = said.iter().map(|reply| reply["result"]["changed"].clone()).collect();
    assert_eq!(changed, [false, true, false, false].map(Json::from), "{said:?}");
    // What one look told is forgotten when something changes, and when the loop is over.
    let expected = ["systemctl show a b c", "systemctl start b", "systemctl show a b c", "systemctl show a"];
    assert_eq!(host.ran(), expected);
}

/// When something was written.
#[derive(Default)]
struct Writes(Vec<Instant>);

impl io::Write for Writes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(Instant::now());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn writes(requests: &[Json]) -> Vec<Instant> {
    let mut input = Vec::new();
    for (id, request) in (1..).zip(requests) {
        encode(&mut input, Kind::Request, id, request.to_string().as_bytes());
    }
    let mut output = Writes::default();
    serve(&Real::new(), input.as_slice(), &mut output).unwrap();
    output.0
}

#[test]
fn replies_that_are_ready_at_once_are_written_at_once() {
    assert!(writes(&vec![ping("a"); 500]).len() < 250);
}

#[test]
fn a_reply_does_not_wait_for_a_long_command() {
    let sleep = json!({"module": "command", "args": {"argv": ["sleep", "0.3"]}});
    let (first, last) = match writes(&[ping("a"), sleep])[..] {
        [_, first, last] => (first, last),
        ref other => panic!("the greeting and two writes, not {}", other.len()),
    };
    assert!(last - first > Duration::from_millis(200));
}
