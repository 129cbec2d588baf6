//! What can go wrong with a host, and when.

use std::io::{self, Read};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use fanfare_modules::kit::wire::{self, Kind};

use super::wire::Wire;

/// Something that happens to a host.
#[derive(Clone)]
pub(super) struct Trouble {
    /// `None` for all of them.
    host: Option<String>,
    /// In the requests that are concerned.
    text: String,
    what: What,
}

#[derive(Clone)]
enum What {
    Unreachable,
    Cut,
    Hang,
    Slow(Duration),
    /// Until that host was sent a request with that text.
    Hold(String, String),
}

impl Trouble {
    fn new(host: &str, text: &str, what: What) -> Self {
        Self { host: Some(host.to_owned()), text: text.to_owned(), what }
    }

    pub fn unreachable(host: &str) -> Self {
        Self::new(host, "", What::Unreachable)
    }

    pub fn cut(host: &str, text: &str) -> Self {
        Self::new(host, text, What::Cut)
    }

    pub fn hang(host: &str, text: &str) -> Self {
        Self::new(host, text, What::Hang)
    }

    pub fn slow(milliseconds: u64) -> Self {
        Self { host: None, text: String::new(), what: What::Slow(Duration::from_millis(milliseconds)) }
    }

    pub fn hold(host: &str, text: &str, other: &str, event: &str) -> Self {
        Self::new(host, text, What::Hold(other.to_owned(), event.to_owned()))
    }

    pub fn is_unreachable(&self, host: &str) -> bool {
        self.host.as_deref() == Some(host) && matches!(self.what, What::Unreachable)
    }

    fn concerns(&self, host: &str) -> bool {
        self.host.as_deref().is_none_or(|name| name == host)
    }
}

/// What the worker reads: the control node's frames, one by one, after their troubles.
pub(super) struct Tap {
    frames: Receiver<Frame>,
    unread: io::Cursor<Vec<u8>>,
    stream: UnixStream,
    host: String,
    wire: Wire,
    troubles: Vec<Trouble>,
    broken: Arc<AtomicBool>,
}

struct Frame {
    kind: Kind,
    payload: Vec<u8>,
    bytes: Vec<u8>,
}

impl Tap {
    pub fn new(
        stream: UnixStream,
        host: &str,
        wire: &Wire,
        troubles: &[Trouble],
        broken: Arc<AtomicBool>,
    ) -> Self {
        let (found, frames) = channel();
        let mut incoming = stream.try_clone().expect("a socket");
        let (name, log) = (host.to_owned(), wire.clone());
        // Notes what comes even while the worker is held up.
        std::thread::spawn(move || {
            let mut unread = Vec::new();
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(read @ 1..) = incoming.read(&mut buffer) {
                unread.extend_from_slice(&buffer[..read]);
                while let Some((frame, length)) = wire::decode(&unread).unwrap() {
                    let bytes = unread.drain(..length).collect();
                    log.saw(&name, frame.kind, &frame.payload);
                    if found.send(Frame { kind: frame.kind, payload: frame.payload, bytes }).is_err() {
                        return;
                    }
                }
            }
        });
        let troubles = troubles.iter().filter(|trouble| trouble.concerns(host)).cloned().collect();
        let (host, wire) = (host.to_owned(), wire.clone());
        Self { frames, unread: io::Cursor::default(), stream, host, wire, troubles, broken }
    }

    fn suffer(&self, frame: &Frame) -> io::Result<()> {
        if frame.kind != Kind::Request {
            return Ok(());
        }
        let request = String::from_utf8_lossy(&frame.payload);
        for trouble in self.troubles.iter().filter(|trouble| request.contains(&trouble.text)) {
            match &trouble.what {
                What::Unreachable => {}
                What::Cut => return self.cut(),
                // Until the other side gives up.
                What::Hang => while self.frames.recv().is_ok() {},
                What::Slow(time) => std::thread::sleep(*time),
                What::Hold(other, event) => {
                    if !self.wire.wait_for(other, event) {
                        eprintln!("{}: {other} was never sent {event}", self.host);
                        return self.cut();
                    }
                }
            }
        }
        Ok(())
    }

    fn cut(&self) -> io::Result<()> {
        self.broken.store(true, Ordering::SeqCst);
        self.stream.shutdown(Shutdown::Both)?;
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.unread.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            let Ok(frame) = self.frames.recv() else { return Ok(0) };
            self.suffer(&frame)?;
            self.unread = io::Cursor::new(frame.bytes);
        }
    }
}
