//! A worker that runs: requests to it, replies from it, content both ways.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use fanfare_modules::kit::host::Stream;
use fanfare_modules::kit::wire::{self, Frame, Kind, PIECE, Reply, Request};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::timeout;

use super::bootstrap::Started;
use super::budget::Place;
use super::pipe::{Exit, Output, Pipe, Reader, Writer};
use super::ssh::Connection;
use super::traffic::Traffic;
use super::{Blobs, CallError};

/// Pieces read ahead of what the connection takes.
const AHEAD: usize = 4;
/// How often one call may ask for content: the files of a tree, and more.
const NEEDS: usize = 1 << 16;
/// How much of the worker's stderr is kept for the reason of a failure.
const STDERR: usize = 4096;

#[derive(Debug)]
pub(super) struct Worker {
    reader: Reader,
    writer: Writer,
    buffer: BytesMut,
    stderr: Vec<u8>,
    next_id: u32,
    /// Its room in the run's budget, and the connection it is on, for as long as it lives.
    _place: Option<Place>,
    _connection: Option<Arc<Connection>>,
}

/// A request that waits for content.
struct Need {
    id: u32,
    key: String,
}

impl Worker {
    pub(super) fn new(started: Started, place: Option<Place>) -> Self {
        let Started { pipe, rest, .. } = started;
        let stderr = Vec::new();
        let Pipe { reader, writer, connection } = pipe;
        Self { reader, writer, buffer: rest, stderr, next_id: 1, _place: place, _connection: connection }
    }

    /// Sends the requests together and collects their replies, in order, or passes each on as it comes. After an error, or when dropped while
    /// it waits, the worker is good for nothing but [`Worker::close`].
    pub(super) async fn call(
        &mut self,
        requests: Vec<Request>,
        blobs: Arc<dyn Blobs>,
        each: Option<UnboundedSender<Reply>>,
        traffic: &Traffic,
    ) -> Result<Vec<Reply>, CallError> {
        let first = self.next_id;
        let count = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        self.next_id = first.wrapping_add(count);
        traffic.round_trip();
        let (needs, needed) = mpsc::unbounded_channel();
        let done = AtomicBool::new(false);
        let mut collect = Collect {
            reader: &mut self.reader,
            buffer: &mut self.buffer,
            stderr: &mut self.stderr,
            traffic,
            spoiled: HashMap::new(),
            asked: 0,
            each,
        };
        // The worker may wait for us to read while we wait for it to read: both go on at once.
        let reading = async {
            let replies = collect.replies(first, count, &*blobs, needs).await;
            done.store(true, Ordering::Relaxed);
            replies
        };
        let writing = send(&mut self.writer, first, requests, &blobs, needed, &done, traffic);
        tokio::pin!(reading, writing);
        let mut written = None;
        let replies = loop {
            tokio::select! {
                replies = &mut reading => break replies?,
                sent = &mut writing, if written.is_none() => {
                    let failed = sent.is_err();
                    written = Some(sent);
                    if failed {
                        // The other direction knows why, or will soon.
                        break match timeout(Duration::from_secs(5), &mut reading).await {
                            Ok(replies) => replies?,
                            Err(_) => return Err(lost("the connection takes no more data")),
                        };
                    }
                }
            }
        };
        if written.is_none() {
            // At most the rest of one piece that nobody waits for any more.
            writing.await.map_err(|error| lost(&error.to_string()))?;
        }
        Ok(replies)
    }

    /// Lets the idle worker know that somebody is there.
    pub(super) async fn beat(&mut self) -> std::io::Result<()> {
        self.writer.send(frame(Kind::Beat, 0, &[])).await
    }

    /// Returns when the worker ends although nothing was asked of it.
    pub(super) async fn idle(&mut self) {
        loop {
            match self.reader.next().await {
                Some(Output::Err(bytes)) => keep(&mut self.stderr, &bytes),
                // Nothing may come unasked: what speaks out of turn is not our worker any more.
                Some(Output::Out(_) | Output::Exit(_) | Output::Lost(_)) | None => return,
            }
        }
    }

    /// Ends the worker and waits a little for it to go.
    pub(super) async fn close(mut self, patience: Duration) {
        let ended = timeout(patience, async {
            self.writer.finish().await;
            while self.reader.next().await.is_some() {}
        });
        if ended.await.is_err() {
            self.writer.close().await;
        }
    }
}

