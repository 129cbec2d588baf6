//! `fanfare compare`, with a stand-in for ansible-playbook: fanfare itself, with words changed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use tempfile::TempDir;

const PLAYBOOK: &str = "\
- hosts: all
  gather_facts: false
  tasks:
    - name: one
      debug: {msg: hello}
";

/// Compares with a program that does what `script` says; `$fanfare` is fanfare.
fn compare(script: &str) -> (String, Output) {
    compare_on(PLAYBOOK, script)
}

fn compare_on(playbook: &str, script: &str) -> (String, Output) {
    let dir = TempDir::new().expect("a directory");
    let program = dir.path().join("ansible-playbook");
    let version = "case $1 in --version) echo 'ansible-playbook [core 9.9.9]'; exit;; esac";
    let fanfare = env!("CARGO_BIN_EXE_fanfare");
    fs::write(&program, format!("#!/bin/sh\n{version}\nfanfare={fanfare}\n{script}\n")).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
    fs::write(dir.path().join("site.yml"), playbook).expect("written");
    let output = Command::new(fanfare)
        .args(["compare", "--ansible", "./ansible-playbook", "-i", "a,b", "-c", "local", "site.yml"])
        .current_dir(dir.path())
        .env("HOME", dir.path())
        .output()
        .expect("started");
    // The first lines tell how long it took.
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (text.split_once("\n\n").map(|(_, rest)| rest.to_owned()).unwrap_or(text), output)
}

#[test]
fn the_same() {
    let (text, output) = compare("exec $fanfare run \"$@\"");
    assert_eq!(text, "2 results of a check compared: 0 differences\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn what_differs_is_told_with_its_place() {
    let (text, output) =
        compare("$fanfare run \"$@\" | sed 's/^ok: .b./changed: [b]/; s/hello/good bye/'; exit 2");
    assert_eq!(
        text,
        "the exit code\n    ansible  exit code 2\n    fanfare  exit code 0\n\n\
         site.yml:4 TASK [one], msg  [a]\n    ansible  \"good bye\"\n    fanfare  \"hello\"\n\n\
         site.yml:4 TASK [one]  [b]\n    ansible  changed: good bye\n    fanfare  ok: hello\n\n\
         2 results of a check compared: 3 differences\n"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_neither_can_load_is_no_proof() {
    let (_, output) = compare_on("- hosts: all\n  tusks: []\n", "exec $fanfare run \"$@\"");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("nothing could be compared"), "{said}");
    assert!(said.matches("tusks").count() >= 2, "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn no_ansible_is_an_error() {
    let fanfare = env!("CARGO_BIN_EXE_fanfare");
    let run = |program: &str| {
        let output = Command::new(fanfare)
            .args(["compare", "--ansible", program, "site.yml"])
            .output()
            .expect("started");
        (String::from_utf8_lossy(&output.stderr).into_owned(), output.status.code())
    };
    let (said, code) = run("/nonexistent/ansible-playbook");
    assert!(said.contains("cannot start /nonexistent/ansible-playbook"), "{said}");
    assert_eq!(code, Some(1));
    let (said, _) = run("/bin/true");
    assert!(said.contains("/bin/true is no ansible-playbook"), "{said}");
    let dir = TempDir::new().expect("a directory");
    let shim = dir.path().join("ansible-playbook");
    std::os::unix::fs::symlink(fanfare, &shim).expect("linked");
    let (said, _) = run(&shim.to_string_lossy());
    assert!(said.contains("is fanfare itself"), "{said}");
}
