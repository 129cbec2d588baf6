//! Playbooks as plain data: loaded, checked, and with everything static resolved; nothing rendered.

use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostic::Place;
use crate::value::{Dict, Value};

/// One playbook file, with the plays of the playbooks it imports in place.
pub struct Playbook {
    pub path: PathBuf,
    pub plays: Vec<Play>,
}

/// A keyword's value as written: it may be a template.
#[derive(Clone, Debug)]
pub struct Setting {
    pub value: Value,
    pub place: Place,
}

/// Variables of one level: shared, never copied.
pub type Layer = Arc<Dict>;

pub struct Play {
    pub place: Place,
    pub name: Option<Setting>,
    /// A pattern or a list of patterns.
    pub hosts: Setting,
    pub keywords: Arc<Keywords>,
    pub vars: Layer,
    pub vars_files: Vec<Setting>,
    /// In the order they run: pre_tasks, roles, tasks, post_tasks. Handlers are flushed between sections.
    pub sections: [Vec<Node>; 4],
    /// The roles under `roles:`, dependencies first: what they bring to the whole play.
    pub roles: Vec<Arc<Role>>,
    /// Handlers of the roles first, then the play's own.
    pub handlers: Vec<Arc<Task>>,
    pub gather_facts: Option<Setting>,
    pub gather_subset: Option<Setting>,
    pub gather_timeout: Option<Setting>,
    pub fact_path: Option<Setting>,
    pub serial: Vec<Setting>,
    pub strategy: Option<Setting>,
    pub order: Option<Setting>,
    pub max_fail_percentage: Option<Setting>,
    pub force_handlers: Option<Setting>,
}

/// A step of a play.
#[derive(Clone)]
pub enum Node {
    Task(Arc<Task>),
    Block(Arc<Block>),
}

pub struct Block {
    pub place: Place,
    pub name: Option<Setting>,
    pub keywords: Arc<Keywords>,
    pub role: Option<Arc<Role>>,
    pub block: Vec<Node>,
    pub rescue: Vec<Node>,
    pub always: Vec<Node>,
}

/// The keywords that plays, roles, blocks and tasks share, as they are in force where they stand: what the
/// enclosing ones say is already merged in. Lists run from the outermost to the innermost.
#[derive(Clone, Debug, Default)]
pub struct Keywords {
    pub connection: Option<Setting>,
    pub port: Option<Setting>,
    pub remote_user: Option<Setting>,
    pub r#become: Option<Setting>,
    pub become_method: Option<Setting>,
    pub become_user: Option<Setting>,
    pub become_exe: Option<Setting>,
    pub become_flags: Option<Setting>,
    pub check_mode: Option<Setting>,
    pub diff: Option<Setting>,
    pub no_log: Option<Setting>,
    pub ignore_errors: Option<Setting>,
    pub ignore_unreachable: Option<Setting>,
    pub any_errors_fatal: Option<Setting>,
    pub run_once: Option<Setting>,
    pub throttle: Option<Setting>,
    pub timeout: Option<Setting>,
    pub delegate_to: Option<Setting>,
    pub delegate_facts: Option<Setting>,
    pub environment: Vec<Setting>,
    pub module_defaults: Vec<Setting>,
    pub when: Vec<Setting>,
    pub tags: Vec<Setting>,
    /// Vars of the enclosing blocks and includes, then the task's own. Not the play's.
    pub vars: Vec<Layer>,
    /// Vars given on enclosing `include_tasks`/`import_tasks` (level 21, above `set_fact`); they stand in
    /// `vars` too. Those of `include_role`/`import_role` are only in `vars`.
    pub params: Vec<Layer>,
}

pub struct Task {
    pub place: Place,
    pub name: Option<Setting>,
    pub action: Action,
    pub keywords: Arc<Keywords>,
    pub role: Option<Arc<Role>>,
    pub repeat: Option<Loop>,
    pub loop_control: LoopControl,
    pub register: Option<String>,
    pub until: Vec<Setting>,
    pub retries: Option<Setting>,
    pub delay: Option<Setting>,
    pub changed_when: Vec<Setting>,
    pub failed_when: Vec<Setting>,
    pub notify: Vec<Setting>,
    /// For handlers: the topics they answer to besides their name.
    pub listen: Vec<Setting>,
}

/// What a task calls.
pub struct Action {
    /// The canonical short name (`copy`, not `ansible.builtin.copy`).
    pub name: String,
    /// As the user wrote it.
    pub written: String,
    pub place: Place,
    /// Options by name. The text of a free-form action (`command`, `shell`, `raw`, `script`, `meta`,
    /// `include_tasks` …) stands under `_raw_params`.
    pub args: Dict,
    /// `args: "{{ a_dict }}"`: options that are known only when rendered; those in `args` win.
    pub computed: Option<Setting>,
}

/// `loop:` or `with_<lookup>:`.
pub struct Loop {
    /// `None` for `loop:`, the lookup's name for `with_…`.
    pub lookup: Option<String>,
    pub items: Setting,
}

#[derive(Clone, Debug, Default)]
pub struct LoopControl {
    pub loop_var: Option<Setting>,
    pub index_var: Option<Setting>,
    pub label: Option<Setting>,
    pub pause: Option<Setting>,
    pub extended: Option<Setting>,
    pub extended_allitems: Option<Setting>,
    pub break_when: Vec<Setting>,
}

/// A role as used in one place, with the params given there.
pub struct Role {
    pub name: String,
    pub path: PathBuf,
    pub place: Option<Place>,
    pub defaults: Layer,
    pub vars: Layer,
    pub params: Layer,
    /// The role that depends on this one, or whose task included it.
    pub parent: Option<Arc<Role>>,
    /// Roles named in `meta/main.yml`, already loaded.
    pub dependencies: Vec<Arc<Role>>,
    pub allow_duplicates: bool,
}
