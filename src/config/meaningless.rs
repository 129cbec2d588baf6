//! Settings of Ansible's that have nothing to act on here. They are accepted, so that an `ansible.cfg` need not be
//! changed, and named with -v.

use super::settings::Names;

/// Settings, and why there is nothing for them to act on.
pub(super) struct Row {
    pub why: &'static str,
    pub names: Names,
}

pub(super) const TABLE: &[Row] = &[
    Row {
        why: "every task already takes one round trip over one channel",
        names: Names {
            constants: &["ANSIBLE_PIPELINING"],
            ini: &[
                ("defaults", "squash_actions"),
                ("ssh_connection", "pipelining"),
                ("ssh_connection", "control_path"),
                ("ssh_connection", "control_path_dir"),
            ],
            env: &["ANSIBLE_SSH_PIPELINING", "ANSIBLE_SSH_CONTROL_PATH", "ANSIBLE_SSH_CONTROL_PATH_DIR"],
        },
    },
    Row {
        why: "files travel inside the one connection; ssh, sftp and scp are not started",
        names: Names {
            constants: &["SSH_AGENT", "SSH_AGENT_EXECUTABLE", "SSH_AGENT_KEY_LIFETIME"],
            ini: &[
                ("ssh_connection", "scp_if_ssh"),
                ("ssh_connection", "transfer_method"),
                ("ssh_connection", "sftp_batch_mode"),
                ("ssh_connection", "sftp_executable"),
                ("ssh_connection", "sftp_extra_args"),
                ("ssh_connection", "scp_executable"),
                ("ssh_connection", "scp_extra_args"),
                ("ssh_connection", "usetty"),
                ("ssh_connection", "password_mechanism"),
                ("ssh_connection", "sshpass_prompt"),
                ("ssh_connection", "verbosity"),
            ],
            env: &[
                "ANSIBLE_SCP_IF_SSH",
                "ANSIBLE_SSH_TRANSFER_METHOD",
                "ANSIBLE_SFTP_BATCH_MODE",
                "ANSIBLE_SFTP_EXECUTABLE",
                "ANSIBLE_SFTP_EXTRA_ARGS",
                "ANSIBLE_SCP_EXECUTABLE",
                "ANSIBLE_SCP_EXTRA_ARGS",
                "ANSIBLE_SSH_USETTY",
                "ANSIBLE_SSH_PASSWORD_MECHANISM",
                "ANSIBLE_SSHPASS_PROMPT",
                "ANSIBLE_SSH_VERBOSITY",
            ],
        },
    },
    Row {
        why: "modules are native, and custom ones leave no files on the target",
        names: Names {
            constants: &[
                "DEFAULT_KEEP_REMOTE_FILES",
                "DEFAULT_MODULE_COMPRESSION",
                "FACTS_MODULES",
                "MODULE_STRICT_UTF8_RESPONSE",
                "PYTHON_MODULE_RLIMIT_NOFILE",
            ],
            ini: &[("defaults", "ansible_python_interpreter"), ("interpreter", "ansible_python_interpreter")],
            env: &[],
        },
    },
    Row {
        why: "the worker runs as the user it works for: nothing is shared through temporary files",
        names: Names {
            constants: &["DEFAULT_LOCAL_TMP"],
            ini: &[
                ("defaults", "allow_world_readable_tmpfiles"),
                ("defaults", "system_tmpdirs"),
                ("defaults", "admin_users"),
                ("defaults", "common_remote_group"),
            ],
            env: &[
                "ANSIBLE_SHELL_ALLOW_WORLD_READABLE_TEMP",
                "ANSIBLE_SYSTEM_TMPDIRS",
                "ANSIBLE_ADMIN_USERS",
                "ANSIBLE_COMMON_REMOTE_GROUP",
            ],
        },
    },
    Row {
        why: "the worker writes to no system log",
        names: Names {
            constants: &["DEFAULT_NO_TARGET_SYSLOG", "DEFAULT_SYSLOG_FACILITY", "TARGET_LOG_INFO"],
            ini: &[],
            env: &[],
        },
    },
    Row {
        why: "hosts are worked on by tasks of one process, without polling",
        names: Names {
            constants: &[
                "DEFAULT_INTERNAL_POLL_INTERVAL",
                "WORKER_SESSION_ISOLATION",
                "WORKER_SHUTDOWN_POLL_COUNT",
                "WORKER_SHUTDOWN_POLL_DELAY",
            ],
            ini: &[],
            env: &[],
        },
    },
    Row {
        why: "plugins written in Python cannot run; using one is an error",
        names: Names {
            constants: &[
                "ANSIBLE_HOME",
                "BECOME_PLUGIN_PATH",
                "COLLECTIONS_ON_ANSIBLE_VERSION_MISMATCH",
                "COLLECTIONS_SCAN_SYS_PATH",
                "DEFAULT_CACHE_PLUGIN_PATH",
                "DEFAULT_CALLBACK_PLUGIN_PATH",
                "DEFAULT_CLICONF_PLUGIN_PATH",
                "DEFAULT_CONNECTION_PLUGIN_PATH",
                "DEFAULT_FILTER_PLUGIN_PATH",
                "DEFAULT_HTTPAPI_PLUGIN_PATH",
                "DEFAULT_INVENTORY_PLUGIN_PATH",
                "DEFAULT_LOOKUP_PLUGIN_PATH",
                "DEFAULT_NETCONF_PLUGIN_PATH",
                "DEFAULT_STRATEGY_PLUGIN_PATH",
                "DEFAULT_TERMINAL_PLUGIN_PATH",
                "DEFAULT_TEST_PLUGIN_PATH",
                "DEFAULT_VARS_PLUGIN_PATH",
                "DOC_FRAGMENT_PLUGIN_PATH",
                "MODULE_IGNORE_EXTS",
                "OLD_PLUGIN_CACHE_CLEARING",
                "PLUGIN_FILTERS_CFG",
                "RUN_VARS_PLUGINS",
                "VALIDATE_ACTION_GROUP_METADATA",
                "VARIABLE_PLUGINS_ENABLED",
            ],
            ini: &[("defaults", "stderr_callback")],
            env: &[],
        },
    },
    Row {
        why: "no retry files are written",
        names: Names { constants: &["RETRY_FILES_SAVE_PATH"], ini: &[], env: &[] },
    },
    Row {
        why: "the log gets what the run shows",
        names: Names { constants: &["DEFAULT_LOG_FILTER", "LOG_VERBOSITY"], ini: &[], env: &[] },
    },
    Row {
        why: "there are no cows",
        names: Names {
            constants: &[
                "ANSIBLE_COW_ACCEPTLIST",
                "ANSIBLE_COW_PATH",
                "ANSIBLE_COW_SELECTION",
                "ANSIBLE_NOCOWS",
            ],
            ini: &[],
            env: &[],
        },
    },
    Row {
        why: "it is about warnings that fanfare does not give",
        names: Names {
            constants: &["ACTION_WARNINGS", "DEVEL_WARNING", "LOCALHOST_WARNING", "SYSTEM_WARNINGS"],
            ini: &[("defaults", "command_warnings")],
            env: &["ANSIBLE_COMMAND_WARNINGS"],
        },
    },
    Row {
        why: "Ansible itself no longer heeds it",
        names: Names {
            constants: &[
                "ALLOW_EMBEDDED_TEMPLATES",
                "DEFAULT_ALLOW_UNSAFE_LOOKUPS",
                "DEFAULT_JINJA2_NATIVE",
                "DEFAULT_SU",
                "STRING_TYPE_FILTERS",
            ],
            ini: &[("defaults", "sudo"), ("defaults", "ask_sudo_pass")],
            env: &[],
        },
    },
    Row {
        why: "the prompt of sudo is always our own, and becoming oneself is never skipped",
        names: Names { constants: &["AGNOSTIC_BECOME_PROMPT", "BECOME_ALLOW_SAME_USER"], ini: &[], env: &[] },
    },
    Row {
        why: "it is about Ansible's own tools",
        names: Names {
            constants: &["DEFAULT_DEBUG", "DISPLAY_TRACEBACK", "DOCSITE_ROOT_URL"],
            ini: &[],
            env: &[],
        },
    },
    Row {
        why: "there are no network devices and no Windows here",
        names: Names {
            constants: &[
                "ANSIBLE_CONNECTION_PATH",
                "NETWORK_GROUP_MODULES",
                "USE_PERSISTENT_CONNECTIONS",
                "WIN_ASYNC_STARTUP_TIMEOUT",
            ],
            ini: &[],
            env: &[],
        },
    },
];

