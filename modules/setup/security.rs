//! SELinux, AppArmor, capabilities, FIPS.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::{Facts, line};
use crate::kit::{Result, System};

/// The capabilities of Linux by bit.
const CAPABILITIES: &[&str] = &[
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

pub(super) fn selinux(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    facts.insert("selinux".to_owned(), status_of_selinux(sys));
    facts.insert("selinux_python_present".to_owned(), true.into());
    Ok(())
}

pub(super) fn apparmor(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let apparmor =
        if sys.exists(Path::new("/sys/kernel/security/apparmor"))? { "enabled" } else { "disabled" };
    facts.insert("apparmor".to_owned(), json!({"status": apparmor}));
    Ok(())
}

pub(super) fn fips(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let fips = line(sys, "/proc/sys/crypto/fips_enabled").as_deref() == Some("1");
    facts.insert("fips".to_owned(), fips.into());
    Ok(())
}

pub(super) fn capabilities(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    if let Some(status) = line(sys, "/proc/self/status") {
        let field = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            u64::from_str_radix(line.trim(), 16).ok()
        };
        if let Some(effective) = field("CapEff:") {
            let last = line(sys, "/proc/sys/kernel/cap_last_cap").and_then(|text| text.parse().ok());
            let known = last.map_or(CAPABILITIES.len(), |last: usize| last + 1);
            let (enforced, capabilities) = told(effective, known);
            facts.insert("system_capabilities_enforced".to_owned(), enforced.into());
            facts.insert("system_capabilities".to_owned(), capabilities.into());
        }
    }
    Ok(())
}

/// What Ansible makes of the line of `capsh --print`: `=ep` for all that the kernel knows, `=ep cap_a,cap_b-ep` where most are
/// held, else `cap_a,cap_b=ep`. It takes what stands behind the equals sign.
fn told(effective: u64, known: usize) -> (&'static str, Vec<String>) {
    let lacks = |bit: &usize| effective >> bit & 1 == 0;
    let lacking: Vec<usize> = (0..known.min(64)).filter(lacks).collect();
    let name =
        |bit: &usize| CAPABILITIES.get(*bit).map_or_else(|| bit.to_string(), |name| (*name).to_owned());
    if lacking.is_empty() {
        return ("False", Vec::new());
    }
    if lacking.len() == known {
        return ("True", vec![String::new()]);
    }
    if lacking.len() * 2 > known {
        return ("True", vec!["ep".to_owned()]);
    }
    let names: Vec<String> = lacking.iter().map(name).collect();
    let text = format!("ep {}-ep", names.join(","));
    ("True", text.split(',').map(str::to_owned).collect())
}

fn status_of_selinux(sys: &System<'_>) -> Json {
    let Some(enforcing) = line(sys, "/sys/fs/selinux/enforce") else { return json!({"status": "disabled"}) };
    let config = line(sys, "/etc/selinux/config").unwrap_or_default();
    let setting = |key: &str| {
        config.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix('=')).map(str::trim)
    };
    let mode = if enforcing == "1" { "enforcing" } else { "permissive" };
    json!({
        "status": "enabled",
        "mode": mode,
        "config_mode": setting("SELINUX").unwrap_or("unknown"),
        "type": setting("SELINUXTYPE").unwrap_or("unknown"),
        "policyvers": line(sys, "/sys/fs/selinux/policyvers").and_then(|text| text.parse::<i64>().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn capabilities_are_told_as_ansible_tells_them() {
        assert_eq!(told(0x1ff_ffff_ffff, 41), ("False", vec![]));
        assert_eq!(told(0x1ff_feff_ffff, 41), ("True", vec!["ep cap_sys_resource-ep".to_owned()]));
        let two = ["ep cap_chown".to_owned(), "cap_sys_resource-ep".to_owned()];
        assert_eq!(told(0x1ff_feff_fffe, 41), ("True", two.to_vec()));
        assert_eq!(told(0x21, 41), ("True", vec!["ep".to_owned()]));
        assert_eq!(told(0, 41), ("True", vec![String::new()]));
    }
}
