//! `gather_subset`.

/// What can be asked for or left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Platform,
    Distribution,
    DateTime,
    User,
    Env,
    Cmdline,
    Dns,
    Security,
    SshKeys,
    Lsb,
    Packages,
    Python,
    ServiceManager,
    Local,
    Hardware,
    Mounts,
    Network,
    Virtual,
}

use Group::{
    Cmdline, DateTime, Distribution, Dns, Env, Hardware, Local, Lsb, Mounts, Network, Packages, Platform,
    Python, Security, ServiceManager, SshKeys, User, Virtual,
};

const MINIMUM: &[Group] = &[
    Platform,
    Distribution,
    DateTime,
    User,
    Env,
    Cmdline,
    Dns,
    Security,
    SshKeys,
    Lsb,
    Packages,
    Python,
    ServiceManager,
    Local,
];

/// The names of subsets and the groups behind them.
const NAMES: &[(&str, &[Group])] = &[
    ("all_ipv4_addresses", &[Network]),
    ("all_ipv6_addresses", &[Network]),
    ("apparmor", &[Security]),
    ("architecture", &[Platform]),
    ("caps", &[Security]),
    ("chroot", &[Virtual]),
    ("cmdline", &[Cmdline]),
    ("date_time", &[DateTime]),
    ("default_ipv4", &[Network]),
    ("default_ipv6", &[Network]),
    ("devices", &[Hardware]),
    ("distribution", &[Distribution]),
    ("distribution_major_version", &[Distribution]),
    ("distribution_release", &[Distribution]),
    ("distribution_version", &[Distribution]),
    ("dns", &[Dns]),
    ("effective_group_ids", &[User]),
    ("effective_user_id", &[User]),
    ("env", &[Env]),
    ("facter", &[]),
    ("fibre_channel_wwn", &[Network]),
    ("fips", &[Security]),
    ("hardware", &[Hardware, Mounts]),
    ("interfaces", &[Network]),
    ("iscsi", &[Network]),
    ("is_chroot", &[Virtual]),
    ("kernel", &[Platform]),
    ("kernel_version", &[Platform]),
    ("loadavg", &[Hardware]),
    ("local", &[Local]),
    ("lsb", &[Lsb]),
    ("machine", &[Platform]),
    ("machine_id", &[Platform]),
    ("mounts", &[Mounts]),
    ("network", &[Network]),
    ("nvme", &[Network]),
    ("ohai", &[]),
    ("os_family", &[Distribution]),
    ("pkg_mgr", &[Packages]),
    ("platform", &[Platform]),
    ("processor", &[Hardware]),
    ("processor_cores", &[Hardware]),
    ("processor_count", &[Hardware]),
    ("python", &[Python]),
    ("python_version", &[Python]),
    ("real_user_id", &[User]),
    ("selinux", &[Security]),
    ("service_mgr", &[ServiceManager]),
    ("ssh_host_key_dsa_public", &[SshKeys]),
    ("ssh_host_key_ecdsa_public", &[SshKeys]),
    ("ssh_host_key_ed25519_public", &[SshKeys]),
    ("ssh_host_key_rsa_public", &[SshKeys]),
    ("ssh_host_pub_keys", &[SshKeys]),
    ("ssh_pub_keys", &[SshKeys]),
    ("system", &[Platform]),
    ("system_capabilities", &[Security]),
    ("system_capabilities_enforced", &[Security]),
    ("systemd", &[ServiceManager]),
    ("user", &[User]),
    ("user_dir", &[User]),
    ("user_gecos", &[User]),
    ("user_gid", &[User]),
    ("user_id", &[User]),
    ("user_shell", &[User]),
    ("user_uid", &[User]),
    ("virtual", &[Virtual]),
    ("virtualization_role", &[Virtual]),
    ("virtualization_tech_guest", &[Virtual]),
    ("virtualization_tech_host", &[Virtual]),
    ("virtualization_type", &[Virtual]),
];

const ALL: &[Group] = &[Hardware, Mounts, Network, Virtual];

/// The groups a `gather_subset` comes to.
pub(super) struct Wanted(Vec<Group>);

impl Wanted {
    /// As Ansible: the minimum is always there unless `!min` or `!all,!min` say no; exclusions win.
    pub fn parse(subset: &[String]) -> Result<Self, String> {
        let mut include: Vec<Group> = Vec::new();
        let mut exclude: Vec<Group> = Vec::new();
        let mut minimum = true;
        let mut named = false;
        for word in subset {
            let word = word.trim();
            match word {
                "" => {}
                "all" => {
                    named = true;
                    include.extend(ALL);
                }
                "min" => named = true,
                "!min" => minimum = false,
                "!all" => exclude.extend(ALL),
                _ => {
                    let (name, exclusion) = match word.strip_prefix('!') {
                        Some(name) => (name, true),
                        None => (word, false),
                    };
                    let (_, groups) = NAMES.iter().find(|(known, _)| *known == name).ok_or_else(|| {
                        let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
                        format!(
                            "Bad subset '{name}' given to Ansible. gather_subset options allowed: all, min, {}",
                            names.join(", ")
                        )
                    })?;
                    if exclusion {
                        exclude.extend(*groups);
                    } else {
                        named = true;
                        // Naming a group brings it back from `!all`.
                        exclude.retain(|group| !groups.contains(group));
                        include.extend(*groups);
                    }
                }
            }
        }
        let excluded_all = subset.iter().any(|word| word.trim() == "!all");
        if !named && !excluded_all {
            include.extend(ALL);
        }
        if minimum {
            include.extend(MINIMUM);
        }
        include.retain(|group| !exclude.contains(group));
        Ok(Self(include))
    }

    pub fn has(&self, group: Group) -> bool {
        self.0.contains(&group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets() {
        let check = |subset: &[&str], group: Group, expected: bool| {
            let subset: Vec<String> = subset.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(Wanted::parse(&subset).unwrap().has(group), expected, "{subset:?} {group:?}");
        };
        check(&["all"], Network, true);
        check(&["!all"], Network, false);
        check(&["!all"], Distribution, true);
        check(&["!all", "!min"], Distribution, false);
        check(&["!all", "network"], Network, true);
        check(&["!all", "!min", "network"], Network, true);
        check(&["!hardware"], Hardware, false);
        check(&["!hardware"], Network, true);
        check(&["network"], Hardware, false);
        check(&["min"], Network, false);
        assert!(Wanted::parse(&["netwrok".to_owned()]).is_err());
    }
}
