use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

use super::event::{Event, Stats};
use super::lost::Lost;
use super::options::RunOptions;
use super::outbox::Outbox;
use crate::diagnostic::{Diagnostic, Result};
use crate::inventory::{self, Inventory};
use crate::playbook::{Layer, Loader};
use crate::target::Links;
use crate::value::{Dict, Value};
use crate::vars::{Hosts, Magic, RunFacts, Scope, ScopeParts, World};

/// What all plays of a run share.
pub struct Shared {
    pub options: RunOptions,
    pub inventory: RwLock<Inventory>,
    pub loader: Loader,
    pub links: Links,
    pub extra_vars: Layer,
    pub facts: Arc<RunFacts>,
    pub outbox: Outbox,
    /// What has been learnt of each host.
    pub hosts: Hosts,
    pub stats: Mutex<Stats>,
    pub lost: Mutex<Lost>,
    /// `set_stats`: shown at the end, per host or (under no host) for the run.
    pub custom_stats: Mutex<Dict>,
    pub started: Mutex<StartAt>,
    /// The error that broke the whole run off.
    broken: Mutex<Option<Diagnostic>>,
    /// Whether a question stands on the screen, and the cursor behind it.
    pub asking: AtomicBool,
    /// Whose turn it is with the task debugger.
    pub(super) debugging: tokio::sync::Mutex<()>,
    task_ids: AtomicU64,
    /// The directory whose `group_vars/` and `host_vars/` count besides the inventory's.
    playbook_dir: RwLock<PathBuf>,
}

/// `--start-at-task`: what was asked, until it was found.
pub enum StartAt {
    Waiting(String),
    Reached,
}

impl Shared {
    pub fn new(
        options: RunOptions,
        inventory: Inventory,
        loader: Loader,
        links: Links,
        extra_vars: Layer,
        facts: RunFacts,
        outbox: Outbox,
    ) -> Self {
        let started = options.start_at.clone().map_or(StartAt::Reached, StartAt::Waiting);
        Self {
            options,
            inventory: RwLock::new(inventory),
            loader,
            links,
            extra_vars,
            facts: Arc::new(facts),
            outbox,
            hosts: Hosts::default(),
            stats: Mutex::default(),
            lost: Mutex::default(),
            custom_stats: Mutex::default(),
            started: Mutex::new(started),
            broken: Mutex::default(),
            asking: AtomicBool::default(),
            debugging: tokio::sync::Mutex::default(),
            task_ids: AtomicU64::new(1),
            playbook_dir: RwLock::default(),
        }
    }

    pub fn emit(&self, event: Event) {
        self.outbox.send(event);
    }

    pub fn warn(&self, warning: Diagnostic) {
        self.emit(Event::Warning(warning));
    }

    /// Ends the whole run: the playbook itself is at fault, not a host. The first error stays.
    pub fn break_off(&self, error: Diagnostic) {
        self.broken.lock().get_or_insert(error);
    }

    pub fn is_broken(&self) -> bool {
        self.broken.lock().is_some()
    }

    pub fn take_broken(&self) -> Option<Diagnostic> {
        self.broken.lock().take()
    }

    pub fn next_task_id(&self) -> u64 {
        self.task_ids.fetch_add(1, Ordering::Relaxed)
    }

    pub fn set_playbook_dir(&self, dir: PathBuf) {
        *self.playbook_dir.write() = dir;
    }

    /// The inventory's layers for a host, or for one that only a delegation names, weakest first.
    pub fn inventory_layers(&self, host: &str) -> Result<Arc<[inventory::Layer]>> {
        self.inventory.read().delegate_layers(host, Some(&self.playbook_dir.read()))
    }

    /// The scope of a host outside any play.
    pub fn bare_scope(self: &Arc<Self>, host: &Arc<str>) -> Result<Scope> {
        let state = self.hosts.state(host);
        let magic = Magic {
            world: Arc::new(self.clone()),
            run: self.facts.clone(),
            play: None,
            host: host.clone(),
            role: None,
            files_dir: "files",
            task_dir: None,
            check: self.options.run.check,
            diff: self.options.run.diff,
            keywords: None,
            reached: None,
        };
        Ok(Scope::new(
            magic,
            ScopeParts {
                extra: self.extra_vars.clone(),
                merges: self.options.run.merges,
                set: state.set(),
                included: state.included(),
                facts: state.facts(),
                inventory: self.inventory_layers(host)?,
                ..ScopeParts::default()
            },
        ))
    }
}

impl World for Arc<Shared> {
    fn host_scope(&self, host: &str) -> Option<Scope> {
        let known = self.inventory.read().host(host).is_some();
        if !known && !is_local_name(host) {
            return None;
        }
        match self.bare_scope(&Arc::from(host)) {
            Ok(scope) => Some(scope),
            Err(error) => {
                self.warn(error);
                None
            }
        }
    }

    fn hosts(&self) -> Vec<Arc<str>> {
        self.inventory.read().hosts().map(|(name, _)| name.clone()).collect()
    }

    fn groups(&self) -> Value {
        Value::Dict(self.inventory.read().groups_dict())
    }

    fn group_names(&self, host: &str) -> Value {
        let names = self.inventory.read().group_names(host);
        Value::list(names.into_iter().map(Value::Str).collect())
    }

    fn inventory_file(&self, host: &str) -> Option<String> {
        let inventory = self.inventory.read();
        Some(inventory.host(host)?.inventory_file()?.to_string_lossy().into_owned())
    }
}

/// Names that mean the control node itself, even when no inventory has them.
pub fn is_local_name(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1")
}
