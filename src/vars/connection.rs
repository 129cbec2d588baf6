//! Variables that say how a host is reached: they are the user's to set, and nobody else's.

/// Of which connections, ways to become another user and the like.
const KINDS: &[&str] = &[
    "become",
    "chroot_",
    "docker_",
    "doas_",
    "dzdo_",
    "host_key_checking",
    "incus_",
    "kubectl_",
    "lxc_",
    "lxd_",
    "nspawn_",
    "podman_",
    "remote_tmp",
    "ssh_",
    "su_",
    "sudo_",
];

/// Whether a variable says how a host is reached, or as whom.
pub fn is_connection_variable(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("ansible_") else { return false };
    matches!(
        rest,
        "host"
            | "user"
            | "password"
            | "port"
            | "connection"
            | "timeout"
            | "private_key"
            | "private_key_file"
            | "private_key_passphrase"
    ) || KINDS.iter().any(|kind| rest.starts_with(kind))
}

/// Whether a variable must not come from what a host answers: it would decide where and as whom the control node works,
/// and which programs it starts.
pub fn is_restricted(name: &str) -> bool {
    // These are facts.
    if name.starts_with("ansible_ssh_host_key_") {
        return false;
    }
    let Some(rest) = name.strip_prefix("ansible_") else { return false };
    is_connection_variable(name)
        || rest.ends_with("_interpreter")
        || matches!(rest, "async_dir" | "executable" | "pass" | "pipelining" | "rsync_path")
        || ["control_path", "local_become", "scp_", "sftp_", "shell_", "winrm_", "psrp_"]
            .iter()
            .any(|start| rest.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_no_connection() {
        for name in [
            "ansible_connection",
            "ansible_ssh_common_args",
            "ansible_become_exe",
            "ansible_python_interpreter",
        ] {
            assert!(is_restricted(name), "{name}");
        }
        for name in [
            "ansible_hostname",
            "ansible_user_id",
            "ansible_ssh_host_key_rsa_public",
            "ansible_local",
            "connection",
        ] {
            assert!(!is_restricted(name), "{name}");
        }
    }
}
