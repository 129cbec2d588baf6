//! The names a template binds itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::mutate::Path;
use crate::value::Value;

/// One level of names: a template's own, a loop's turn, a macro's call.
pub(super) struct Scope {
    bindings: Mutex<Vec<Binding>>,
    parent: Option<Arc<Scope>>,
    /// Whether the variables of the play are in sight: not so in a template imported without context.
    pub sees_variables: bool,
}

struct Binding {
    name: Arc<str>,
    value: Value,
    /// The place the value was taken from: Python would share the object, so changes go there too.
    origin: Option<Path>,
}

impl Scope {
    pub fn root(sees_variables: bool) -> Arc<Self> {
        Arc::new(Self { bindings: Mutex::default(), parent: None, sees_variables })
    }

    pub fn child(parent: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self {
            bindings: Mutex::default(),
            parent: Some(Arc::clone(parent)),
            sees_variables: parent.sees_variables,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Binding>> {
        self.bindings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn levels(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |scope| scope.parent.as_deref())
    }

    /// The value of a name bound here or further out.
    pub fn get(&self, name: &str) -> Option<Value> {
        self.levels().find_map(|scope| {
            scope.lock().iter().find(|binding| &*binding.name == name).map(|binding| binding.value.clone())
        })
    }

    /// The value of a name bound on this very level.
    pub fn get_own(&self, name: &str) -> Option<Value> {
        self.lock().iter().find(|binding| &*binding.name == name).map(|binding| binding.value.clone())
    }

    /// Binds a name on this level.
    pub fn set(&self, name: &Arc<str>, value: Value) {
        self.bind(name, value, None);
    }

    pub fn bind(&self, name: &Arc<str>, value: Value, origin: Option<Path>) {
        let mut bindings = self.lock();
        match bindings.iter_mut().find(|binding| binding.name == *name) {
            Some(binding) => (binding.value, binding.origin) = (value, origin),
            None => bindings.push(Binding { name: Arc::clone(name), value, origin }),
        }
    }

    /// Gives the bound value away to be changed; [`Scope::put`] brings it back. `None` when it is not bound
    /// here or further out.
    pub fn take(&self, name: &str) -> Option<(Value, Option<Path>)> {
        self.levels().find_map(|scope| {
            let mut bindings = scope.lock();
            let binding = bindings.iter_mut().find(|binding| &*binding.name == name)?;
            Some((std::mem::replace(&mut binding.value, Value::None), binding.origin.clone()))
        })
    }

    pub fn put(&self, name: &str, value: Value) {
        for scope in self.levels() {
            if let Some(binding) = scope.lock().iter_mut().find(|binding| &*binding.name == name) {
                binding.value = value;
                return;
            }
        }
    }

    /// The outermost level.
    pub fn outermost(self: &Arc<Self>) -> &Arc<Self> {
        let mut scope = self;
        while let Some(parent) = &scope.parent {
            scope = parent;
        }
        scope
    }

    /// Every name in sight, innermost first.
    pub fn names(&self) -> Vec<Arc<str>> {
        self.levels()
            .flat_map(|scope| {
                scope.lock().iter().map(|binding| Arc::clone(&binding.name)).collect::<Vec<_>>()
            })
            .collect()
    }
}
