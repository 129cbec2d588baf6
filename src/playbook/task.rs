use std::sync::Arc;

use super::loader::Around;
use super::{Action, Keywords, Role, Setting};
use crate::diagnostic::Place;
use crate::value::Value;

/// A step of a play.
#[derive(Clone)]
pub enum Node {
    Task(Arc<Task>),
    Block(Arc<Block>),
    /// The role's last task is done. From here on, a host that ran at least one of its tasks skips every task
    /// of a role with the same [`Role::identity`], unless that one has `allow_duplicates`.
    RoleEnd(Arc<Role>),
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

#[derive(Clone)]
pub struct Task {
    pub place: Place,
    pub name: Option<Setting>,
    pub action: Action,
    pub keywords: Arc<Keywords>,
    pub role: Option<Arc<Role>>,
    pub repeat: Option<Loop>,
    pub loop_control: LoopControl,
    pub register: Vec<Projection>,
    pub until: Vec<Setting>,
    pub retries: Option<Setting>,
    pub delay: Option<Setting>,
    /// `async`: seconds the task may take in the background.
    pub background: Option<Setting>,
    /// Seconds between looks at a task in the background.
    pub poll: Option<Setting>,
    pub changed_when: Vec<Setting>,
    pub failed_when: Vec<Setting>,
    /// For handlers: the topics they answer to besides their name.
    pub listen: Vec<Setting>,
    pub is_handler: bool,
    /// For `include_tasks` and `include_role`.
    pub include: Option<Include>,
}

impl Task {
    /// A task that calls an action under a name, and no more.
    pub fn new(name: &str, action: Action, keywords: Arc<Keywords>, role: Option<Arc<Role>>) -> Self {
        let place = action.place.clone();
        Self {
            name: Some(Setting::new(name.into(), place.clone())),
            place,
            action,
            keywords,
            role,
            repeat: None,
            loop_control: LoopControl::default(),
            register: Vec::new(),
            until: Vec::new(),
            retries: None,
            delay: None,
            background: None,
            poll: None,
            changed_when: Vec::new(),
            failed_when: Vec::new(),
            listen: Vec::new(),
            is_handler: false,
            include: None,
        }
    }
}

/// A variable that `register` sets.
#[derive(Clone)]
pub struct Projection {
    pub name: String,
    /// The expression for its value; the whole result when not given.
    pub value: Option<Value>,
}

/// What the tasks of a dynamic include inherit: what is around it, its vars, and `apply`.
#[derive(Clone)]
pub struct Include {
    pub(super) around: Around,
    /// What tells uses of the same role apart.
    pub(super) identity: Arc<str>,
}

/// `loop:` or `with_<lookup>:`.
#[derive(Clone)]
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
