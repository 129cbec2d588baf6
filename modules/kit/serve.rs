//! The worker's loop: reads requests, runs them in order, answers.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Cursor, Read, Write};
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::kit::args::expand_paths;
use crate::kit::background;
use crate::kit::custom;
use crate::kit::host::{Host, Stream};
use crate::kit::outcome::{Failure, Result};
use crate::kit::overlay::Overlay;
use crate::kit::system::{Channel, Deadline, System, Wishes};
use crate::kit::wire::{self, Frame, GREETING, Kind, MAX_REPLY, PIECE, Reply, Request};

/// How long a reply waits for others: each write costs both sides more than a quick task.
const HELD: Duration = Duration::from_millis(10);

/// Serves until the input ends.
pub fn serve(host: &dyn Host, input: impl Read, output: impl Write) -> io::Result<()> {
    let mut link = Link {
        input,
        output,
        read: Vec::new(),
        unread: 0..0,
        waiting: VecDeque::new(),
        to_send: GREETING.to_vec(),
        held_since: None,
        id: 0,
        memory: HashMap::new(),
    };
    let pending = Overlay::over(host);
    let mut broken = false;
    link.send_all()?;
    while let Some(frame) = link.next()? {
        let reply = match frame.kind {
            Kind::Request => match serde_json::from_slice::<Request>(&frame.payload) {
                Ok(request) if request.chained && (broken || host.is_deserted()) => {
                    Reply { not_run: true, ..Reply::default() }
                }
                Ok(request) => {
                    link.id = frame.id;
                    let is_alone = request.siblings.is_empty();
                    let reply = answer(host, &pending, request, &mut link);
                    if is_alone || reply.result.get("changed") != Some(&false.into()) {
                        link.memory.clear();
                    }
                    reply
                }
                Err(e) => refuse(format!("the request cannot be read: {e}")),
            },
            // Content that came for a request that ended before it was read.
            Kind::Blob | Kind::Refused | Kind::Beat => continue,
            Kind::Reply | Kind::Need | Kind::Out | Kind::Err => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the control node sent a worker's frame",
                ));
            }
        };
        broken = reply.not_run || reply.result.get("failed") == Some(&true.into());
        let mut payload = serde_json::to_vec(&reply)?;
        if payload.len() > MAX_REPLY {
            payload = serde_json::to_vec(&too_long(&reply, payload.len()))?;
        }
        wire::encode(&mut link.to_send, Kind::Reply, frame.id, &payload);
        link.send_in_time()?;
    }
    link.send_all()
}

/// What a result that is too long to send is told as. What was done stays done.
fn too_long(reply: &Reply, length: usize) -> Reply {
    let changed = reply.result.get("changed").cloned().unwrap_or(false.into());
    let megabytes = length >> 20;
    let failure = Failure::new(format!(
        "the result has {megabytes} MiB, which is more than is sent ({} MiB): write it to a file and fetch that",
        MAX_REPLY >> 20
    ));
    Reply { result: crate::kit::outcome::result_map(Err(failure.with("changed", changed))), not_run: false }
}

/// Runs one request. `pending` holds what check mode foretold so far.
pub fn answer(
    host: &dyn Host,
    pending: &Overlay<'_>,
    mut request: Request,
    channel: &mut dyn Channel,
) -> Reply {
    if let Some(how) = request.background.take() {
        return Reply { result: background::start(host, request, &how), not_run: false };
    }
    if request.alone {
        pending.clear();
    }
    let wishes = Wishes {
        check: request.check,
        diff: request.diff,
        environment: request.environment.into_iter().collect(),
        deadline: request.timeout.and_then(Deadline::after),
        follow: request.follow,
        siblings: request.siblings,
    };
    let on: &dyn Host = if request.check { pending } else { host };
    let mut system = System::new(on, channel, wishes);
    let args = serde_json::Value::Object(request.args);
    let outcome = if request.module == custom::MODULE {
        custom::run(args, &mut system)
    } else {
        call(&request.module, args, &mut system)
    };
    if !request.check && system.changes().iter().any(crate::kit::change::Change::is_file_change) {
        // What was foretold was foretold of files that are now others.
        pending.clear();
    }
    Reply { result: system.finish(outcome), not_run: false }
}

fn call(module: &str, mut args: serde_json::Value, system: &mut System<'_>) -> Result<serde_json::Value> {
    expand_paths(&mut args, &mut |text| system.expand(text))?;
    crate::run(module, args, system)
        .unwrap_or_else(|| Err(Failure::new(format!("this worker has no module {module}"))))
}

