//! `service_mgr`: what runs as process 1.

use std::path::Path;

use super::{Facts, line};
use crate::kit::{Result, System};

pub(super) fn gather(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    facts.insert("service_mgr".to_owned(), name(sys)?.into());
    Ok(())
}

pub(crate) fn name(sys: &System<'_>) -> Result<String> {
    let first = line(sys, "/proc/1/comm").unwrap_or_default();
    Ok(match first.as_str() {
        "runit-init" => "runit".to_owned(),
        "svscan" => "svc".to_owned(),
        "openrc-init" => "openrc".to_owned(),
        "procd" => "openwrt_init".to_owned(),
        "" | "init" | "sh" | "bash" | "tini" | "dumb-init" | "docker-init" | "COMMAND" => {
            by_files(sys)?.to_owned()
        }
        other if other.ends_with("sh") => by_files(sys)?.to_owned(),
        other => other.to_owned(),
    })
}

fn by_files(sys: &System<'_>) -> Result<&'static str> {
    let there = |path: &str| sys.exists(Path::new(path));
    // What only macOS and FreeBSD have.
    Ok(if there("/System/Library/LaunchDaemons")? {
        "launchd"
    } else if there("/etc/rc.subr")? {
        "bsdinit"
    } else if there("/run/systemd/system")? || there("/dev/.run/systemd")? || there("/dev/.systemd")? {
        "systemd"
    } else if sys.which("initctl").is_some() && there("/etc/init")? {
        "upstart"
    } else if there("/sbin/openrc")? {
        "openrc"
    } else if there("/etc/init.d")? {
        "sysvinit"
    } else {
        "service"
    })
}
