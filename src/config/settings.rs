//! The table of settings: what each is called and where it goes.

mod display;
mod escalation;
mod hosts;
mod vault;

use std::path::{Path, PathBuf};

use self::display::DISPLAY;
use self::escalation::ESCALATION;
use self::hosts::HOSTS;
use self::vault::VAULT;
use super::Config;
use super::constants::Constant;
use super::meaningless;
use super::options::{Gathering, Strategy};
use super::value::{Given, Outcome};
use crate::inventory::Plugin;
use crate::yaml::Duplicates;

/// One setting under all its names.
pub(super) struct Setting {
    pub names: Names,
    pub r#use: Use,
}

/// What a setting is called.
pub(super) struct Names {
    /// The settings of Ansible's own that it is, by the names `ansible-config` has for them: each has keys and
    /// variables in the table of constants.
    pub constants: &'static [&'static str],
    /// Further sections and keys of `ansible.cfg`: old names, and those of plugins.
    pub ini: &'static [(&'static str, &'static str)],
    /// Further variables of the environment.
    pub env: &'static [&'static str],
}

impl Names {
    /// Sections and keys of `ansible.cfg`.
    pub fn keys(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let own = self.constants.iter().filter_map(|name| Constant::named(name));
        own.flat_map(Constant::keys).chain(self.ini.iter().copied())
    }

    /// Variables of the environment; the first that is set wins.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        let own = self.constants.iter().filter_map(|name| Constant::named(name));
        own.flat_map(Constant::variables).chain(self.env.iter().copied())
    }
}

/// A setting of Ansible's own.
const fn of(constant: &'static [&'static str; 1], r#use: Use) -> Setting {
    Setting { names: Names { constants: constant, ini: &[], env: &[] }, r#use }
}

