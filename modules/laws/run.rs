//! The examples of the documentation, run: in check mode, then twice. Check mode touches nothing and foretells
//! `changed` and the diff exactly; the second run changes nothing.

use serde_json::{Map, Value as Json};

use super::{arguments, examples};
use crate::kit::args::Kind;
use crate::kit::trial::{Trial, control_file};
use crate::{MODULES, Module};

/// Modules whose examples this law does not run, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("acl", "setfacl works on a real machine only"),
    ("alternatives", "update-alternatives works on a real machine only"),
    ("apache2_module", "a2enmod works on a real machine only"),
    ("apk", "as package"),
    ("apt", "apt-get works on a real Debian only"),
    ("apt_key", "apt-key works on a real Debian only"),
    ("async_status", "there is no job without the task that started it"),
    ("at", "as acl"),
    ("capabilities", "as acl"),
    ("command", "what a command does nobody knows: it counts as a change each time"),
    ("cron", "crontab works on a real machine only"),
    ("dconf", "as getent"),
    ("debconf", "as dpkg_selections"),
    ("django_manage", "it needs an application"),
    ("dnf", "as package"),
    ("docker_compose_v2", "it needs an engine"),
    ("docker_container", "it needs an engine"),
    ("docker_container_exec", "it needs an engine"),
    ("docker_container_info", "it needs an engine"),
    ("docker_host_info", "it needs an engine"),
    ("docker_image", "it needs an engine"),
    ("docker_image_export", "it needs an engine"),
    ("docker_image_info", "it needs an engine"),
    ("docker_image_load", "it needs an engine"),
    ("docker_image_pull", "it needs an engine"),
    ("docker_image_push", "it needs an engine"),
    ("docker_image_remove", "it needs an engine"),
    ("docker_image_tag", "it needs an engine"),
    ("docker_login", "it needs an engine"),
    ("docker_network", "it needs an engine"),
    ("docker_network_info", "it needs an engine"),
    ("docker_prune", "it needs an engine"),
    ("docker_volume", "it needs an engine"),
    ("docker_volume_info", "it needs an engine"),
    ("dpkg_selections", "dpkg works on a real Debian only"),
    ("expect", "as command"),
    ("fetch", "the control node holds the file and says whether it changed"),
    ("filesystem", "it needs a device"),
    ("firewalld", "as ufw"),
    ("getent", "getent works on a real machine only"),
    ("git", "git works on a real machine only"),
    ("git_config", "as git"),
    ("group", "groupadd and its kin work on a real machine only"),
    ("hostname", "as getent"),
    ("interfaces_file", "the file must be there"),
    ("iptables", "it needs a kernel"),
    ("java_cert", "keytool works on a real machine only"),
    ("locale_gen", "locale-gen works on a real Debian only"),
    ("lvg", "it needs a device"),
    ("lvol", "it needs a device"),
    ("mail", "it needs a server"),
    ("make", "as acl"),
    ("modprobe", "it needs a kernel"),
    ("monit", "as service"),
    ("mysql_db", "it needs a server"),
    ("mysql_info", "it needs a server"),
    ("mysql_query", "it needs a server"),
    ("mysql_user", "it needs a server"),
    ("mysql_variables", "it needs a server"),
    ("nmcli", "as service"),
    ("npm", "as package"),
    ("openssh_keypair", "ssh-keygen works on a real machine only"),
    ("openssl_csr", "openssl works on a real machine only"),
    ("openssl_dhparam", "as openssl_csr"),
    ("openssl_pkcs12", "as openssl_csr"),
    ("openssl_privatekey", "as openssl_csr"),
    ("openssl_publickey", "as openssl_csr"),
    ("pacman", "as package"),
    ("package", "package managers work on a real machine only"),
    ("package_facts", "package managers work on a real machine only"),
    ("pamd", "the service must be there"),
    ("parted", "it needs a device"),
    ("patch", "as acl"),
    ("pip", "pip works on a real machine only"),
    ("postgresql_db", "it needs a server"),
    ("postgresql_ext", "it needs a server"),
    ("postgresql_pg_hba", "the file must be there"),
    ("postgresql_ping", "it needs a server"),
    ("postgresql_privs", "it needs a server"),
    ("postgresql_query", "it needs a server"),
    ("postgresql_schema", "it needs a server"),
    ("postgresql_set", "it needs a server"),
    ("postgresql_user", "it needs a server"),
    ("rabbitmq_plugin", "it needs a server"),
    ("rabbitmq_user", "it needs a server"),
    ("rabbitmq_vhost", "it needs a server"),
    ("raw", "as command"),
    ("read_csv", "the file must be there"),
    ("rpm_key", "as package"),
    ("script", "as command"),
    ("seboolean", "as ufw"),
    ("sefcontext", "as ufw"),
    ("selinux", "as ufw"),
    ("seport", "as ufw"),
    ("service", "a service manager works on a real machine only"),
    ("service_facts", "as service"),
    ("shell", "as command"),
    ("subversion", "as git"),
    ("supervisorctl", "as service"),
    ("synchronize", "rsync works on a real machine only"),
    ("systemd", "systemctl works on a real machine only"),
    ("sysvinit", "as service"),
    ("tempfile", "each run makes a new file: that is what it is for"),
    ("timezone", "zones are of the real machine"),
    ("ufw", "it needs a kernel"),
    ("unarchive", "tar and unzip work on a real machine only"),
    ("uri", "a check asks no server"),
    ("user", "useradd and its kin work on a real machine only"),
    ("wait_for", "it waits by the clock of the real machine"),
    ("wakeonlan", "each run sends a packet: that is what it is for"),
    ("x509_certificate", "as openssl_csr"),
    ("x509_certificate_info", "as openssl_csr"),
    ("xml", "the file must be there"),
    ("zypper", "as package"),
    ("zypper_repository", "as package"),
    ("composer", "as package"),
    ("flatpak", "as package"),
    ("flatpak_remote", "as package"),
    ("gem", "as package"),
    ("homebrew", "as package"),
    ("homebrew_cask", "as package"),
    ("homebrew_tap", "as package"),
    ("opkg", "as package"),
    ("pkgng", "as package"),
    ("snap", "as package"),
    ("launchd", "as service"),
    ("openwrt_init", "as service"),
    ("runit", "as service"),
    ("sysrc", "it works on FreeBSD only"),
];

