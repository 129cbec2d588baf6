//! From files to plays: reads, checks, and puts everything static in its place.

mod action;
mod adhoc;
mod argument_specs;
mod around;
mod block;
mod called;
mod elsewhere;
mod fields;
mod files;
mod import;
mod include;
mod merge;
mod meta;
mod options;
mod play;
mod prompts;
mod repeat;
mod role;
mod search;
mod task;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) use around::Around;

use super::{Actions, Dynamic, Layer, Node, Playbook, Role, Task};
use crate::custom::Custom;
use crate::diagnostic::{Diagnostic, Result};

/// Where things are found.
pub struct LoadOptions {
    pub actions: Arc<dyn Actions>,
    /// Searched after `roles/` beside the playbook.
    pub roles_path: Vec<PathBuf>,
    /// Directories that hold `ansible_collections/`.
    pub collections_path: Vec<PathBuf>,
    /// Directories of custom modules, of what they import, and of action plugins, besides those that go with playbooks and
    /// roles.
    pub module_path: Vec<PathBuf>,
    pub module_utils_path: Vec<PathBuf>,
    pub action_path: Vec<PathBuf>,
    /// Whether the variables of roles are seen by their roles alone; where nothing is said, those of `include_role` are.
    pub private_role_vars: Option<bool>,
    /// Names of static imports may be templates over these and the play's vars.
    pub extra_vars: Layer,
    /// `groups`, where patterns of hosts are rendered without a run.
    pub groups: Layer,
    pub purpose: Purpose,
}

/// What the playbooks are loaded for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// What is sure to fail is an error now.
    #[default]
    Run,
    /// Modules that are not here, and wrong options of those that are, are warnings.
    Listing,
}

/// Loads playbooks, and during the run what they include. One for the whole run: each file is parsed once,
/// and expanded once for each include task, whatever the number of hosts and items.
pub struct Loader {
    options: LoadOptions,
    /// Where paths of messages are relative to.
    cwd: PathBuf,
    files: Mutex<HashMap<PathBuf, Result<files::File>>>,
    included_tasks: Mutex<HashMap<TasksRequest, Arc<LoadedTasks>>>,
    included_roles: Mutex<HashMap<(TaskId, RoleRequest), Arc<LoadedRole>>>,
    /// Tasks whose module's name is a template, by that name.
    named_tasks: Mutex<HashMap<(TaskId, String), Arc<Task>>>,
    /// Tasks whose address is a key of the maps above: kept, so that no other task gets it.
    kept: Mutex<Vec<Arc<Task>>>,
    warnings: Mutex<Vec<Diagnostic>>,
    /// The directories of the playbooks of the command line, which may have `collections/` in them.
    playbooks: Mutex<Vec<PathBuf>>,
    /// The directories of playbooks and roles so far: each may have modules of its own.
    plugin_dirs: Mutex<Vec<PathBuf>>,
    /// Custom modules by their files.
    customs: Mutex<HashMap<PathBuf, Result<Arc<Custom>>>>,
}

/// The address of a task.
type TaskId = usize;

/// An `include_tasks`, the file it came to, and the tags it gives.
type TasksRequest = (TaskId, PathBuf, Vec<String>);

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
    /// Whether the role's argument spec is checked first.
    pub rolespec_validate: bool,
    /// The tags of `apply` that were templates.
    pub tags: Vec<String>,
}

/// What static imports bring to the whole play.
#[derive(Default)]
struct Found {
    roles: Vec<Arc<Role>>,
    handlers: Vec<Arc<Task>>,
    /// Identities of the roles whose handlers are here.
    seen: HashSet<Arc<str>>,
}

impl Loader {
    pub fn new(options: LoadOptions) -> Self {
        Self {
            options,
            cwd: std::env::current_dir().unwrap_or_default(),
            files: Mutex::default(),
            included_tasks: Mutex::default(),
            included_roles: Mutex::default(),
            named_tasks: Mutex::default(),
            kept: Mutex::default(),
            warnings: Mutex::default(),
            playbooks: Mutex::default(),
            plugin_dirs: Mutex::default(),
            customs: Mutex::default(),
        }
    }

    /// Loads a playbook with everything static in place.
    pub fn playbook(&self, path: &Path) -> Result<Playbook> {
        self.load_playbook(path)
    }

    /// The tasks of `include_tasks`; `file` is the rendered name, `tags` those of `apply` that were templates. For
    /// an include among handlers they are handlers.
    pub fn include_tasks(
        &self,
        include: &Arc<Task>,
        file: &str,
        tags: &[String],
    ) -> Result<Arc<LoadedTasks>> {
        let path = self.find_included(include, file)?;
        let key = (id(include), path.clone(), tags.to_vec());
        if let Some(loaded) = locked(&self.included_tasks).get(&key) {
            return Ok(loaded.clone());
        }
        let loaded = Arc::new(self.load_included_tasks(include, path, tags)?);
        self.keep(include);
        Ok(locked(&self.included_tasks).entry(key).or_insert(loaded).clone())
    }

    /// The role of `include_role`.
    pub fn include_role(&self, include: &Arc<Task>, request: &RoleRequest) -> Result<Arc<LoadedRole>> {
        let key = (id(include), request.clone());
        if let Some(loaded) = locked(&self.included_roles).get(&key) {
            return Ok(loaded.clone());
        }
        let loaded = Arc::new(self.load_included_role(include, request)?);
        self.keep(include);
        Ok(locked(&self.included_roles).entry(key).or_insert(loaded).clone())
    }

    /// A task whose module's name is a template, once that has come to `name`.
    pub fn name_task(&self, task: &Arc<Task>, dynamic: &Dynamic, name: &str) -> Result<Arc<Task>> {
        let key = (id(task), name.to_owned());
        if let Some(named) = locked(&self.named_tasks).get(&key) {
            return Ok(named.clone());
        }
        let named = Arc::new(self.named_task(task, dynamic, name)?);
        self.keep(task);
        Ok(locked(&self.named_tasks).entry(key).or_insert(named).clone())
    }

    /// Takes the warnings that came up since the last call.
    pub fn take_warnings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut *locked(&self.warnings))
    }

    fn warn(&self, warning: Diagnostic) {
        locked(&self.warnings).push(warning);
    }

    /// Warns unless the same was said already, of whatever place.
    fn warn_once(&self, warning: Diagnostic) {
        let mut warnings = locked(&self.warnings);
        if !warnings.iter().any(|earlier| earlier.message() == warning.message()) {
            warnings.push(warning);
        }
    }

    /// What keeps a playbook from running, but not from being listed.
    fn refuse<T: Default>(&self, error: Diagnostic) -> Result<T> {
        match self.options.purpose {
            Purpose::Run => Err(error),
            Purpose::Listing => {
                self.warn(error);
                Ok(T::default())
            }
        }
    }

    fn keep(&self, include: &Arc<Task>) {
        let mut kept = locked(&self.kept);
        if !kept.iter().any(|task| Arc::ptr_eq(task, include)) {
            kept.push(include.clone());
        }
    }
}

fn id(task: &Arc<Task>) -> TaskId {
    Arc::as_ptr(task).addr()
}

/// A panic elsewhere does not make caches unusable.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
