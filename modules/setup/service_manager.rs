//! `service_mgr`: what runs as process 1; and `systemd`, its version and what it was built with.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::{Facts, line};
use crate::kit::{Command, Result, System};

pub(super) fn gather(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let name = name(sys)?;
    if name == "systemd"
        && let Some(program) = sys.which("systemctl")
    {
        let output = sys.query(Command::new(program).arg("--version"))?;
        if output.ok() {
            facts.extend(about_systemd(&output.stdout()).map(|about| ("systemd".to_owned(), about)));
        }
    }
    facts.insert("service_mgr".to_owned(), name.into());
    Ok(())
}

/// `systemd 252 (252.39-1~deb12u1)`, and on the next line `+PAM +AUDIT …`.
fn about_systemd(text: &str) -> Option<Json> {
    let (first, features) = text.split_once('\n')?;
    let version: i64 = first.split_whitespace().nth(1)?.parse().ok()?;
    Some(json!({"features": features.trim_end(), "version": version}))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_tells_its_version() {
        let text = "systemd 252 (252.39-1~deb12u1)\n+PAM -GNUTLS default-hierarchy=unified\n";
        let about = json!({"features": "+PAM -GNUTLS default-hierarchy=unified", "version": 252});
        assert_eq!(about_systemd(text), Some(about));
        assert_eq!(about_systemd("no systemctl\n"), None);
    }
}
