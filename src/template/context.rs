//! What a rendering needs besides the template.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Names, Template};
use crate::value::Value;

/// The variables a template sees, where it finds other templates, and what it has already worked out.
///
/// Cheap to make: one for each task and host. The variables must stay the same as long as it lives.
pub struct Context<'a> {
    pub names: &'a dyn Names,
    search_path: Arc<[PathBuf]>,
    /// Variables that are templates, rendered, by the address of the template.
    rendered: Mutex<HashMap<usize, (Arc<Template>, Value)>>,
    warnings: Mutex<Vec<String>>,
}

impl<'a> Context<'a> {
    pub fn new(names: &'a dyn Names) -> Self {
        Self { names, search_path: Arc::default(), rendered: Mutex::default(), warnings: Mutex::default() }
    }

    /// Sets the directories that `include`, `import`, `extends` and the file lookups search, in order.
    #[must_use]
    pub fn with_search_path(mut self, search_path: impl Into<Arc<[PathBuf]>>) -> Self {
        self.search_path = search_path.into();
        self
    }

    pub fn search_path(&self) -> &[PathBuf] {
        &self.search_path
    }

    /// Notes something the user should hear of although the rendering goes on.
    pub fn warn(&self, message: impl Into<String>) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(message.into());
    }

    /// Hands over the warnings so far.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same as another context, for the same host and task.
    pub(super) fn identity(&self) -> usize {
        std::ptr::from_ref(self.names).cast::<()>().addr()
    }

    pub(super) fn recall(&self, template: &Arc<Template>) -> Option<Value> {
        let rendered = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        rendered.get(&Arc::as_ptr(template).addr()).map(|(_, value)| value.clone())
    }

    /// Keeps the template too, so that its address stays its own.
    pub(super) fn remember(&self, template: &Arc<Template>, value: &Value) {
        self.rendered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(Arc::as_ptr(template).addr(), (Arc::clone(template), value.clone()));
    }
}

thread_local! {
    static MOODS: Cell<u64> = const { Cell::new(0) };
}

/// How often something was evaluated that may answer otherwise next time (lookups, `now`, `random`): what
/// was rendered meanwhile is not remembered.
pub(super) fn moods() -> u64 {
    MOODS.get()
}

pub(super) fn note_mood() {
    MOODS.set(MOODS.get().wrapping_add(1));
}
