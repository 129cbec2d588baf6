use std::io::Write;

use crate::config::{Config, Surroundings};
use crate::diagnostic::Result;
use crate::output::Output;
use crate::target::Lab;

/// Output on any streams.
pub type AnyOutput = Output<Box<dyn Write + Send>, Box<dyn Write + Send>>;

/// Makes the output that the settings ask for.
pub type MakeOutput = Box<dyn FnOnce(&Config) -> Result<AnyOutput>>;

/// What a run reaches outside of itself, besides files.
pub struct Stage {
    /// Where settings come from.
    pub surroundings: Surroundings,
    /// Hosts that live in memory, for tests; all others are connected to.
    pub lab: Option<Lab>,
    /// Makes what shows the run, once its settings are known.
    pub output: MakeOutput,
}

impl Stage {
    /// This process, its streams, and hosts as they are.
    pub fn of_this_process() -> Result<Self> {
        Ok(Self {
            surroundings: Surroundings::of_this_process()?,
            lab: None,
            output: Box::new(Output::of_process),
        })
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stage")
    }
}
