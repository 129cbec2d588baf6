//! What went over the in-memory wire, frame by frame.

use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

pub use fanfare_modules::kit::wire::Kind;
use fanfare_modules::kit::wire::{self, GREETING};

/// How long somebody waits for a frame that should come at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// All frames of a run in the order in which they were seen.
#[derive(Clone, Default)]
pub struct Wire {
    log: Arc<(Mutex<Vec<Seen>>, Condvar)>,
}

#[derive(Clone, Debug)]
pub struct Seen {
    pub host: String,
    pub kind: Kind,
    pub payload: Vec<u8>,
}

impl Seen {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

impl Wire {
    pub(super) fn saw(&self, host: &str, kind: Kind, payload: &[u8]) {
        let (log, news) = &*self.log;
        log.lock().unwrap().push(Seen { host: host.to_owned(), kind, payload: payload.to_vec() });
        news.notify_all();
    }

    /// Waits until a host was sent a request with `text` in it; `false` when that does not come.
    pub(super) fn wait_for(&self, host: &str, text: &str) -> bool {
        let (log, news) = &*self.log;
        let missing = |log: &mut Vec<Seen>| {
            !log.iter()
                .any(|seen| seen.host == host && seen.kind == Kind::Request && seen.text().contains(text))
        };
        let (_log, waited) = news.wait_timeout_while(log.lock().unwrap(), PATIENCE, missing).unwrap();
        !waited.timed_out()
    }

    pub fn frames(&self) -> Vec<Seen> {
        self.log.0.lock().unwrap().clone()
    }

    /// The kinds of the frames, counted where they repeat: `Request Need Blob*3 Reply`.
    pub fn kinds(&self, host: &str) -> String {
        let frames = self.frames();
        let kinds: Vec<Kind> = frames.iter().filter(|seen| seen.host == host).map(|seen| seen.kind).collect();
        let runs = kinds.chunk_by(PartialEq::eq).map(|run| match run {
            [one] => format!("{one:?}"),
            many => format!("{:?}*{}", many[0], many.len()),
        });
        runs.collect::<Vec<_>>().join(" ")
    }

    /// How many requests were under way at once, at most.
    pub fn at_once(&self) -> usize {
        let (mut now, mut most) = (0_usize, 0);
        for seen in self.frames() {
            match seen.kind {
                Kind::Request => now += 1,
                Kind::Reply => now -= 1,
                _ => {}
            }
            most = most.max(now);
        }
        most
    }
}

/// Writes what the worker says, and notes it.
pub(super) struct Eavesdropper {
    stream: UnixStream,
    host: String,
    wire: Wire,
    unread: Vec<u8>,
    greeted: bool,
}

impl Eavesdropper {
    pub fn new(stream: UnixStream, host: &str, wire: &Wire) -> Self {
        Self { stream, host: host.to_owned(), wire: wire.clone(), unread: Vec::new(), greeted: false }
    }

    pub fn hang_up(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

impl Write for Eavesdropper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unread.extend_from_slice(bytes);
        if !self.greeted && self.unread.len() >= GREETING.len() {
            self.unread.drain(..GREETING.len());
            self.greeted = true;
        }
        while let Some((frame, length)) = self.greeted.then(|| wire::decode(&self.unread).unwrap()).flatten()
        {
            self.unread.drain(..length);
            // Noted before it is sent: what it causes is noted after it.
            self.wire.saw(&self.host, frame.kind, &frame.payload);
        }
        self.stream.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
