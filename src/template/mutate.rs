//! Changing lists and dicts where they stand.
//!
//! Values are shared and immutable, but `x.append(1)` must be seen wherever Python would see it. So a method
//! that changes its subject is called on a path (a name and the steps from it), and the value at its end is
//! swapped for the changed one.

use std::sync::Arc;

use super::access;
use super::ast::{Arg, Expr, Kind};
use super::eval::Arguments;
use super::interp::{Interp, read};
use super::methods;
use super::objects::{Namespace, downcast};
use crate::diagnostic::Result;
use crate::value::{Value, index};

/// A name and the keys from its value to a part.
#[derive(Clone)]
pub(super) struct Path {
    name: Arc<str>,
    steps: Vec<Value>,
}

impl Path {
    pub fn step(&self, key: Value) -> Self {
        let mut steps = self.steps.clone();
        steps.push(key);
        Self { name: Arc::clone(&self.name), steps }
    }
}

/// Names whose value came from another name's, from one to the next: Python has no limit, templates no need.
const MAX_ORIGINS: usize = 8;

impl Interp<'_> {
    /// The path an expression names; `None` when it makes a new value.
    pub fn path_of(&mut self, expr: &Expr) -> Result<Option<Path>> {
        let (base, key) = match &expr.kind {
            Kind::Name(name) => return Ok(Some(Path { name: Arc::clone(name), steps: Vec::new() })),
            Kind::Attr(base, name) => (base, Value::Str(Arc::clone(name))),
            Kind::Item(base, key) => (base, self.eval(key)?),
            // `groups.setdefault(key, []).append(host)`.
            Kind::Call(callee, args) => match (&callee.kind, args.first()) {
                (Kind::Attr(base, method), Some(Arg::Positional(key)))
                    if matches!(&**method, "setdefault" | "get") =>
                {
                    (base, self.eval(key)?)
                }
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(self.path_of(base)?.map(|path| path.step(key)))
    }

    /// Calls a method that changes its subject.
    pub fn change(
        &mut self,
        base: &Expr,
        mut subject: Value,
        method: &str,
        arguments: &Arguments,
    ) -> Result<Value> {
        let (args, named) = (&arguments.positional, &arguments.named);
        let Some(path) = self.path_of(base)? else {
            return methods::change(&mut subject, method, args, named);
        };
        // Not to hold the value any longer lets it be changed without a copy.
        drop(subject);
        let result = self.update(&path, &mut |value| methods::change(value, method, args, named))?;
        if let Some(result) = result {
            return Ok(result);
        }
        let mut subject = self.eval(base)?;
        methods::change(&mut subject, method, args, named)
    }

    /// Works on the value at the end of a path. `None` when there is none.
    fn update(
        &mut self,
        path: &Path,
        work: &mut dyn FnMut(&mut Value) -> Result<Value>,
    ) -> Result<Option<Value>> {
        let Some((mut root, origin)) = self.scope.take(&path.name) else {
            // A variable of the play: this template has its own copy from here on.
            let Some(variable) = self.cx.names.get(&path.name).filter(|_| self.scope.sees_variables) else {
                return Ok(None);
            };
            let mut root = read(variable, &path.name, self.cx)?;
            let result = self.walk(&mut root, &path.steps, work);
            self.scope.outermost().set(&path.name, root);
            return result;
        };
        let before = address(&root);
        let result = self.walk(&mut root, &path.steps, work);
        self.scope.put(&path.name, root.clone());
        if let Some(origin) = origin.filter(|_| address(&root) != before) {
            self.propagate(origin, before, &root)?;
        }
        result
    }

    /// Brings a changed value to where the old one was taken from.
    fn propagate(&mut self, mut origin: Path, before: usize, value: &Value) -> Result<()> {
        for _ in 0..MAX_ORIGINS {
            let mut found = false;
            let Some((mut root, next)) = self.scope.take(&origin.name) else {
                self.update(&origin, &mut |slot| {
                    if address(slot) == before {
                        *slot = value.clone();
                    }
                    Ok(Value::None)
                })?;
                return Ok(());
            };
            let result = self.walk(&mut root, &origin.steps, &mut |slot| {
                found = address(slot) == before;
                if found {
                    *slot = value.clone();
                }
                Ok(Value::None)
            });
            self.scope.put(&origin.name, root);
            result?;
            match next {
                Some(next) if found && origin.steps.is_empty() => origin = next,
                _ => break,
            }
        }
        Ok(())
    }

    fn walk(
        &self,
        value: &mut Value,
        steps: &[Value],
        work: &mut dyn FnMut(&mut Value) -> Result<Value>,
    ) -> Result<Option<Value>> {
        if let Value::Template(template) = value {
            let name = Arc::clone(template.source());
            *value = read(value.clone(), &name, self.cx)?;
        }
        let Some((step, rest)) = steps.split_first() else { return work(value).map(Some) };
        let part = match value {
            Value::List(items) => {
                let items = Arc::make_mut(items);
                step.as_int().and_then(|at| index(at, items.len())).and_then(|at| items.get_mut(at))
            }
            Value::Dict(entries) if access::hashable(step) => Arc::make_mut(entries).get_value_mut(step),
            Value::Object(_) => {
                let Some(namespace) = downcast::<Namespace>(value) else { return Ok(None) };
                return match namespace.lock().get_value_mut(step) {
                    Some(part) => self.walk(part, rest, work),
                    None => Ok(None),
                };
            }
            _ => None,
        };
        match part {
            Some(part) => self.walk(part, rest, work),
            None => Ok(None),
        }
    }
}

/// Tells values that share their parts.
fn address(value: &Value) -> usize {
    match value {
        Value::List(items) => Arc::as_ptr(items).addr(),
        Value::Dict(entries) => Arc::as_ptr(entries).addr(),
        _ => 0,
    }
}
