//! Taking back what a call did, when its end fails.

use std::io::Cursor;
use std::path::Path;

use crate::kit::host::Placement;
use crate::kit::outcome::Result;
use crate::kit::system::System;

impl System<'_> {
    /// Removes a file that this call made: nothing has changed, and no record tells of it.
    pub fn unmake(&mut self, path: &Path) -> Result<()> {
        self.host.remove(path)?;
        self.changes.retain(|change| change.path() != Some(path));
        Ok(())
    }

    /// Takes back what this call made of a file: it has the content of before, and no record tells of a change.
    pub fn put_back(&mut self, path: &Path, before: Option<&[u8]>) -> Result<()> {
        match before {
            Some(before) => self.host.place(path, &mut Cursor::new(before), &Placement::default())?,
            None if self.host.stat(path, false)?.is_some() => self.host.remove(path)?,
            None => {}
        }
        self.changes.retain(|change| change.path() != Some(path));
        Ok(())
    }
}
