//! Flags of Ansible's that fanfare knows and does not do.

use std::path::PathBuf;

use clap::Args;

use crate::diagnostic::{Diagnostic, Result};

/// An error when the flag was `given`.
pub(super) fn refuse(flag: &str, given: bool) -> Result<()> {
    if given { Err(Diagnostic::new(format!("not supported yet: {flag}"))) } else { Ok(()) }
}

/// `-M`: modules of one's own. Refused, since a module written in Python cannot run.
#[derive(Args, Debug, Default)]
pub struct ModulePath {
    /// Not supported: modules are native and built in
    #[arg(short = 'M', long, value_name = "DIR", hide_short_help = true)]
    pub module_path: Vec<PathBuf>,
}

impl ModulePath {
    pub(super) fn refuse(&self) -> Result<()> {
        if self.module_path.is_empty() {
            return Ok(());
        }
        Err(Diagnostic::new("not supported: -M (--module-path)")
            .hint("fanfare's modules are native and built in: `fanfare doc -l` lists them"))
    }
}
