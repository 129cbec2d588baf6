//! What came of a task on a host, before and after it is shown.

use std::sync::Arc;

use super::event::Status;
use crate::diagnostic::{Diagnostic, Place};
use crate::playbook::Layer;
use crate::target::CallError;
use crate::value::{Dict, Value};

/// The end of one task on one host.
#[derive(Clone)]
pub(super) struct HostOutcome {
    pub host: Arc<str>,
    pub status: Status,
    /// The failure is not to count (`ignore_errors`, `ignore_unreachable`).
    pub ignored: bool,
    /// What `register` sees.
    pub fields: Dict,
    /// Tasks to bring in, in order.
    pub inclusions: Vec<Inclusion>,
}

/// Keys that speak to the engine and the display: what is registered has none of them.
const PRIVATE: &[&str] =
    &["_ansible_facts_cacheable", "_ansible_verbose_always", "_ansible_verbose_override"];

/// What Ansible says where it has no traceback either.
const NO_TRACEBACK: &str = "(traceback unavailable)";

/// What every result may have comes before what its module tells, in this order.
const COMMON: &[&str] = &[
    "changed",
    "failed",
    "skipped",
    "exception",
    "warnings",
    "deprecations",
    "ansible_facts",
    "finished",
    "msg",
    "rc",
    "attempts",
    "diff",
    "ansible_job_id",
    "failed_when_result",
];

/// A result as playbooks see it; who shows it as a whole sees it in Ansible's order.
pub(super) fn public(mut fields: Dict) -> Dict {
    for key in PRIVATE {
        fields.remove(key);
    }
    let is_skipped = fields.get("skipped") == Some(&Value::Bool(true));
    // Only then do these come from the engine.
    let of_skipped = ["skip_reason", "false_condition"].iter().filter(|_| is_skipped);
    // They name further ones.
    let naming = ["ansible_loop_var", "ansible_index_var"];
    let of_loop = naming.map(|key| match fields.get(key) {
        Some(Value::Str(name)) => Some(Arc::clone(name)),
        _ => None,
    });
    let mut ordered = Dict::new();
    let mut take = |key: &str| {
        if let Some(value) = fields.remove(key) {
            ordered.insert(key, value);
        }
    };
    COMMON.iter().chain(of_skipped).chain(&naming).for_each(|key| take(key));
    of_loop.iter().flatten().for_each(|key| take(key));
    take("ansible_loop");
    ordered.extend(fields);
    ordered
}

impl HostOutcome {
    pub fn is_lost(&self) -> bool {
        matches!(self.status, Status::Failed | Status::Unreachable) && !self.ignored
    }
}

/// One dynamic include, as a host asked for it.
#[derive(Clone, PartialEq)]
pub(super) struct Inclusion {
    pub what: Included,
    /// The loop's variables, for the tasks inside.
    pub vars: Layer,
    /// How the item shows in `included: … => (item=…)`.
    pub label: Option<String>,
}

#[derive(Clone, PartialEq)]
pub(super) enum Included {
    /// `tags` are those of `apply` that were templates.
    Tasks { file: String, tags: Vec<String> },
    Role {
        request: crate::playbook::RoleRequest,
        public: bool,
        /// Whether a role that cannot be had is a task that failed; else it ends the run.
        rescuable: bool,
    },
}

/// The name of handlers to notify, and where it is given.
#[derive(Clone)]
pub(super) struct Notice {
    pub name: String,
    pub place: Place,
}

/// A result under construction: fields as Ansible names them.
#[derive(Clone, Default)]
pub(super) struct Raw {
    pub fields: Dict,
    pub unreachable: bool,
    pub inclusion: Option<Included>,
    /// The handlers to notify, because it changed something.
    pub notify: Vec<Notice>,
    /// Whether what it tells is hidden as by `no_log`.
    pub secret: bool,
    /// The error behind a failure on the control node, with its place.
    pub error: Option<Diagnostic>,
}

impl From<CallError> for Raw {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Unreachable(reason) => Self::unreachable(reason),
            CallError::Failed(reason) => Self::failed(reason),
            CallError::Refused { reason, code } => {
                let mut raw = Self::failed(reason);
                raw.set("rc", i64::from(code));
                raw
            }
            CallError::NoPassword { reason, code } => {
                let hint =
                    "-K (--ask-become-pass) asks for it, the variable `ansible_become_password` holds it";
                let mut raw = Self::error(Diagnostic::new(reason).hint(hint));
                if let Some(code) = code {
                    raw.set("rc", i64::from(code));
                }
                raw
            }
        }
    }
}

impl Raw {
    pub fn ok(fields: Dict) -> Self {
        Self { fields, ..Self::default() }
    }

    pub fn failed(message: impl Into<String>) -> Self {
        let mut raw = Self::default();
        raw.set("changed", false);
        raw.set("msg", message.into());
        raw.fail();
        raw
    }

    /// Makes it a failure. As in Ansible, every failure has an `exception`: the traceback, or that there is none.
    pub fn fail(&mut self) {
        self.set("failed", true);
        if !self.fields.contains("exception") {
            self.set("exception", NO_TRACEBACK);
        }
    }

    /// A failure told by a diagnostic: the message is the result's, the place stays visible.
    pub fn error(error: Diagnostic) -> Self {
        Self { error: Some(error.clone()), ..Self::failed(error.message()) }
    }

    /// A task that took longer than its `timeout`.
    pub fn timed_out(seconds: u64) -> Self {
        let mut raw = Self::failed(format!("Task failed: Timed out after {seconds} second(s)."));
        let mut timedout = Dict::new();
        timedout.insert("frame", NO_TRACEBACK);
        timedout.insert("period", Value::Int(i64::try_from(seconds).unwrap_or(i64::MAX)));
        raw.set("timedout", Value::dict(timedout));
        raw
    }

    pub fn unreachable(message: impl Into<String>) -> Self {
        let mut fields = Dict::new();
        fields.insert("changed", false);
        fields.insert("exception", NO_TRACEBACK);
        fields.insert("failed", false);
        fields.insert("msg", format!("Task failed: {}", message.into()));
        fields.insert("unreachable", true);
        Self { fields, unreachable: true, ..Self::default() }
    }

    pub fn skipped(reason: &str, condition: Option<Value>) -> Self {
        let mut fields = Dict::new();
        fields.insert("changed", false);
        if let Some(condition) = condition {
            fields.insert("false_condition", condition);
        }
        fields.insert("failed", false);
        fields.insert("skip_reason", reason);
        fields.insert("skipped", true);
        Self::ok(fields)
    }

    /// Skipped by the action itself. As in Ansible, it is left to the action to say why.
    pub fn passed_over() -> Self {
        let mut raw = Self::default();
        raw.set("changed", false);
        raw.set("skipped", true);
        raw
    }

    pub fn is(&self, key: &str) -> bool {
        self.fields.get(key).and_then(super::settings::truth).unwrap_or(false)
    }

    pub fn status(&self) -> Status {
        if self.unreachable {
            Status::Unreachable
        } else if self.is("failed") {
            Status::Failed
        } else if self.is("skipped") {
            Status::Skipped
        } else if self.is("changed") {
            Status::Changed
        } else {
            Status::Ok
        }
    }

    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.fields.insert(key, value);
    }
}
