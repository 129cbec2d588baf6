//! Settings about hosts: where they come from, how they are reached, as whom.

use std::time::Duration;

use super::Use::{OnlyAs, Sets};
use super::{NO, Setting, YES, flag, inventory_plugins, inventory_sources};
use crate::config::options::{GroupNames, OnMismatch};
use crate::config::passwords::password_file;

/// Sorted by what they are about.
pub(super) const HOSTS: &[Setting] = &[
    // Inventory.
    Setting {
        ini: &[("defaults", "inventory"), ("defaults", "hostfile")],
        env: &["ANSIBLE_INVENTORY"],
        r#use: Sets(|config, given| {
            config.inventory.sources = inventory_sources(given);
            Ok(())
        }),
    },
    Setting {
        ini: &[("inventory", "ignore_extensions"), ("defaults", "inventory_ignore_extensions")],
        env: &["ANSIBLE_INVENTORY_IGNORE"],
        r#use: Sets(|config, given| {
            config.inventory.ignore_extensions = given.list();
            Ok(())
        }),
    },
    Setting {
        ini: &[("inventory", "ignore_patterns"), ("defaults", "inventory_ignore_patterns")],
        env: &["ANSIBLE_INVENTORY_IGNORE_REGEX"],
        r#use: Sets(|config, given| {
            config.inventory.ignore_patterns = given.list();
            Ok(())
        }),
    },
    Setting {
        ini: &[("inventory", "unparsed_is_failed")],
        env: &["ANSIBLE_INVENTORY_UNPARSED_FAILED"],
        r#use: Sets(|config, given| flag(&mut config.inventory.unparsed_is_failed, given)),
    },
    Setting {
        ini: &[("inventory", "any_unparsed_is_failed")],
        env: &["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"],
        r#use: Sets(|config, given| {
            config.inventory.any_unparsed_is_failed = Some(given.boolean()?);
            Ok(())
        }),
    },
    Setting {
        ini: &[("inventory", "inventory_unparsed_warning")],
        env: &["ANSIBLE_INVENTORY_UNPARSED_WARNING"],
        r#use: Sets(|config, given| flag(&mut config.inventory.unparsed_warning, given)),
    },
    Setting {
        ini: &[("inventory", "host_pattern_mismatch")],
        env: &["ANSIBLE_HOST_PATTERN_MISMATCH"],
        r#use: Sets(|config, given| {
            config.inventory.on_mismatch = given.choice(&[
                ("warning", OnMismatch::Warning),
                ("error", OnMismatch::Error),
                ("ignore", OnMismatch::Ignore),
            ])?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("inventory", "export")],
        env: &["ANSIBLE_INVENTORY_EXPORT"],
        r#use: Sets(|config, given| flag(&mut config.inventory.export, given)),
    },
    Setting {
        ini: &[("inventory", "enable_plugins")],
        env: &["ANSIBLE_INVENTORY_ENABLED"],
        r#use: Sets(|config, given| {
            inventory_plugins(config, given);
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "force_valid_group_names")],
        env: &["ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS"],
        r#use: Sets(|config, given| {
            config.inventory.group_names = given.choice(&[
                ("never", GroupNames::Keep),
                ("ignore", GroupNames::KeepSilently),
                ("always", GroupNames::Replace),
                ("silently", GroupNames::ReplaceSilently),
            ])?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("inventory", "cache")],
        env: &["ANSIBLE_INVENTORY_CACHE"],
        r#use: OnlyAs(NO, "a cache of inventories"),
    },
    Setting {
        ini: &[("defaults", "localhost_warning")],
        env: &["ANSIBLE_LOCALHOST_WARNING"],
        r#use: OnlyAs(YES, "silencing the warning that only localhost is there"),
    },
    Setting {
        ini: &[("defaults", "playbook_dir")],
        env: &["ANSIBLE_PLAYBOOK_DIR"],
        r#use: Sets(|config, given| {
            config.run.playbook_dir = Some(given.path());
            Ok(())
        }),
    },
    // Connections.
    Setting {
        ini: &[("defaults", "transport")],
        env: &["ANSIBLE_TRANSPORT"],
        r#use: Sets(|config, given| {
            config.connection.kind = given.string().parse().map_err(|wrong| format!("{wrong}"))?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "remote_user")],
        env: &["ANSIBLE_REMOTE_USER"],
        r#use: Sets(|config, given| {
            config.connection.user = given.optional();
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "remote_port")],
        env: &["ANSIBLE_REMOTE_PORT"],
        r#use: Sets(|config, given| {
            config.connection.port = Some(given.number()?);
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "private_key_file")],
        env: &["ANSIBLE_PRIVATE_KEY_FILE"],
        r#use: Sets(|config, given| {
            config.connection.private_key = given.optional().map(|_| given.path());
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "timeout"), ("ssh_connection", "timeout")],
        env: &["ANSIBLE_TIMEOUT", "ANSIBLE_SSH_TIMEOUT"],
        r#use: Sets(|config, given| {
            config.connection.timeout = Duration::from_secs(given.number()?);
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "host_key_checking"), ("ssh_connection", "host_key_checking")],
        env: &["ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_SSH_HOST_KEY_CHECKING"],
        r#use: Sets(|config, given| flag(&mut config.connection.host_key_checking, given)),
    },
    Setting {
        ini: &[("ssh_connection", "ssh_args")],
        env: &["ANSIBLE_SSH_ARGS"],
        r#use: Sets(|config, given| {
            config.connection.ssh_args = given.string();
            Ok(())
        }),
    },
    Setting {
        ini: &[("ssh_connection", "ssh_common_args"), ("ssh_connection", "ansible_ssh_common_args")],
        env: &["ANSIBLE_SSH_COMMON_ARGS"],
        r#use: Sets(|config, given| {
            config.connection.ssh_common_args = given.string();
            Ok(())
        }),
    },
    Setting {
        ini: &[("ssh_connection", "ssh_extra_args")],
        env: &["ANSIBLE_SSH_EXTRA_ARGS"],
        r#use: Sets(|config, given| {
            config.connection.ssh_extra_args = given.string();
            Ok(())
        }),
    },
    Setting {
        ini: &[("ssh_connection", "retries"), ("connection", "retries")],
        env: &["ANSIBLE_SSH_RETRIES"],
        r#use: Sets(|config, given| {
            config.connection.retries = given.number()?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "remote_tmp")],
        env: &["ANSIBLE_REMOTE_TEMP", "ANSIBLE_REMOTE_TMP"],
        r#use: Sets(|config, given| {
            config.connection.remote_tmp = given.optional();
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "ask_pass")],
        env: &["ANSIBLE_ASK_PASS"],
        r#use: Sets(|config, given| flag(&mut config.connection.ask_password, given)),
    },
    Setting {
        ini: &[("defaults", "connection_password_file")],
        env: &["ANSIBLE_CONNECTION_PASSWORD_FILE"],
        r#use: Sets(|config, given| {
            let secret = password_file(&given.path()).map_err(|wrong| wrong.to_string())?;
            config.connection.password = Some(secret);
            Ok(())
        }),
    },
    // Becoming another user.
    Setting {
        ini: &[("privilege_escalation", "become"), ("defaults", "become")],
        env: &["ANSIBLE_BECOME"],
        r#use: Sets(|config, given| flag(&mut config.escalation.r#become, given)),
    },
    Setting {
        ini: &[("privilege_escalation", "become_method")],
        env: &["ANSIBLE_BECOME_METHOD"],
        r#use: Sets(|config, given| {
            config.escalation.method = given.string();
            Ok(())
        }),
    },
    Setting {
        ini: &[("privilege_escalation", "become_user")],
        env: &["ANSIBLE_BECOME_USER"],
        r#use: Sets(|config, given| {
            config.escalation.user = given.string();
            Ok(())
        }),
    },
    Setting {
        ini: &[("privilege_escalation", "become_exe")],
        env: &["ANSIBLE_BECOME_EXE"],
        r#use: Sets(|config, given| {
            config.escalation.exe = given.optional();
            Ok(())
        }),
    },
    Setting {
        ini: &[("privilege_escalation", "become_flags")],
        env: &["ANSIBLE_BECOME_FLAGS"],
        r#use: Sets(|config, given| {
            config.escalation.flags = given.optional();
            Ok(())
        }),
    },
    Setting {
        ini: &[("privilege_escalation", "become_ask_pass")],
        env: &["ANSIBLE_BECOME_ASK_PASS"],
        r#use: Sets(|config, given| flag(&mut config.escalation.ask_password, given)),
    },
    Setting {
        ini: &[("defaults", "become_password_file")],
        env: &["ANSIBLE_BECOME_PASSWORD_FILE"],
        r#use: Sets(|config, given| {
            let secret = password_file(&given.path()).map_err(|wrong| wrong.to_string())?;
            config.escalation.password = Some(secret);
            Ok(())
        }),
    },
];
