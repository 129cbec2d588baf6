//! The way from the run to the output, and how far that is behind: a terminal that is held must not fill the memory with
//! results.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::event::Event;

/// Events that may wait to be shown before further tasks do.
const MOST: usize = 4096;
/// How often it is looked whether they still do.
const PAUSE: Duration = Duration::from_millis(20);

/// Takes what there is to be told.
#[derive(Clone, Debug)]
pub struct Outbox {
    events: Sender<Event>,
    backlog: Arc<Backlog>,
}

impl Outbox {
    pub fn new(events: Sender<Event>, backlog: &Arc<Backlog>) -> Self {
        Self { events, backlog: Arc::clone(backlog) }
    }

    pub(super) fn send(&self, event: Event) {
        self.backlog.told();
        // The consumer lives until the run ends; without one there is nobody to tell.
        let _ = self.events.send(event);
    }

    /// Waits until the output has caught up.
    pub(super) async fn wait(&self) {
        self.backlog.wait().await;
    }
}

/// Events that were told and not shown yet.
#[derive(Debug, Default)]
pub struct Backlog(AtomicUsize);

impl Backlog {
    fn told(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// One that was told has been shown.
    pub fn shown(&self) {
        // Some were told before the run began.
        let _ = self.0.try_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
    }

    async fn wait(&self) {
        while self.0.load(Ordering::Relaxed) > MOST {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::{Backlog, MOST};

    #[tokio::test]
    async fn who_is_far_ahead_waits_for_the_output() {
        let backlog = Arc::new(Backlog::default());
        backlog.shown();
        (0..=MOST).for_each(|_| backlog.told());
        assert!(timeout(Duration::from_millis(50), backlog.wait()).await.is_err());
        backlog.shown();
        assert!(timeout(Duration::from_secs(5), backlog.wait()).await.is_ok());
    }
}
