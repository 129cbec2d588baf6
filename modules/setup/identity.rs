//! Who and what: kernel, names, the user, the environment.

use std::path::Path;

use serde_json::{Map, Value as Json};

use super::{Facts, line};
use crate::kit::{Result, System};

pub(super) fn platform(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let kernel = |name: &str| line(sys, format!("/proc/sys/kernel/{name}")).unwrap_or_default();
    let machine = machine(sys);
    let nodename = kernel("hostname");
    let fqdn = fqdn(sys, &nodename);
    let mut put = |name: &str, value: Json| facts.insert(name.to_owned(), value);
    put("system", kernel("ostype").into());
    put("kernel", kernel("osrelease").into());
    put("kernel_version", kernel("version").into());
    put("machine", machine.as_str().into());
    let architecture = match machine.as_str() {
        "i386" | "i486" | "i586" | "i686" | "i86pc" => "i386",
        other => other,
    };
    put("architecture", architecture.into());
    put("userspace_bits", usize::BITS.to_string().into());
    put("userspace_architecture", architecture.into());
    put("nodename", nodename.as_str().into());
    put("hostname", nodename.split('.').next().unwrap_or_default().into());
    put("domain", fqdn.split_once('.').map_or("", |(_, domain)| domain).into());
    put("fqdn", fqdn.as_str().into());
    let machine_id = ["/var/lib/dbus/machine-id", "/etc/machine-id"].iter().find_map(|path| line(sys, path));
    if let Some(id) = machine_id {
        put("machine_id", id.into());
    }
    Ok(())
}

/// The machine's name for its architecture: what the kernel says, else what this program was built for.
fn machine(sys: &System<'_>) -> String {
    sys.machine().or_else(|| line(sys, "/proc/sys/kernel/arch")).unwrap_or_else(|| {
        match std::env::consts::ARCH {
            "x86" => "i686",
            "arm" => "armv7l",
            "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
            other => other,
        }
        .to_owned()
    })
}

/// The full name as `/etc/hosts` has it; the resolver is not asked. As `getfqdn` does: from the name to its address,
/// and from that to the names that the first line with it gives.
pub(crate) fn fqdn(sys: &System<'_>, nodename: &str) -> String {
    if nodename.contains('.') {
        return nodename.to_owned();
    }
    let hosts = line(sys, "/etc/hosts").unwrap_or_default();
    let lines: Vec<Vec<&str>> = hosts
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().split_whitespace().collect())
        .collect();
    let named = lines.iter().find(|words| words.iter().skip(1).any(|name| *name == nodename));
    let address = named.and_then(|words| words.first());
    let names = lines.iter().find(|words| address.is_some() && words.first() == address);
    let names = names.and_then(|words| words.get(1..)).unwrap_or_default();
    let full = names.iter().find(|name| name.contains('.')).or(names.first());
    full.map_or_else(|| nodename.to_owned(), |name| (*name).to_owned())
}

pub(super) fn user(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let (uid, gid) = sys.identity();
    let mut put = |name: &str, value: Json| facts.insert(name.to_owned(), value);
    put("real_user_id", uid.into());
    put("effective_user_id", uid.into());
    put("real_group_id", gid.into());
    put("effective_group_id", gid.into());
    if let Some(user) = sys.user_by_id(uid)? {
        put("user_id", user.name.into());
        put("user_uid", user.uid.into());
        put("user_gid", user.gid.into());
        put("user_gecos", user.comment.into());
        put("user_dir", user.home.into());
        put("user_shell", user.shell.into());
    }
    Ok(())
}

pub(super) fn env(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let environment: Map<String, Json> =
        sys.environment().into_iter().map(|(name, value)| (name, Json::from(value))).collect();
    facts.insert("env".to_owned(), environment.into());
    Ok(())
}

pub(super) fn cmdline(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let Some(text) = line(sys, "/proc/cmdline") else { return Ok(()) };
    let mut cmdline = Map::new();
    let mut repeated: Map<String, Json> = Map::new();
    for word in text.split_whitespace() {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, Json::from(value)),
            None => (word, Json::from(true)),
        };
        let value_again = value.clone();
        match repeated.get_mut(key) {
            Some(Json::Array(values)) => values.push(value_again),
            Some(first) => *first = Json::Array(vec![first.take(), value_again]),
            None => drop(repeated.insert(key.to_owned(), value_again)),
        }
        cmdline.insert(key.to_owned(), value);
    }
    facts.insert("cmdline".to_owned(), cmdline.into());
    facts.insert("proc_cmdline".to_owned(), repeated.into());
    Ok(())
}

pub(super) fn ssh_keys(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    for dir in ["/etc/ssh", "/etc/openssh", "/etc"] {
        let mut found = false;
        for kind in ["dsa", "rsa", "ecdsa", "ed25519"] {
            let path = Path::new(dir).join(format!("ssh_host_{kind}_key.pub"));
            let Some(text) = line(sys, &path) else { continue };
            let mut words = text.split_whitespace();
            if let (Some(keytype), Some(key)) = (words.next(), words.next()) {
                facts.insert(format!("ssh_host_key_{kind}_public"), key.into());
                facts.insert(format!("ssh_host_key_{kind}_public_keytype"), keytype.into());
                found = true;
            }
        }
        if found {
            break;
        }
    }
    Ok(())
}
