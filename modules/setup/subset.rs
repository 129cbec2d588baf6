//! `gather_subset`.

/// What can be asked for or left out: what one collector of Ansible's gathers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Apparmor,
    Caps,
    Chroot,
    Cmdline,
    DateTime,
    Distribution,
    Dns,
    Env,
    FibreChannel,
    Fips,
    Hardware,
    Iscsi,
    LoadAvg,
    Local,
    Lsb,
    Network,
    Nvme,
    Packages,
    Platform,
    Python,
    Selinux,
    ServiceManager,
    SshKeys,
    User,
    Virtual,
}

use Group::{
    Apparmor, Caps, Chroot, Cmdline, DateTime, Distribution, Dns, Env, FibreChannel, Fips, Hardware, Iscsi,
    LoadAvg, Local, Lsb, Network, Nvme, Packages, Platform, Python, Selinux, ServiceManager, SshKeys, User,
    Virtual,
};

const MINIMUM: &[Group] = &[
    Apparmor,
    Caps,
    Cmdline,
    DateTime,
    Distribution,
    Dns,
    Env,
    Fips,
    Local,
    Lsb,
    Packages,
    Platform,
    Python,
    Selinux,
    ServiceManager,
    SshKeys,
    User,
];

/// What `all` adds to the minimum.
const MORE: &[Group] = &[Chroot, FibreChannel, Hardware, Iscsi, LoadAvg, Network, Nvme, Virtual];

/// Each group with its name, and what else brings it. Only its name leaves it out.
const NAMES: &[(Group, &str, &[&str])] = &[
    (Apparmor, "apparmor", &[]),
    (Caps, "caps", &["system_capabilities", "system_capabilities_enforced"]),
    (Chroot, "chroot", &["is_chroot"]),
    (Cmdline, "cmdline", &[]),
    (DateTime, "date_time", &[]),
    (
        Distribution,
        "distribution",
        &["distribution_major_version", "distribution_release", "distribution_version", "os_family"],
    ),
    (Dns, "dns", &[]),
    (Env, "env", &[]),
    (FibreChannel, "fibre_channel_wwn", &[]),
    (Fips, "fips", &[]),
    (Hardware, "hardware", &["devices", "mounts", "processor", "processor_cores", "processor_count"]),
    (Iscsi, "iscsi", &[]),
    (LoadAvg, "loadavg", &[]),
    (Local, "local", &[]),
    (Lsb, "lsb", &[]),
    (
        Network,
        "network",
        &["all_ipv4_addresses", "all_ipv6_addresses", "default_ipv4", "default_ipv6", "interfaces"],
    ),
    (Nvme, "nvme", &[]),
    (Packages, "pkg_mgr", &[]),
    (
        Platform,
        "platform",
        &["architecture", "kernel", "kernel_version", "machine", "machine_id", "python_version", "system"],
    ),
    (Python, "python", &[]),
    (Selinux, "selinux", &[]),
    (ServiceManager, "service_mgr", &["systemd"]),
    (
        SshKeys,
        "ssh_pub_keys",
        &[
            "ssh_host_key_dsa_public",
            "ssh_host_key_ecdsa_public",
            "ssh_host_key_ed25519_public",
            "ssh_host_key_rsa_public",
            "ssh_host_pub_keys",
        ],
    ),
    (
        User,
        "user",
        &[
            "effective_group_ids",
            "effective_user_id",
            "real_user_id",
            "user_dir",
            "user_gecos",
            "user_gid",
            "user_id",
            "user_shell",
            "user_uid",
        ],
    ),
    (
        Virtual,
        "virtual",
        &[
            "virtualization_role",
            "virtualization_tech_guest",
            "virtualization_tech_host",
            "virtualization_type",
        ],
    ),
];

/// Those of the minimum that `all` brings by other names, too.
const NAMED_TWICE: &[Group] = &[Caps, Distribution, Platform, SshKeys, User];

/// Programs whose facts Ansible asks for, too. fanfare does not.
const OTHERS: &[&str] = &["facter", "ohai"];

