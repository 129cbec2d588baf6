//! What modules are written with.
//!
//! A module is one file: a type `Args` (its doc comments are the documentation, its examples are tests) and
//! `run(args, &mut System) -> Result<impl Serialize>`, plus one line in the table of `lib.rs`.
//! `docs/guide/writing-a-module.md` walks through one.
//!
//! ```ignore
//! /// Manages groups.
//! ///
//! /// # Examples
//! ///
//! /// ```yaml
//! /// - name: The docker group exists
//! ///   group: {name: docker, gid: 999, system: yes}
//! /// ```
//! #[derive(Deserialize, JsonSchema)]
//! pub struct Args {
//!     /// Name of the group.
//!     pub name: String,
//!     /// Whether the group exists.
//!     #[serde(default)]
//!     pub state: State,
//!     /// The group's id; the system chooses when not given.
//!     pub gid: Option<u32>,
//! }
//! ```
//!
//! **Options.** A field is an option; `Option<T>` or `#[serde(default)]` makes it optional. An enum gives the
//! choices (`#[derive(Serialize, Deserialize, JsonSchema, Default)] #[serde(rename_all = "snake_case")]`:
//! `Serialize` so that the default is documented). Types with a loose form: [`FilePath`] (target path, `~` and
//! `$VAR` expanded there), [`Mode`], [`ByteSize`], [`Secret`], `Vec<T>` (`a,b` or one value), maps (JSON text),
//! `serde_json::Value` (anything). [`Suboptions`] reads what a mapping holds, as loosely.
//! [`FileAttributes`] (mode, owner, group …) comes with `#[serde(flatten)]`. Never
//! `#[serde(alias)]` or `deny_unknown_fields`: names are the [`Spec`]'s matter. On a field:
//! `#[schemars(extend("aliases" = ["dest", "name"]))]`. On `Args`: `extend("mutually_exclusive" = [["a", "b"]])`,
//! `required_one_of`, `required_together`, `required_if` (`[["state", "link", ["src"]]]`), `required_by`, and
//! `extend("free_form" = "cmd")` for a module that takes text.
//!
//! **Files of the control node.** [`ControlFile`] or [`ControlSource`] as the type; a field attribute
//! `extend("unless" = "remote_src")` names the boolean option that makes it a target path, and
//! `extend("control" = "template")` makes it a template. [`System::write_with`] takes a `&ControlFile` as content
//! and asks for the bytes only where they differ.
//!
//! **Reading**: `stat`, `stat_followed`, `exists`, `read`, `read_text_if_there`, `open`, `list`, `read_link`,
//! `resolve`, `access`, `checksum`, `file_facts`, `user`, `group`, `users`, `groups`, `which`, `env`, `expand`,
//! `identity`, `now`, `query` (a command that only looks), `connect`.
//!
//! **Changing**, all no-ops when already so: `write`, `write_with`, `remove`, `make_dirs`, `symlink`, `hard_link`,
//! `set_mode`, `set_owner`, `set_times`, `set_attributes`; `backup` (no change by itself). `exec` runs a command
//! and fails when it fails; `attempt` does not, and one that failed is no change; `exec_judged` and `attempt_judging`
//! let its output tell whether it changed anything; `attempt_users_own` counts whatever came of it;
//! all are `None` in check mode. `housekeep` is for what is no change (a cache is refreshed).
//!
//! **Results.** What `run` returns is serialised into the result; `changed`, `diff`, `warnings` are added. Errors
//! are [`Failure`]s: `fail!("…")`, or `Failure::new(msg).with("rc", rc)`; `?` on everything the System gives.

pub mod args;
pub mod background;
pub mod change;
pub mod charset;
mod command;
pub mod configparser;
pub mod control;
pub mod crypt;
pub mod csv;
pub mod custom;
pub mod digest;
pub mod edit;
pub mod encode;
pub mod flags;
pub mod glob;
pub mod host;
pub mod http;
pub mod memory;
pub mod mime;
mod mode;
pub mod netlink;
pub mod outcome;
pub mod overlay;
#[expect(clippy::disallowed_methods, reason = "this is where commands are run")]
mod process;
#[expect(clippy::disallowed_methods, reason = "this is what touches the machine")]
pub mod real;
pub mod regex;
pub mod returns;
pub mod serve;
pub mod suboptions;
pub mod system;
pub mod tls;
pub mod wire;
pub mod words;

#[cfg(test)]
pub(crate) mod trial;

pub use self::args::{ByteSize, FileAttributes, FilePath, Secret, Spec};
pub use self::command::{Command, Output, quote};
pub use self::control::{
    ControlFile, ControlScript, ControlSource, ControlTree, Inline, TreeEntry, TreeNode,
};
pub use self::digest::Algorithm;
pub use self::host::{Access, FileType, Meta, Time};
pub use self::mode::Mode;
pub use self::outcome::{Failure, Result};
pub use self::suboptions::Suboptions;
pub use self::system::{Content, FileFacts, Group, System, User, WantedFile, WriteOptions, Written};
pub use crate::{cmd, fail};
