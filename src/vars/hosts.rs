use std::sync::Arc;

use indexmap::IndexMap;
use parking_lot::{Mutex, RwLock};

use crate::playbook::Layer;
use crate::value::{Dict, Value};

/// What a run has learnt about each host. Shared by all plays of the run.
#[derive(Default)]
pub struct Hosts(RwLock<IndexMap<Arc<str>, Arc<HostState>>>);

impl Hosts {
    /// The state of a host, empty at first sight.
    pub fn state(&self, host: &Arc<str>) -> Arc<HostState> {
        if let Some(state) = self.0.read().get(host) {
            return state.clone();
        }
        self.0.write().entry(host.clone()).or_default().clone()
    }
}

/// What tasks have set for one host.
#[derive(Default)]
pub struct HostState {
    /// Level 19: `set_fact` and `register`.
    set: Mutex<Layer>,
    /// Level 18: `include_vars`.
    included: Mutex<Layer>,
    /// Level 11: what `setup` and other modules returned under `ansible_facts`.
    facts: Mutex<Facts>,
}

/// Facts in both forms in which playbooks read them.
#[derive(Clone, Default)]
pub struct Facts {
    /// As returned: `ansible_os_family`, also injected as variables.
    pub injected: Layer,
    /// Without the prefix: what `ansible_facts` holds.
    pub namespaced: Layer,
}

impl HostState {
    pub fn set(&self) -> Layer {
        self.set.lock().clone()
    }

    pub fn included(&self) -> Layer {
        self.included.lock().clone()
    }

    pub fn facts(&self) -> Facts {
        self.facts.lock().clone()
    }

    /// Registers a result or sets a fact for the rest of the run.
    pub fn set_var(&self, name: impl Into<Value>, value: Value) {
        Arc::make_mut(&mut self.set.lock()).insert(name, value);
    }

    pub fn include(&self, vars: &Dict) {
        Arc::make_mut(&mut self.included.lock()).extend(vars.iter().map(|(k, v)| (k.clone(), v.clone())));
    }

    pub fn add_facts(&self, new: &Dict) {
        let mut facts = self.facts.lock();
        for (key, value) in new {
            let stripped = match key.as_str().and_then(|name| name.strip_prefix("ansible_")) {
                // `ansible_local` keeps its contents under `local`, as every other fact.
                Some(name) if !name.is_empty() => Value::from(name),
                _ => key.clone(),
            };
            Arc::make_mut(&mut facts.namespaced).insert(stripped, value.clone());
            Arc::make_mut(&mut facts.injected).insert(key.clone(), value.clone());
        }
    }

    pub fn clear_facts(&self) {
        *self.facts.lock() = Facts::default();
    }
}
