use std::sync::Arc;

use super::Setting;
use super::loader::Around;
use crate::custom::Custom;
use crate::diagnostic::{Place, Result};
use crate::value::Dict;

/// What a task calls.
#[derive(Clone, Debug)]
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
    /// Of an action whose name is a template, `name` is empty until the run.
    pub dynamic: Option<Dynamic>,
    /// The user's own module that is called, or why it cannot be.
    pub custom: Option<Result<Arc<Custom>>>,
}

impl Action {
    /// A call that no file holds: `written` as the user would write it.
    pub fn new(written: &str, place: Place, args: Dict) -> Self {
        let name = fanfare_modules::short(written).to_owned();
        Self { name, written: written.to_owned(), place, args, computed: None, dynamic: None, custom: None }
    }
}

/// `action: "{{ name }} key=value"`: what is called is known only in the run.
#[derive(Clone, Debug)]
pub struct Dynamic {
    pub name: Setting,
    /// What stands behind the name.
    pub text: Setting,
    /// Where the user's own modules are looked for.
    pub(super) around: Around,
}

/// The modules and actions there are: the loader checks names and options against it.
pub trait Actions: Send + Sync {
    /// What `name` (`copy`, `ansible.builtin.copy`, `ansible.legacy.copy`) stands for.
    fn resolve(&self, name: &str) -> Option<Known>;

    /// Whether a name that stands for nothing here is a module of Ansible's or of a collection.
    fn is_foreign(&self, name: &str) -> bool;

    /// Every short name, for did-you-mean.
    fn names(&self) -> Vec<String>;

    /// Checks what can be known before rendering: names of options, required ones, choices and types of
    /// values that are no templates. `complete` is false when some options are still to be computed
    /// (`args: "{{ … }}"`, `module_defaults`): then none is missing yet.
    fn check(&self, canonical: &str, args: &Dict, complete: bool) -> std::result::Result<(), Misuse>;
}

/// A name resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The canonical short name.
    pub canonical: String,
    /// Whether text without `key=` is allowed and stands under `_raw_params`.
    pub free_form: bool,
}

/// What is wrong with an action's options.
#[derive(Clone, Debug)]
pub struct Misuse {
    /// The option to point at; the action's name when `None`.
    pub option: Option<String>,
    /// Point at the option's value rather than at its name.
    pub value: bool,
    pub message: String,
    pub hints: Vec<String>,
}
