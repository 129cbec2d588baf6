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
