use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::diagnostic::{Diagnostic, Result};
use crate::template::ast::For;
use crate::template::scope::Scope;
use crate::value::{Dict, Object, Value};

/// `loop` inside a `for`.
pub struct Loop {
    items: Arc<Vec<Value>>,
    position: AtomicUsize,
    /// How many recursive loops this one is in.
    pub depth: usize,
    changed: Mutex<Option<Vec<Value>>>,
    /// For `recursive` loops: the loop itself and where it stands.
    pub again: Option<(Arc<For>, Weak<Scope>)>,
}

impl Loop {
    pub fn new(items: Arc<Vec<Value>>, depth: usize, again: Option<(Arc<For>, Weak<Scope>)>) -> Self {
        Self { items, position: AtomicUsize::new(0), depth, changed: Mutex::default(), again }
    }

    pub fn advance_to(&self, position: usize) {
        self.position.store(position, Ordering::Relaxed);
    }

    fn position(&self) -> usize {
        self.position.load(Ordering::Relaxed)
    }

    fn neighbour(&self, position: Option<usize>, missing: &str) -> Value {
        position
            .and_then(|position| self.items.get(position))
            .cloned()
            .unwrap_or_else(|| Value::undefined(missing))
    }
}

impl Object for Loop {
    fn type_name(&self) -> &'static str {
        "LoopContext"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let (position, length) = (self.position(), self.items.len());
        Some(match key.as_str()? {
            "index" => Value::from(position + 1),
            "index0" => Value::from(position),
            "revindex" => Value::from(length.saturating_sub(position)),
            "revindex0" => Value::from(length.saturating_sub(position + 1)),
            "first" => Value::Bool(position == 0),
            "last" => Value::Bool(position + 1 == length),
            "length" => Value::from(length),
            "depth" => Value::from(self.depth + 1),
            "depth0" => Value::from(self.depth),
            "previtem" => self.neighbour(position.checked_sub(1), "there is no previous item"),
            "nextitem" => self.neighbour(Some(position + 1), "there is no next item"),
            _ => return None,
        })
    }

    fn call_method(&self, name: &str, args: &[Value], _kwargs: &Dict) -> Option<Result<Value>> {
        match name {
            "cycle" => Some(match self.position().checked_rem(args.len()) {
                Some(position) => Ok(args.get(position).cloned().unwrap_or(Value::None)),
                None => Err(Diagnostic::new("no items for cycling given")),
            }),
            "changed" => {
                let mut last = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
                let changed = last.as_deref() != Some(args);
                *last = Some(args.to_vec());
                Some(Ok(Value::Bool(changed)))
            }
            _ => None,
        }
    }

    fn repr(&self) -> String {
        format!("<LoopContext {}/{}>", self.position() + 1, self.items.len())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}
