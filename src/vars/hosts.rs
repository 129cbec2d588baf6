use std::sync::Arc;

use indexmap::IndexMap;
use parking_lot::{Mutex, RwLock};

use super::{FactCache, is_restricted};
use crate::playbook::Layer;
use crate::value::{Dict, Value};

/// What a run has learnt about each host. Shared by all plays of the run.
#[derive(Default)]
pub struct Hosts {
    states: RwLock<IndexMap<Arc<str>, Arc<HostState>>>,
    cache: Option<Arc<FactCache>>,
}

impl Hosts {
    /// With facts of earlier runs, which last until later ones.
    pub fn with(cache: Option<FactCache>) -> Self {
        Self { cache: cache.map(Arc::new), ..Self::default() }
    }

    /// The state of a host: empty at first sight, but for facts of earlier runs.
    pub fn state(&self, host: &Arc<str>) -> Arc<HostState> {
        if let Some(state) = self.states.read().get(host) {
            return state.clone();
        }
        let state = match &self.cache {
            Some(cache) => {
                let state = HostState::default();
                state.learn(&cache.load(host));
                HostState { cache: Some((cache.clone(), host.clone())), ..state }
            }
            None => HostState::default(),
        };
        self.states.write().entry(host.clone()).or_insert_with(|| Arc::new(state)).clone()
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
    /// Where the facts are kept, too, and under which name.
    cache: Option<(Arc<FactCache>, Arc<str>)>,
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
        self.learn(new);
        if let Some((cache, host)) = &self.cache {
            cache.store(host, &self.facts().injected);
        }
    }

    fn learn(&self, new: &Dict) {
        let mut facts = self.facts.lock();
        for (key, value) in new {
            let stripped = match key.as_str().and_then(|name| name.strip_prefix("ansible_")) {
                // `ansible_local` keeps its contents under `local`, as every other fact.
                Some(name) if !name.is_empty() => Value::from(name),
                _ => key.clone(),
            };
            Arc::make_mut(&mut facts.namespaced).insert(stripped, value.clone());
            // Nor from the cache, which others may have filled.
            if !key.as_str().is_some_and(is_restricted) {
                Arc::make_mut(&mut facts.injected).insert(key.clone(), value.clone());
            }
        }
    }

    pub fn clear_facts(&self) {
        *self.facts.lock() = Facts::default();
        if let Some((cache, host)) = &self.cache {
            cache.forget(host);
        }
    }
}
