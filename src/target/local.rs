//! `connection: local`: the control node itself, by the same script over a child's streams.

use tokio::process::Command;

use super::bootstrap::Starts;
use super::pipe::Pipe;
use super::{CallError, limits};

#[derive(Clone, Copy, Debug)]
pub(super) struct Local;

impl Starts for Local {
    /// There is no terminal here: most `su` read the password from a pipe as well, and those that do not, say so.
    async fn start(&self, command: &str, _terminal: bool) -> Result<Pipe, CallError> {
        let command = limits::restore() + command;
        Pipe::spawn(Command::new("/bin/sh").args(["-c", &command]))
            .map_err(|error| CallError::Unreachable(format!("/bin/sh does not start here: {error}")))
    }
}
