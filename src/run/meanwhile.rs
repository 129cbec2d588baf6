//! What is told of a call while it runs: what commands say (`--follow`), and how far large files are on their way.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fanfare_modules::kit::host::Stream;

use super::content::Contents;
use super::event::{Event, TaskInfo};
use super::outbox::Outbox;
use super::shared::Shared;
use crate::target::Blobs;

/// From this size on people want to know how far it is.
const LARGE: u64 = 4 << 20;

/// How often that is told.
const PACE: Duration = Duration::from_millis(100);

/// A call's contents, and who hears what happens meanwhile.
struct Meanwhile {
    contents: Arc<Contents>,
    host: Arc<str>,
    task: Arc<TaskInfo>,
    outbox: Outbox,
}

/// The contents of a call, watched where there is something to be told of it.
pub(super) fn watched(
    contents: Arc<Contents>,
    follow: bool,
    run: &Shared,
    host: &Arc<str>,
    task: &Arc<TaskInfo>,
) -> Arc<dyn Blobs> {
    if follow || contents.largest() >= LARGE {
        let (host, task, outbox) = (host.clone(), task.clone(), run.outbox.clone());
        Arc::new(Meanwhile { contents, host, task, outbox })
    } else {
        contents
    }
}

impl Blobs for Meanwhile {
    fn open(&self, key: &str) -> Option<io::Result<Box<dyn Read + Send>>> {
        let total = self.contents.size(key);
        let opened = self.contents.open(key)?;
        if total < LARGE {
            return Some(opened);
        }
        let (host, outbox) = (self.host.clone(), self.outbox.clone());
        Some(opened.map(|inner| {
            Box::new(Counted { inner, host, outbox, sent: 0, total, told: Instant::now() })
                as Box<dyn Read + Send>
        }))
    }

    fn receive(&self, key: &str, piece: &[u8], last: bool) -> io::Result<()> {
        self.contents.receive(key, piece, last)
    }

    fn hear(&self, stream: Stream, text: &[u8]) {
        let text = String::from_utf8_lossy(text).into_owned();
        let (host, task) = (self.host.clone(), self.task.clone());
        self.outbox.send(Event::Heard { host, task, stream, text });
    }
}

/// A large file that is being sent. It is read no further ahead than the connection takes it.
struct Counted {
    inner: Box<dyn Read + Send>,
    host: Arc<str>,
    outbox: Outbox,
    sent: u64,
    total: u64,
    told: Instant,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.sent += read as u64;
        if self.told.elapsed() >= PACE {
            self.told = Instant::now();
            let (host, sent, total) = (self.host.clone(), self.sent, self.total);
            self.outbox.send(Event::Sending { host, sent, total });
        }
        Ok(read)
    }
}
