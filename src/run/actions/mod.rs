//! Actions: modules that run on the control node. One file each; the table below lists them.

mod add_host;
mod assert;
mod debug;
mod fail;
mod fetch;
mod foreign;
mod group_by;
mod include_role;
mod include_tasks;
mod include_vars;
mod known;
mod manual;
mod meta;
mod pause;
mod raw;
mod reboot;
mod set_fact;
mod set_stats;
mod synchronize;
mod validate_argument_spec;
mod wait_for_connection;

pub use known::{Library, check};
pub use manual::{Manual, STATIC};

use futures::future::BoxFuture;

use super::call::Call;
use super::outcome::Raw;
use crate::diagnostic::Result;

/// A row of the table.
pub struct Action {
    /// The canonical short name.
    pub name: &'static str,
    /// What it is and takes; `None` when the module of that name says it.
    pub manual: Option<&'static Manual>,
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
        manual: Some(&add_host::MANUAL),
        free_form: false,
        takes_templates: false,
        run: now!(add_host::run),
    },
    Action {
        name: "assert",
        manual: Some(&assert::MANUAL),
        free_form: false,
        takes_templates: true,
        run: now!(assert::run),
    },
    Action {
        name: "debug",
        manual: Some(&debug::MANUAL),
        free_form: false,
        takes_templates: true,
        run: now!(debug::run),
    },
    Action {
        name: "fail",
        manual: Some(&fail::MANUAL),
        free_form: false,
        takes_templates: false,
        run: now!(fail::run),
    },
    Action { name: "fetch", manual: None, free_form: false, takes_templates: false, run: later!(fetch::run) },
    Action {
        name: "group_by",
        manual: Some(&group_by::MANUAL),
        free_form: false,
        takes_templates: false,
        run: now!(group_by::run),
    },
    Action {
        name: "include_role",
        manual: Some(&include_role::MANUAL),
        free_form: false,
        takes_templates: false,
        run: now!(include_role::run),
    },
    Action {
        name: "include_tasks",
        manual: Some(&include_tasks::MANUAL),
        free_form: true,
        takes_templates: false,
        run: now!(include_tasks::run),
    },
    Action {
        name: "include_vars",
        manual: Some(&include_vars::MANUAL),
        free_form: true,
        takes_templates: false,
        run: now!(include_vars::run),
    },
    Action {
        name: "meta",
        manual: Some(&meta::MANUAL),
        free_form: true,
        takes_templates: false,
        run: now!(meta::run),
    },
    Action {
        name: "pause",
        manual: Some(&pause::MANUAL),
        free_form: false,
        takes_templates: false,
        run: later!(pause::run),
    },
    Action { name: "raw", manual: None, free_form: true, takes_templates: false, run: later!(raw::run) },
    Action {
        name: "reboot",
        manual: Some(&reboot::MANUAL),
        free_form: false,
        takes_templates: false,
        run: later!(reboot::run),
    },
    Action {
        name: "set_fact",
        manual: Some(&set_fact::MANUAL),
        free_form: false,
        takes_templates: false,
        run: now!(set_fact::run),
    },
    Action {
        name: "set_stats",
        manual: Some(&set_stats::MANUAL),
        free_form: false,
        takes_templates: false,
        run: now!(set_stats::run),
    },
    Action {
        name: "synchronize",
        manual: None,
        free_form: false,
        takes_templates: false,
        run: later!(synchronize::run),
    },
    Action {
        name: "validate_argument_spec",
        manual: Some(&validate_argument_spec::MANUAL),
        free_form: false,
        takes_templates: false,
        run: now!(validate_argument_spec::run),
    },
    Action {
        name: "wait_for_connection",
        manual: Some(&wait_for_connection::MANUAL),
        free_form: false,
        takes_templates: false,
        run: later!(wait_for_connection::run),
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
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .filter(|name| !["mod", "foreign", "known", "manual"].contains(&name.as_str()))
            .collect();
        files.sort();
        let names: Vec<&str> = ACTIONS.iter().map(|action| action.name).collect();
        assert_eq!(names, files);
    }

    #[test]
    fn every_action_is_documented() {
        for action in ACTIONS {
            let module = fanfare_modules::find(action.name).is_some();
            assert_eq!(action.manual.is_none(), module, "{}", action.name);
            let Some(manual) = action.manual else { continue };
            let spec = manual.spec(action.name);
            assert!(spec.doc.lines().next().unwrap().ends_with('.'), "{}", action.name);
            assert!(spec.examples.contains(&format!("{}:", action.name)), "{}", action.name);
            assert!(spec.options.iter().all(|option| option.doc.ends_with(['.', '…'])), "{}", action.name);
        }
    }
}
