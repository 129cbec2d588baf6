//! Temporary files: what a module fetches before it knows whether to keep it.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::kit::host::Placement;
use crate::kit::outcome::Result;
use crate::kit::system::System;

impl System<'_> {
    /// A path for a temporary file, in that directory, else where the machine keeps such. Nothing is made.
    pub fn scratch(&self, dir: Option<&Path>) -> PathBuf {
        let usual = || self.env("TMPDIR").filter(|dir| !dir.is_empty()).unwrap_or_else(|| "/tmp".to_owned());
        dir.map_or_else(|| PathBuf::from(usual()), Path::to_owned)
            .join(format!("fanfare-{}", self.host.unique()))
    }

    /// Fills a temporary file, with that mode: keep others out. No change by itself; [`System::discard`] it.
    pub fn spool(&self, path: &Path, mode: u32, content: &mut dyn Read) -> Result<()> {
        let how = Placement { mode: Some(mode), ..Placement::default() };
        Ok(self.host.place(path, content, &how)?)
    }

    /// Removes a temporary file, if it is there. No change by itself.
    pub fn discard(&self, path: &Path) -> Result<()> {
        if self.host.stat(path, false)?.is_some() {
            self.host.remove(path)?;
        }
        Ok(())
    }
}
