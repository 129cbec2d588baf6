//! A file that is to be like another one.

use std::path::Path;

use crate::kit::outcome::Result;
use crate::kit::system::System;

impl System<'_> {
    /// Gives a file or directory the extended attributes and the times of another one, and a mode, or leaves it the one it
    /// has. That it is copied is the change.
    pub fn resemble(&mut self, path: &Path, other: &Path, mode: Option<u32>) -> Result<()> {
        if self.wishes.check {
            return Ok(());
        }
        let (own, other_meta) = (self.must(path, false)?, self.must(other, true)?);
        self.host.inherit(other, path)?;
        // An access list brings a mode of its own.
        self.host.set_mode(path, mode.unwrap_or(own.mode))?;
        Ok(self.host.set_times(path, other_meta.atime, other_meta.mtime, false)?)
    }
}
