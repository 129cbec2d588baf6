//! The file a module of this family is about.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{FileAttributes, FilePath, Result, System, WriteOptions};
use crate::lineinfile::State;

/// What all of them take.
#[derive(Deserialize, JsonSchema)]
pub struct Options {
    /// The file.
    pub path: FilePath,
    /// Whether it is there.
    #[serde(default)]
    pub state: State,
    /// Makes it anew, though it is as it should be.
    #[serde(default)]
    pub force: bool,
    /// Keeps a copy of the old file, with the time in its name.
    #[serde(default)]
    pub backup: bool,
    /// Whether the result has the file's content.
    #[serde(default)]
    pub return_content: bool,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

/// Means nothing here: the target's `openssl` does the work.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    #[default]
    Auto,
    Cryptography,
}

impl Options {
    /// Ensures that the file holds that; diffs do not show it.
    pub fn write(&self, content: &[u8], sys: &mut System<'_>) -> Result<Option<String>> {
        let options = WriteOptions {
            attributes: Some(&self.attributes),
            backup: self.backup,
            hidden: true,
            ..WriteOptions::default()
        };
        let was_there = self.backup && sys.exists(&self.path)?;
        let copy = sys.write_with(&self.path, content, &options)?.backup_file;
        // What is made anew may come out the same: nothing was written then, but a copy was asked for.
        if was_there && copy.is_none() { sys.backup(&self.path) } else { Ok(copy) }
    }

    /// Ensures the attributes of a file whose content is right.
    pub fn settle(&self, sys: &mut System<'_>) -> Result<()> {
        sys.set_attributes(&self.path, &self.attributes, false).map(drop)
    }

    /// Ensures that there is no file.
    pub fn remove(&self, sys: &mut System<'_>) -> Result<Option<String>> {
        let path: &Path = &self.path;
        let backup_file = if self.backup { sys.backup(path)? } else { None };
        sys.remove_file(path)?;
        Ok(backup_file)
    }

    /// What the file holds; `None` when there is none.
    pub fn content(&self, sys: &System<'_>) -> Result<Option<Vec<u8>>> {
        if sys.exists(&self.path)? { sys.read(&self.path).map(Some) } else { Ok(None) }
    }

    pub fn name(&self) -> String {
        self.path.text().into_owned()
    }
}
