//! Connections by a program of the control node that runs a shell elsewhere (`docker exec`): one row each.

use tokio::process::Command;

use super::CallError;
use super::askpass::{Answers, Desk};
use super::bootstrap::Starts;
use super::pipe::{Exit, Pipe};

/// How a connection's program is called; `/bin/sh -c …` follows.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    /// As users call it, and the collection it is of there.
    pub name: &'static str,
    pub collection: &'static str,
    pub words: &'static [Part],
}

/// A word of the call, or several. Variables that are listed win over each other in that order.
#[derive(Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Word(&'static str),
    /// The program, unless a variable names another.
    Program(&'static str, &'static [&'static str]),
    /// The words of a variable, read as a shell does.
    Words(&'static [&'static str]),
    /// An option with the value of a variable, where there is one.
    Option(&'static str, &'static [&'static str]),
    /// An option with the user to be there, where one is wished for.
    User(&'static str, &'static [&'static str]),
    /// What to go into: the variable, else the host's name. The second variables name where it lives: `remote:name`.
    Target(&'static [&'static str], &'static [&'static str]),
}

use Part::{Option as Opt, Program as Exe, Target, User, Word, Words};

/// A row's options are those of Ansible's connection plugin of that name; `nspawn` has none there.
const KINDS: &[Kind] = &[
    Kind {
        name: "chroot",
        collection: "community.general",
        words: &[
            Exe("chroot", &["ansible_chroot_exe"]),
            Target(&["ansible_chroot_host", "ansible_host"], &[]),
        ],
    },
    Kind {
        name: "docker",
        collection: "community.docker",
        words: &[
            Exe("docker", &["ansible_docker_command"]),
            Words(&["ansible_docker_extra_args"]),
            Word("exec"),
            User("-u", &["ansible_user", "ansible_docker_user"]),
            Opt("-w", &["ansible_docker_working_dir"]),
            Word("-i"),
            Target(&["ansible_docker_host", "ansible_host"], &[]),
        ],
    },
    Kind {
        name: "incus",
        collection: "community.general",
        words: &[
            Exe("incus", &["ansible_incus_executable"]),
            Opt("--project", &["ansible_incus_project"]),
            Word("exec"),
            Target(&["ansible_incus_host", "ansible_host"], &["ansible_incus_remote"]),
            Word("--"),
        ],
    },
    Kind {
        name: "kubectl",
        collection: "kubernetes.core",
        words: &[
            Exe("kubectl", &["ansible_kubectl_executable"]),
            Opt("--namespace", &["ansible_kubectl_namespace"]),
            Opt("--kubeconfig", &["ansible_kubectl_kubeconfig", "ansible_kubectl_config"]),
            Opt("--context", &["ansible_kubectl_context"]),
            Opt("--server", &["ansible_kubectl_host", "ansible_kubectl_server"]),
            Words(&["ansible_kubectl_extra_args"]),
            Word("exec"),
            Word("-i"),
            Target(&["ansible_kubectl_pod", "ansible_host"], &[]),
            Opt("-c", &["ansible_kubectl_container"]),
            Word("--"),
        ],
    },
    Kind {
        name: "lxc",
        collection: "community.general",
        words: &[
            Exe("lxc-attach", &[]),
            Word("--clear-env"),
            Word("-n"),
            Target(&["ansible_lxc_host", "ansible_host"], &[]),
            Word("--"),
        ],
    },
    Kind {
        name: "lxd",
        collection: "community.general",
        words: &[
            Exe("lxc", &["ansible_lxd_executable"]),
            Opt("--project", &["ansible_lxd_project"]),
            Word("exec"),
            Target(&["ansible_lxd_host", "ansible_host"], &["ansible_lxd_remote"]),
            Word("--"),
        ],
    },
    // By the name spaces of its first process: `machinectl shell` wants a terminal.
    Kind {
        name: "nspawn",
        collection: "",
        words: &[
            Word("/bin/sh"),
            Word("-c"),
            Word(
                "l=$(machinectl show --property=Leader --value -- \"$0\") && \
                 exec nsenter --target \"$l\" --all --root --wd -- env -i HOME=/root \
                 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \"$@\"",
            ),
            Target(&["ansible_nspawn_host", "ansible_host"], &[]),
        ],
    },
    Kind {
        name: "podman",
        collection: "containers.podman",
        words: &[
            Exe("podman", &["ansible_podman_executable"]),
            Words(&["ansible_podman_extra_args"]),
            Word("exec"),
            User("--user", &["ansible_user", "ansible_podman_user"]),
            Word("-i"),
            Target(&["ansible_podman_host", "ansible_host"], &[]),
        ],
    },
];

/// The kind of that name, short or with its collection.
pub fn find(name: &str) -> Option<&'static Kind> {
    let (collection, short) = name.rsplit_once('.').unwrap_or(("", name));
    KINDS.iter().find(|kind| kind.name == short && (collection.is_empty() || kind.collection == collection))
}

/// The names of all.
pub fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// A program and its words, which give a shell elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Program {
    /// The connection's name.
    pub kind: &'static str,
    pub words: Vec<String>,
    pub shell: Shell,
    /// What it may ask: `ssh` alone does.
    pub answers: Answers,
}

/// How the program takes the command for the shell there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shell {
    /// As further words, which name a shell.
    Named,
    /// As one word, which the login shell gets: `ssh`. Its 255 says that the host was not reached.
    Login,
}

impl Starts for Program {
    async fn start(&self, command: &str, terminal: bool) -> Result<Pipe, CallError> {
        let (program, words) = self
            .words
            .split_first()
            .ok_or_else(|| CallError::Failed("a connection without a program".to_owned()))?;
        let mut call = Command::new(program);
        match self.shell {
            Shell::Named => call.args(words).args(["/bin/sh", "-c", command]),
            Shell::Login => {
                // A terminal there, though there is none here.
                call.args(terminal.then_some("-tt")).args(words).arg(command)
            }
        };
        let desk = if self.answers.is_empty() { None } else { Some(Desk::open(&mut call)) };
        let desk = desk.transpose().map_err(|error| {
            CallError::Unreachable(format!("{program} cannot be given its password: {error}"))
        })?;
        let pipe = Pipe::spawn(&mut call)
            .map_err(|error| CallError::Unreachable(format!("{program} does not start here: {error}")))?;
        if let (Some(desk), Some(process)) = (desk, pipe.reader.process()) {
            desk.attend(process, self.answers.clone());
        }
        Ok(pipe)
    }

    fn unreached(&self, exit: &Exit, said: &str, hopped: bool) -> Option<String> {
        let program = self.words.first().map(String::as_str).unwrap_or_default();
        let is_its_own = match self.shell {
            Shell::Login => *exit == Exit::Status(255),
            Shell::Named => !hopped,
        };
        let said = if said.is_empty() { exit.to_string() } else { said.to_owned() };
        is_its_own.then(|| format!("{program}: {said}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows() {
        assert!(KINDS.is_sorted_by(|a, b| a.name < b.name));
        assert_eq!(find("community.docker.docker").map(|kind| kind.name), Some("docker"));
        assert_eq!(find("podman").map(|kind| kind.name), Some("podman"));
        assert_eq!(find("nosuch.docker"), None);
        assert_eq!(find("telnet"), None);
    }
}
