//! Settings about encrypted text.

use super::Setting;
use super::Use::Sets;

pub(super) const VAULT: &[Setting] = &[
    Setting {
        ini: &[("defaults", "vault_password_file")],
        env: &["ANSIBLE_VAULT_PASSWORD_FILE"],
        r#use: Sets(|config, given| {
            config.vault.password_files = given.optional().map(|_| given.path()).into_iter().collect();
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "vault_identity_list")],
        env: &["ANSIBLE_VAULT_IDENTITY_LIST"],
        r#use: Sets(|config, given| {
            config.vault.ids = given.list();
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "ask_vault_pass")],
        env: &["ANSIBLE_ASK_VAULT_PASS"],
        r#use: Sets(|config, given| {
            config.vault.ask_password = given.boolean()?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "vault_identity")],
        env: &["ANSIBLE_VAULT_IDENTITY"],
        r#use: Sets(|config, given| {
            config.vault.default_id = given.string();
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "vault_encrypt_identity")],
        env: &["ANSIBLE_VAULT_ENCRYPT_IDENTITY"],
        r#use: Sets(|config, given| {
            config.vault.encrypt_id = given.optional();
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "vault_id_match")],
        env: &["ANSIBLE_VAULT_ID_MATCH"],
        r#use: Sets(|config, given| {
            config.vault.only_matching = given.boolean()?;
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "vault_encrypt_salt")],
        env: &["ANSIBLE_VAULT_ENCRYPT_SALT"],
        r#use: Sets(|config, given| {
            config.vault.salt = given.optional();
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "editor")],
        env: &["ANSIBLE_EDITOR", "EDITOR"],
        r#use: Sets(|config, given| {
            config.vault.editor = given.string();
            Ok(())
        }),
    },
    Setting {
        ini: &[("defaults", "pager")],
        env: &["ANSIBLE_PAGER", "PAGER"],
        r#use: Sets(|config, given| {
            config.vault.pager = given.string();
            Ok(())
        }),
    },
];