#[test]
fn what_is_not_run_is_of_the_table() {
    for (name, why) in NOT_RUN.iter().copied() {
        assert!(MODULES.iter().any(|module| module.name == name), "{name} is no module");
        assert!(!why.is_empty(), "{name}: no reason");
    }
}

#[test]
fn examples_run_twice_with_no_change_the_second_time() {
    for module in MODULES.iter().filter(|module| NOT_RUN.iter().all(|(name, _)| *name != module.name)) {
        for (_, task) in examples(module.spec()) {
            run(module, &task);
        }
    }
}

fn run(module: &Module, task: &Json) {
    let trial = stage(module.name);
    let args = sent(module, arguments(module.spec(), task));
    println!("{task}");
    trial.lawful(&args);
}

/// The arguments as the control node sends them: with content for its files.
fn sent(module: &Module, mut args: Map<String, Json>) -> Json {
    for option in &module.spec().options {
        let remote = option.control.as_ref().is_some_and(|usage| module.spec().is_on_target(usage, &args));
        if option.kind != Kind::Control || remote {
            continue;
        }
        if let Some(value) = args.get_mut(&option.name) {
            *value = control_file(value.as_str().unwrap_or_default(), "content\n");
        }
    }
    Json::Object(args)
}

/// A host with all that the examples speak of.
fn stage(module: &str) -> Trial {
    let trial = Trial::of(module);
    for (path, content) in [
        ("/etc/hosts", "127.0.0.1 old.host.name x\nStart after line 1\nx\nStart before line 2\n"),
        ("/etc/skel/.bashrc", "alias l=ls\n"),
        ("/etc/sudoers", "%wheel ALL\n"),
        ("/tmp/a_file.txt", "here\n"),
        ("/proc/mounts", "tmpfs /tmp tmpfs rw 0 0\n"),
        ("/var/log/a.log", "log\n"),
        ("/var/www/html/old.html", "<body>\n"),
        ("/etc/ssh/sshd_config", "PermitRootLogin no\n"),
    ] {
        trial.host.file(path, content);
    }
    for dir in [
        "/etc/apt/sources.list.d",
        "/etc/yum.repos.d",
        "/etc/sysctl.d",
        "/srv/fragments",
        "/etc/security",
        "/etc/ssh",
        "/etc/sudoers.d",
        "/var/lib",
        "/etc/selinux",
    ] {
        trial.host.dir(dir);
    }
    trial.host.user("bin", 2).user("wheel", 10);
    trial.host.program("/usr/sbin/visudo").answer("/usr/sbin/visudo", 0, "");
    trial.host.serve(80, |asked| {
        // The content the examples' checksum is of is "foo\n".
        let body = match asked.split(' ').nth(1) {
            Some("/path/sha256sum.txt") => format!("{FOO}  file.conf\n"),
            _ => "foo\n".to_owned(),
        };
        let body_sent = if asked.starts_with("HEAD") { "" } else { &body };
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body_sent}", body.len()).into_bytes()
    });
    trial
}

const FOO: &str = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c";
