//! Settings about hosts: where they come from and how they are reached.

use std::time::Duration;

use super::Use::{MustBe, OnlyAs, Sets};
use super::{NO, Setting, flag, inventory_plugins, inventory_sources, of, plugin};
use crate::config::options::{GroupNames, OnMismatch};
use crate::config::passwords::password_file;
use crate::target::Secret;

/// Sorted by what they are about.
pub(super) const HOSTS: &[Setting] = &[
    // Inventory.
    of(
        &["DEFAULT_HOST_LIST"],
        Sets(|config, given| {
            config.inventory.sources = inventory_sources(given);
            Ok(())
        }),
    )
    .or(&[("defaults", "hostfile")], &[]),
    of(
        &["INVENTORY_IGNORE_EXTS"],
        Sets(|config, given| {
            config.inventory.ignore_extensions = given.list();
            Ok(())
        }),
    ),
    of(
        &["INVENTORY_IGNORE_PATTERNS"],
        Sets(|config, given| {
            config.inventory.ignore_patterns = given.list();
            Ok(())
        }),
    ),
    of(
        &["INVENTORY_UNPARSED_IS_FAILED"],
        Sets(|config, given| flag(&mut config.inventory.unparsed_is_failed, given)),
    ),
    of(
        &["INVENTORY_ANY_UNPARSED_IS_FAILED"],
        Sets(|config, given| {
            config.inventory.any_unparsed_is_failed = Some(given.boolean()?);
            Ok(())
        }),
    ),
    of(
        &["INVENTORY_UNPARSED_WARNING"],
        Sets(|config, given| flag(&mut config.inventory.unparsed_warning, given)),
    ),
    of(
        &["HOST_PATTERN_MISMATCH"],
        Sets(|config, given| {
            config.inventory.on_mismatch = given.choice(&[
                ("warning", OnMismatch::Warning),
                ("error", OnMismatch::Error),
                ("ignore", OnMismatch::Ignore),
            ])?;
            Ok(())
        }),
    ),
    of(&["INVENTORY_EXPORT"], Sets(|config, given| flag(&mut config.inventory.export, given))),
    of(
        &["INVENTORY_ENABLED"],
        Sets(|config, given| {
            inventory_plugins(config, given);
            Ok(())
        }),
    ),
    of(
        &["TRANSFORM_INVALID_GROUP_CHARS"],
        Sets(|config, given| {
            config.inventory.group_names = given.choice(&[
                ("never", GroupNames::Keep),
                ("ignore", GroupNames::KeepSilently),
                ("always", GroupNames::Replace),
                ("silently", GroupNames::ReplaceSilently),
            ])?;
            Ok(())
        }),
    ),
    plugin(&[("inventory", "cache")], &["ANSIBLE_INVENTORY_CACHE"], OnlyAs(NO, "a cache of inventories")),
    of(
        &["PLAYBOOK_DIR"],
        Sets(|config, given| {
            config.run.playbook_dir = Some(given.path());
            Ok(())
        }),
    ),
    // Connections.
    of(
        &["DEFAULT_TRANSPORT"],
        Sets(|config, given| {
            config.connection.kind = given.string().parse().map_err(|wrong| format!("{wrong}"))?;
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_REMOTE_USER"],
        Sets(|config, given| {
            config.connection.user = given.optional();
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_REMOTE_PORT"],
        Sets(|config, given| {
            config.connection.port = Some(given.number()?);
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_PRIVATE_KEY_FILE"],
        Sets(|config, given| {
            config.connection.private_key = given.optional().map(|_| given.path());
            Ok(())
        }),
    ),
    plugin(
        &[],
        &["ANSIBLE_PRIVATE_KEY"],
        Sets(|config, given| {
            config.connection.key = given.optional().map(Secret::new);
            Ok(())
        }),
    ),
    plugin(
        &[],
        &["ANSIBLE_PRIVATE_KEY_PASSPHRASE"],
        Sets(|config, given| {
            config.connection.passphrase = given.optional().map(Secret::new);
            Ok(())
        }),
    ),
    plugin(
        &[("ssh_connection", "pkcs11_provider")],
        &["ANSIBLE_PKCS11_PROVIDER"],
        MustBe(&[""], "keys on a PKCS#11 card; add the card to ssh-agent (ssh-add -s)"),
    ),
    of(
        &["DEFAULT_TIMEOUT"],
        Sets(|config, given| {
            config.connection.timeout = Duration::from_secs(given.number()?);
            Ok(())
        }),
    )
    .or(&[("ssh_connection", "timeout")], &["ANSIBLE_SSH_TIMEOUT"]),
    of(&["HOST_KEY_CHECKING"], Sets(|config, given| flag(&mut config.connection.host_key_checking, given)))
        .or(&[("ssh_connection", "host_key_checking")], &["ANSIBLE_SSH_HOST_KEY_CHECKING"]),
    plugin(
        &[("ssh_connection", "ssh_args")],
        &["ANSIBLE_SSH_ARGS"],
        Sets(|config, given| {
            config.connection.ssh_args = given.string();
            Ok(())
        }),
    ),
    plugin(
        &[("ssh_connection", "ssh_common_args"), ("ssh_connection", "ansible_ssh_common_args")],
        &["ANSIBLE_SSH_COMMON_ARGS"],
        Sets(|config, given| {
            config.connection.ssh_common_args = given.string();
            Ok(())
        }),
    ),
    plugin(
        &[("ssh_connection", "ssh_extra_args")],
        &["ANSIBLE_SSH_EXTRA_ARGS"],
        Sets(|config, given| {
            config.connection.ssh_extra_args = given.string();
            Ok(())
        }),
    ),
    plugin(
        &[("ssh_connection", "ssh_executable")],
        &["ANSIBLE_SSH_EXECUTABLE"],
        Sets(|config, given| {
            config.connection.ssh_executable = given.string();
            Ok(())
        }),
    ),
    plugin(
        &[("ssh_connection", "retries"), ("connection", "retries")],
        &["ANSIBLE_SSH_RETRIES"],
        Sets(|config, given| {
            config.connection.retries = given.number()?;
            Ok(())
        }),
    ),
    plugin(
        &[("defaults", "remote_tmp")],
        &["ANSIBLE_REMOTE_TEMP", "ANSIBLE_REMOTE_TMP"],
        Sets(|config, given| {
            config.connection.remote_tmp = given.optional();
            Ok(())
        }),
    ),
    plugin(
        &[("fanfare", "worker_cache")],
        &["FANFARE_WORKER_CACHE"],
        Sets(|config, given| flag(&mut config.connection.worker_cache, given)),
    ),
    plugin(
        &[("fanfare", "worker_dir")],
        &["FANFARE_WORKER_DIR"],
        Sets(|config, given| {
            config.connection.worker_dir = Some(given.path());
            Ok(())
        }),
    ),
    of(&["DEFAULT_ASK_PASS"], Sets(|config, given| flag(&mut config.connection.ask_password, given))),
    of(
        &["CONNECTION_PASSWORD_FILE"],
        Sets(|config, given| {
            let secret = password_file(&given.path()).map_err(|wrong| wrong.to_string())?;
            config.connection.password = Some(secret);
            Ok(())
        }),
    ),
];
