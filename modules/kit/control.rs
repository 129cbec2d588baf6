//! Files of the control node as arguments.
//!
//! The control node puts a manifest in the place of the path the user wrote. The worker compares it with what is
//! there and asks for the content (a Need frame with the SHA-1 as key) only where it differs. Small content
//! travels in the manifest itself, which saves the question.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Content up to this many bytes should be sent inline.
pub const INLINE_BYTES: u64 = 4096;

/// One file of the control node.
///
/// As an argument it is declared `#[schemars(extend("control" = "file"))]` (or `template`): see
/// [`ControlUse`](crate::kit::args::ControlUse).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlFile {
    /// The file's name without directories.
    pub name: String,
    /// Where it is on the control node, for messages and results.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    pub size: u64,
    /// In lower-case hex: also the key under which the worker asks for the content.
    pub sha1: String,
    /// `sha1` is but a key: the control node takes the SHA-1 of so large a file only where it is asked
    /// ([`System::sha1_of`](crate::kit::System::sha1_of)). Who gets the content takes it of that.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unhashed: bool,
    /// Its permission bits, for `mode: preserve`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// The content, when it is small.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Inline>,
}

/// Content within a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inline {
    Text(String),
    Base64(String),
}

/// A directory of the control node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlTree {
    /// The directory's name without its parents.
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The user wrote a trailing slash: what is in it is meant, not the directory itself.
    #[serde(default)]
    pub contents_only: bool,
    /// Its permission bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// Parents before what is in them.
    pub entries: Vec<TreeEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeEntry {
    /// Relative to the tree, with `/`.
    pub path: String,
    #[serde(flatten)]
    pub what: TreeNode,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum TreeNode {
    File(ControlFile),
    Dir {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<u32>,
    },
    /// A symbolic link that is kept as one (`local_follow: no`).
    Link {
        target: String,
    },
}

/// What a `control: tree` option holds: a file, a directory, or (with `remote_src`) a path on the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ControlSource {
    Tree(ControlTree),
    File(ControlFile),
    Path(String),
}

/// A script of the control node with its arguments: what `cmd: "path/to/script a b"` becomes. The first word
/// (split as a shell does) is the file, the rest stays as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlScript {
    pub file: ControlFile,
    #[serde(default)]
    pub arguments: String,
}

impl ControlFile {
    /// A manifest with its content within.
    pub fn inline(name: impl Into<String>, content: &[u8]) -> Self {
        let inline = match std::str::from_utf8(content) {
            Ok(text) => Inline::Text(text.to_owned()),
            Err(_) => Inline::Base64(crate::kit::encode::base64(content)),
        };
        Self { content: Some(inline), ..Self::manifest(name, content) }
    }

    /// A manifest without content.
    pub fn manifest(name: impl Into<String>, content: &[u8]) -> Self {
        Self {
            name: name.into(),
            source: String::new(),
            size: content.len() as u64,
            sha1: crate::kit::digest::sha1_hex(content),
            unhashed: false,
            mode: None,
            content: None,
        }
    }

    /// The content within, decoded; `None` when it must be asked for.
    pub fn inline_bytes(&self) -> Option<Result<Cow<'_, [u8]>, String>> {
        Some(match self.content.as_ref()? {
            Inline::Text(text) => Ok(Cow::Borrowed(text.as_bytes())),
            Inline::Base64(text) => crate::kit::encode::from_base64(text).map(Cow::Owned),
        })
    }
}

/// The key under which the SHA-1 of a content is asked for that was not known yet.
pub fn key_of_sha1(key: &str) -> String {
    format!("sha1 of {key}")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

macro_rules! control_schema {
    ($type:ty, $control:literal) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"kind": "control", "control": $control})
            }
        }
    };
}

control_schema!(ControlFile, "file");
control_schema!(ControlScript, "script");
control_schema!(ControlTree, "tree");
control_schema!(ControlSource, "tree");
