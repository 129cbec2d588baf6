//! How a run is told: hosts that say the same as one, and a log a host.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::play;
use crate::lab::Lab;

/// What a run with `--fold` shows between its first task's banner and the counts.
fn folded(lab: &Lab, more: &[&str]) -> (String, String) {
    let run = lab.run(&[&["--fold"], more].concat());
    let (_, told) = run.stdout.split_once("***\n\nTASK").unwrap_or_else(|| panic!("{run}"));
    let (_, told) = told.split_once('\n').expect("more than a banner");
    let (told, recap) = told.split_once("\nPLAY RECAP ").unwrap_or_else(|| panic!("{run}"));
    let recap = recap.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    (told.to_owned(), recap.collect::<Vec<_>>().join("\n").trim().to_owned())
}

#[test]
fn hosts_that_say_the_same_say_it_once() {
    let mut lab = Lab::new("web01 web02 web03 db");
    for (host, version) in [("web01", 6), ("web02", 6), ("web03", 5), ("db", 6)] {
        let text = format!("Linux\nx86_64\nDebian\n{version}");
        lab = lab.command(host, "/bin/uname -a", 0, &text);
    }
    let lab = lab.playbook(&play("", "- command: /bin/uname -a"));
    let (told, recap) = folded(&lab, &[]);
    assert_eq!(told, "changed: [web[01-03], db]\n");
    let counts = "ok=1 changed=1 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0";
    assert_eq!(recap, format!("db, web[01-03] : {counts}"));

    let (told, _) = folded(&lab, &["-v"]);
    assert!(told.starts_with("changed: [web[01-02], db] => {\n    \"changed\": true,\n"), "{told}");
    assert!(!told.contains("\"start\""), "their times differ: {told}");
    let (_, odd) = told.split_once("--- web[01-02], db\n+++ web03\n").expect(&told);
    let changes: Vec<_> =
        odd.lines().filter(|line| line.starts_with(['+', '-'])).map(str::trim_end).collect();
    let line = |sign, n| format!("{sign}    \"stdout\": \"Linux\\nx86_64\\nDebian\\n{n}\",");
    let item = |sign, n| format!("{sign}        \"{n}\"");
    assert_eq!(changes, [line('-', 6), line('+', 5), item('-', 6), item('+', 5)], "{told}");
}

#[test]
fn failures_are_told_in_full() {
    let lab = Lab::new("a1 a2 a3 a4").command("a1", "/bin/thing", 0, "").command("a2", "/bin/thing", 0, "");
    let lab = lab.command("a3", "/bin/thing", 1, "no").command("a4", "/bin/thing", 1, "no").unreachable("a5");
    let (told, recap) = folded(&lab.playbook(&play("", "- command: /bin/thing\n- ping:")), &[]);
    let (first, second) = told.split_once("\nTASK [ping]").expect(&told);
    assert!(first.starts_with("changed: [a[1-2]]\n"), "{told}");
    assert_eq!(first.matches("Task failed").count(), 1, "{told}");
    assert!(first.contains("fatal: [a[3-4]]: FAILED! => {\n") && first.contains("\"rc\": 1,"), "{told}");
    assert!(second.ends_with("\nok: [a[1-2]]\n"), "{told}");
    assert!(recap.starts_with("a[1-2] : ok=2") && recap.contains("\na[3-4] : ok=0"), "{recap}");
}

#[test]
fn loops_and_commands_without_a_play_are_folded_too() {
    let lab = Lab::new("a1 a2").playbook(&play("", "- {ping: , loop: [x, y]}"));
    assert_eq!(folded(&lab, &[]).0, "ok: [a[1-2]] => (item=x)\nok: [a[1-2]] => (item=y)\n");

    let lab = Lab::new("a1 a2 a3").command("a1", "uptime", 0, "up").command("a2", "uptime", 0, "up");
    let lab = lab.command("a3", "uptime", 0, "down");
    let inventory = lab.path("hosts.ini").to_string_lossy().into_owned();
    let run = lab.execute(&["fanfare", "--fold", "-i", &inventory, "all", "-a", "uptime"]);
    assert_eq!(run.stdout, "a[1-2] | CHANGED | rc=0 >>\nup\na3 | CHANGED | rc=0 >>\ndown\n", "{run}");
}

#[test]
fn one_document_has_nothing_to_fold() {
    let lab = Lab::new("a").setting("ANSIBLE_STDOUT_CALLBACK", "json").playbook(&play("", "- ping:"));
    let error = lab.run(&["--fold"]).error.expect("an error").to_string();
    assert!(error.contains("--fold folds lines"), "{error}");
}

#[test]
fn each_host_has_a_log() {
    let tasks = "- {command: /bin/thing, name: open}\n- {command: /bin/thing, name: hidden, no_log: true}";
    let lab = Lab::new("a ../b").command("a", "/bin/thing", 0, "one\n\u{1b}two");
    let lab = lab.command("../b", "/bin/thing", 1, "").playbook(&play("", tasks));
    let logs = lab.path("logs/hosts");
    let run = lab.run(&["--host-logs", &logs.to_string_lossy()]);
    assert!(!run.stdout.contains("one"), "{run}");
    assert_eq!(fs::metadata(&logs).expect("a directory").permissions().mode() & 0o777, 0o700);
    let log = logs.join("a");
    assert_eq!(fs::metadata(&log).expect("a file").permissions().mode() & 0o777, 0o600);
    let log = fs::read_to_string(log).expect("text");
    let lines: Vec<_> = log.lines().map(|line| line.splitn(3, " - ").nth(2).unwrap_or_default()).collect();
    assert_eq!(
        lines[..2],
        ["open - command - STDOUT - one", "open - command - STDOUT - \\u{1b}two"],
        "{log}"
    );
    assert!(lines[2].starts_with("open - command - OK - {\"changed\": true, "), "{log}");
    assert!(lines[4].starts_with("hidden - command - OK - {\"censored\": "), "{log}");
    let other = fs::read_to_string(logs.join("_.._b")).expect("text");
    assert!(other.contains(" - open - command - FAILED - {"), "{other}");

    let lab = lab.setting("ANSIBLE_CALLBACKS_ENABLED", "community.general.log_plays");
    let folder = lab.path("folder");
    let lab = lab.setting("ANSIBLE_LOG_FOLDER", &folder.to_string_lossy());
    let run = lab.run(&[]);
    assert!(run.stderr.is_empty() && folder.join("a").exists(), "{run}");
}

#[test]
fn a_log_that_cannot_be_kept_is_told_once() {
    let lab = Lab::new("a b").here("file", "").playbook(&play("", "- ping:\n- ping:"));
    let run = lab.run(&["--host-logs", &lab.path("file").to_string_lossy()]);
    assert_eq!(run.stderr.matches("there will be no more logs of hosts").count(), 1, "{run}");
    assert_eq!(run.recap(), "a ok=2, b ok=2", "{run}");
}
