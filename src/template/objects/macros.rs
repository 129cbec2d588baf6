use std::any::Any;
use std::sync::{Arc, Weak};

use crate::template::ast::Macro;
use crate::template::interp::Unit;
use crate::template::scope::Scope;
use crate::value::{Object, Value};

/// A macro with the scope it was defined in. The scope lives as long as the rendering: it holds the macro.
pub struct MacroObject {
    pub definition: Arc<Macro>,
    pub scope: Weak<Scope>,
    pub unit: Arc<Unit>,
}

impl Object for MacroObject {
    fn type_name(&self) -> &'static str {
        "Macro"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let definition = &self.definition;
        Some(match key.as_str()? {
            "name" => Value::Str(Arc::clone(&definition.name)),
            "arguments" => {
                let names = definition.params.iter().map(|(name, _)| Value::Str(Arc::clone(name)));
                Value::Tuple(Arc::new(names.collect()))
            }
            "catch_kwargs" => Value::Bool(definition.reads_kwargs),
            "catch_varargs" => Value::Bool(definition.reads_varargs),
            "caller" => Value::Bool(definition.reads_caller),
            _ => return None,
        })
    }

    fn repr(&self) -> String {
        format!("<Macro '{}'>", self.definition.name)
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

/// An imported template: what it defines, and what it says.
pub struct Module {
    pub scope: Arc<Scope>,
    pub body: Value,
}

impl Object for Module {
    fn type_name(&self) -> &'static str {
        "TemplateModule"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let name = key.as_str().filter(|name| !name.starts_with('_'))?;
        self.scope.get_own(name)
    }

    fn repr(&self) -> String {
        self.body.to_string()
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}
