//! Editing text files: what `lineinfile`, `blockinfile` and `replace` have in common.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kit::change::{Change, Shape};
use crate::kit::charset::Charset;
use crate::kit::regex::{Flags, Regex, RegexError};
use crate::kit::{Failure, FileAttributes, FilePath, Result, System, WriteOptions, Written};

/// The options of a module that edits one text file. Used with `#[serde(flatten)]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Edit {
    /// The file.
    #[schemars(extend("aliases" = ["dest", "destfile", "name"]))]
    pub path: FilePath,
    /// Keeps the old file beside the new one, its name with a time stamp.
    #[serde(default)]
    pub backup: bool,
    /// A command that checks the new file before it takes the old one's place, with `%s` for its path.
    pub validate: Option<String>,
    /// The file's charset, by its name in Python: `utf-8`, `utf-16`, `latin-1`, `cp1252`, `shift_jis` …
    #[serde(default)]
    pub encoding: Charset,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

impl Edit {
    /// The file that is really edited: links are followed.
    pub fn target(&self, sys: &System<'_>) -> Result<PathBuf> {
        let path: &Path = &self.path;
        // What may not be looked at is missing for Ansible, which says so by this code.
        match sys.stat(path).map_err(|failure| failure.with("rc", 257))? {
            Some(meta) if meta.is_link() => sys.resolve(path),
            _ => Ok(path.to_owned()),
        }
    }

    /// The text of the file; `None` when there is no file.
    pub fn read(&self, sys: &System<'_>, target: &Path) -> Result<Option<String>> {
        let Some(meta) = sys.stat_followed(target)? else { return Ok(None) };
        if meta.is_dir() {
            return Err(Failure::new(format!("Path {} is a directory !", self.path.text())).with("rc", 256));
        }
        let misfit = |misfit| {
            let (path, charset) = (self.path.text(), self.encoding);
            Failure::new(format!("{path} is not in {charset} ({misfit}): it was left as it is"))
        };
        self.encoding.decode(sys.read(target)?).map(Some).map_err(misfit)
    }

    /// Has the diff tell content and attributes apart, and tell of both whether they changed or not.
    pub fn shape_diff(&self, sys: &mut System<'_>, old: &str) {
        let path = self.path.text().into_owned().into();
        sys.shape_diff(Shape::Edited { path, content: old.to_owned() });
    }

    /// Writes the text back, with backup, validation and attributes. Says what was done: `msg`, and that the
    /// attributes changed.
    pub fn write(
        &self,
        sys: &mut System<'_>,
        target: &Path,
        text: &str,
        msg: &str,
    ) -> Result<(Written, String)> {
        let since = sys.changes().len();
        let options = WriteOptions {
            attributes: Some(&self.attributes),
            backup: self.backup,
            validate: self.validate.as_deref(),
            charset: self.encoding,
            ..WriteOptions::default()
        };
        let bytes = self.encoding.encode(text).map_err(|misfit| {
            let (path, charset) = (self.path.text(), self.encoding);
            Failure::new(format!("{path}: {charset} has no place for {misfit}: the file was left as it is"))
        })?;
        let written = sys
            .write_with(target, bytes.as_ref(), &options)
            .map_err(|failure| failure.without("exit_status").without("stdout").without("stderr"))?;
        let changed =
            sys.changes().iter().skip(since).any(|change| matches!(change, Change::Attribute { .. }));
        let also = if changed { "ownership, perms or SE linux context changed" } else { "" };
        let and = if msg.is_empty() || also.is_empty() { "" } else { " and " };
        Ok((written, format!("{msg}{and}{also}")))
    }
}

/// A pattern of the user's, searched for in single lines.
pub fn pattern(option: &str, text: &str, flags: Flags) -> Result<std::sync::Arc<Regex>> {
    Regex::cached(text, flags).map_err(|error| bad_pattern(option, &error))
}

/// What to say about a pattern or replacement that is no good.
pub fn bad_pattern(option: &str, error: &RegexError) -> Failure {
    Failure::new(format!("{option}: {error}"))
}

/// Splits into lines with their ends.
pub fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// With every line's end as `\n`: what Ansible leaves of a file of Windows when it changes a line of it.
pub fn universal(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n").into() } else { text.into() }
}

/// A line without its end.
pub fn bare(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}
