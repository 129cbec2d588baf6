//! The table of settings: what each is called and where it goes.

mod hosts;
mod vault;

use std::path::{Path, PathBuf};

use self::hosts::HOSTS;
use self::vault::VAULT;
use super::Config;
use super::meaningless;
use super::options::{Colour, Gathering, ResultFormat, Strategy};
use super::value::{Given, Outcome};
use crate::inventory::Plugin;

/// One setting under all its names.
pub(super) struct Setting {
    /// Sections and keys of `ansible.cfg`.
    pub ini: &'static [(&'static str, &'static str)],
    /// Variables of the environment; the first that is set wins.
    pub env: &'static [&'static str],
    pub r#use: Use,
}

/// What becomes of a setting.
pub(super) enum Use {
    Sets(fn(&mut Config, &Given<'_>) -> Outcome<()>),
    /// Fine with these values, in lower case; a warning with the reason otherwise.
    OnlyAs(&'static [&'static str], &'static str),
    /// Fine with these values; an error otherwise, since the run would do something else than asked.
    MustBe(&'static [&'static str], &'static str),
}

use Use::{MustBe, OnlyAs, Sets};

const YES: &[&str] = &["yes", "true", "on", "y", "t", "1"];
const NO: &[&str] = &["no", "false", "off", "n", "f", "0", ""];

/// All settings.
pub(super) fn settings() -> impl Iterator<Item = &'static Setting> {
    HOSTS.iter().chain(VAULT).chain(RUN)
}

/// Settings about the run and what it shows, sorted by what they are about.
const RUN: &[Setting] = &[
    // The run.
    Setting {
        ini: &[("defaults", "forks")],
        env: &["ANSIBLE_FORKS"],
        r#use: Sets(|config, given| {
            config.run.forks = given.number()?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "roles_path")],
        env: &["ANSIBLE_ROLES_PATH"],
        r#use: Sets(|config, given| {
            config.run.roles_path = given.search_path();
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "collections_path"), ("defaults", "collections_paths")],
        env: &["ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_COLLECTIONS_PATHS"],
        r#use: Sets(|config, given| {
            config.run.collections_path = given.search_path();
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "gathering")],
        env: &["ANSIBLE_GATHERING"],
        r#use: Sets(|config, given| {
            config.run.gathering = given.choice(&[
                ("implicit", Gathering::Implicit),
                ("explicit", Gathering::Explicit),
                ("smart", Gathering::Smart),
            ])?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "strategy")],
        env: &["ANSIBLE_STRATEGY"],
        r#use: Sets(|config, given| {
            config.run.strategy = given.choice(&[
                ("linear", Strategy::Linear),
                ("ansible.builtin.linear", Strategy::Linear),
                ("free", Strategy::Free),
                ("ansible.builtin.free", Strategy::Free),
                ("host_pinned", Strategy::Free),
                ("ansible.builtin.host_pinned", Strategy::Free),
            ])?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "force_handlers")],
        env: &["ANSIBLE_FORCE_HANDLERS"],
        r#use: Sets(|config, given| flag(&mut config.run.force_handlers, given)),
    },
    Setting {
        ini: &[("defaults", "any_errors_fatal")],
        env: &["ANSIBLE_ANY_ERRORS_FATAL"],
        r#use: Sets(|config, given| flag(&mut config.run.any_errors_fatal, given)),
    },
    Setting {
        ini: &[("defaults", "error_on_missing_handler")],
        env: &["ANSIBLE_ERROR_ON_MISSING_HANDLER"],
        r#use: MustBe(YES, "not supported yet: going on when a notified handler does not exist"),
    },
    Setting {
        ini: &[("defaults", "inject_facts_as_vars")],
        env: &["ANSIBLE_INJECT_FACT_VARS"],
        r#use: OnlyAs(YES, "facts under ansible_facts alone; they are variables of their own too"),
    },
    Setting {
        ini: &[("defaults", "no_log")],
        env: &["ANSIBLE_NO_LOG"],
        r#use: Sets(|config, given| flag(&mut config.run.no_log, given)),
    },
    Setting {
        ini: &[("defaults", "task_timeout")],
        env: &["ANSIBLE_TASK_TIMEOUT"],
        r#use: Sets(|config, given| {
            config.run.task_timeout = Some(given.number()?).filter(|seconds| *seconds > 0);
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "poll_interval")],
        env: &["ANSIBLE_POLL_INTERVAL"],
        r#use: Sets(|config, given| {
            config.run.poll_interval = given.number()?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "async_dir")],
        env: &["ANSIBLE_ASYNC_DIR"],
        r#use: Sets(|config, given| {
            config.run.async_dir = given.string();
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "executable")],
        env: &["ANSIBLE_EXECUTABLE"],
        r#use: OnlyAs(&["/bin/sh"], "another shell for all tasks than /bin/sh; give the option executable"),
    },
    Setting {
        ini: &[("defaults", "ansible_managed")],
        env: &[],
        r#use: OnlyAs(&["ansible managed"], "another text for ansible_managed; set a variable of that name"),
    },
    Setting {
        ini: &[("defaults", "jinja2_extensions")],
        env: &["ANSIBLE_JINJA2_EXTENSIONS"],
        r#use: OnlyAs(&[""], "extensions of Jinja"),
    },
    Setting {
        ini: &[("diff", "always")],
        env: &["ANSIBLE_DIFF_ALWAYS"],
        r#use: Sets(|config, given| flag(&mut config.run.diff, given)),
    },
    Setting {
        ini: &[("diff", "context")],
        env: &["ANSIBLE_DIFF_CONTEXT"],
        r#use: Sets(|config, given| {
            config.run.diff_context = given.number()?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "max_diff_size")],
        env: &["ANSIBLE_MAX_DIFF_SIZE"],
        r#use: OnlyAs(&["104448"], "another limit for differences than 104448 bytes"),
    },
    Setting {
        ini: &[("tags", "run")],
        env: &["ANSIBLE_RUN_TAGS"],
        r#use: Sets(|config, given| {
            config.run.tags = given.list();
            Ok(())
        }),
    },
    Setting {
        ini: &[("tags", "skip")],
        env: &["ANSIBLE_SKIP_TAGS"],
        r#use: Sets(|config, given| {
            config.run.skip_tags = given.list();
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "hash_behaviour")],
        env: &["ANSIBLE_HASH_BEHAVIOUR"],
        r#use: Sets(|config, given| {
            config.run.merges = given.choice(&[("replace", false), ("merge", true)])?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "error_on_undefined_vars")],
        env: &["ANSIBLE_ERROR_ON_UNDEFINED_VARS"],
        r#use: MustBe(YES, "not supported: an undefined variable is always an error"),
    },
    Setting {
        ini: &[("defaults", "allow_broken_conditionals")],
        env: &["ANSIBLE_ALLOW_BROKEN_CONDITIONALS"],
        r#use: MustBe(NO, "not supported: a condition must be true or false"),
    },
    Setting {
        ini: &[("defaults", "precedence")],
        env: &["ANSIBLE_PRECEDENCE"],
        r#use: MustBe(
            &[
                "all_inventory, groups_inventory, all_plugins_inventory, all_plugins_play, groups_plugins_inventory, groups_plugins_play",
            ],
            "not supported yet: another precedence of group variables",
        ),
    },
    Setting {
        ini: &[("defaults", "private_role_vars")],
        env: &["ANSIBLE_PRIVATE_ROLE_VARS"],
        r#use: MustBe(NO, "not supported yet: variables that only their role sees"),
    },
    Setting {
        ini: &[("defaults", "invalid_task_attribute_failed")],
        env: &["ANSIBLE_INVALID_TASK_ATTRIBUTE_FAILED"],
        r#use: MustBe(YES, "not supported: an unknown keyword is always an error"),
    },
    Setting {
        ini: &[("defaults", "playbook_vars_root")],
        env: &["ANSIBLE_PLAYBOOK_VARS_ROOT"],
        r#use: OnlyAs(&["top"], "group_vars beside imported playbooks"),
    },
    Setting {
        ini: &[("defaults", "fact_caching")],
        env: &["ANSIBLE_CACHE_PLUGIN"],
        r#use: Sets(|config, given| {
            config.run.fact_cache.in_files = given.choice(&[
                ("memory", false),
                ("ansible.builtin.memory", false),
                ("jsonfile", true),
                ("ansible.builtin.jsonfile", true),
            ])?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "fact_caching_connection")],
        env: &["ANSIBLE_CACHE_PLUGIN_CONNECTION"],
        r#use: Sets(|config, given| {
            config.run.fact_cache.directory = given.optional().map(|path| given.resolve(&path));
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "fact_caching_prefix")],
        env: &["ANSIBLE_CACHE_PLUGIN_PREFIX"],
        r#use: Sets(|config, given| {
            config.run.fact_cache.prefix = given.string();
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "fact_caching_timeout")],
        env: &["ANSIBLE_CACHE_PLUGIN_TIMEOUT"],
        r#use: Sets(|config, given| {
            config.run.fact_cache.timeout = given.number()?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "retry_files_enabled")],
        env: &["ANSIBLE_RETRY_FILES_ENABLED"],
        r#use: OnlyAs(NO, "retry files"),
    },
    Setting {
        ini: &[("defaults", "log_path")],
        env: &["ANSIBLE_LOG_PATH"],
        r#use: OnlyAs(&[""], "a log file; redirect the output instead"),
    },
    Setting {
        ini: &[
            ("defaults", "callbacks_enabled"),
            ("defaults", "callback_whitelist"),
            ("defaults", "callback_enabled"),
        ],
        env: &["ANSIBLE_CALLBACKS_ENABLED"],
        r#use: OnlyAs(&[""], "more callbacks beside the one on stdout"),
    },
    Setting {
        ini: &[("defaults", "duplicate_dict_key")],
        env: &["ANSIBLE_DUPLICATE_YAML_DICT_KEY"],
        r#use: OnlyAs(&["warn"], "another answer to duplicate keys than a warning"),
    },
    Setting {
        ini: &[("defaults", "enable_task_debugger")],
        env: &["ANSIBLE_ENABLE_TASK_DEBUGGER"],
        r#use: OnlyAs(NO, "the debugger"),
    },
    Setting {
        ini: &[("defaults", "module_name")],
        env: &[],
        r#use: OnlyAs(
            &["command", "ansible.builtin.command"],
            "another module than command for ad-hoc commands; give -m",
        ),
    },
    Setting {
        ini: &[("defaults", "module_args")],
        env: &["ANSIBLE_MODULE_ARGS"],
        r#use: OnlyAs(&[""], "options for ad-hoc commands; give -a"),
    },
    Setting {
        ini: &[("defaults", "yaml_valid_extensions")],
        env: &["ANSIBLE_YAML_FILENAME_EXT"],
        r#use: OnlyAs(&[".yml, .yaml, .json"], "other endings of YAML files than .yml, .yaml and .json"),
    },
    Setting {
        ini: &[("defaults", "null_representation")],
        env: &["ANSIBLE_NULL_REPRESENTATION"],
        r#use: MustBe(&[""], "not supported: another text for null than none"),
    },
    // The display.
    Setting {
        ini: &[("defaults", "verbose_to_stderr")],
        env: &["ANSIBLE_VERBOSE_TO_STDERR"],
        r#use: OnlyAs(NO, "what -v adds on stderr"),
    },
    Setting {
        ini: &[("defaults", "inject_invocation")],
        env: &["ANSIBLE_INJECT_INVOCATION"],
        r#use: OnlyAs(NO, "a module's arguments in its registered result"),
    },
    Setting {
        ini: &[("defaults", "callback_result_yaml_line_width")],
        env: &["ANSIBLE_CALLBACK_YAML_LINE_WIDTH"],
        r#use: OnlyAs(&["default"], "another line width of YAML results"),
    },
    Setting {
        ini: &[("defaults", "verbosity")],
        env: &["ANSIBLE_VERBOSITY"],
        r#use: Sets(|config, given| {
            config.display.verbosity = given.number()?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "bin_ansible_callbacks")],
        env: &["ANSIBLE_LOAD_CALLBACK_PLUGINS"],
        r#use: Sets(|config, given| flag(&mut config.display.adhoc_callbacks, given)),
    },
    Setting {
        ini: &[("defaults", "stdout_callback")],
        env: &["ANSIBLE_STDOUT_CALLBACK"],
        r#use: Sets(|config, given| {
            config.display.callback = given.string();
            Ok(())
        }),
    },
    Setting {
        ini: &[
            ("defaults", "callback_result_format"),
            ("defaults", "result_format"),
            ("callback_default", "result_format"),
        ],
        env: &["ANSIBLE_CALLBACK_RESULT_FORMAT"],
        r#use: Sets(|config, given| {
            config.display.result_format =
                given.choice(&[("json", ResultFormat::Json), ("yaml", ResultFormat::Yaml)])?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "callback_format_pretty")],
        env: &["ANSIBLE_CALLBACK_FORMAT_PRETTY"],
        r#use: Sets(|config, given| {
            config.display.pretty_results = Some(given.boolean()?);
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "callback_result_indentation")],
        env: &["ANSIBLE_CALLBACK_RESULT_INDENTATION"],
        r#use: Sets(|config, given| {
            config.display.result_indentation = given.number()?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "display_ok_hosts")],
        env: &["ANSIBLE_DISPLAY_OK_HOSTS"],
        r#use: Sets(|config, given| flag(&mut config.display.ok_hosts, given)),
    },
    Setting {
        ini: &[("defaults", "display_skipped_hosts")],
        env: &["ANSIBLE_DISPLAY_SKIPPED_HOSTS"],
        r#use: Sets(|config, given| flag(&mut config.display.skipped_hosts, given)),
    },
    Setting {
        ini: &[("defaults", "display_included_hosts")],
        env: &["ANSIBLE_DISPLAY_INCLUDED_HOSTS"],
        r#use: Sets(|config, given| flag(&mut config.display.included_hosts, given)),
    },
    Setting {
        ini: &[("defaults", "display_failed_stderr")],
        env: &["ANSIBLE_DISPLAY_FAILED_STDERR"],
        r#use: Sets(|config, given| flag(&mut config.display.failed_to_stderr, given)),
    },
    Setting {
        ini: &[("defaults", "display_args_to_stdout")],
        env: &["ANSIBLE_DISPLAY_ARGS_TO_STDOUT"],
        r#use: OnlyAs(NO, "arguments in task banners"),
    },
    Setting {
        ini: &[("defaults", "show_custom_stats")],
        env: &["ANSIBLE_SHOW_CUSTOM_STATS"],
        r#use: Sets(|config, given| flag(&mut config.display.custom_stats, given)),
    },
    Setting {
        ini: &[("defaults", "check_mode_markers")],
        env: &["ANSIBLE_CHECK_MODE_MARKERS"],
        r#use: Sets(|config, given| flag(&mut config.display.check_mode_markers, given)),
    },
    Setting {
        ini: &[("defaults", "show_task_path_on_failure")],
        env: &["ANSIBLE_SHOW_TASK_PATH_ON_FAILURE"],
        r#use: Sets(|config, given| flag(&mut config.display.task_path_on_failure, given)),
    },
    Setting {
        ini: &[("defaults", "show_per_host_start")],
        env: &["ANSIBLE_SHOW_PER_HOST_START"],
        r#use: Sets(|config, given| flag(&mut config.display.per_host_start, given)),
    },
    Setting {
        ini: &[("defaults", "deprecation_warnings")],
        env: &["ANSIBLE_DEPRECATION_WARNINGS"],
        r#use: Sets(|config, given| flag(&mut config.display.deprecation_warnings, given)),
    },
    Setting {
        ini: &[("defaults", "system_warnings")],
        env: &["ANSIBLE_SYSTEM_WARNINGS"],
        r#use: OnlyAs(YES, "silencing warnings about the system"),
    },
    // The later of the two wins: whoever forces colour means it.
    Setting {
        ini: &[("defaults", "nocolor")],
        env: &["ANSIBLE_NOCOLOR", "NO_COLOR"],
        r#use: Sets(|config, given| {
            // NO_COLOR counts by being there, whatever it says; `0` and `false` are kept for ansible.cfg.
            if given.boolean().unwrap_or(true) {
                config.display.colour = Colour::Never;
            }
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "force_color")],
        env: &["ANSIBLE_FORCE_COLOR"],
        r#use: Sets(|config, given| {
            if given.boolean()? {
                config.display.colour = Colour::Always;
            }
            Ok(())
        }),
    },
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

pub(super) fn by_ini(section: &str, key: &str) -> Option<&'static Setting> {
    settings().find(|setting| setting.ini.contains(&(section, key)))
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
    NAMES.contains(&section)
        || PREFIXES.iter().any(|prefix| section.starts_with(prefix))
        || (section.ends_with("_connection") && section != "ssh_connection")
        || section.ends_with("_become_plugin")
        || section.contains("_lookup")
}

pub(super) fn nearest_ini(section: &str, key: &str) -> Option<String> {
    let known = settings().flat_map(|setting| setting.ini.iter().copied());
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
    let known = settings().flat_map(|setting| setting.env.iter().copied());
    let known = known.chain(meaningless::env_names());
    known
        .filter(|known| (1..=2).contains(&strsim::damerau_levenshtein(known, name)))
        .min_by_key(|known| strsim::damerau_levenshtein(known, name))
}
