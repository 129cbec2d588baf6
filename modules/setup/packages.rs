//! `pkg_mgr`: the package manager that rules here.

use std::path::Path;

use super::Facts;
use crate::kit::{Result, System};

/// The first that is there wins.
const MANAGERS: &[(&str, &str)] = &[
    ("/usr/bin/rpm-ostree", "atomic_container"),
    ("/usr/bin/dnf5", "dnf5"),
    ("/usr/bin/dnf", "dnf"),
    ("/usr/bin/yum", "yum"),
    ("/usr/bin/apt-get", "apt"),
    ("/usr/bin/zypper", "zypper"),
    ("/usr/bin/pacman", "pacman"),
    ("/sbin/apk", "apk"),
    ("/usr/bin/apk", "apk"),
    ("/usr/bin/xbps-install", "xbps"),
    ("/usr/bin/emerge", "portage"),
    ("/usr/bin/swupd", "swupd"),
    ("/bin/opkg", "opkg"),
    ("/usr/sbin/urpmi", "urpmi"),
    ("/usr/bin/installp", "installp"),
    ("/run/current-system/sw/bin/nix", "nix"),
    ("/usr/local/bin/brew", "homebrew"),
    ("/opt/homebrew/bin/brew", "homebrew"),
    ("/usr/local/sbin/pkg", "pkgng"),
    // FreeBSD's own, which fetches the other when it is first asked.
    ("/usr/sbin/pkg", "pkgng"),
];

pub(super) fn gather(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let mut manager = "unknown";
    // A Debian with dnf installed is still a Debian.
    let debian =
        sys.exists(Path::new("/etc/debian_version"))? && sys.exists(Path::new("/usr/bin/apt-get"))?;
    if debian {
        manager = "apt";
    } else {
        for (path, name) in MANAGERS {
            if sys.exists(Path::new(path))? {
                manager = name;
                break;
            }
        }
    }
    facts.insert("pkg_mgr".to_owned(), manager.into());
    Ok(())
}
