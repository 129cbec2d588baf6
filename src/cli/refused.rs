//! Flags of Ansible's that fanfare knows and does not do.

use crate::diagnostic::{Diagnostic, Result};

/// An error when the flag was `given`.
pub(super) fn refuse(flag: &str, given: bool) -> Result<()> {
    if given { Err(Diagnostic::new(format!("not supported yet: {flag}"))) } else { Ok(()) }
}
