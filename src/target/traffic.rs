//! What went over the wire, counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters of a run; cheap, and right only when nothing is under way.
#[derive(Debug, Default)]
pub struct Traffic {
    round_trips: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    connections: AtomicU64,
    uploads: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls, and questions back for content. Connecting is not counted.
    pub round_trips: u64,
    /// Bytes of frames.
    pub sent: u64,
    pub received: u64,
    /// Connections made, jump hosts included.
    pub connections: u64,
    /// Workers that had to be sent.
    pub uploads: u64,
}

impl Traffic {
    pub(super) fn round_trip(&self) {
        self.round_trips.fetch_add(1, Relaxed);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn connection(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    pub(super) fn upload(&self) {
        self.uploads.fetch_add(1, Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            round_trips: self.round_trips.load(Relaxed),
            sent: self.sent.load(Relaxed),
            received: self.received.load(Relaxed),
            connections: self.connections.load(Relaxed),
            uploads: self.uploads.load(Relaxed),
        }
    }
}
