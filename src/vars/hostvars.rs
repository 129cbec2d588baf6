//! `hostvars` and `vars`: variables looked up by a computed name.

use std::sync::Arc;

use super::Scope;
use super::magic::World;
use crate::template::{self, Context, Names};
use crate::value::{Object, Value};

/// `hostvars`: host -> its variables.
pub struct HostVars(pub Arc<dyn World>);

impl Object for HostVars {
    fn type_name(&self) -> &'static str {
        "HostVars"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let scope = self.0.host_scope(key.as_str()?)?;
        Some(Value::Object(Arc::new(VarsObject { scope, type_name: "HostVarsVars" })))
    }

    fn is_mapping(&self) -> bool {
        true
    }

    fn keys(&self) -> Option<Vec<Value>> {
        Some(self.0.hosts().into_iter().map(Value::Str).collect())
    }
}

/// The variables of one scope as a mapping: `hostvars[host]`, `vars`.
///
/// Values are rendered in that scope, not in the one of the template that asks.
pub struct VarsObject {
    pub scope: Scope,
    /// What it passes for: `vars` is a plain dictionary to playbooks.
    pub type_name: &'static str,
}

impl Object for VarsObject {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let value = self.scope.get(key.as_str()?)?;
        let context = Context::new(&self.scope);
        Some(template::render_all(&value, &context).unwrap_or_else(Value::from))
    }

    fn is_mapping(&self) -> bool {
        true
    }

    fn keys(&self) -> Option<Vec<Value>> {
        Some(self.scope.names().into_iter().map(Value::Str).collect())
    }
}
