//! One play on one batch of hosts: what its tasks share.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexSet;
use parking_lot::{Mutex, RwLock};
use tokio::sync::Semaphore;

use super::ahead::Convoys;
use super::event::{TaskInfo, TaskKind};
use super::settings;
use super::shared::{Shared, is_local_name};
use super::vars_files::VarsFiles;
use crate::diagnostic::Result;
use crate::playbook::{Keywords, Layer, Play, Role, Setting, Task};
use crate::template::{self, Context};
use crate::value::{Dict, Value};
use crate::vars::{Magic, PlayFacts, Reached, RoleVars, Scope, ScopeParts, role_vars};

/// A play being run on a batch.
pub(super) struct Batch {
    pub run: Arc<Shared>,
    pub play: Arc<Play>,
    pub facts: Arc<PlayFacts>,
    pub handlers: RwLock<Vec<Arc<Task>>>,
    /// Names that hosts notified, which the next flush makes handlers of: an include may still bring better ones.
    pub notices: Mutex<IndexSet<(Arc<str>, String)>>,
    /// Handler (by index) -> hosts that notified it, in order.
    pub notified: Mutex<HashMap<usize, IndexSet<Arc<str>>>>,
    /// `meta: end_play` or a fatal error: nothing more runs.
    pub over: Mutex<bool>,
    /// `meta: end_play`: the other batches do not run either.
    pub play_over: Mutex<bool>,
    /// `max_fail_percentage`.
    pub most_failed: Option<f64>,
    /// More hosts failed than `max_fail_percentage` allows.
    pub fatal: Mutex<bool>,
    /// Hosts that failed only because another could not be reached.
    pub followers: Mutex<HashSet<Arc<str>>>,
    /// Hosts whose failure no `meta: clear_host_errors` has come after.
    pub failing: Mutex<HashSet<Arc<str>>>,
    /// Each host's finished roles: see `Node::RoleEnd`.
    roles_done: Mutex<HashSet<(Arc<str>, Arc<str>)>>,
    roles_begun: Mutex<HashSet<(Arc<str>, Arc<str>)>>,
    /// Hosts that left a role early (`meta: end_role`).
    pub roles_left: Mutex<HashSet<(Arc<str>, Arc<str>)>>,
    /// Vars and defaults that the play's roles share with all of its tasks.
    exported: RwLock<(Layer, Layer)>,
    merged_roles: Mutex<HashMap<usize, (Arc<Role>, RoleVars)>>,
    vars_files: VarsFiles,
    /// Where every host goes its own way: how many may be at a task with `throttle` at once, by the task's address.
    throttled: Mutex<HashMap<usize, Arc<Semaphore>>>,
    /// Tasks that were sent ahead of their turn.
    pub(super) convoys: Mutex<Convoys>,
    /// One banner a task, whichever host or include comes to it: see [`Batch::info`].
    pub banners: Mutex<Option<u64>>,
}

impl Batch {
    pub fn new(run: Arc<Shared>, play: Arc<Play>, facts: Arc<PlayFacts>, most_failed: Option<f64>) -> Self {
        let merges = run.options.run.merges;
        let mut vars = Dict::new();
        let mut defaults = Dict::new();
        for role in &play.roles {
            crate::vars::export(role, &mut defaults, &mut vars, merges);
        }
        let handlers = RwLock::new(play.handlers.clone());
        Self {
            run,
            play,
            facts,
            handlers,
            notices: Mutex::default(),
            notified: Mutex::default(),
            over: Mutex::default(),
            play_over: Mutex::default(),
            most_failed,
            fatal: Mutex::default(),
            followers: Mutex::default(),
            failing: Mutex::default(),
            roles_done: Mutex::default(),
            roles_begun: Mutex::default(),
            roles_left: Mutex::default(),
            exported: RwLock::new((Arc::new(vars), Arc::new(defaults))),
            merged_roles: Mutex::default(),
            vars_files: VarsFiles::new(merges),
            throttled: Mutex::default(),
            convoys: Mutex::default(),
            banners: Mutex::default(),
        }
    }

