//! Connections by programs of the control node. Stand-ins that run what they are given here tell how they are called.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::root_host::{PASSWORD, RootHost};

/// Notes its name and the words before the shell's, and runs the shell.
const ENTER: &str = "#!/bin/sh
said=${0##*/}
while [ \"$1\" != /bin/sh ]; do said=\"$said $1\"; shift; done
echo \"$said\" >> \"$SAID\"
exec \"$@\"
";

/// The same of `ssh`, whose command is its last word.
const SSH: &str = "#!/bin/sh
[ \"$*\" = \"${*#*nobody}\" ] || { echo 'ssh: nobody is there' >&2; exit 255; }
said=ssh
while [ $# -gt 1 ]; do said=\"$said $1\"; shift; done
echo \"$said\" >> \"$SAID\"
exec /bin/sh -c \"$1\"
";

struct Control(TempDir);

impl Control {
    fn new(inventory: &str) -> Self {
        let dir = TempDir::new().unwrap();
        for (name, text) in [("enter", ENTER), ("ssh", SSH)] {
            fs::write(dir.path().join(name), text).unwrap();
            fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        for name in ["chroot", "docker", "incus", "kubectl", "lxc", "lxc-attach", "podman"] {
            symlink("enter", dir.path().join(name)).unwrap();
        }
        fs::write(dir.path().join("hosts"), inventory).unwrap();
        Self(dir)
    }

    fn run(&self, words: &[&str]) -> Output {
        let dir = self.0.path();
        let path = format!("{}:{}", dir.display(), std::env::var("PATH").unwrap());
        Command::new(env!("CARGO_BIN_EXE_fanfare"))
            .args(["-i", "hosts"])
            .args(words)
            .current_dir(dir)
            .envs([("PATH", path.as_ref()), ("HOME", dir), ("SAID", Path::new("said"))])
            .output()
            .unwrap()
    }

    fn said(&self) -> Vec<String> {
        let said = fs::read_to_string(self.0.path().join("said")).unwrap_or_default();
        let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn each_is_called_as_it_wants() {
    let control = Control::new(
        "r ansible_connection=chroot ansible_host=/srv/root
c ansible_connection=community.docker.docker ansible_docker_extra_args='--context x' ansible_user=app
i ansible_connection=incus ansible_incus_project=p ansible_incus_remote=far
k ansible_connection=kubernetes.core.kubectl ansible_kubectl_namespace=n ansible_kubectl_pod=pod ansible_kubectl_container=web
l ansible_connection=lxc
d ansible_connection=lxd
p ansible_connection=containers.podman.podman
s ansible_connection=openssh ansible_port=22 ansible_user=bob ansible_ssh_common_args='-o A=\"b c\"' ansible_host=there
",
    );
    let output = control.run(&["all", "-m", "ping"]);
    assert_eq!(out(&output).matches("\"ping\": \"pong\"").count(), 8, "{output:?}");
    let ssh = "ssh -o A=b c -o BatchMode=yes -o Port=22 -o User=bob -o ConnectTimeout=10 -- there";
    assert_eq!(
        control.said(),
        [
            "chroot /srv/root",
            "docker --context x exec -u app -i c",
            "incus --project p exec far:i --",
            "kubectl --namespace n exec -i pod -c web --",
            "lxc exec d --",
            "lxc-attach --clear-env -n l --",
            "podman exec -i p",
            ssh,
        ]
    );
    // Without the worker, too.
    let output = control.run(&["c,s,", "-i", "hosts", "-m", "raw", "-a", "echo it\\'s"]);
    assert_eq!(out(&output).matches("it's").count(), 2, "{output:?}");
}

#[test]
fn who_is_not_there_is_unreachable() {
    let control = Control::new(
        "a ansible_connection=docker ansible_docker_command=false
b ansible_connection=podman ansible_podman_executable=/no/podman
c ansible_connection=openssh ansible_host=nobody
d ansible_connection=openssh ansible_private_key=x
e ansible_connection=docker ansible_host=--privileged
",
    );
    let output = control.run(&["all", "-m", "ping"]);
    let said = out(&output) + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.matches("UNREACHABLE").count(), 3, "{said}");
    for told in [
        "/no/podman does not start here",
        "ssh: nobody is there",
        "a key's text cannot be handed to the system's ssh",
        "'--privileged' is no name for docker to connect to",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
}

/// What ssh asks of its kind, and what a stranger would.
const ASKING: &str = "#!/bin/sh
# The real one asks itself; a shell would be its child.
exec 3>&1
\"$SSH_ASKPASS\" 'bob@there password: ' >> \"$SAID\"; echo \" $?\" >> \"$SAID\"
\"$SSH_ASKPASS\" 'bob@there password: ' >> \"$SAID\"; echo \"again $?\" >> \"$SAID\"
(\"$SSH_ASKPASS\" 'Enter passphrase for key: '; echo \"stranger $?\"; :) >> \"$SAID\"
\"$SSH_ASKPASS\" 'Enter passphrase for key: ' >> \"$SAID\"; echo \" $?\" >> \"$SAID\"
echo \"$SSH_ASKPASS\" > asked
for last; do :; done
exec /bin/sh -c \"$last\"
";

#[test]
fn ssh_is_given_what_it_asks_for() {
    let control = Control::new(
        "there ansible_connection=openssh ansible_password=p4ss ansible_ssh_private_key_passphrase=phr4se\n",
    );
    fs::write(control.0.path().join("ssh"), ASKING).unwrap();
    let output = control.run(&["there", "-m", "raw", "-a", "env; cat /proc/$PPID/cmdline"]);
    assert!(output.status.success(), "{output:?}");
    let said = fs::read_to_string(control.0.path().join("said")).unwrap();
    assert_eq!(said, "p4ss 0\nagain 1\nstranger 1\nphr4se 0\n");
    let output = out(&output);
    assert!(!output.contains("p4ss") && !output.contains("phr4se"), "{output}");
    let asked = fs::read_to_string(control.0.path().join("asked")).unwrap();
    assert!(!Path::new(asked.trim()).exists(), "nothing stays: {asked}");
}

#[test]
fn the_real_ssh_logs_in_by_password() {
    let Some(host) = RootHost::start() else { return };
    let with = |password: &str| {
        Control::new(&format!(
            "there ansible_connection=openssh ansible_ssh_executable=/usr/bin/ssh ansible_host=127.0.0.1 ansible_port={} \
             ansible_user=fanfare-barred ansible_password='{password}' ansible_host_key_checking=false \
             ansible_ssh_common_args='-F none -o UserKnownHostsFile=/dev/null'\n",
            host.port
        ))
    };
    let output = with(PASSWORD).run(&["there", "-m", "ping"]);
    assert!(out(&output).contains("\"ping\": \"pong\""), "{output:?}");
    let output = with("wrong").run(&["there", "-m", "ping"]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(out(&output).contains("Permission denied"), "{output:?}");
}
