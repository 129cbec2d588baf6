use std::path::PathBuf;
use std::sync::Arc;

use super::{Keywords, Layer, Node, Role, Setting, Task};
use crate::config::Strategy;
use crate::diagnostic::Place;

/// One playbook file, with the plays of the playbooks it imports in place.
pub struct Playbook {
    pub path: PathBuf,
    pub plays: Vec<Play>,
}

pub struct Play {
    pub place: Place,
    /// The file the play stands in: not the playbook's when it was imported. `playbook_dir` and the search
    /// for files follow it.
    pub path: PathBuf,
    pub name: Option<Setting>,
    /// A pattern or a list of patterns.
    pub hosts: Setting,
    /// `when` is set only by `import_playbook`, and holds for gathering facts too.
    pub keywords: Arc<Keywords>,
    /// The play's own, over those given where it was imported.
    pub vars: Layer,
    /// Each a path, or a list of paths of which the first that exists is taken.
    pub vars_files: Vec<Setting>,
    /// `vars_prompt`: what to ask the operator for before the play begins.
    pub prompts: Vec<Prompt>,
    /// `validate_argspec`: the task that judges the play's variables, before all sections.
    pub validation: Option<Node>,
    /// In the order they run: pre_tasks, roles, tasks, post_tasks. Handlers are flushed between sections.
    pub sections: [Vec<Node>; 4],
    /// The roles under `roles:` and of `import_role`, dependencies first: what they bring to the whole play.
    pub roles: Vec<Arc<Role>>,
    /// Handlers of the roles first, then the play's own.
    pub handlers: Vec<Arc<Task>>,
    pub gather_facts: Option<Setting>,
    pub gather_subset: Option<Setting>,
    pub gather_timeout: Option<Setting>,
    pub fact_path: Option<Setting>,
    pub serial: Vec<Setting>,
    pub strategy: Option<Strategy>,
    pub order: Option<Setting>,
    pub max_fail_percentage: Option<Setting>,
    pub force_handlers: Option<Setting>,
}

/// One entry of `vars_prompt`.
pub struct Prompt {
    pub name: Setting,
    /// What to ask; the name when not given.
    pub prompt: Option<Setting>,
    pub default: Option<Setting>,
    /// Whether the answer stays hidden; yes when not given.
    pub private: Option<Setting>,
    /// Whether it is asked for twice.
    pub confirm: Option<Setting>,
    /// How the answer is hashed.
    pub encrypt: Option<Setting>,
    pub salt_size: Option<Setting>,
    pub salt: Option<Setting>,
    /// Whether the answer may hold braces that are no template.
    pub is_unsafe: Option<Setting>,
}