    /// The variables for a host and a task. `inner` are the loop variables of enclosing includes.
    pub fn scope(&self, host: &Arc<str>, task: Option<&Task>, inner: &[Layer]) -> Result<Scope> {
        let state = self.run.hosts.state(host);
        let role = task.and_then(|task| task.role.clone());
        let (play_role_vars, play_role_defaults) = self.exported.read().clone();
        let facts = state.facts();
        let mut parts = ScopeParts {
            extra: self.run.extra_vars.clone(),
            keywords: task.map(|task| task.keywords.as_ref()),
            role: role.as_ref().map(|role| self.merged(role)),
            set: state.set(),
            included: state.included(),
            play_role_vars,
            vars_files: Vec::new(),
            play_vars: self.play.vars.clone(),
            facts,
            inventory: self.run.inventory_layers(host)?,
            play_role_defaults,
            inner: inner.to_vec(),
            merges: self.run.options.run.merges,
        };
        let magic = Magic {
            world: Arc::new(self.run.clone()),
            run: self.run.facts.clone(),
            play: Some(self.facts.clone()),
            host: host.clone(),
            role,
            files_dir: task.map_or("files", |task| files_dir(&task.action.name)),
            task_dir: task.and_then(|task| directory(&task.place.source.path)),
            check: self.run.options.run.check,
            diff: self.run.options.run.diff,
            keywords: task.map(|task| task.keywords.clone()),
            reached: task.map(|task| self.reached(host, task)),
        };
        if !self.play.vars_files.is_empty() {
            let has_facts = !parts.facts.injected.is_empty();
            let scope = || Scope::new(magic.clone(), parts.without_task());
            parts.vars_files = self.vars_files.of(host, &self.play, has_facts, scope)?;
        }
        Ok(Scope::new(magic, parts))
    }

    /// How a host is reached, but for what its variables say.
    pub fn reached(&self, host: &Arc<str>, task: &Task) -> Reached {
        let options = &self.run.options.connection;
        let implicit = is_local_name(host) && self.run.inventory.read().host(host).is_none();
        let keyword = |pick: fn(&Keywords) -> &Option<Setting>| {
            pick(&task.keywords).as_ref().map(|setting| setting.value.clone())
        };
        let connection = match keyword(|keywords| &keywords.connection) {
            _ if implicit => "local".into(),
            Some(connection) => connection,
            None => options.kind.name().into(),
        };
        let user =
            keyword(|keywords| &keywords.remote_user).or_else(|| options.user.as_deref().map(Value::from));
        let password = options.password.as_ref().map(|password| Value::from(password.expose()));
        Reached { host: Value::Str(host.clone()), connection, user, password }
    }

    fn merged(&self, role: &Arc<Role>) -> RoleVars {
        let mut cache = self.merged_roles.lock();
        // The role is kept beside its vars, so that no other can come to live at the same address.
        let key = Arc::as_ptr(role) as usize;
        cache
            .entry(key)
            .or_insert_with(|| (role.clone(), role_vars(role, self.run.options.run.merges)))
            .1
            .clone()
    }

    /// Takes in what an include brought to the whole play: handlers, and roles whose vars all tasks see.
    pub fn adopt(&self, roles: &[Arc<Role>], handlers: &[Arc<Task>]) {
        let mut known = self.handlers.write();
        for handler in handlers {
            if !known.iter().any(|known| Arc::ptr_eq(known, handler)) {
                known.push(handler.clone());
            }
        }
        for role in roles {
            let mut exported = self.exported.write();
            let (vars, defaults) = &mut *exported;
            let merges = self.run.options.run.merges;
            crate::vars::export(role, Arc::make_mut(defaults), Arc::make_mut(vars), merges);
        }
    }

    /// Whether a host is to leave out a task because its role has already run there, or was left early.
    pub fn role_is_over(&self, host: &Arc<str>, task: &Task) -> bool {
        let Some(role) = &task.role else { return false };
        let key = (host.clone(), role.identity.clone());
        if self.roles_left.lock().contains(&key) {
            return true;
        }
        !role.allow_duplicates && self.roles_done.lock().contains(&key)
    }

    pub fn begin_role(&self, host: &Arc<str>, role: &Role) {
        self.roles_begun.lock().insert((host.clone(), role.identity.clone()));
    }