/// Sends requests, and content as it is asked for.
async fn send(
    writer: &mut Writer,
    first: u32,
    requests: Vec<Request>,
    blobs: &Arc<dyn Blobs>,
    mut needed: UnboundedReceiver<Need>,
    done: &AtomicBool,
    traffic: &Traffic,
) -> std::io::Result<()> {
    let mut id = first;
    let mut requests = requests.into_iter();
    loop {
        // The worker waits for content and for nothing else: that comes first.
        if let Ok(need) = needed.try_recv() {
            send_blob(writer, need, blobs, done, traffic).await?;
            continue;
        }
        let Some(request) = requests.next() else { break };
        let json = serde_json::to_vec(&request).map_err(std::io::Error::other)?;
        put(writer, frame(Kind::Request, id, &json), traffic).await?;
        id = id.wrapping_add(1);
    }
    while let Some(need) = needed.recv().await {
        send_blob(writer, need, blobs, done, traffic).await?;
    }
    Ok(())
}

/// Sends the content in pieces, reading no further ahead than the connection takes them.
async fn send_blob(
    writer: &mut Writer,
    need: Need,
    blobs: &Arc<dyn Blobs>,
    done: &AtomicBool,
    traffic: &Traffic,
) -> std::io::Result<()> {
    let Need { id, key } = need;
    traffic.round_trip();
    let (pieces, mut read) = mpsc::channel(AHEAD);
    let reading = tokio::task::spawn_blocking({
        let (blobs, key) = (Arc::clone(blobs), key.clone());
        move || read_pieces(&*blobs, &key, &pieces)
    });
    while let Some((piece, last)) = read.recv().await {
        let mut blob = Vec::with_capacity(piece.len() + key.len() + 16);
        wire::encode_blob(&mut blob, id, &key, &piece, last);
        put(writer, blob.into(), traffic).await?;
        if done.load(Ordering::Relaxed) {
            return Ok(());
        }
    }
    drop(read);
    match reading.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(reason)) => put(writer, frame(Kind::Refused, id, reason.as_bytes()), traffic).await,
        Err(error) => Err(std::io::Error::other(error)),
    }
}

/// Reads the content into pieces; the error is for the user.
fn read_pieces(blobs: &dyn Blobs, key: &str, pieces: &mpsc::Sender<(Vec<u8>, bool)>) -> Result<(), String> {
    let mut content = match blobs.open(key) {
        Some(Ok(content)) => content,
        Some(Err(error)) => return Err(error.to_string()),
        None => return Err(format!("the worker asks for content that nobody offered ({key})")),
    };
    let mut piece = read_piece(&mut content)?;
    loop {
        let next = if piece.len() < PIECE { Vec::new() } else { read_piece(&mut content)? };
        let last = next.is_empty();
        if pieces.blocking_send((piece, last)).is_err() || last {
            return Ok(());
        }
        piece = next;
    }
}

fn read_piece(content: &mut impl Read) -> Result<Vec<u8>, String> {
    let mut piece = Vec::with_capacity(PIECE);
    content.take(PIECE as u64).read_to_end(&mut piece).map_err(|error| error.to_string())?;
    Ok(piece)
}

fn frame(kind: Kind, id: u32, payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(payload.len() + 9);
    wire::encode(&mut frame, kind, id, payload);
    frame.into()
}

async fn put(writer: &mut Writer, frame: Bytes, traffic: &Traffic) -> std::io::Result<()> {
    traffic.sent(frame.len());
    writer.send(frame).await
}

/// The reading half of a call.
struct Collect<'a> {
    reader: &'a mut Reader,
    buffer: &'a mut BytesMut,
    stderr: &'a mut Vec<u8>,
    traffic: &'a Traffic,
    /// Requests whose content from the worker could not be stored, with the reason.
    spoiled: HashMap<u32, String>,
    /// How often it asked for content.
    asked: usize,
    each: Option<UnboundedSender<Reply>>,
}