/// The groups a `gather_subset` comes to.
pub(super) struct Wanted(Vec<Group>);

impl Wanted {
    /// As Ansible: the minimum is always there unless `!min` says no, and all there is to it only where nothing or `all`
    /// is asked for; exclusions win, but what a group is made from comes with it.
    pub fn parse(subset: &[String]) -> Result<Self, String> {
        let words: Vec<&str> =
            subset.iter().map(|word| word.trim()).filter(|word| !word.is_empty()).collect();
        let mut include: Vec<Group> = Vec::new();
        let mut exclude: Vec<Group> = Vec::new();
        for &word in &words {
            match word {
                "all" => include.extend(MORE),
                "min" | "!min" => {}
                "!all" => exclude.extend(MORE),
                _ => {
                    let (name, exclusion) = match word.strip_prefix('!') {
                        Some(name) => (name, true),
                        None => (word, false),
                    };
                    match find(name)? {
                        Some((group, own)) if exclusion => exclude.extend((own == name).then_some(group)),
                        Some((group, _)) => {
                            // Naming a group brings it back from `!all`.
                            exclude.retain(|excluded| *excluded != group);
                            include.push(group);
                        }
                        None => {}
                    }
                }
            }
        }
        if words.is_empty() {
            include.extend(MORE);
        }
        if !words.contains(&"!min") {
            include.extend(MINIMUM);
        } else if words.contains(&"all") && !words.contains(&"!all") {
            // `all` means each name there is, `!min` only the groups' own.
            include.extend(NAMED_TWICE);
        }
        include.retain(|group| !exclude.contains(group));
        let needed: Vec<Group> = include.iter().flat_map(|group| needs(*group)).copied().collect();
        include.extend(needed);
        Ok(Self(include))
    }

    pub fn has(&self, group: Group) -> bool {
        self.0.contains(&group)
    }
}

/// The group that a name brings and the group's own name; none for one of the programs.
fn find(name: &str) -> Result<Option<(Group, &'static str)>, String> {
    if OTHERS.contains(&name) {
        return Ok(None);
    }
    let found = NAMES.iter().find(|(_, own, others)| *own == name || others.contains(&name));
    found.map(|(group, own, _)| Some((*group, *own))).ok_or_else(|| {
        let own = NAMES.iter().flat_map(|(_, own, others)| others.iter().chain([own]));
        let mut names: Vec<&str> = own.chain(OTHERS).chain(&["all", "min"]).copied().collect();
        names.sort_unstable();
        format!("Bad subset '{name}' given to Ansible. gather_subset options allowed: {}", names.join(", "))
    })
}

/// What a group is made from.
fn needs(group: Group) -> &'static [Group] {
    match group {
        Hardware => &[Platform],
        Network | ServiceManager => &[Distribution, Platform],
        Packages => &[Distribution],
        _ => &[],
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
        check(&["!hardware"], Network, false);
        check(&["!hardware"], Distribution, true);
        check(&["!facter"], Virtual, false);
        check(&["all", "!hardware"], Network, true);
        check(&["!hardware", "virtual"], Virtual, true);
        check(&[], Network, true);
        check(&["!min"], Network, false);
        check(&["all", "!min"], Network, true);
        check(&["all", "!min"], User, true);
        check(&["all", "!min"], Env, false);
        check(&["all", "!min", "!user"], User, false);
        check(&["network"], Hardware, false);
        check(&["!all", "!min", "network"], Platform, true);
        check(&["!all", "!min", "network"], FibreChannel, false);
        check(&["!all", "!min", "service_mgr"], Distribution, true);
        check(&["!platform"], Platform, true);
        check(&["all", "!mounts"], Hardware, true);
        check(&["!all", "!min", "mounts"], Hardware, true);
        check(&["!all", "!min", "virtual"], Chroot, false);
        check(&["min"], Network, false);
        assert!(Wanted::parse(&["netwrok".to_owned()]).is_err());
    }
}
