//! The worker on its way to the host and back.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fanfare::target::{CallError, Destination};
use fanfare_modules::kit::wire::Request;

use super::{Control, NoBlobs, failed, options, ping, raw, to, unreachable};
use crate::support::hosts::{Host, Hosts};

/// The worker in a host's cache.
fn cached(host: &Host) -> Option<PathBuf> {
    let dir = host.root.join("home/.cache/fanfare");
    let names = std::fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path());
    names.into_iter().find(|path| path.file_name().unwrap().to_string_lossy().starts_with("w-"))
}

fn rc_file(host: &Host, text: &str) {
    std::fs::write(host.root.join("bin/noise"), text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn is_sent_once_and_found_the_next_time() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let there = to(host, options(&hosts, host));
    let links = control.links();
    ping(&links, &there).await.unwrap();
    ping(&links, &there).await.unwrap();
    let counts = links.counts();
    assert_eq!((counts.connections, counts.uploads, counts.round_trips), (1, 1, 2));
    links.reset(&there).await;
    ping(&links, &there).await.unwrap();
    assert_eq!((links.counts().connections, links.counts().uploads), (2, 1));
    links.close().await;
    let worker = cached(host).unwrap();
    assert_eq!(worker.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(worker.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    // Nothing else is left there.
    assert_eq!(std::fs::read_dir(worker.parent().unwrap()).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn that_is_broken_is_replaced() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let there = to(host, options(&hosts, host));
    ping(&control.links(), &there).await.unwrap();
    let worker = cached(host).unwrap();
    let whole = std::fs::read(&worker).unwrap();
    let break_it = |content: &[u8]| {
        std::fs::remove_file(&worker).unwrap();
        std::fs::write(&worker, content).unwrap();
        std::fs::set_permissions(&worker, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::os::unix::fs::chown(&worker, Some(owner(host)), None).unwrap();
    };
    let contents: [&[u8]; 4] =
        [b"", b"#!/bin/sh\necho I am no worker\n", b"garbage", &whole[..whole.len() / 2]];
    for content in contents {
        break_it(content);
        let links = control.links();
        assert_eq!(ping(&links, &there).await.unwrap(), "pong?");
        assert_eq!(links.counts().uploads, 1);
        assert_eq!(std::fs::read(&worker).unwrap(), whole);
    }
    // Of the right size it is found out by its hash, and not run.
    let stolen = host.root.join("home/stolen");
    let mut thief = b"#!/bin/sh\ntouch ~/stolen\nexit 0\n".to_vec();
    thief.resize(whole.len(), b'#');
    let replaced = async || {
        break_it(&thief);
        let links = control.links();
        assert_eq!(ping(&links, &there).await.unwrap(), "pong?");
        assert_eq!((links.counts().uploads, stolen.exists()), (1, false));
        assert_eq!(std::fs::read(&worker).unwrap(), whole);
    };
    replaced().await;
    host.stub("openssl", "#!/bin/sh\nexit 1\n");
    replaced().await;
    // Where no hash can be taken, nothing that lies there is run.
    host.stub("sha256sum", "#!/bin/sh\nexit 127\n");
    replaced().await;
}

fn owner(host: &Host) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    host.root.join("home").metadata().unwrap().uid()
}

#[tokio::test(flavor = "multi_thread")]
async fn finds_a_place_and_says_when_there_is_none() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let mut there = to(host, options(&hosts, host));
    there.remote_tmp = Some("~/own place".to_owned());
    ping(&control.links(), &there).await.unwrap();
    assert_eq!(std::fs::read_dir(host.root.join("home/own place/fanfare")).unwrap().count(), 1);
    there.remote_tmp = Some("~/`date`".to_owned());
    assert!(failed(&control.links(), &there).await.contains("has characters that no shell is to see"));
    // Nowhere can a directory be made, and no helper works.
    there.remote_tmp = None;
    host.stub("mkdir", "#!/bin/sh\nexit 1\n");
    no_helpers(host);
    let reason = failed(&control.links(), &there).await;
    assert!(reason.starts_with("no directory takes the worker: "), "{reason}");
    assert!(reason.contains("/.cache/fanfare is not ours to write to, /var/tmp/.fanfare-"), "{reason}");
    assert!(reason.contains("; nor from memory: "), "{reason}");
}

/// Takes the ways to run a program from memory away.
fn no_helpers(host: &Host) {
    for helper in ["perl", "python3"] {
        host.stub(helper, "#!/bin/sh\necho no helper >&2\nexit 127\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_from_memory_where_no_directory_does() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let there = to(host, options(&hosts, host));
    host.stub("mkdir", "#!/bin/sh\nexit 1\n");
    if !["perl", "python3"].iter().any(|helper| Path::new("/usr/bin").join(helper).exists()) {
        eprintln!("SKIPPED: neither perl nor python3 here");
        return;
    }
    let links = control.links();
    assert_eq!(ping(&links, &there).await.unwrap(), "pong?");
    assert_eq!(links.counts().uploads, 1);
    assert!(cached(host).is_none());
    // Not even its user may see what it runs from: only in memory is it called by no path.
    let from = "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done 2>/dev/null | grep -c '^fanfare-worker' || true";
    assert_ne!(raw(&links, &there, from).await, "0");
    links.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_nothing_behind_when_asked_to() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let mut there = to(host, options(&hosts, host));
    there.traceless = true;
    let links = control.links();
    for tmp in [None, Some(elsewhere(host).to_str().unwrap().to_owned())] {
        there.remote_tmp = tmp;
        for _ in 0..2 {
            ping(&links, &there).await.unwrap();
            // Gone as soon as it runs, so that whatever befalls the run leaves nothing either.
            let ours = "find ~ /tmp /var/tmp /dev/shm -maxdepth 2 -user $(id -un) -name '.fanfare-fanfare*' -o \
                        -path ~/.cache -o -path '*/elsewhere/*' -o -name '.fanfare-*-*' 2>/dev/null; true";
            assert_eq!(raw(&links, &there, ours).await, "");
            links.reset(&there).await;
        }
    }
    assert_eq!(links.counts().uploads, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn for_another_system_is_looked_up_by_its_triple() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (mut control, host) = (Control::new(), &hosts.all[0]);
    let there = to(host, options(&hosts, host));
    host.stub("uname", "#!/bin/sh\necho Linux riscv64\n");
    let reason = failed(&control.links(), &there).await;
    assert!(
        reason.starts_with(
            "this fanfare carries no worker for Linux riscv64 (riscv64gc-unknown-linux-musl): build one (rustup target add riscv64"
        ),
        "{reason}"
    );
    // Whatever it calls itself, this machine runs this machine's worker.
    let dir = control.home.path().join("workers");
    let place = dir.join("riscv64gc-unknown-linux-musl");
    std::fs::create_dir_all(&place).unwrap();
    control.surroundings.workers = Some(dir);
    let reason = failed(&control.links(), &there).await;
    assert!(reason.starts_with("no worker for Linux riscv64 (riscv64gc-unknown-linux-musl): "), "{reason}");
    let own =
        fanfare::target::embedded::WORKERS.iter().find(|one| one.arch == std::env::consts::ARCH).unwrap();
    std::fs::write(place.join("fanfare-worker"), own.plain().unwrap()).unwrap();
    let links = control.links();
    assert_eq!(ping(&links, &there).await.unwrap(), "pong?");
    links.reset(&there).await;
    assert_eq!(ping(&links, &there).await.unwrap(), "pong?");
    assert_eq!(links.counts().uploads, 1, "it is cached as any other");
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_by_another_connection_where_one_takes_no_more_sessions() {
    let Some(hosts) = Hosts::start_with(1, "MaxSessions 1\\n") else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let there = to(host, options(&hosts, host));
    let links = control.links();
    ping(&links, &there).await.unwrap();
    assert_eq!(links.counts().connections, 1);
    assert_eq!(raw(&links, &there, "echo a").await, "a");
    assert_eq!(raw(&links, &there, "echo b").await, "b");
    assert_eq!(links.counts().connections, 2, "the further one is kept");
    ping(&links, &there).await.unwrap();
    links.reset(&there).await;
    ping(&links, &there).await.unwrap();
    assert_eq!(links.counts().connections, 3);
    links.close().await;
}

/// A directory of the host's user, outside the home.
fn elsewhere(host: &Host) -> PathBuf {
    let dir = host.root.join("elsewhere");
    std::fs::create_dir_all(&dir).unwrap();
    std::os::unix::fs::chown(&dir, Some(owner(host)), None).unwrap();
    dir
}

#[tokio::test(flavor = "multi_thread")]
async fn that_others_may_have_planted_is_not_run() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let dir = elsewhere(host);
    let mut there = to(host, options(&hosts, host));
    there.remote_tmp = Some(dir.to_str().unwrap().to_owned());
    ping(&control.links(), &there).await.unwrap();
    let worker = std::fs::read_dir(dir.join("fanfare")).unwrap().next().unwrap().unwrap().path();
    // One of the right size and owner that greets, after it did what it wanted to.
    let ran = dir.join("ran");
    let real = dir.join("real");
    std::fs::rename(&worker, &real).unwrap();
    let size = usize::try_from(real.metadata().unwrap().len()).unwrap();
    let mut planted = format!("#!/bin/sh\ntouch {}\nexec {}\n", ran.display(), real.display()).into_bytes();
    planted.resize(size, b'#');
    let plant = |path: &Path| {
        std::fs::write(path, &planted).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::os::unix::fs::chown(path, Some(owner(host)), None).unwrap();
    };
    plant(&worker);
    let links = control.links();
    ping(&links, &there).await.unwrap();
    assert_eq!((links.counts().uploads, ran.exists()), (1, false));
    // A directory that a link leads to is nobody's to trust.
    let name = worker.file_name().unwrap();
    std::fs::create_dir(dir.join("real-dir")).unwrap();
    std::os::unix::fs::chown(dir.join("real-dir"), Some(owner(host)), None).unwrap();
    std::fs::copy(&real, dir.join("real-dir").join(name)).unwrap();
    std::os::unix::fs::chown(dir.join("real-dir").join(name), Some(owner(host)), None).unwrap();
    std::fs::remove_dir_all(dir.join("fanfare")).unwrap();
    std::os::unix::fs::symlink(dir.join("real-dir"), dir.join("fanfare")).unwrap();
    let links = control.links();
    ping(&links, &there).await.unwrap();
    assert!(cached(host).is_some(), "it went to the home instead");
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_elsewhere_when_a_directory_is_full() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let mut there = to(host, options(&hosts, host));
    there.remote_tmp = Some(elsewhere(host).to_str().unwrap().to_owned());
    host.stub(
        "mv",
        "#!/bin/sh\ncase \"$*\" in *elsewhere*) echo full >&2; exit 1;; esac\nexec /bin/mv \"$@\"\n",
    );
    ping(&control.links(), &there).await.unwrap();
    assert!(cached(host).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn that_cannot_be_written_says_why() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let there = to(host, options(&hosts, host));
    // The first call only asks whether there is a gzip that works.
    let gzip = |unpack: &str| format!("#!/bin/sh\n[ \"$1\" = -dc ] || exec /bin/gzip\n{unpack}\n");
    no_helpers(host);
    let full = "read -r first; [ \"$first\" = x ] && echo x && exit; \
                echo gzip: stdout: No space left on device >&2; exit 1";
    host.stub("gzip", &gzip(&format!("/bin/gzip -dc 2>/dev/null | {{ {full}; }}")));
    let reason = failed(&control.links(), &there).await;
    let start = "writing the worker failed: gzip: stdout: No space left on device; nor from memory: ";
    assert!(reason.starts_with(start), "{reason}");
    host.stub("gzip", &gzip("exec /bin/gzip -dc"));
    host.stub("head", "#!/bin/sh\n/usr/bin/head -c \"$2\" | tr x y\n");
    let reason = failed(&control.links(), &there).await;
    assert!(reason.starts_with("writing the worker failed: gzip: stdin:"), "{reason}");
    host.stub("gzip", "#!/bin/sh\nexit 127\n");
    let reason = failed(&control.links(), &there).await;
    assert!(reason.starts_with("writing the worker failed: it arrived damaged; "), "{reason}");
    host.stub("uname", "#!/bin/sh\necho Linux pdp11\n");
    let reason = failed(&control.links(), &there).await;
    assert_eq!(reason, "there is no worker for Linux pdp11, and no way to build one is known");
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_unpacked_where_there_is_no_gzip() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    host.stub("gzip", "#!/bin/sh\nexit 127\n");
    assert_eq!(ping(&control.links(), &to(host, options(&hosts, host))).await.unwrap(), "pong?");
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_of_login_scripts_does_no_harm() {
    let Some(hosts) = Hosts::start_with(1, "SetEnv BASH_ENV=/nonexistent\\n") else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    noisy(host);
    let links = control.links();
    let there = to(host, options(&hosts, host));
    assert_eq!(ping(&links, &there).await.unwrap(), "pong?");
    links.reset(&there).await;
    assert_eq!(ping(&links, &there).await.unwrap(), "pong?");
    assert_eq!(links.counts().uploads, 1);
}

/// Makes the host's shell talk before it runs a command.
fn noisy(host: &Host) {
    // The hosts' login script is shared: the stub comes first in this host's PATH.
    let noise = "echo 'Welcome! Last login: yesterday'; echo Password: >&2; printf 'no newline fanfare-'; \
                 i=0; while [ $i -lt 5000 ]; do echo 'noise without end'; i=$((i+1)); done";
    let dir = host.root.parent().unwrap();
    let shell = std::fs::read_to_string(dir.join("shell")).unwrap();
    std::fs::write(dir.join("shell"), shell.replace("cd \"$HOME\"", &format!("{noise}\ncd \"$HOME\"")))
        .unwrap();
    rc_file(host, noise);
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_under_every_login_shell() {
    let Some(hosts) = Hosts::start(1) else { return };
    let host = &hosts.all[0];
    let shell_file = host.root.parent().unwrap().join("shell");
    let original = std::fs::read_to_string(&shell_file).unwrap();
    for shell in
        ["/bin/dash", "/bin/bash", "/bin/mksh", "/bin/tcsh", "/bin/csh", "/usr/bin/fish", "/bin/busybox ash"]
    {
        if !Path::new(shell.split(' ').next().unwrap()).exists() {
            eprintln!("SKIPPED: no {shell} here");
            continue;
        }
        let text =
            original.replace("exec \"${FANFARE_TEST_SHELL:-/bin/sh}\" -c", &format!("exec {shell} -c"));
        assert_ne!(text, original);
        std::fs::write(&shell_file, text).unwrap();
        let links = Control::new().links();
        let there = to(host, options(&hosts, host));
        assert_eq!(ping(&links, &there).await.unwrap(), "pong?", "{shell}");
        assert_eq!(raw(&links, &there, "echo a b").await, "a b", "{shell}");
        links.close().await;
        let _ = std::fs::remove_dir_all(host.root.join("home/.cache/fanfare"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_start_at_once() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let all = (0..20).map(|_| async {
        // Each with a connection of its own, as so many fanfares would have.
        let links = control.links();
        let answer = ping(&links, &to(host, options(&hosts, host))).await.unwrap();
        links.close().await;
        answer
    });
    let answers = futures::future::join_all(all).await;
    assert_eq!(answers, ["pong?"; 20]);
    assert_eq!(std::fs::read_dir(host.root.join("home/.cache/fanfare")).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_workers_are_cleared_away_when_a_new_one_comes() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let there = to(host, options(&hosts, host));
    raw(
        &control.links(),
        &there,
        "mkdir -p .cache/fanfare; cd .cache/fanfare; mkdir deeper; touch -d '40 days ago' w-old .t-old-1 other deeper/w-old; \
         touch w-recent",
    )
    .await;
    ping(&control.links(), &there).await.unwrap();
    let dir = host.root.join("home/.cache/fanfare");
    for _ in 0..100 {
        if !dir.join("w-old").exists() && !dir.join(".t-old-1").exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(!dir.join("w-old").exists() && !dir.join(".t-old-1").exists());
    assert!(dir.join("w-recent").exists() && dir.join("other").exists() && dir.join("deeper/w-old").exists());
}

/// The worker's process on the host.
async fn worker_pid(links: &fanfare::target::Links, there: &Destination, host: &Host) -> i32 {
    let path = cached(host).unwrap();
    let found = raw(links, there, &format!("pgrep -f '^{}'", path.display())).await;
    found.lines().next().unwrap().parse().unwrap()
}

/// The sshd of this very connection: the nearest one above a command's shell.
async fn session_pid(links: &fanfare::target::Links, there: &Destination) -> String {
    let climb = "p=$$; while :; do case $(ps -o comm= -p $p) in sshd*) echo $p; exit 0;; esac; \
                 p=$(ps -o ppid= -p $p | tr -d ' '); done";
    raw(links, there, climb).await
}

#[tokio::test(flavor = "multi_thread")]
async fn that_dies_fails_the_task_and_is_replaced() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let there = to(host, options(&hosts, host));
    let links = Arc::new(control.links());
    ping(&links, &there).await.unwrap();
    let pid = worker_pid(&links, &there, host).await;
    // Stopped, it takes a request and does not answer; then it dies.
    raw(&links, &there, &format!("kill -STOP {pid}")).await;
    let call = tokio::spawn({
        let (links, there) = (Arc::clone(&links), there.clone());
        async move {
            let request = Request { module: "ping".to_owned(), ..Request::default() };
            links.call(&there, vec![request], Arc::new(NoBlobs)).await
        }
    });
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    raw(&links, &there, &format!("kill -KILL {pid}")).await;
    match call.await.unwrap() {
        Err(CallError::Failed(reason)) => {
            // The host's login shell stands between, and may be the one to tell.
            let expect = [
                "the worker ended in the middle of the task (killed by signal KILL)",
                "the worker ended in the middle of the task (exit status 137): Killed",
            ];
            assert!(expect.contains(&reason.as_str()), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(ping(&links, &there).await.unwrap(), "pong?");
    // One that dies while nobody looks is no matter at all.
    let pid = worker_pid(&links, &there, host).await;
    raw(&links, &there, &format!("kill -KILL {pid}")).await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(ping(&links, &there).await.unwrap(), "pong?");
    assert_eq!(links.counts().connections, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_makes_the_host_unreachable() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let there = to(host, options(&hosts, host));
    let links = Arc::new(control.links());
    ping(&links, &there).await.unwrap();
    let pid = worker_pid(&links, &there, host).await;
    let sshd = session_pid(&links, &there).await;
    raw(&links, &there, &format!("kill -STOP {pid}")).await;
    let call = tokio::spawn({
        let (links, there) = (Arc::clone(&links), there.clone());
        async move { unreachable(&links, &there).await }
    });
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    // It goes without a word.
    let _ = links.raw(&there, &format!("kill -KILL {sshd}"), None).await;
    let reason = call.await.unwrap();
    assert_eq!(
        reason,
        format!(
            "Failed to connect to the host via ssh: Connection to {} closed by remote host.",
            host.address
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_falls_silent_makes_the_host_unreachable() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let mut options = options(&hosts, host);
    options.args.push("-o ServerAliveInterval=1 -o ServerAliveCountMax=1".to_owned());
    let there = to(host, options);
    let links = control.links();
    ping(&links, &there).await.unwrap();
    let sshd = session_pid(&links, &there).await;
    let signal = |name: &str| {
        let status = std::process::Command::new("kill").args([name, sshd.as_str()]).status();
        assert!(status.unwrap().success());
    };
    // As a machine that lost its power: the connection is there, and nobody is behind it.
    signal("-STOP");
    let reason = unreachable(&links, &there).await;
    signal("-KILL");
    assert_eq!(
        reason,
        format!("Failed to connect to the host via ssh: Timeout, server {} not responding.", host.address)
    );
    assert_eq!(ping(&links, &there).await.unwrap(), "pong?");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_gives_up_leaves_no_mess() {
    let Some(hosts) = Hosts::start(1) else { return };
    let (control, host) = (Control::new(), &hosts.all[0]);
    let there = to(host, options(&hosts, host));
    let links = control.links();
    ping(&links, &there).await.unwrap();
    let pid = worker_pid(&links, &there, host).await;
    raw(&links, &there, &format!("kill -STOP {pid}")).await;
    let gave_up = tokio::time::timeout(std::time::Duration::from_millis(100), ping(&links, &there)).await;
    assert!(gave_up.is_err());
    // The next caller gets another worker, at once.
    assert_eq!(ping(&links, &there).await.unwrap(), "pong?");
    raw(&links, &there, &format!("kill -KILL {pid}")).await;
    links.close().await;
}
