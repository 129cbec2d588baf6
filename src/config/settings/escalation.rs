//! Settings about becoming another user.

use super::Use::Sets;
use super::{Setting, flag, of, plugin};
use crate::config::passwords::password_file;
use crate::target::Secret;

/// What holds for every method, then what one method has for itself.
pub(super) const ESCALATION: &[Setting] = &[
    of(&["DEFAULT_BECOME"], Sets(|config, given| flag(&mut config.escalation.r#become, given)))
        .or(&[("defaults", "become")], &[]),
    of(
        &["DEFAULT_BECOME_METHOD"],
        Sets(|config, given| {
            config.escalation.method = given.string();
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_BECOME_USER"],
        Sets(|config, given| {
            config.escalation.user = given.string();
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_BECOME_EXE"],
        Sets(|config, given| {
            config.escalation.exe = given.optional();
            Ok(())
        }),
    ),
    of(
        &["DEFAULT_BECOME_FLAGS"],
        Sets(|config, given| {
            config.escalation.flags = given.optional();
            Ok(())
        }),
    ),
    of(&["DEFAULT_BECOME_ASK_PASS"], Sets(|config, given| flag(&mut config.escalation.ask_password, given))),
    of(
        &["BECOME_PASSWORD_FILE"],
        Sets(|config, given| {
            let secret = password_file(&given.path()).map_err(|wrong| wrong.to_string())?;
            config.escalation.password = Some(secret);
            Ok(())
        }),
    ),
    plugin(
        &[],
        &["ANSIBLE_BECOME_PASS"],
        Sets(|config, given| {
            config.escalation.password = given.optional().map(Secret::new);
            Ok(())
        }),
    ),
    plugin(
        &[("sudo_become_plugin", "user")],
        &["ANSIBLE_SUDO_USER"],
        Sets(|config, given| {
            config.escalation.sudo.user = given.optional();
            Ok(())
        }),
    ),
    plugin(
        &[("sudo_become_plugin", "executable")],
        &["ANSIBLE_SUDO_EXE"],
        Sets(|config, given| {
            config.escalation.sudo.exe = given.optional();
            Ok(())
        }),
    ),
    plugin(
        &[("sudo_become_plugin", "flags")],
        &["ANSIBLE_SUDO_FLAGS"],
        Sets(|config, given| {
            config.escalation.sudo.flags = given.optional();
            Ok(())
        }),
    ),
    plugin(
        &[("sudo_become_plugin", "password")],
        &["ANSIBLE_SUDO_PASS"],
        Sets(|config, given| {
            config.escalation.sudo.password = given.optional().map(Secret::new);
            Ok(())
        }),
    ),
    plugin(
        &[("sudo_become_plugin", "chdir")],
        &["ANSIBLE_SUDO_CHDIR"],
        Sets(|config, given| {
            config.escalation.sudo.chdir = given.optional();
            Ok(())
        }),
    ),
    plugin(
        &[("su_become_plugin", "user")],
        &["ANSIBLE_SU_USER"],
        Sets(|config, given| {
            config.escalation.su.user = given.optional();
            Ok(())
        }),
    ),
    plugin(
        &[("su_become_plugin", "executable")],
        &["ANSIBLE_SU_EXE"],
        Sets(|config, given| {
            config.escalation.su.exe = given.optional();
            Ok(())
        }),
    ),
    plugin(
        &[("su_become_plugin", "flags")],
        &["ANSIBLE_SU_FLAGS"],
        Sets(|config, given| {
            config.escalation.su.flags = given.optional();
            Ok(())
        }),
    ),
    plugin(
        &[("su_become_plugin", "password")],
        &["ANSIBLE_SU_PASS"],
        Sets(|config, given| {
            config.escalation.su.password = given.optional().map(Secret::new);
            Ok(())
        }),
    ),
    plugin(
        &[("su_become_plugin", "localized_prompts")],
        &["ANSIBLE_SU_PROMPT_L10N"],
        Sets(|config, given| {
            config.escalation.su.prompts = given.list();
            Ok(())
        }),
    ),
];
