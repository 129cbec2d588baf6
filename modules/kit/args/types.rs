//! The types of options that plain Rust types do not say.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::kit::charset::Charset;
use crate::kit::mode::Mode;

/// A path on the target, `~` and `$VAR` already expanded there.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FilePath(pub PathBuf);

impl FilePath {
    /// As text, for results. Paths come as JSON, so nothing is lost.
    pub fn text(&self) -> Cow<'_, str> {
        self.0.to_string_lossy()
    }
}

impl Deref for FilePath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for FilePath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl From<&str> for FilePath {
    fn from(text: &str) -> Self {
        Self(PathBuf::from(text))
    }
}

/// Text that never shows: `Debug` prints `***`, and the control node censors it.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A number of bytes, written `512`, `10K`, `1.5G`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ByteSize(pub u64);

macro_rules! schema {
    ($type:ty, $schema:tt) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

schema!(FilePath, {"kind": "path"});
schema!(Secret, {"kind": "str", "secret": true});
schema!(ByteSize, {"kind": "bytes"});
schema!(Mode, {"kind": "mode"});
schema!(Charset, {"kind": "str"});

/// What every module that places files takes. Used with `#[serde(flatten)]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
pub struct FileAttributes {
    /// The permissions, as octal text (`'0644'`) or symbolic (`u=rw,g=r,o=`). Quote octal modes: YAML 1.2 tools
    /// and Ansible read a bare `644` as decimal.
    pub mode: Option<Mode>,
    /// The owner, by name or number.
    pub owner: Option<String>,
    /// The group, by name or number.
    pub group: Option<String>,
    /// The user part of the SELinux context. `_default` takes the policy's.
    pub seuser: Option<String>,
    /// The role part of the SELinux context. `_default` takes the policy's.
    pub serole: Option<String>,
    /// The type part of the SELinux context. `_default` takes the policy's.
    pub setype: Option<String>,
    /// The level part (MLS/MCS range) of the SELinux context. `_default` takes the policy's.
    pub selevel: Option<String>,
    /// File attributes as `chattr` takes them: `+i`, `-a`, `=e`.
    #[schemars(extend("aliases" = ["attr"]))]
    pub attributes: Option<String>,
    /// Writes into the existing file where it cannot be replaced atomically (a file that is a mount point, as in
    /// containers). A reader may then see half of it. Where it is not given, the environment variable
    /// `ANSIBLE_UNSAFE_WRITES` of the target says so.
    #[schemars(extend("default" = false))]
    pub unsafe_writes: Option<bool>,
}