fn refuse(msg: String) -> Reply {
    Reply { result: crate::kit::outcome::result_map(Err(Failure::new(msg))), not_run: false }
}

/// The stream to the control node.
struct Link<R, W> {
    input: R,
    output: W,
    /// Room for what is read.
    read: Vec<u8>,
    /// What of it came and was not looked at yet.
    unread: Range<usize>,
    /// Frames that came while content was waited for.
    waiting: VecDeque<Frame>,
    to_send: Vec<u8>,
    /// When the first of the replies was ready that are to be sent.
    held_since: Option<Instant>,
    /// Of the request that runs.
    id: u32,
    memory: HashMap<String, String>,
}

impl<R: Read, W: Write> Link<R, W> {
    /// The next frame in order; `None` at the end of the input.
    fn next(&mut self) -> io::Result<Option<Frame>> {
        match self.waiting.pop_front() {
            Some(frame) => Ok(Some(frame)),
            None => self.read_frame(),
        }
    }

    fn read_frame(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let unread = self.read.get(self.unread.clone()).unwrap_or_default();
            let bad = |e| io::Error::new(io::ErrorKind::InvalidData, e);
            if let Some((frame, length)) = wire::decode(unread).map_err(bad)? {
                self.unread.start += length;
                return Ok(Some(frame));
            }
            self.send_all()?;
            if self.read_more()? == 0 {
                return if self.unread.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }

    /// How many bytes more there are now.
    fn read_more(&mut self) -> io::Result<usize> {
        let length = self.unread.len();
        self.read.copy_within(self.unread.clone(), 0);
        self.unread = 0..length;
        if self.read.len() < length + PIECE {
            self.read.resize(length + PIECE, 0);
        }
        loop {
            match self.input.read(self.read.get_mut(length..).unwrap_or_default()) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                got => {
                    self.unread.end += got.as_ref().copied().unwrap_or(0);
                    return got;
                }
            }
        }
    }

    fn send_in_time(&mut self) -> io::Result<()> {
        let since = *self.held_since.get_or_insert_with(Instant::now);
        if since.elapsed() < HELD { Ok(()) } else { self.send_all() }
    }

    fn send_all(&mut self) -> io::Result<()> {
        self.held_since = None;
        if !self.to_send.is_empty() {
            self.output.write_all(&self.to_send)?;
            self.to_send.clear();
        }
        self.output.flush()
    }
}

impl<R: Read, W: Write> Channel for Link<R, W> {
    fn need(&mut self, key: &str) -> io::Result<()> {
        wire::encode(&mut self.to_send, Kind::Need, self.id, key.as_bytes());
        Ok(())
    }

    fn receive(&mut self, key: &str) -> io::Result<(Cursor<Vec<u8>>, bool)> {
        loop {
            let frame = self.read_frame()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            match frame.kind {
                Kind::Blob if frame.id == self.id => {
                    let blob = wire::decode_blob(&frame.payload)
                        .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
                    // Left over from a file that was given up.
                    if blob.key == key {
                        let (last, before) = (blob.last, frame.payload.len() - blob.piece.len());
                        let mut piece = Cursor::new(frame.payload);
                        piece.set_position(before as u64);
                        return Ok((piece, last));
                    }
                }
                Kind::Refused if frame.id == self.id => {
                    return Err(io::Error::other(String::from_utf8_lossy(&frame.payload).into_owned()));
                }
                Kind::Request => self.waiting.push_back(frame),
                _ => {}
            }
        }
    }

    fn send(&mut self, key: &str, piece: &[u8], last: bool) -> io::Result<()> {
        wire::encode_blob(&mut self.to_send, self.id, key, piece, last);
        if self.to_send.len() > 256 * 1024 { self.send_all() } else { Ok(()) }
    }

    fn tell(&mut self, stream: Stream, text: &[u8]) {
        let kind = match stream {
            Stream::Out => Kind::Out,
            Stream::Err => Kind::Err,
        };
        for piece in text.chunks(PIECE / 2) {
            wire::encode(&mut self.to_send, kind, self.id, piece);
        }
        // A link that is gone is noticed by whoever reads from it next.
        let _ = self.send_all();
    }

    fn memory(&mut self) -> Option<&mut HashMap<String, String>> {
        Some(&mut self.memory)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.to_send.is_empty() { Ok(()) } else { self.send_all() }
    }
}

#[cfg(test)]
mod tests;
