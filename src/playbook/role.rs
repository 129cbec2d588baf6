use std::path::PathBuf;
use std::sync::Arc;

use super::Layer;
use crate::diagnostic::Place;

/// A role as used in one place, with the params given there.
#[derive(Clone, Debug)]
pub struct Role {
    pub name: String,
    pub path: PathBuf,
    pub place: Option<Place>,
    pub defaults: Layer,
    /// `vars/` of the role. `vars:` where it is used are keywords of its tasks.
    pub vars: Layer,
    pub params: Layer,
    /// The role that depends on this one, or whose task included it; without its dependencies, when this
    /// one is among them.
    pub parent: Option<Arc<Role>>,
    /// Whether the parent depends on it, rather than having a task that uses it.
    pub is_dependency: bool,
    /// Roles named in `meta/main.yml`, already loaded.
    pub dependencies: Vec<Arc<Role>>,
    pub allow_duplicates: bool,
    /// Two uses with the same identity (path, params, vars, tags, when …) count as the same role.
    pub identity: Arc<str>,
}
