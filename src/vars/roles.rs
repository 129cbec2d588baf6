//! What roles bring to their tasks: own, inherited from parents, and from dependencies.

use std::sync::Arc;

use crate::playbook::{Layer, Role};
use crate::value::{Dict, Value};

/// The three layers of a role as its tasks see them, merged once per role.
#[derive(Clone, Default)]
pub struct RoleVars {
    pub defaults: Layer,
    pub vars: Layer,
    pub params: Layer,
}

/// Merges a role's layers: parents first, then dependencies, then its own, each overriding the earlier.
pub fn role_vars(role: &Arc<Role>, merges: bool) -> RoleVars {
    let mut defaults = Dict::new();
    let mut vars = Dict::new();
    let mut params = Dict::new();
    for ancestor in ancestors(role) {
        merge(&mut defaults, &ancestor.defaults, merges);
        merge(&mut vars, &ancestor.vars, merges);
        merge(&mut params, &ancestor.params, merges);
    }
    for dependency in &role.dependencies {
        collect_dependency(dependency, &mut defaults, &mut vars, merges);
    }
    merge(&mut defaults, &role.defaults, merges);
    merge(&mut vars, &role.vars, merges);
    merge(&mut params, &role.params, merges);
    RoleVars { defaults: Arc::new(defaults), vars: Arc::new(vars), params: Arc::new(params) }
}

/// Adds what a role shows to the whole play: its defaults and vars, after its dependencies'. Params stay its own.
pub fn export(role: &Role, defaults: &mut Dict, vars: &mut Dict, merges: bool) {
    for dependency in &role.dependencies {
        export(dependency, defaults, vars, merges);
    }
    merge(defaults, &role.defaults, merges);
    merge(vars, &role.vars, merges);
}

/// The roles above this one, outermost first.
pub fn ancestors(role: &Arc<Role>) -> Vec<Arc<Role>> {
    let mut chain: Vec<_> =
        std::iter::successors(role.parent.clone(), |ancestor| ancestor.parent.clone()).collect();
    chain.reverse();
    chain
}

fn collect_dependency(role: &Arc<Role>, defaults: &mut Dict, vars: &mut Dict, merges: bool) {
    for dependency in &role.dependencies {
        collect_dependency(dependency, defaults, vars, merges);
    }
    merge(defaults, &role.defaults, merges);
    merge(vars, &role.vars, merges);
}

/// A value over the one below it: dictionaries part by part, anything else as it is.
pub fn merge_deep(below: Value, above: &Value) -> Value {
    let (Value::Dict(held), Value::Dict(entries)) = (&below, above) else { return above.clone() };
    let mut merged = held.as_ref().clone();
    for (key, value) in entries.iter() {
        let value = match merged.get_value(key) {
            Some(held) => merge_deep(held.clone(), value),
            None => value.clone(),
        };
        merged.insert(key.clone(), value);
    }
    Value::dict(merged)
}

/// Lays variables over others; where it `merges`, dictionaries of one name part by part.
pub fn merge(into: &mut Dict, from: &Dict, merges: bool) {
    for (key, value) in from {
        match into.get_value(key) {
            Some(held) if merges => {
                let value = merge_deep(held.clone(), value);
                into.insert(key.clone(), value);
            }
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}
