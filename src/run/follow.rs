//! `--follow`: what commands say is told while they run.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use fanfare_modules::kit::host::Stream;

use super::content::Contents;
use super::event::{Event, TaskInfo};
use super::task::Job;
use crate::target::Blobs;

/// A call's contents, and who hears what comes meanwhile.
pub(super) struct Followed {
    contents: Arc<Contents>,
    host: Arc<str>,
    task: Arc<TaskInfo>,
    events: Sender<Event>,
}

impl Followed {
    pub fn new(job: &Job<'_>, contents: Arc<Contents>) -> Self {
        let (host, task) = (job.host.clone(), job.info.clone());
        Self { contents, host, task, events: job.batch.run.events.clone() }
    }
}

impl Blobs for Followed {
    fn open(&self, key: &str) -> Option<io::Result<Box<dyn Read + Send>>> {
        self.contents.open(key)
    }

    fn receive(&self, key: &str, piece: &[u8], last: bool) -> io::Result<()> {
        self.contents.receive(key, piece, last)
    }

    fn hear(&self, stream: Stream, text: &[u8]) {
        let text = String::from_utf8_lossy(text).into_owned();
        // Nobody hears it when the output is gone; the run ends for that elsewhere.
        let (host, task) = (self.host.clone(), self.task.clone());
        let _ = self.events.send(Event::Heard { host, task, stream, text });
    }
}
