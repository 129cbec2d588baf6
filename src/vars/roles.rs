//! What roles bring to their tasks: own, inherited from parents, and from dependencies.

use std::sync::Arc;

use crate::playbook::{Layer, Role};
use crate::value::Dict;

/// The three layers of a role as its tasks see them, merged once per role.
#[derive(Clone, Default)]
pub struct RoleVars {
    pub defaults: Layer,
    pub vars: Layer,
    pub params: Layer,
}

/// Merges a role's layers: parents first, then dependencies, then its own, each overriding the earlier.
pub fn role_vars(role: &Arc<Role>) -> RoleVars {
    let mut defaults = Dict::new();
    let mut vars = Dict::new();
    let mut params = Dict::new();
    for ancestor in ancestors(role) {
        merge(&mut defaults, &ancestor.defaults);
        merge(&mut vars, &ancestor.vars);
        merge(&mut params, &ancestor.params);
    }
    for dependency in &role.dependencies {
        collect_dependency(dependency, &mut defaults, &mut vars);
    }
    merge(&mut defaults, &role.defaults);
    merge(&mut vars, &role.vars);
    merge(&mut params, &role.params);
    RoleVars { defaults: Arc::new(defaults), vars: Arc::new(vars), params: Arc::new(params) }
}

/// Adds what a role shows to the whole play: its defaults and vars, after its dependencies'. Params stay its own.
pub fn export(role: &Role, defaults: &mut Dict, vars: &mut Dict) {
    for dependency in &role.dependencies {
        export(dependency, defaults, vars);
    }
    merge(defaults, &role.defaults);
    merge(vars, &role.vars);
}

/// The roles above this one, outermost first.
pub fn ancestors(role: &Arc<Role>) -> Vec<Arc<Role>> {
    let mut chain: Vec<_> =
        std::iter::successors(role.parent.clone(), |ancestor| ancestor.parent.clone()).collect();
    chain.reverse();
    chain
}

fn collect_dependency(role: &Arc<Role>, defaults: &mut Dict, vars: &mut Dict) {
    for dependency in &role.dependencies {
        collect_dependency(dependency, defaults, vars);
    }
    merge(defaults, &role.defaults);
    merge(vars, &role.vars);
}

pub fn merge(into: &mut Dict, from: &Dict) {
    into.extend(from.iter().map(|(key, value)| (key.clone(), value.clone())));
}