/// Variables of hosts that say how Ansible is to connect.
pub(super) const VARIABLES: &[(&str, &[&str])] = &[
    (
        "every task already takes one round trip over one channel",
        &["ansible_pipelining", "ansible_ssh_pipelining", "ansible_control_path", "ansible_control_path_dir"],
    ),
    (
        "files travel inside the one connection; ssh, sftp and scp are not started",
        &[
            "ansible_sftp_executable",
            "ansible_scp_executable",
            "ansible_sftp_extra_args",
            "ansible_scp_extra_args",
            "ansible_sftp_batch_mode",
            "ansible_scp_if_ssh",
            "ansible_ssh_transfer_method",
            "ansible_ssh_use_tty",
            "ansible_ssh_password_mechanism",
            "ansible_sshpass_prompt",
            "ansible_ssh_verbosity",
        ],
    ),
    ("the script that starts the worker runs in every login shell", &["ansible_shell_type"]),
    (
        "the worker runs as the user it works for: nothing is shared through temporary files",
        &[
            "ansible_shell_allow_world_readable_temp",
            "ansible_system_tmpdirs",
            "ansible_admin_users",
            "ansible_common_remote_group",
        ],
    ),
];

/// Variables of the environment that come in families.
const FAMILIES: &[(&str, &str)] = &[
    ("ANSIBLE_GALAXY_", "there is no galaxy"),
    ("ANSIBLE_COLOR_", "the colours are fixed"),
    ("ANSIBLE_PERSISTENT_", "there are no network devices here"),
    ("ANSIBLE_NETCONF_", "there are no network devices here"),
    ("ANSIBLE_PARAMIKO_", "paramiko is not used"),
    ("ANSIBLE_SELINUX_", "the worker asks the system"),
    ("ANSIBLE_LIBVIRT_LXC_", "the worker asks the system"),
    ("ANSIBLE_TEST_", "it is for ansible-test"),
];

pub(super) fn by_ini(section: &str, key: &str) -> Option<&'static str> {
    let row = TABLE.iter().find(|row| row.names.keys().any(|name| name == (section, key)))?;
    Some(row.why)
}

pub(super) fn by_env(name: &str) -> Option<&'static str> {
    let row = TABLE.iter().find(|row| row.names.variables().any(|known| known == name)).map(|row| row.why);
    row.or_else(|| FAMILIES.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|family| family.1))
}

pub(super) fn ini_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.iter().flat_map(|row| row.names.keys())
}

pub(super) fn env_names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|row| row.names.variables())
}

/// The variables of hosts that make no difference, each with the reason.
pub fn variables() -> impl Iterator<Item = (&'static str, &'static str)> {
    VARIABLES.iter().flat_map(|(why, names)| names.iter().map(move |name| (*name, *why)))
}
