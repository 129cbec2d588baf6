//! What a run shows, kept.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use fanfare::output::{Callback, Page};
use fanfare::run::event::Event;

/// The user's callback, and every event it heard.
pub(super) struct Recorder {
    pub inner: Box<dyn Callback>,
    pub events: Arc<Mutex<Vec<Event>>>,
}

impl Callback for Recorder {
    fn on(&mut self, event: &Event, page: &mut Page) {
        self.events.lock().unwrap().push(event.clone());
        self.inner.on(event, page);
    }
}

/// A stream into memory.
#[derive(Clone, Default)]
pub(super) struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).expect("UTF-8")
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
