//! Settings about encrypted text.

use super::Use::Sets;
use super::{Setting, of};

pub(super) const VAULT: &[Setting] = &[
    of(
        &["DEFAULT_VAULT_PASSWORD_FILE"],
        Sets(|config, given| {
            config.vault.password_files = given.optional().map(|_| given.path()).into_iter().collect();
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_VAULT_IDENTITY_LIST"],
        Sets(|config, given| {
            config.vault.ids = given.list();
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_ASK_VAULT_PASS"],
        Sets(|config, given| {
            config.vault.ask_password = given.boolean()?;
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_VAULT_IDENTITY"],
        Sets(|config, given| {
            config.vault.default_id = given.string();
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_VAULT_ENCRYPT_IDENTITY"],
        Sets(|config, given| {
            config.vault.encrypt_id = given.optional();
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_VAULT_ID_MATCH"],
        Sets(|config, given| {
            config.vault.only_matching = given.boolean()?;
            Ok(())
        }),
    ),
    of(
        &["VAULT_ENCRYPT_SALT"],
        Sets(|config, given| {
            config.vault.salt = given.optional();
            Ok(())
        }),
    ),
    of(
        &["EDITOR"],
        Sets(|config, given| {
            config.vault.editor = given.string();
            Ok(())
        }),
    ),
    of(
        &["PAGER"],
        Sets(|config, given| {
            config.vault.pager = given.string();
            Ok(())
        }),
    ),
];
