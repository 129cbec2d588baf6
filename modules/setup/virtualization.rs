//! Whether the machine is a guest, a container, or a host of others.

use std::path::Path;

use serde_json::Value as Json;

use super::{Facts, line};
use crate::kit::{Result, System};

pub(super) fn gather(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let there = |path: &str| sys.exists(Path::new(path)).unwrap_or(false);
    let mut guest: Vec<&str> = Vec::new();
    let mut host: Vec<&str> = Vec::new();
    let mut kind: Option<&str> = None;
    let mut found = |list: &mut Vec<&'static str>, tech: &'static str| {
        if !list.contains(&tech) {
            list.push(tech);
        }
        kind.get_or_insert(tech);
    };
    let environ = sys.read(Path::new("/proc/1/environ")).unwrap_or_default();
    let environ = String::from_utf8_lossy(&environ).into_owned();
    let container = environ.split('\0').find_map(|entry| entry.strip_prefix("container="));
    let cgroup = line(sys, "/proc/1/cgroup").unwrap_or_default();
    if there("/.dockerenv") || there("/.dockerinit") || cgroup.contains("/docker") {
        found(&mut guest, "docker");
    }
    if container == Some("podman") || there("/run/.containerenv") {
        found(&mut guest, "podman");
    }
    if container == Some("lxc") || cgroup.contains("/lxc/") {
        found(&mut guest, "lxc");
    }
    // Any other container is no more than that, though its maker is told below.
    if container.is_some_and(|container| !matches!(container, "podman" | "lxc")) {
        found(&mut guest, "container");
    }
    if container == Some("systemd-nspawn") {
        guest.push("systemd-nspawn");
    }
    // All that others than root may read.
    let by_systemd = line(sys, "/run/systemd/container").filter(|name| !name.is_empty());
    if by_systemd.as_deref() == Some("systemd-nspawn") && !guest.contains(&"systemd-nspawn") {
        found(&mut guest, "systemd-nspawn");
    }
    let is_container =
        by_systemd.is_some() || container.is_some() || guest.contains(&"docker") || guest.contains(&"podman");
    if is_container && !guest.contains(&"container") {
        guest.push("container");
    }
    let dmi = |file: &str| line(sys, format!("/sys/devices/virtual/dmi/id/{file}")).unwrap_or_default();
    let (product, vendor, bios, family) =
        (dmi("product_name"), dmi("sys_vendor"), dmi("bios_vendor"), dmi("product_family"));
    if there("/proc/xen") {
        let dom0 = line(sys, "/proc/xen/capabilities").is_some_and(|text| text.contains("control_d"));
        if dom0 {
            host.push("xen");
        } else {
            found(&mut guest, "xen");
        }
    }
    let by_dmi: Option<&'static str> = match (product.as_str(), vendor.as_str()) {
        ("KVM" | "KVM Server" | "Bochs" | "AHV" | "Google Compute Engine", _)
        | (_, "QEMU" | "Amazon EC2" | "DigitalOcean" | "Hetzner") => Some("kvm"),
        ("RHEV Hypervisor", _) => Some("RHEV"),
        ("oVirt Node", _) => Some("oVirt"),
        ("OpenStack Nova" | "OpenStack Compute", _) => Some("openstack"),
        ("VMware Virtual Platform" | "VMware7,1" | "VMware20,1", _) => Some("VMware"),
        ("VirtualBox", _) => Some("virtualbox"),
        ("Virtual Machine", "Microsoft Corporation") => Some("VirtualPC"),
        ("Parallels Virtual Platform", _) => Some("parallels"),
        ("HVM domU", _) => Some("xen"),
        _ if family == "RHV" => Some("RHEV"),
        _ => None,
    };
    if let Some(tech) = by_dmi {
        found(&mut guest, tech);
    } else if bios == "Xen" {
        found(&mut guest, "xen");
    } else if bios == "innotek GmbH" {
        found(&mut guest, "virtualbox");
    } else if vendor == "QEMU" || bios == "SeaBIOS" {
        found(&mut guest, "kvm");
    }
    let cpuinfo = line(sys, "/proc/cpuinfo").unwrap_or_default();
    if guest.is_empty() && cpuinfo.contains("QEMU Virtual CPU") {
        found(&mut guest, "kvm");
    }
    let modules = line(sys, "/proc/modules").unwrap_or_default();
    let loaded = |name: &str| modules.lines().any(|line| line.split(' ').next() == Some(name));
    if there("/dev/kvm") || loaded("kvm") {
        host.push("kvm");
    }
    if loaded("vboxdrv") {
        host.push("virtualbox");
    }
    let (kind, role) = match (kind, host.first()) {
        (Some(kind), _) => (kind, "guest"),
        (None, Some(kind)) => (*kind, "host"),
        (None, None) => ("NA", "NA"),
    };
    guest.sort_unstable();
    let mut put = |name: &str, value: Json| facts.insert(name.to_owned(), value);
    put("virtualization_type", kind.into());
    put("virtualization_role", role.into());
    put("virtualization_tech_guest", guest.into());
    put("virtualization_tech_host", host.into());
    Ok(())
}

pub(super) fn chroot(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let chroot = is_chroot(sys);
    facts.insert("is_chroot".to_owned(), chroot.into());
    Ok(())
}

/// Whether `/` is another directory than that of process 1.
fn is_chroot(sys: &System<'_>) -> bool {
    if sys.env("debian_chroot").is_some() {
        return true;
    }
    let root = sys.stat_followed(Path::new("/")).ok().flatten();
    let first = sys.stat_followed(Path::new("/proc/1/root/.")).ok().flatten();
    match (root, first) {
        (Some(root), Some(first)) => root.inode != first.inode || root.device != first.device,
        // Others than root may not look there. The root of a file system has one of these numbers: ext, XFS, Btrfs.
        (Some(root), None) => !matches!(root.inode, 2 | 128 | 256),
        _ => false,
    }
}
