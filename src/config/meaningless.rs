//! Settings of Ansible's that have nothing to act on here. They are accepted, so that an `ansible.cfg` need not be
//! changed, and named with -v.

/// Why, the keys by section, the variables.
pub(super) type Row =
    (&'static str, &'static [(&'static str, &'static [&'static str])], &'static [&'static str]);

pub(super) const TABLE: &[Row] = &[
    (
        "every task already takes one round trip over one channel",
        &[
            ("defaults", &["pipelining", "squash_actions"]),
            ("connection", &["pipelining"]),
            ("ssh_connection", &["pipelining", "control_path", "control_path_dir"]),
        ],
        &[
            "ANSIBLE_PIPELINING",
            "ANSIBLE_SSH_PIPELINING",
            "ANSIBLE_SSH_CONTROL_PATH",
            "ANSIBLE_SSH_CONTROL_PATH_DIR",
        ],
    ),
    (
        "files travel inside the one connection; ssh, sftp and scp are not started",
        &[
            (
                "ssh_connection",
                &[
                    "scp_if_ssh",
                    "transfer_method",
                    "sftp_batch_mode",
                    "sftp_executable",
                    "sftp_extra_args",
                    "scp_executable",
                    "scp_extra_args",
                    "ssh_executable",
                    "usetty",
                    "password_mechanism",
                    "sshpass_prompt",
                    "verbosity",
                    "pkcs11_provider",
                ],
            ),
            ("connection", &["ssh_agent", "ssh_agent_executable", "ssh_agent_key_lifetime"]),
        ],
        &[
            "ANSIBLE_SCP_IF_SSH",
            "ANSIBLE_SSH_TRANSFER_METHOD",
            "ANSIBLE_SFTP_BATCH_MODE",
            "ANSIBLE_SFTP_EXECUTABLE",
            "ANSIBLE_SFTP_EXTRA_ARGS",
            "ANSIBLE_SCP_EXECUTABLE",
            "ANSIBLE_SCP_EXTRA_ARGS",
            "ANSIBLE_SSH_EXECUTABLE",
            "ANSIBLE_SSH_USETTY",
            "ANSIBLE_SSH_PASSWORD_MECHANISM",
            "ANSIBLE_SSHPASS_PROMPT",
            "ANSIBLE_SSH_VERBOSITY",
            "ANSIBLE_SSH_AGENT",
            "ANSIBLE_SSH_AGENT_EXECUTABLE",
            "ANSIBLE_SSH_AGENT_KEY_LIFETIME",
        ],
    ),
    (
        "there is no Python on the target",
        &[
            (
                "defaults",
                &[
                    "interpreter_python",
                    "ansible_python_interpreter",
                    "module_compression",
                    "keep_remote_files",
                    "python_module_rlimit_nofile",
                    "module_strict_utf8_response",
                    "facts_modules",
                    "module_utils",
                ],
            ),
            ("interpreter", &["ansible_python_interpreter"]),
        ],
        &[
            "ANSIBLE_PYTHON_INTERPRETER",
            "ANSIBLE_KEEP_REMOTE_FILES",
            "ANSIBLE_PYTHON_MODULE_RLIMIT_NOFILE",
            "ANSIBLE_MODULE_STRICT_UTF8_RESPONSE",
            "ANSIBLE_FACTS_MODULES",
            "ANSIBLE_MODULE_UTILS",
        ],
    ),
    (
        "the worker runs as the user it works for: nothing is shared through temporary files",
        &[(
            "defaults",
            &[
                "local_tmp",
                "allow_world_readable_tmpfiles",
                "system_tmpdirs",
                "admin_users",
                "common_remote_group",
            ],
        )],
        &[
            "ANSIBLE_LOCAL_TEMP",
            "ANSIBLE_SHELL_ALLOW_WORLD_READABLE_TEMP",
            "ANSIBLE_SYSTEM_TMPDIRS",
            "ANSIBLE_ADMIN_USERS",
            "ANSIBLE_COMMON_REMOTE_GROUP",
        ],
    ),
    (
        "the worker writes to no system log",
        &[("defaults", &["no_target_syslog", "syslog_facility", "target_log_info"])],
        &["ANSIBLE_NO_TARGET_SYSLOG", "ANSIBLE_SYSLOG_FACILITY", "ANSIBLE_TARGET_LOG_INFO"],
    ),
    (
        "hosts are worked on by tasks of one process, without polling",
        &[("defaults", &["internal_poll_interval", "worker_session_isolation"])],
        &[
            "ANSIBLE_WORKER_SESSION_ISOLATION",
            "ANSIBLE_WORKER_SHUTDOWN_POLL_COUNT",
            "ANSIBLE_WORKER_SHUTDOWN_POLL_DELAY",
        ],
    ),
    (
        "plugins and modules written in Python cannot run; using one is an error",
        &[(
            "defaults",
            &[
                "library",
                "action_plugins",
                "become_plugins",
                "cache_plugins",
                "callback_plugins",
                "cliconf_plugins",
                "connection_plugins",
                "doc_fragment_plugins",
                "filter_plugins",
                "httpapi_plugins",
                "inventory_plugins",
                "lookup_plugins",
                "netconf_plugins",
                "strategy_plugins",
                "terminal_plugins",
                "test_plugins",
                "vars_plugins",
                "vars_plugins_enabled",
                "run_vars_plugins",
                "collections_scan_sys_path",
                "collections_on_ansible_version_mismatch",
                "plugin_filters_cfg",
                "module_ignore_exts",
                "old_plugin_cache_clear",
                "validate_action_group_metadata",
                "stderr_callback",
                "home",
            ],
        )],
        &[
            "ANSIBLE_LIBRARY",
            "ANSIBLE_ACTION_PLUGINS",
            "ANSIBLE_BECOME_PLUGINS",
            "ANSIBLE_CACHE_PLUGINS",
            "ANSIBLE_CALLBACK_PLUGINS",
            "ANSIBLE_CLICONF_PLUGINS",
            "ANSIBLE_CONNECTION_PLUGINS",
            "ANSIBLE_DOC_FRAGMENT_PLUGINS",
            "ANSIBLE_FILTER_PLUGINS",
            "ANSIBLE_HTTPAPI_PLUGINS",
            "ANSIBLE_INVENTORY_PLUGINS",
            "ANSIBLE_LOOKUP_PLUGINS",
            "ANSIBLE_NETCONF_PLUGINS",
            "ANSIBLE_STRATEGY_PLUGINS",
            "ANSIBLE_TERMINAL_PLUGINS",
            "ANSIBLE_TEST_PLUGINS",
            "ANSIBLE_VARS_PLUGINS",
            "ANSIBLE_VARS_ENABLED",
            "ANSIBLE_RUN_VARS_PLUGINS",
            "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH",
            "ANSIBLE_COLLECTIONS_ON_ANSIBLE_VERSION_MISMATCH",
            "ANSIBLE_MODULE_IGNORE_EXTS",
            "ANSIBLE_OLD_PLUGIN_CACHE_CLEAR",
            "ANSIBLE_VALIDATE_ACTION_GROUP_METADATA",
            "ANSIBLE_HOME",
        ],
    ),
    (
        "no retry files are written",
        &[("defaults", &["retry_files_save_path"])],
        &["ANSIBLE_RETRY_FILES_SAVE_PATH"],
    ),
    (
        "no log file is written",
        &[("defaults", &["log_filter", "log_verbosity"])],
        &["ANSIBLE_LOG_FILTER", "ANSIBLE_LOG_VERBOSITY"],
    ),
    (
        "there are no cows",
        &[("defaults", &["nocows", "cowpath", "cow_selection", "cowsay_enabled_stencils"])],
        &["ANSIBLE_NOCOWS", "ANSIBLE_COW_PATH", "ANSIBLE_COW_SELECTION", "ANSIBLE_COW_ACCEPTLIST"],
    ),
    (
        "it is about warnings that fanfare does not give",
        &[(
            "defaults",
            &["action_warnings", "command_warnings", "devel_warning", "task_debugger_ignore_errors"],
        )],
        &[
            "ANSIBLE_ACTION_WARNINGS",
            "ANSIBLE_COMMAND_WARNINGS",
            "ANSIBLE_DEVEL_WARNING",
            "ANSIBLE_TASK_DEBUGGER_IGNORE_ERRORS",
        ],
    ),
    (
        "Ansible itself no longer heeds it",
        &[(
            "defaults",
            &[
                "jinja2_native",
                "allow_embedded_templates",
                "allow_unsafe_lookups",
                "su",
                "sudo",
                "ask_sudo_pass",
            ],
        )],
        &[
            "ANSIBLE_JINJA2_NATIVE",
            "ANSIBLE_ALLOW_EMBEDDED_TEMPLATES",
            "ANSIBLE_SU",
            "ANSIBLE_STRING_TYPE_FILTERS",
        ],
    ),
    (
        "the prompt of sudo is always our own, and becoming oneself is never skipped",
        &[("privilege_escalation", &["agnostic_become_prompt", "become_allow_same_user"])],
        &["ANSIBLE_AGNOSTIC_BECOME_PROMPT", "ANSIBLE_BECOME_ALLOW_SAME_USER"],
    ),
    (
        "it is about Ansible's own tools",
        &[("defaults", &["docsite_root_url", "debug", "display_traceback"])],
        &["ANSIBLE_DEBUG", "ANSIBLE_DISPLAY_TRACEBACK"],
    ),
    (
        "there are no network devices and no Windows here",
        &[(
            "defaults",
            &["network_group_modules", "use_persistent_connections", "win_async_startup_timeout"],
        )],
        &[
            "ANSIBLE_NETWORK_GROUP_MODULES",
            "ANSIBLE_USE_PERSISTENT_CONNECTIONS",
            "ANSIBLE_WIN_ASYNC_STARTUP_TIMEOUT",
            "ANSIBLE_CONNECTION_PATH",
        ],
    ),
];

/// Variables that come in families.
const FAMILIES: &[(&str, &str)] = &[
    ("ANSIBLE_GALAXY_", "there is no galaxy"),
    ("ANSIBLE_COLOR_", "the colours are fixed"),
    ("ANSIBLE_PERSISTENT_", "there are no network devices here"),
    ("ANSIBLE_NETCONF_", "there are no network devices here"),
    ("ANSIBLE_PARAMIKO_", "paramiko is not used"),
    ("ANSIBLE_SELINUX_", "the worker asks the system"),
    ("ANSIBLE_TEST_", "it is for ansible-test"),
];

pub(super) fn by_ini(section: &str, key: &str) -> Option<&'static str> {
    let row = TABLE
        .iter()
        .find(|(_, ini, _)| ini.iter().any(|(name, keys)| *name == section && keys.contains(&key)))?;
    Some(row.0)
}

pub(super) fn by_env(name: &str) -> Option<&'static str> {
    let row = TABLE.iter().find(|(_, _, env)| env.contains(&name)).map(|row| row.0);
    row.or_else(|| FAMILIES.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|family| family.1))
}

pub(super) fn ini_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.iter().flat_map(|(_, ini, _)| {
        ini.iter().flat_map(|(section, keys)| keys.iter().map(move |key| (*section, *key)))
    })
}

pub(super) fn env_names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|(_, _, env)| env.iter().copied())
}
