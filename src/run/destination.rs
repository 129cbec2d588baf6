//! Which host a task runs on, and which variables say how to get there.

use std::sync::Arc;

use super::event::{Delegate, Event};
use super::outcome::Raw;
use super::shared::{Shared, is_local_name};
use super::task::Job;
use super::{settings, transport};
use crate::config;
use crate::diagnostic::Result;
use crate::target::{Destination, Transport};
use crate::template::{self, Context, Names};
use crate::value::{Dict, Value};
use crate::vars::{Reached, Scope, is_connection_variable};

/// The host a task is delegated to, if any.
pub(super) fn delegate(job: &Job<'_>, scope: &Scope) -> Result<Option<Arc<str>>> {
    let name = settings::text(job.task.keywords.delegate_to.as_ref(), &Context::new(scope))?;
    Ok(name.map(Arc::from))
}

/// The delegate as it is written, for results of tasks whose delegate cannot be found out.
pub(super) fn written(job: &Job<'_>) -> Option<Arc<str>> {
    let setting = job.task.keywords.delegate_to.as_ref()?;
    Some(match &setting.value {
        Value::Template(template) => template.source().clone(),
        other => other.to_string().into(),
    })
}

/// A delegate as a result shows it: with the address at which SSH reached it.
pub(super) fn shown(job: &Job<'_>, scope: &Scope, name: Arc<str>, raw: &Raw) -> Delegate {
    let is_reached = !raw.unreachable && raw.error.is_none() && !job.info.no_log;
    let address = (is_reached && name != *job.host)
        .then(|| of(job, scope, Some(&name)).ok())
        .flatten()
        .and_then(|to| match to.transport {
            Transport::Ssh(options) => Some(options.host).filter(|address| **address != *name),
            Transport::Local | Transport::Program(_) => None,
        });
    Delegate { name, address }
}

/// The scope of a task whose work another host does: how that one is reached is what the connection variables say
/// where the task's own host says nothing.
pub(super) fn seen_from(job: &Job<'_>, scope: &Scope, delegated: Option<&Arc<str>>) -> Scope {
    let mut scope = scope.clone();
    if let Some(delegate) = delegated.filter(|delegate| *delegate != job.host)
        && let Ok(theirs) = job.batch.scope(delegate, Some(job.task), &job.place.inner)
    {
        let get = |name| {
            theirs.get(name).and_then(|value| template::render_all(&value, &Context::new(&theirs)).ok())
        };
        if let Some(vars) = theirs.get("vars") {
            let mut delegated = Dict::new();
            delegated.insert(Value::Str(delegate.clone()), vars);
            scope.set_local("ansible_delegated_vars", Value::dict(delegated));
        }
        scope.set_reached(Reached {
            host: get("ansible_host").unwrap_or(Value::Str(delegate.clone())),
            connection: get("ansible_connection").unwrap_or(Value::None),
            user: get("ansible_user"),
            password: get("ansible_password"),
        });
    }
    scope
}

/// Where a task runs.
pub(super) fn of(job: &Job<'_>, scope: &Scope, delegated: Option<&Arc<str>>) -> Result<Destination> {
    let host = delegated.unwrap_or(job.host);
    let run = &job.batch.run;
    // Ansible's implicit localhost.
    let implicit = is_local_name(host) && run.inventory.read().host(host).is_none();
    let options = &run.options;
    let keywords = &job.task.keywords;
    match delegated {
        None => {
            note_meaningless(&job.batch.run, scope);
            transport::destination(host, keywords, options, implicit, &Context::new(scope))
        }
        Some(delegate) => {
            let mut delegate = job.batch.scope(delegate, Some(job.task), &job.place.inner)?;
            delegate.take_locals(scope);
            let names = ConnectionNames { own: scope, delegate: &delegate };
            note_meaningless(&job.batch.run, &names);
            transport::destination(host, keywords, options, implicit, &Context::new(&names))
        }
    }
}

/// With `-v`: tells which connection variables of a host make no difference here, wherever they were set.
fn note_meaningless(run: &Shared, names: &dyn Names) {
    if run.options.verbosity > 0 {
        for (name, why) in config::meaningless_variables().filter(|(name, _)| names.get(name).is_some()) {
            run.emit(Event::Note(format!("{name} has no meaning here: {why}")));
        }
    }
}

/// The names a delegated task's connection is worked out with: connection variables are the delegate's, all
/// others the task's own.
struct ConnectionNames<'a> {
    own: &'a Scope,
    delegate: &'a Scope,
}

impl Names for ConnectionNames<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        if !is_connection_variable(name) {
            return self.own.get(name);
        }
        let value = self.delegate.get(name)?;
        // Rendered where it was defined: the delegate's `ansible_host` may use the delegate's variables.
        Some(match template::render_all(&value, &Context::new(self.delegate)) {
            Ok(value) => value,
            // Whoever reads it gets the error, and takes nothing else instead.
            Err(error) if error.is_undefined() => Value::from(error),
            Err(_) => value,
        })
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.own.names()
    }
}
