//! Ctrl-C and its like, in the middle of a run on real hosts.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::hosts::Hosts;

/// A run that has come to the task where it hangs.
struct Run {
    child: Child,
    dir: TempDir,
}

impl Run {
    /// Runs tasks on all hosts until `under_way` says that they have come to the right place.
    fn start(hosts: &Hosts, tasks: &str, under_way: impl Fn() -> bool) -> Self {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("hosts"), hosts.inventory()).unwrap();
        let playbook = format!("- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}");
        fs::write(dir.path().join("site.yml"), playbook).unwrap();
        // Whoever runs the tests may ignore signals (`nohup` does), which a child inherits.
        let child = Command::new("env")
            .args(["--default-signal=INT,TERM,HUP", env!("CARGO_BIN_EXE_fanfare")])
            .args(["run", "-i", "hosts", "site.yml"])
            .current_dir(dir.path())
            .env("HOME", dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let run = Self { child, dir };
        assert!(becomes(true, under_way), "the tasks never began");
        run
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The end, and how long it took.
    fn end(mut self) -> (Output, Duration) {
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            if begun.elapsed() > Duration::from_mins(1) {
                self.child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let output = self.child.wait_with_output().unwrap();
        drop(self.dir);
        (output, begun.elapsed())
    }
}

/// Waits until something is so; `false` when that takes too long.
fn becomes(wanted: bool, is_so: impl Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        if is_so() == wanted {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// How many processes have this command line.
fn running(command: &str) -> usize {
    let command: Vec<u8> = command.split(' ').flat_map(|word| word.bytes().chain([0])).collect();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|process| fs::read(process.path().join("cmdline")).is_ok_and(|line| line == command))
        .count()
}

/// All that lies in a host's own directory, at any depth.
fn lies_in(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(lies_in(&path));
        }
        found.push(path.to_string_lossy().into_owned());
    }
    found
}

#[test]
fn ends_in_good_order() {
    let Some(hosts) = Hosts::start(2) else { return };
    for (signal, sleep) in [(Signal::INT, "3111"), (Signal::TERM, "3112"), (Signal::HUP, "3113")] {
        let command = format!("sleep {sleep}");
        let tasks = format!("    - debug:\n    - command: {command}\n    - debug: {{msg: never}}\n");
        let run = Run::start(&hosts, &tasks, || running(&command) == 2);
        run.signal(signal);
        let (output, took) = run.end();
        assert_eq!(output.status.code(), Some(99), "{signal:?}: {output:?}");
        assert!(took < Duration::from_secs(5), "{signal:?} took {took:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        let recap: Vec<_> = said.lines().filter(|line| line.contains(": ok=1 ")).collect();
        assert_eq!(recap.len(), 2, "{said}");
        assert!(!said.contains("never"), "{said}");
        let warned = String::from_utf8(output.stderr).unwrap();
        assert!(warned.contains("User interrupted execution"), "{warned}");
        assert!(becomes(true, || running(&command) == 0), "{signal:?} left {command} on a host");
        assert!(
            becomes(true, || hosts.all.iter().all(|host| workers(&host.root).is_empty())),
            "a worker is left"
        );
    }
}

#[test]
fn leaves_no_half_of_a_file() {
    let Some(hosts) = Hosts::start(1) else { return };
    let home = hosts.all[0].root.join("home");
    let source = TempDir::new().unwrap();
    let large = source.path().join("large");
    fs::File::create(&large).unwrap().set_len(512 << 20).unwrap();
    let tasks = format!("    - copy: {{src: {}, dest: \"{}/large\"}}\n", large.display(), home.display());
    let is_piece = |path: &String| path.contains("/.fanfare-") || path.ends_with("/large");
    let pieces = || lies_in(&home).into_iter().filter(is_piece).count();
    let run = Run::start(&hosts, &tasks, || pieces() > 0);
    assert!(!home.join("large").exists(), "too fast to be interrupted");
    run.signal(Signal::INT);
    let (output, _) = run.end();
    assert_eq!(output.status.code(), Some(99), "{output:?}");
    assert!(becomes(true, || pieces() == 0), "{:?}", lies_in(&home));
}

#[test]
fn the_second_time_ends_at_once() {
    let Some(hosts) = Hosts::start(1) else { return };
    // It ignores the polite request, so that the first Ctrl-C has to wait.
    let command = "trap '' TERM HUP INT; sleep 3114; sleep 3115";
    let tasks = format!("    - shell: \"{command}\"\n");
    let run = Run::start(&hosts, &tasks, || running("sleep 3114") == 1);
    run.signal(Signal::INT);
    std::thread::sleep(Duration::from_millis(50));
    run.signal(Signal::INT);
    let (output, took) = run.end();
    assert_eq!(output.status.code(), Some(99), "{output:?}");
    assert!(took < Duration::from_millis(400), "{took:?}");
    assert!(becomes(true, || running("sleep 3114") + running("sleep 3115") == 0), "the command lives on");
}

#[test]
fn the_second_time_ends_even_what_cannot_be_asked_to() {
    let Some(hosts) = Hosts::start(1) else { return };
    let tasks = "    - debug: {msg: \"{{ lookup('pipe', 'exec sleep 3.116') }}\"}\n";
    let run = Run::start(&hosts, tasks, || running("sleep 3.116") == 1);
    run.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(50));
    run.signal(Signal::TERM);
    let (output, took) = run.end();
    assert_eq!(output.status.code(), Some(99), "{output:?}");
    assert!(took < Duration::from_millis(400), "{took:?}");
}

/// Workers of the host whose directory this is. Where they are and what they run is not for others to see, only how they were
/// started.
fn workers(root: &Path) -> Vec<PathBuf> {
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|process| process.path());
    processes
        .filter(|process| {
            fs::read(process.join("cmdline"))
                .is_ok_and(|line| line.starts_with(root.as_os_str().as_encoded_bytes()))
        })
        .collect()
}

/// The kernel gives what is in `/proc` of a process that may not be dumped to root.
#[test]
fn nobody_looks_into_it_nor_dumps_it() {
    let Some(hosts) = Hosts::start(1) else { return };
    let run = Run::start(&hosts, "    - command: sleep 3117\n", || running("sleep 3117") == 1);
    let mut ours = workers(&hosts.all[0].root);
    assert_eq!(ours.len(), 1);
    ours.push(format!("/proc/{}", run.child.id()).into());
    for process in ours {
        assert_eq!(fs::metadata(process.join("environ")).unwrap().uid(), 0, "{}", process.display());
    }
    run.signal(Signal::TERM);
    run.end();
}
