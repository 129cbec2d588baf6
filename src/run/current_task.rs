//! `_task`: what a task's own conditions and its `register` see of its result.

use std::any::Any;
use std::sync::Arc;

use crate::value::{Dict, Object, Value};

/// The task whose result is being looked at.
#[derive(Default)]
pub(super) struct CurrentTask {
    /// That of the item, in a loop; `None` before there is one.
    pub result: Option<Value>,
    /// What the loop has come to; `None` outside of loops.
    pub looped: Option<Looped>,
}

/// The state of a loop.
#[derive(Clone)]
pub(super) enum Looped {
    /// The items before the one under way.
    Before(Vec<Value>),
    /// The items so far, the last result among them.
    SoFar(Vec<Value>),
    /// The loop is over: its result.
    Over(Value),
}

impl CurrentTask {
    pub fn of(value: &Value) -> Option<&Self> {
        match value {
            Value::Object(object) => object.as_any()?.downcast_ref(),
            _ => None,
        }
    }

    /// The items of the loop that are done.
    pub fn items(&self) -> Option<Vec<Value>> {
        match self.looped.as_ref()? {
            Looped::Before(items) | Looped::SoFar(items) => Some(items.clone()),
            Looped::Over(_) => None,
        }
    }

    fn loop_result(&self) -> Option<Value> {
        let items = match self.looped.as_ref()? {
            Looped::Over(result) => return Some(result.clone()),
            Looped::SoFar(items) => items.clone(),
            Looped::Before(items) => items.iter().chain(&self.result).cloned().collect(),
        };
        let mut whole = Dict::new();
        whole.insert("results", Value::list(items));
        Some(Value::dict(whole))
    }
}

impl From<CurrentTask> for Value {
    fn from(task: CurrentTask) -> Self {
        Self::Object(Arc::new(task))
    }
}

impl Object for CurrentTask {
    fn type_name(&self) -> &'static str {
        "CurrentTask"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let no_result = || Value::undefined("The task has no result yet.");
        match key.as_str()? {
            "result" => Some(self.result.clone().unwrap_or_else(no_result)),
            "polymorphic_result" => {
                Some(self.loop_result().or_else(|| self.result.clone()).unwrap_or_else(no_result))
            }
            "loop_result" => Some(self.loop_result().unwrap_or_else(|| {
                Value::undefined(
                    "The _task.loop_result property is unavailable: The current task is not a loop.",
                )
            })),
            _ => None,
        }
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}
