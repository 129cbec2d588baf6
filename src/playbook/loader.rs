use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Actions, Layer, Node, Playbook, Role, Task};
use crate::diagnostic::{Diagnostic, Result};

/// Where things are found.
pub struct LoadOptions {
    pub actions: Arc<dyn Actions>,
    /// Searched after `roles/` beside the playbook.
    pub roles_path: Vec<PathBuf>,
    /// Directories that hold `ansible_collections/`.
    pub collections_path: Vec<PathBuf>,
    /// Names of static imports may be templates over these and the play's vars.
    pub extra_vars: Layer,
}

/// Loads playbooks, and during the run what they include. One for the whole run: each file is parsed once,
/// and expanded once for each include task, whatever the number of hosts and items.
pub struct Loader {
    options: LoadOptions,
    warnings: Mutex<Vec<Diagnostic>>,
}

/// What `include_tasks` brings.
pub struct LoadedTasks {
    /// The file, absolute: what `included: …` shows.
    pub path: PathBuf,
    pub tasks: Arc<[Node]>,
    /// Roles of `import_role` in the file, and their handlers: they join the play.
    pub roles: Vec<Arc<Role>>,
    pub handlers: Vec<Arc<Task>>,
}

/// What `include_role` brings.
pub struct LoadedRole {
    pub role: Arc<Role>,
    /// Those of the dependencies first.
    pub tasks: Arc<[Node]>,
    /// Other roles that the role's tasks import: they join the play.
    pub roles: Vec<Arc<Role>>,
    pub handlers: Vec<Arc<Task>>,
}

/// The rendered options of `include_role`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleRequest {
    pub name: String,
    pub tasks_from: Option<String>,
    pub vars_from: Option<String>,
    pub defaults_from: Option<String>,
    pub handlers_from: Option<String>,
    pub allow_duplicates: bool,
}

impl Loader {
    pub fn new(options: LoadOptions) -> Self {
        Self { options, warnings: Mutex::default() }
    }

    /// Loads a playbook with everything static in place.
    pub fn playbook(&self, path: &Path) -> Result<Playbook> {
        Err(Diagnostic::new(format!("not built yet: {}", path.display())))
    }

    /// The tasks of `include_tasks`; `file` is the rendered name. For an include among handlers they are
    /// handlers. An error is the include task's failure.
    pub fn include_tasks(&self, include: &Arc<Task>, file: &str) -> Result<Arc<LoadedTasks>> {
        Err(Diagnostic::new(format!("not built yet: {file}")).at(&include.place))
    }

    /// The role of `include_role`.
    pub fn include_role(&self, include: &Arc<Task>, request: &RoleRequest) -> Result<Arc<LoadedRole>> {
        Err(Diagnostic::new(format!("not built yet: {}", request.name)).at(&include.place))
    }

    /// Takes the warnings that came up since the last call.
    pub fn take_warnings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
