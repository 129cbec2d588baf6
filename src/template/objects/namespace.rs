use std::any::Any;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::value::{Dict, Object, Value};

/// `namespace(…)`: attributes that keep what inner scopes assign.
pub struct Namespace(Mutex<Dict>);

impl Namespace {
    pub fn new(attributes: Dict) -> Self {
        Self(Mutex::new(attributes))
    }

    pub fn lock(&self) -> MutexGuard<'_, Dict> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Object for Namespace {
    fn type_name(&self) -> &'static str {
        "Namespace"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        self.lock().get_value(key).cloned()
    }

    fn set(&self, key: &str, value: Value) -> bool {
        self.lock().insert(key, value);
        true
    }

    fn repr(&self) -> String {
        format!("<Namespace {}>", Value::dict(self.lock().clone()))
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}
