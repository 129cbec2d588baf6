//! What happens in a run, as the callbacks hear it.

use std::sync::Arc;
use std::time::Duration;

use fanfare_modules::kit::host::Stream;
use indexmap::IndexMap;

use crate::diagnostic::{Diagnostic, Place};
use crate::value::{Dict, Value};

/// One thing that happened. Events come in one order, from one place.
#[derive(Clone, Debug)]
pub enum Event {
    /// Before anything else; `files` as the user typed them, and how many plays each has. Empty for an ad-hoc command.
    RunStarted {
        files: Vec<String>,
        plays: Vec<usize>,
    },
    /// A play begins on its hosts (all batches together).
    PlayStarted {
        name: String,
        hosts: Vec<Arc<str>>,
        check: bool,
        /// Whether hosts go at their own pace (`strategy: free`): then a banner belongs to results.
        free: bool,
    },
    /// A play whose pattern matched nothing, or whose hosts are all gone.
    NoHosts {
        reason: NoHosts,
    },
    TaskStarted(Arc<TaskInfo>),
    /// A host begins with the current task: what the progress line waits for.
    HostStarted {
        host: Arc<str>,
        task: Arc<TaskInfo>,
    },
    /// One item of a loop is done.
    ItemDone {
        host: Arc<str>,
        task: Arc<TaskInfo>,
        result: TaskResult,
    },
    /// What a command says while it runs: whole lines, but for the last one. Only where the user wants to follow.
    Heard {
        host: Arc<str>,
        task: Arc<TaskInfo>,
        stream: Stream,
        text: String,
    },
    /// How much of a large file is on its way to a host, in bytes.
    Sending {
        host: Arc<str>,
        sent: u64,
        total: u64,
    },
    /// A task is done on a host. For a loop: after all items, with `results` among the fields.
    HostDone {
        host: Arc<str>,
        task: Arc<TaskInfo>,
        result: TaskResult,
    },
    /// An `until` try failed; `left` more follow.
    Retrying {
        host: Arc<str>,
        task: Arc<TaskInfo>,
        left: u32,
        result: TaskResult,
    },
    /// A look at a task in the background.
    Background {
        host: Arc<str>,
        /// Ansible's `jid`.
        job: String,
        state: JobState,
    },
    /// A dynamic include brought tasks in.
    Included {
        what: String,
        hosts: Vec<Arc<str>>,
        item: Option<String>,
    },
    /// A handler was notified (shown with -vv).
    /// What a `meta` came to.
    Meta {
        text: String,
    },
    Notified {
        handler: String,
        host: Arc<str>,
    },
    /// What an action tells the operator while it works.
    Said {
        text: String,
    },
    /// Something worth knowing only with `-v`; told once.
    Note(String),
    Warning(Diagnostic),
    Deprecation(Diagnostic),
    /// `set_stats` data to show at the end; `host` is `None` for the run's own.
    CustomStats {
        host: Option<Arc<str>>,
        data: Dict,
    },
    /// Asks the consumer to answer once all earlier events are shown: a question to the operator follows.
    Flush(std::sync::mpsc::Sender<()>),
    /// The last event of a run. `interrupted` after Ctrl-C; `broken` when an error of the playbook ended it before
    /// its time: then the counts are nobody's result.
    RunEnded {
        stats: Stats,
        interrupted: bool,
        broken: bool,
        elapsed: Duration,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoHosts {
    /// `skipping: no hosts matched`
    NoneMatched,
    /// `NO MORE HOSTS LEFT`
    NoneLeft,
}

/// The task an event is about.
#[derive(Clone, Debug)]
pub struct TaskInfo {
    /// Counted up through the run: the same for all hosts of one task.
    pub id: u64,
    /// `role : name`, rendered as far as possible; the action's name when it has none.
    pub name: String,
    /// The module or action as canonical short name.
    pub action: String,
    pub place: Option<Place>,
    pub kind: TaskKind,
    pub check: bool,
    pub no_log: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskKind {
    #[default]
    Task,
    Handler,
    /// `Gathering Facts`.
    Gathering,
}

/// How a task (or one of its items) ended on a host.
#[derive(Clone, Debug)]
pub struct TaskResult {
    pub status: Status,
    /// The result as `register` sees it, already censored when `no_log` is set. `warnings` and `deprecations`
    /// are told on stderr. `_ansible_verbose_always: true|false`, which an action may add and `register` must not
    /// see, decides whether the result is shown without -v (by default those of `debug` and `assert` are).
    pub fields: Dict,
    /// The loop item's label: `item=…` in the output.
    pub label: Option<String>,
    pub delegated_to: Option<Delegate>,
    pub diffs: Vec<Diff>,
    pub ignored: bool,
    /// The error behind a failure that arose on the control node (a template, a bad option), for its excerpt.
    pub error: Option<Diagnostic>,
    pub elapsed: Duration,
}

/// The host that did the work of another's task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegate {
    pub name: Arc<str>,
    /// Where it was reached, when that has another name and is to be shown.
    pub address: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Ok,
    Changed,
    Skipped,
    Failed,
    Unreachable,
}

/// One difference to show with `--diff`.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    pub before_header: Option<String>,
    pub after_header: Option<String>,
    /// Text, or a mapping (the `file` module's path, mode, state) that is shown as JSON.
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// A diff someone else prepared, shown as it is.
    pub prepared: Option<String>,
    /// Why a side is not shown: `destination file appears to be binary` …
    pub skipped: Vec<String>,
}

/// How a task in the background is getting on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    Waiting,
    Done,
    Failed,
}

/// The counts of the recap, per host in order of first appearance.
pub type Stats = IndexMap<Arc<str>, Counts>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Counts {
    pub ok: u32,
    pub changed: u32,
    pub unreachable: u32,
    pub failed: u32,
    pub skipped: u32,
    pub rescued: u32,
    pub ignored: u32,
}
