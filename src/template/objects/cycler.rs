use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::diagnostic::{Diagnostic, Result};
use crate::value::{Dict, Object, Value};

/// `cycler('odd', 'even')`.
pub struct Cycler {
    items: Vec<Value>,
    position: AtomicUsize,
}

impl Cycler {
    pub fn new(items: Vec<Value>) -> Result<Self> {
        if items.is_empty() {
            return Err(Diagnostic::new("at least one item has to be provided"));
        }
        Ok(Self { items, position: AtomicUsize::new(0) })
    }

    fn current(&self) -> Value {
        let position = self.position.load(Ordering::Relaxed) % self.items.len().max(1);
        self.items.get(position).cloned().unwrap_or(Value::None)
    }
}

impl Object for Cycler {
    fn type_name(&self) -> &'static str {
        "Cycler"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        (key.as_str() == Some("current")).then(|| self.current())
    }

    fn call_method(&self, name: &str, _args: &[Value], _kwargs: &Dict) -> Option<Result<Value>> {
        match name {
            "next" => {
                let current = self.current();
                self.position.fetch_add(1, Ordering::Relaxed);
                Some(Ok(current))
            }
            "reset" => {
                self.position.store(0, Ordering::Relaxed);
                Some(Ok(Value::None))
            }
            _ => None,
        }
    }
}

/// `joiner(', ')`: nothing the first time it is called, the separator ever after.
pub struct Joiner {
    separator: Value,
    used: AtomicBool,
}

impl Joiner {
    pub fn new(separator: Value) -> Self {
        Self { separator, used: AtomicBool::new(false) }
    }
}

impl Object for Joiner {
    fn type_name(&self) -> &'static str {
        "Joiner"
    }

    fn call(&self, _args: &[Value], _kwargs: &Dict) -> Option<Result<Value>> {
        let used = self.used.swap(true, Ordering::Relaxed);
        Some(Ok(if used { self.separator.clone() } else { Value::from("") }))
    }
}
