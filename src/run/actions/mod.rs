//! Actions: modules that run on the control node. One file each; the table below lists them.

mod add_host;
mod assert;
mod debug;
mod fail;
mod fetch;
mod group_by;
mod include_role;
mod include_tasks;
mod include_vars;
mod known;
mod meta;
mod pause;
mod raw;
mod set_fact;
mod set_stats;
mod validate_argument_spec;

pub use known::{Library, check};

use futures::future::BoxFuture;

use super::call::Call;
use super::outcome::Raw;
use crate::diagnostic::Result;

/// A row of the table.
pub struct Action {
    /// The canonical short name.
    pub name: &'static str,
    /// What the action takes: `None` means any name (`set_fact`).
    pub options: Option<&'static [&'static str]>,
    pub required: &'static [&'static str],
    /// Whether text without `key=` is allowed; it stands under `_raw_params`.
    pub free_form: bool,
    /// The action renders its options itself.
    pub takes_templates: bool,
    pub(super) run: for<'a> fn(Call<'a>) -> BoxFuture<'a, Result<Raw>>,
}

/// Wraps an action that has nothing to wait for.
macro_rules! now {
    ($run:path) => {
        |call| Box::pin(async move { $run(&call) })
    };
}

/// Wraps an action that waits.
macro_rules! later {
    ($run:path) => {
        |call| Box::pin(async move { $run(&call).await })
    };
}

/// Every action, sorted by name.
pub static ACTIONS: &[Action] = &[
    Action {
        name: "add_host",
        options: None,
        required: &[],
        free_form: false,
        takes_templates: false,
        run: now!(add_host::run),
    },
    Action {
        name: "assert",
        options: Some(&["that", "fail_msg", "msg", "success_msg", "quiet"]),
        required: &["that"],
        free_form: false,
        takes_templates: true,
        run: now!(assert::run),
    },
    Action {
        name: "debug",
        options: Some(&["msg", "var", "verbosity"]),
        required: &[],
        free_form: false,
        takes_templates: true,
        run: now!(debug::run),
    },
    Action {
        name: "fail",
        options: Some(&["msg"]),
        required: &[],
        free_form: false,
        takes_templates: false,
        run: now!(fail::run),
    },
    Action {
        name: "fetch",
        options: Some(&["src", "dest", "flat", "fail_on_missing", "validate_checksum"]),
        required: &["src", "dest"],
        free_form: false,
        takes_templates: false,
        run: later!(fetch::run),
    },
    Action {
        name: "group_by",
        options: Some(&["key", "parents"]),
        required: &["key"],
        free_form: false,
        takes_templates: false,
        run: now!(group_by::run),
    },
    Action {
        name: "include_role",
        options: Some(&[
            "name",
            "role",
            "tasks_from",
            "vars_from",
            "defaults_from",
            "handlers_from",
            "allow_duplicates",
            "public",
            "apply",
            "rolespec_validate",
        ]),
        required: &[],
        free_form: false,
        takes_templates: false,
        run: now!(include_role::run),
    },
    Action {
        name: "include_tasks",
        options: Some(&["file", "apply"]),
        required: &[],
        free_form: true,
        takes_templates: false,
        run: now!(include_tasks::run),
    },
    Action {
        name: "include_vars",
        options: Some(&[
            "file",
            "dir",
            "name",
            "depth",
            "files_matching",
            "ignore_files",
            "extensions",
            "ignore_unknown_extensions",
            "hash_behaviour",
        ]),
        required: &[],
        free_form: true,
        takes_templates: false,
        run: now!(include_vars::run),
    },
    Action {
        name: "meta",
        options: Some(&[]),
        required: &[],
        free_form: true,
        takes_templates: false,
        run: now!(meta::run),
    },
    Action {
        name: "pause",
        options: Some(&["minutes", "seconds", "prompt", "echo"]),
        required: &[],
        free_form: false,
        takes_templates: false,
        run: later!(pause::run),
    },
    Action {
        name: "raw",
        options: Some(&["executable"]),
        required: &[],
        free_form: true,
        takes_templates: false,
        run: later!(raw::run),
    },
    Action {
        name: "set_fact",
        options: None,
        required: &[],
        free_form: false,
        takes_templates: false,
        run: now!(set_fact::run),
    },
    Action {
        name: "set_stats",
        options: Some(&["data", "per_host", "aggregate"]),
        required: &["data"],
        free_form: false,
        takes_templates: false,
        run: now!(set_stats::run),
    },
    Action {
        name: "validate_argument_spec",
        options: Some(&["argument_spec", "provided_arguments", "validate_args_context"]),
        required: &["argument_spec"],
        free_form: false,
        takes_templates: false,
        run: now!(validate_argument_spec::run),
    },
];

/// The action with that canonical name.
pub fn find(name: &str) -> Option<&'static Action> {
    ACTIONS.binary_search_by(|action| action.name.cmp(name)).ok().and_then(|index| ACTIONS.get(index))
}

#[cfg(test)]
mod tests {
    use super::ACTIONS;

    #[test]
    fn table_is_the_directory() {
        let mut files: Vec<String> = std::fs::read_dir("src/run/actions")
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .filter(|name| name != "mod" && name != "known")
            .collect();
        files.sort();
        let names: Vec<&str> = ACTIONS.iter().map(|action| action.name).collect();
        assert_eq!(names, files);
    }
}