/// A setting of one of Ansible's plugins.
const fn plugin(
    ini: &'static [(&'static str, &'static str)],
    env: &'static [&'static str],
    r#use: Use,
) -> Setting {
    Setting { names: Names { constants: &[], ini, env }, r#use }
}

impl Setting {
    /// With further names.
    const fn or(self, ini: &'static [(&'static str, &'static str)], env: &'static [&'static str]) -> Self {
        Self { names: Names { constants: self.names.constants, ini, env }, r#use: self.r#use }
    }
}

/// What becomes of a setting.
pub(super) enum Use {
    Sets(fn(&mut Config, &Given<'_>) -> Outcome<()>),
    /// Names a plugin: one that is not here is an error for runs alone.
    Plugin(fn(&mut Config, &Given<'_>) -> Outcome<()>),
    /// Fine with these values, in lower case; a warning with the reason otherwise.
    OnlyAs(&'static [&'static str], &'static str),
    /// Fine with these values; an error for runs otherwise, since they would do something else than asked.
    MustBe(&'static [&'static str], &'static str),
}

use Use::{MustBe, OnlyAs, Plugin as LoadsPlugin, Sets};

const YES: &[&str] = &["yes", "true", "on", "y", "t", "1"];
const NO: &[&str] = &["no", "false", "off", "n", "f", "0", ""];

/// All settings.
pub(super) fn settings() -> impl Iterator<Item = &'static Setting> {
    HOSTS.iter().chain(ESCALATION).chain(VAULT).chain(RUN).chain(DISPLAY)
}

/// Settings about the run.
const RUN: &[Setting] = &[
    of(
        &["DEFAULT_FORKS"],
        Sets(|config, given| {
            config.run.forks = Some(given.number()?);
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_ROLES_PATH"],
        Sets(|config, given| {
            config.run.roles_path = given.search_path();
            Ok(())
        }),
    ),
    of(
        &["COLLECTIONS_PATHS"],
        Sets(|config, given| {
            config.run.collections_path = given.search_path();
            Ok(())
        }),
    )
    .or(&[("defaults", "collections_paths")], &["ANSIBLE_COLLECTIONS_PATHS"]),
    of(
        &["DEFAULT_MODULE_PATH"],
        Sets(|config, given| {
            config.run.module_path = given.search_path();
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_MODULE_UTILS_PATH"],
        Sets(|config, given| {
            config.run.module_utils_path = given.search_path();
            Ok(())
        }),
    ),
    of(
        &["INTERPRETER_PYTHON"],
        Sets(|config, given| {
            config.run.python = Some(given.text.to_owned());
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_ACTION_PLUGIN_PATH"],
        Sets(|config, given| {
            config.run.action_path = given.search_path();
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_GATHERING"],
        Sets(|config, given| {
            config.run.gathering = given.choice(&[
                ("implicit", Gathering::Implicit),
                ("explicit", Gathering::Explicit),
                ("smart", Gathering::Smart),
            ])?;
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_STRATEGY"],
        LoadsPlugin(|config, given| {
            config.run.strategy = given.choice(&[
                ("linear", Strategy::Linear),
                ("ansible.builtin.linear", Strategy::Linear),
                ("free", Strategy::Free),
                ("ansible.builtin.free", Strategy::Free),
                ("host_pinned", Strategy::Free),
                ("ansible.builtin.host_pinned", Strategy::Free),
                ("debug", Strategy::Debug),
                ("ansible.builtin.debug", Strategy::Debug),
            ])?;
            Ok(())
        }),
    ),
    of(&["DEFAULT_FORCE_HANDLERS"], Sets(|config, given| flag(&mut config.run.force_handlers, given))),
    of(&["ANY_ERRORS_FATAL"], Sets(|config, given| flag(&mut config.run.any_errors_fatal, given))),
    of(
        &["ERROR_ON_MISSING_HANDLER"],
        Sets(|config, given| flag(&mut config.run.error_on_missing_handler, given)),
    ),
    of(
        &["INJECT_FACTS_AS_VARS"],
        OnlyAs(YES, "facts under ansible_facts alone; they are variables of their own too"),
    ),
    of(&["DEFAULT_NO_LOG"], Sets(|config, given| flag(&mut config.run.no_log, given))),
    of(
        &["TASK_TIMEOUT"],
        Sets(|config, given| {
            config.run.task_timeout = Some(given.number()?).filter(|seconds| *seconds > 0);
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_POLL_INTERVAL"],
        Sets(|config, given| {
            config.run.poll_interval = given.number()?;
            Ok(())
        }),
    ),
    plugin(
        &[("defaults", "async_dir")],
        &["ANSIBLE_ASYNC_DIR"],
        Sets(|config, given| {
            config.run.async_dir = given.string();
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_EXECUTABLE"],
        Sets(|config, given| {
            config.run.executable = given.optional().filter(|shell| shell != "/bin/sh");
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_MANAGED_STR"],
        OnlyAs(&["ansible managed"], "another text for ansible_managed; set a variable of that name"),
    ),
    of(&["DEFAULT_JINJA2_EXTENSIONS"], OnlyAs(&[""], "extensions of Jinja")),
    of(&["DIFF_ALWAYS"], Sets(|config, given| flag(&mut config.run.diff, given))),
    of(
        &["DIFF_CONTEXT"],
        Sets(|config, given| {
            config.run.diff_context = given.number()?;
            Ok(())
        }),
    ),
    of(&["MAX_FILE_SIZE_FOR_DIFF"], OnlyAs(&["104448"], "another limit for differences than 104448 bytes")),
    of(
        &["TAGS_RUN"],
        Sets(|config, given| {
            config.run.tags = given.list();
            Ok(())
        }),
    ),
    of(
        &["TAGS_SKIP"],
        Sets(|config, given| {
            config.run.skip_tags = given.list();
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_HASH_BEHAVIOUR"],
        Sets(|config, given| {
            config.run.merges = given.choice(&[("replace", false), ("merge", true)])?;
            config.inventory.merges = config.run.merges;
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_UNDEFINED_VAR_BEHAVIOR"],
        MustBe(YES, "not supported: an undefined variable is always an error"),
    ),
    of(
        &["ALLOW_BROKEN_CONDITIONALS"],
        Sets(|config, given| flag(&mut config.run.broken_conditionals, given)),
    ),
    of(
        &["VARIABLE_PRECEDENCE"],
        MustBe(
            &[
                "all_inventory, groups_inventory, all_plugins_inventory, all_plugins_play, groups_plugins_inventory, groups_plugins_play",
            ],
            "not supported yet: another precedence of group variables",
        ),
    ),
    of(
        &["DEFAULT_PRIVATE_ROLE_VARS"],
        Sets(|config, given| {
            config.run.private_role_vars = Some(given.boolean()?);
            Ok(())
        }),
    ),
    of(
        &["INVALID_TASK_ATTRIBUTE_FAILED"],
        MustBe(YES, "not supported: an unknown keyword is always an error"),
    ),
    of(&["PLAYBOOK_VARS_ROOT"], OnlyAs(&["top"], "group_vars beside imported playbooks")),
    of(
        &["CACHE_PLUGIN"],
        LoadsPlugin(|config, given| {
            config.run.fact_cache.in_files = given.choice(&[
                ("memory", false),
                ("ansible.builtin.memory", false),
                ("jsonfile", true),
                ("ansible.builtin.jsonfile", true),
            ])?;
            Ok(())
        }),
    ),
    of(
        &["CACHE_PLUGIN_CONNECTION"],
        Sets(|config, given| {
            config.run.fact_cache.directory = given.optional().map(|path| given.resolve(&path));
            Ok(())
        }),
    ),
    of(
        &["CACHE_PLUGIN_PREFIX"],
        Sets(|config, given| {
            config.run.fact_cache.prefix = given.string();
            Ok(())
        }),
    ),
    of(
        &["CACHE_PLUGIN_TIMEOUT"],
        Sets(|config, given| {
            config.run.fact_cache.timeout = given.number()?;
            Ok(())
        }),
    ),
    of(&["RETRY_FILES_ENABLED"], OnlyAs(NO, "retry files")),
    of(
        &["DUPLICATE_YAML_DICT_KEY"],
        Sets(|config, given| {
            let choices =
                [("warn", Duplicates::Warn), ("ignore", Duplicates::Ignore), ("error", Duplicates::Error)];
            config.run.duplicate_keys = given.choice(&choices)?;
            Ok(())
        }),
    ),
    of(
        &["ENABLE_TASK_DEBUGGER"],
        Sets(|config, given| {
            config.run.debugger = given.boolean()?;
            Ok(())
        }),
    ),
    of(
        &["TASK_DEBUGGER_IGNORE_ERRORS"],
        Sets(|config, given| {
            config.run.debugger_ignores_errors = given.boolean()?;
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_MODULE_NAME"],
        OnlyAs(
            &["command", "ansible.builtin.command"],
            "another module than command for ad-hoc commands; give -m",
        ),
    ),
    of(&["DEFAULT_MODULE_ARGS"], OnlyAs(&[""], "options for ad-hoc commands; give -a")),
    of(
        &["YAML_FILENAME_EXTENSIONS"],
        OnlyAs(&[".yml, .yaml, .json"], "other endings of YAML files than .yml, .yaml and .json"),
    ),
    of(&["DEFAULT_NULL_REPRESENTATION"], MustBe(&[""], "not supported: another text for null than none")),
];

fn flag(into: &mut bool, given: &Given<'_>) -> Outcome<()> {
    *into = given.boolean()?;
    Ok(())
}

/// Paths, comma separated; `a,` and `a,b,` are host lists and stay as they are.
fn inventory_sources(given: &Given<'_>) -> Vec<String> {
    let text = given.string();
    if text.ends_with(',') {
        return vec![text];
    }
    given.list().iter().map(|path| given.resolve(path).to_string_lossy().into_owned()).collect()
}

/// Those that are not here are left out, as Ansible leaves out what it cannot load.
fn inventory_plugins(config: &mut Config, given: &Given<'_>) {
    let mut plugins = Vec::new();
    for name in given.list() {
        if let Some(plugin) = Plugin::named(&name) {
            plugins.push(plugin);
        } else {
            let message = format!("Failed to load inventory plugin, skipping {name}");
            config.warnings.push(crate::diagnostic::Diagnostic::new(message));
        }
    }
    config.inventory.plugins = plugins;
}

/// `~/.ansible/roles`, `/usr/share/ansible/roles`, `/etc/ansible/roles`.
pub(super) fn default_roles_path(home: Option<&Path>) -> Vec<PathBuf> {
    let own = home.map(|home| home.join(".ansible/roles"));
    let shared = ["/usr/share/ansible/roles", "/etc/ansible/roles"].map(PathBuf::from);
    own.into_iter().chain(shared).collect()
}

/// `~/.ansible/collections`, `/usr/share/ansible/collections`.
pub(super) fn default_collections_path(home: Option<&Path>) -> Vec<PathBuf> {
    let own = home.map(|home| home.join(".ansible/collections"));
    own.into_iter().chain([PathBuf::from("/usr/share/ansible/collections")]).collect()
}

/// `~/.ansible/plugins/KIND`, `/usr/share/ansible/plugins/KIND`.
pub(super) fn default_plugins_path(home: Option<&Path>, kind: &str) -> Vec<PathBuf> {
    let own = home.map(|home| home.join(".ansible/plugins").join(kind));
    own.into_iter().chain([Path::new("/usr/share/ansible/plugins").join(kind)]).collect()
}

pub(super) fn by_ini(section: &str, key: &str) -> Option<&'static Setting> {
    settings().find(|setting| setting.names.keys().any(|name| name == (section, key)))
}

/// Sections that belong to plugins of collections, or to tools that come with Ansible.
pub(super) fn is_foreign_section(section: &str) -> bool {
    const PREFIXES: &[&str] = &["callback_", "galaxy_server.", "inventory_plugin", "community.", "hashi_"];
    const NAMES: &[&str] = &[
        "galaxy",
        "colors",
        "selinux",
        "persistent_connection",
        "paramiko_connection",
        "netconf_connection",
        "accelerate",
        "powershell",
        "jinja2",
    ];
    const OWN: &[&str] = &["su_become_plugin", "sudo_become_plugin"];
    NAMES.contains(&section)
        || PREFIXES.iter().any(|prefix| section.starts_with(prefix))
        || (section.ends_with("_connection") && section != "ssh_connection")
        || (section.ends_with("_become_plugin") && !OWN.contains(&section))
        || section.contains("_lookup")
}

pub(super) fn nearest_ini(section: &str, key: &str) -> Option<String> {
    let known = settings().flat_map(|setting| setting.names.keys());
    let known = known.chain(meaningless::ini_names());
    // The same key in another section is the usual mistake.
    let score = |(other, name): (&str, &str)| {
        strsim::jaro_winkler(name, key) + if other == section { 0.01 } else { 0.0 }
    };
    known
        .map(|name| (score(name), name))
        .filter(|(score, _)| *score > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, (section, key))| format!("{section}.{key}"))
}

/// Only a very near name: other tools have `ANSIBLE_` variables of their own.
pub(super) fn nearest_env(name: &str) -> Option<&'static str> {
    let known = settings().flat_map(|setting| setting.names.variables());
    let known = known.chain(meaningless::env_names());
    known
        .filter(|known| (1..=2).contains(&strsim::damerau_levenshtein(known, name)))
        .min_by_key(|known| strsim::damerau_levenshtein(known, name))
}
