use crate::config::{self, ConnectionOptions, EscalationOptions, OnMismatch};

/// How a run is to go: what the command line and the configuration decided.
#[derive(Debug, Default)]
pub struct RunOptions {
    pub run: config::RunOptions,
    pub connection: ConnectionOptions,
    pub escalation: EscalationOptions,
    /// `--limit`, each as given; a host must match all of them.
    pub limit: Vec<String>,
    /// What a pattern that matches nothing is.
    pub on_mismatch: OnMismatch,
    pub verbosity: u8,
    /// `--start-at-task`: a name or a pattern.
    pub start_at: Option<String>,
    pub step: bool,
}
