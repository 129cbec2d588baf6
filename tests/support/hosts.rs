//! Hosts for tests: real sshds on loopback as an ordinary user, kept by the script `hosts` beside this file.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

static SERIAL: AtomicU32 = AtomicU32::new(0);

/// Some hosts, `t1` onwards. Dropping this ends them and removes what they left.
pub struct Hosts {
    pub all: Vec<Host>,
    /// The login on all of them.
    pub user: String,
    /// Holds `id` (the key that may log in), `known_hosts` and `ssh_config`.
    pub dir: PathBuf,
    keeper: Child,
    /// The script ends its hosts when this is closed, so they end with the test however it ends.
    stdin: Option<ChildStdin>,
}

pub struct Host {
    pub name: String,
    pub address: String,
    pub port: u16,
    /// The host's own directory: `home` is its HOME, `bin` comes first in its PATH.
    pub root: PathBuf,
}

impl Hosts {
    /// Starts `count` hosts; `None` after saying so where there is no sshd, unless
    /// FANFARE_TEST_REQUIRE_SSHD is set: then that is a failure.
    pub fn start(count: usize) -> Option<Self> {
        Self::start_with(count, "")
    }

    /// The same with further lines for every `sshd_config`.
    pub fn start_with(count: usize, sshd_options: &str) -> Option<Self> {
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("fanfare-hosts.{}.{serial}", std::process::id()));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/hosts");
        let mut keeper = Command::new(script)
            .arg(&dir)
            .arg(count.to_string())
            .env("FANFARE_TEST_SSHD_OPTIONS", sshd_options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/support/hosts starts (it needs bash)");
        let mut said = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut said).unwrap();
        if said.trim() != "ready" {
            let status = keeper.wait().unwrap();
            assert_eq!(status.code(), Some(69), "tests/support/hosts failed, see its message above");
            assert!(std::env::var_os("FANFARE_TEST_REQUIRE_SSHD").is_none(), "sshd is required here");
            eprintln!("SKIPPED: needs sshd (openssh-server), which this machine does not have");
            return None;
        }
        let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
        Some(Self {
            all: read("hosts").lines().map(Host::parse).collect(),
            user: read("user").trim().to_owned(),
            stdin: keeper.stdin.take(),
            keeper,
            dir,
        })
    }

    /// An INI inventory of these hosts with all that a connection needs; groups may follow it.
    pub fn inventory(&self) -> String {
        let (dir, user) = (self.dir.display(), &self.user);
        let line = |host: &Host| {
            format!(
                "{} ansible_host={} ansible_port={} ansible_user={user} ansible_ssh_private_key_file={dir}/id \
                 ansible_ssh_common_args='-o UserKnownHostsFile={dir}/known_hosts' \
                 ansible_python_interpreter=/usr/bin/python3 root={}\n",
                host.name,
                host.address,
                host.port,
                host.root.display(),
            )
        };
        self.all.iter().map(line).collect::<Vec<_>>().concat()
    }
}

impl Host {
    /// A line of the script's `hosts` file: name, address, port, root.
    fn parse(line: &str) -> Self {
        let mut words = line.split(' ');
        let mut next = || words.next().expect("four words a line").to_owned();
        Self { name: next(), address: next(), port: next().parse().unwrap(), root: next().into() }
    }

    /// What the host's sshd has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.root.join("log")).unwrap()
    }

    /// Puts an executable first in the PATH of the host's logins.
    pub fn stub(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.root.join("bin").join(name);
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        drop(self.stdin.take());
        self.keeper.wait().ok();
    }
}

#[test]
fn hosts_start_answer_and_end() {
    let Some(hosts) = Hosts::start(2) else { return };
    hosts.all[1].stub("greet", "#!/bin/sh\necho hello\n");
    let said = Command::new("ssh")
        .arg("-F")
        .arg(hosts.dir.join("ssh_config"))
        .args(["t2", "greet && pwd"])
        .output()
        .unwrap();
    let home = hosts.all[1].root.join("home");
    assert_eq!(String::from_utf8_lossy(&said.stdout), format!("hello\n{}\n", home.display()));
    assert!(hosts.all[1].log().contains("Accepted publickey"));
    assert_eq!(hosts.inventory().lines().count(), 2);
    let dir = hosts.dir.clone();
    drop(hosts);
    assert!(!dir.exists());
}