impl Collect<'_> {
    async fn replies(
        &mut self,
        first: u32,
        count: u32,
        blobs: &dyn Blobs,
        needs: UnboundedSender<Need>,
    ) -> Result<Vec<Reply>, CallError> {
        let mut replies = Vec::new();
        for id in (0..count).map(|index| first.wrapping_add(index)) {
            let reply = self.reply(id, blobs, &needs).await?;
            match &self.each {
                // Who no longer listens lets go of the call as a whole.
                Some(each) => drop(each.send(reply)),
                None => replies.push(reply),
            }
        }
        Ok(replies)
    }

    async fn reply(
        &mut self,
        id: u32,
        blobs: &dyn Blobs,
        needs: &UnboundedSender<Need>,
    ) -> Result<Reply, CallError> {
        loop {
            let frame = self.frame().await?;
            if frame.id != id {
                return Err(nonsense(&format!("an answer to {} where {id} is due", frame.id)));
            }
            match frame.kind {
                Kind::Reply => return self.parse(&frame),
                Kind::Need => {
                    self.asked += 1;
                    if self.asked > NEEDS {
                        return Err(nonsense("it asks for content without end"));
                    }
                    let key = String::from_utf8(frame.payload).map_err(|e| nonsense(&e.to_string()))?;
                    // The writer is gone only when the connection is: reading on says so.
                    let _ = needs.send(Need { id, key });
                }
                Kind::Blob => {
                    let blob =
                        wire::decode_blob(&frame.payload).map_err(|error| nonsense(&error.to_string()))?;
                    if !self.spoiled.contains_key(&id)
                        && let Err(error) = blobs.receive(blob.key, blob.piece, blob.last)
                    {
                        self.spoiled.insert(id, error.to_string());
                    }
                }
                Kind::Out => blobs.hear(Stream::Out, &frame.payload),
                Kind::Err => blobs.hear(Stream::Err, &frame.payload),
                Kind::Request | Kind::Refused | Kind::Beat => {
                    return Err(nonsense("a frame that only we may send"));
                }
            }
        }
    }

    fn parse(&mut self, frame: &Frame) -> Result<Reply, CallError> {
        let mut reply: Reply =
            serde_json::from_slice(&frame.payload).map_err(|error| nonsense(&error.to_string()))?;
        if let Some(reason) = self.spoiled.remove(&frame.id) {
            reply.result.insert("failed".to_owned(), true.into());
            reply.result.insert("msg".to_owned(), reason.into());
        }
        Ok(reply)
    }

    async fn frame(&mut self) -> Result<Frame, CallError> {
        loop {
            let decoded = wire::decode(self.buffer).map_err(|error| nonsense(&error.to_string()))?;
            if let Some((frame, length)) = decoded {
                self.buffer.advance(length);
                return Ok(frame);
            }
            match self.reader.next().await {
                Some(Output::Out(bytes)) => {
                    self.traffic.received(bytes.len());
                    self.buffer.extend_from_slice(&bytes);
                }
                Some(Output::Err(bytes)) => keep(self.stderr, &bytes),
                Some(Output::Exit(exit)) => return Err(self.death(exit).await),
                Some(Output::Lost(reason)) => return Err(CallError::Unreachable(reason)),
                None => return Err(self.death(Exit::Silent).await),
            }
        }
    }

    /// Why the worker is gone. When the connection goes with it (a reboot), the host is what is gone.
    async fn death(&mut self, mut exit: Exit) -> CallError {
        let rest = timeout(Duration::from_secs(1), async {
            while let Some(output) = self.reader.next().await {
                match output {
                    Output::Err(bytes) => keep(self.stderr, &bytes),
                    Output::Lost(reason) => return Some(reason),
                    Output::Exit(said) if exit == Exit::Silent => exit = said,
                    Output::Exit(_) | Output::Out(_) => {}
                }
            }
            None
        });
        if let Ok(Some(reason)) = rest.await {
            return CallError::Unreachable(reason);
        }
        let said = String::from_utf8_lossy(self.stderr);
        let said = said.trim();
        let colon = if said.is_empty() { "" } else { ": " };
        CallError::Failed(format!("the worker ended in the middle of the task ({exit}){colon}{said}"))
    }
}

fn keep(stderr: &mut Vec<u8>, bytes: &[u8]) {
    stderr.extend_from_slice(bytes);
    if stderr.len() > STDERR {
        stderr.drain(..stderr.len() - STDERR);
    }
}

fn nonsense(what: &str) -> CallError {
    CallError::Failed(format!("the worker does not keep to the protocol: {what}"))
}

fn lost(reason: &str) -> CallError {
    CallError::Unreachable(reason.to_owned())
}
