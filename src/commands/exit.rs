use std::process::ExitCode;

use crate::diagnostic::Diagnostic;
use crate::run::Lost;

/// How a command ended, as the exit code tells it. The numbers are Ansible's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// Something went wrong before or outside of the tasks.
    Error = 1,
    /// At least one host failed, and all could be reached.
    Failed = 2,
    /// At least one host could not be reached, or a file of the user's cannot be understood.
    Unreachable = 4,
    /// Options that do not go together.
    Usage = 5,
    Interrupted = 99,
    Unexpected = 250,
}

impl Exit {
    /// An error that points into a file of the user's is about what that file says, unless what it names is
    /// not there.
    pub fn of_error(error: &Diagnostic) -> Self {
        if error.is_interrupted() {
            Self::Interrupted
        } else if error.place().is_some() && !error.is_missing() {
            Self::Unreachable
        } else {
            Self::Error
        }
    }

    /// What a run amounts to: a failure that was ignored, rescued or cleared is none.
    pub fn of_run(lost: &Lost, interrupted: bool) -> Self {
        if interrupted {
            Self::Interrupted
        } else if !lost.unreachable.is_empty() {
            Self::Unreachable
        } else if !lost.failed.is_empty() {
            Self::Failed
        } else {
            Self::Done
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_errors() {
        assert_eq!(Exit::of_error(&Diagnostic::new("x")), Exit::Error);
        assert_eq!(Exit::of_error(&Diagnostic::interrupted()), Exit::Interrupted);
    }
}