    pub fn end_role(&self, hosts: &[Arc<str>], role: &Role) {
        let begun = self.roles_begun.lock();
        let mut done = self.roles_done.lock();
        let mut left = self.roles_left.lock();
        for host in hosts {
            let key = (host.clone(), role.identity.clone());
            left.remove(&key);
            if begun.contains(&key) {
                done.insert(key);
            }
        }
    }

    /// Describes a task to the callbacks, with its name rendered for `host` as far as it can be.
    pub fn info(&self, task: &Task, scope: &Scope, kind: TaskKind) -> TaskInfo {
        let context = Context::new(scope);
        let keywords = &task.keywords;
        let is_include_role = task.action.name == "include_role";
        let name = match &task.name {
            Some(name) => {
                let (text, errors) = template::render_shown(&name.value, &context);
                for error in errors {
                    self.run.warn(error.context("The name of a task cannot be rendered").at(&name.place));
                }
                // A name that comes to nothing is none.
                if text.is_empty() { task.action.written.clone() } else { text }
            }
            None => match task.action.args.get("name").or(task.action.args.get("role")) {
                Some(role) if is_include_role => format!("{} : {role}", task.action.written),
                _ => task.action.written.clone(),
            },
        };
        let name = match &task.role {
            Some(role) if !is_include_role => format!("{} : {name}", role.name),
            _ => name,
        };
        let options = &self.run.options;
        TaskInfo {
            id: self.run.next_task_id(),
            name: name.trim().to_owned(),
            action: task.action.name.clone(),
            place: Some(task.place.clone()),
            kind,
            check: settings::flag(keywords.check_mode.as_ref(), options.run.check, &context)
                .unwrap_or(options.run.check),
            no_log: self.hides(task, &context),
        }
    }

    /// Whether `no_log` is in force; where nobody can say, it is.
    fn hides(&self, task: &Task, context: &Context<'_>) -> bool {
        let default = self.run.options.run.no_log;
        settings::flag(task.keywords.no_log.as_ref(), default, context).unwrap_or(true)
    }

    /// The task as it is told of for one host, whose own `no_log` may be another than that of the first one.
    pub fn info_of(&self, info: &Arc<TaskInfo>, task: &Task, scope: &Scope) -> Arc<TaskInfo> {
        let setting = task.keywords.no_log.as_ref();
        if !setting.is_some_and(|setting| matches!(setting.value, Value::Template(_) | Value::Vault(_))) {
            return info.clone();
        }
        Arc::new(TaskInfo { no_log: self.hides(task, &Context::new(scope)), ..TaskInfo::clone(info) })
    }

    /// Describes a task to the callbacks where nothing can be rendered.
    pub fn plain_info(&self, task: &Task, kind: TaskKind) -> TaskInfo {
        TaskInfo {
            id: self.run.next_task_id(),
            name: task.action.written.clone(),
            action: task.action.name.clone(),
            place: Some(task.place.clone()),
            kind,
            check: self.run.options.run.check,
            no_log: task.keywords.no_log.is_some() || self.run.options.run.no_log,
        }
    }

    /// What a host waits for before a task with `throttle`; `None` where nothing limits it.
    pub fn turns(&self, task: &Arc<Task>, width: usize) -> Option<Arc<Semaphore>> {
        task.keywords.throttle.as_ref()?;
        let key = Arc::as_ptr(task).addr();
        Some(self.throttled.lock().entry(key).or_insert_with(|| Arc::new(Semaphore::new(width))).clone())
    }

    pub fn is_fatal_end(&self) -> bool {
        *self.fatal.lock()
    }

    /// Stops the play for all hosts because of failures.
    pub fn stop_fatally(&self) {
        *self.over.lock() = true;
        *self.fatal.lock() = true;
    }

    /// Whether nothing more is to run.
    pub fn is_over(&self) -> bool {
        *self.over.lock() || self.run.is_broken()
    }
}

fn directory(path: &Path) -> Option<Arc<Path>> {
    path.parent().map(Arc::from)
}

/// Files lie in `files`, those of a template task in `templates`, those of `include_vars` in `vars`.
fn files_dir(action: &str) -> &'static str {
    match action {
        "template" => "templates",
        "include_vars" => "vars",
        _ => "files",
    }
}
