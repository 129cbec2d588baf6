//! Playbooks as plain data: loaded, checked, and with everything static resolved; nothing rendered.

mod action;
pub mod keyword;
mod keywords;
mod list;
mod loader;
mod play;
pub mod reserved;
mod role;
pub(crate) mod split;
mod start;
mod tags;
mod task;

use std::sync::Arc;

pub use action::{Action, Actions, Dynamic, Known, Misuse};
pub use keywords::Keywords;
pub use list::{Listing, list};
pub use loader::{LoadOptions, LoadedRole, LoadedTasks, Loader, Purpose, RoleRequest};
pub use play::{Play, Playbook, Prompt};
pub use role::Role;
pub use start::{find_start, name_matches};
pub use tags::{effective, is_selected, unknown_tags};
pub use task::{Block, Include, Loop, LoopControl, Node, Projection, Task};

use crate::diagnostic::Place;
use crate::value::{Dict, Value};

/// A keyword's value as written: it may be a template. What is no template already has the keyword's type:
/// `become: "yes"` is `Bool(true)` here.
#[derive(Clone, Debug)]
pub struct Setting {
    pub value: Value,
    pub place: Place,
    /// What the things around say, which holds where this comes to `omit`.
    pub outer: Option<Arc<Setting>>,
}

impl Setting {
    pub fn new(value: Value, place: Place) -> Self {
        Self { value, place, outer: None }
    }
}

/// Variables of one level: shared, never copied.
pub type Layer = Arc<Dict>;
