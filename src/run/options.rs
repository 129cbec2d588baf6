use std::num::NonZeroUsize;

use crate::config::{self, ConnectionOptions, EscalationOptions, InventoryOptions};

/// How a run is to go: what the command line and the configuration decided.
#[derive(Debug, Default)]
pub struct RunOptions {
    pub run: config::RunOptions,
    pub connection: ConnectionOptions,
    pub escalation: EscalationOptions,
    /// Where hosts come from, and which of them are meant.
    pub inventory: InventoryOptions,
    pub verbosity: u8,
    /// `--start-at-task`: a name or a pattern.
    pub start_at: Option<String>,
    pub step: bool,
}

impl RunOptions {
    /// How many hosts work at the same time.
    pub(super) fn width(&self) -> usize {
        self.run.forks.map_or(1, NonZeroUsize::get)
    }
}
