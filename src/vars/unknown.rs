use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a task that is prepared ahead of its turn cannot know: results that are still to come, and what lookups will find
/// then. Whoever asks for any of it gets nothing, and that it was asked for is remembered.
#[derive(Debug, Default)]
pub struct Unknown {
    results: HashSet<Arc<str>>,
    asked: AtomicBool,
}

impl Unknown {
    pub fn new(results: HashSet<Arc<str>>) -> Self {
        Self { results, asked: AtomicBool::new(false) }
    }

    /// Whether something was asked for: what was made of the answers is worth nothing.
    pub fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether the variable is among it, or shows all variables.
    pub(super) fn holds(&self, name: &str) -> bool {
        let holds =
            !self.results.is_empty() && (self.results.contains(name) || matches!(name, "vars" | "hostvars"));
        if holds {
            self.ask();
        }
        holds
    }

    pub(super) fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }
}
