//! The examples in `playbooks/`, run against real hosts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::hosts::Hosts;

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the built program in the repository, with settings of nobody's.
fn fanfare(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fanfare"))
        .args(args)
        .current_dir(repository())
        .env_clear()
        .envs(std::env::vars().filter(|(name, _)| ["PATH", "HOME", "TMPDIR"].contains(&name.as_str())))
        .env("ANSIBLE_CONFIG", "/dev/null")
        .output()
        .expect("fanfare starts")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a playbook on hosts and gives its recap without the spaces: `t1: ok=3 changed=1 …`.
fn recap(hosts: &Hosts, args: &[&str]) -> Vec<String> {
    let inventory = hosts.dir.join("inventory.ini");
    let groups = "\n[web]\nt1\nt2\n[db]\nt3\n[balancer]\nt3\n";
    fs::write(&inventory, hosts.inventory() + groups).expect("written");
    let vars = format!("@{}", repository().join("tests/data/examples.yml").display());
    let inventory = inventory.to_string_lossy();
    let mut all = vec!["run", "-i", &*inventory, "-e", &*vars];
    all.extend(args);
    let output = fanfare(&all);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let lines = text.lines().filter(|line| line.contains(" ok=") && line.contains("changed="));
    let squeezed = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    squeezed.map(|line| line.replace(" : ", ": ")).collect()
}

fn changes(recap: &[String]) -> Vec<String> {
    let word = |line: &String| line.split(' ').find(|word| word.starts_with("changed=")).map(str::to_owned);
    recap.iter().filter_map(word).collect()
}

#[test]
fn every_playbook_is_understood() {
    let mut playbooks: Vec<PathBuf> = fs::read_dir(repository().join("playbooks"))
        .expect("playbooks")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yml"))
        .collect();
    playbooks.push(Path::new("vagrant/provision.yml").to_owned());
    assert!(playbooks.len() > 5);
    for playbook in playbooks {
        let playbook = playbook.to_string_lossy();
        for action in ["--syntax-check", "--list-tasks", "--list-hosts"] {
            let output = fanfare(&["run", "-i", "inventories/lab", action, &playbook]);
            assert_eq!(output.status.code(), Some(0), "{playbook} {action}: {}", text(&output));
        }
    }
}

#[test]
fn hello_changes_something_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = format!("hello_file={}/hello", directory.path().display());
    let run = || fanfare(&["run", "-i", "inventories/local.ini", "playbooks/hello.yml", "-e", &file]);
    let first = text(&run());
    assert!(first.contains("changed=1") && first.contains("Run this again"), "{first}");
    let second = text(&run());
    assert!(second.contains("changed=0"), "{second}");
}

#[test]
fn the_site_is_as_foretold_and_then_stays() {
    let Some(hosts) = Hosts::start(3) else { return };
    let database = hosts.all[2].root.join("pg");
    fs::create_dir(&database).expect("created");
    fs::write(database.join("postgresql.conf"), "#listen_addresses = 'localhost'\n").expect("written");
    fs::write(database.join("pg_hba.conf"), "").expect("written");
    let owner = Command::new("chown").arg("-R").arg(&hosts.user).arg(&database).status();
    assert!(owner.expect("chown starts").success());

    let foretold = recap(&hosts, &["playbooks/site.yml", "--check", "--diff"]);
    assert!(!hosts.all[0].root.join("nginx").exists());
    let done = recap(&hosts, &["playbooks/site.yml", "--diff"]);
    assert_eq!(changes(&foretold), changes(&done), "{foretold:?} {done:?}");
    let again = recap(&hosts, &["playbooks/site.yml", "--diff"]);
    assert_eq!(changes(&again), ["changed=0"; 3], "{again:?}");

    let site = fs::read_to_string(hosts.all[1].root.join("nginx/conf.d/site.conf")).expect("the site");
    assert!(
        site.contains("server_name test.example;") && site.contains("proxy_pass http://127.0.0.1:8000;"),
        "{site}"
    );
    let page = fs::read_to_string(hosts.all[0].root.join("www/index.html")).expect("the page");
    assert!(page.contains("Served by t1, one of 2."), "{page}");
    let settings = fs::read_to_string(database.join("postgresql.conf")).expect("the settings");
    assert!(settings.contains("shared_buffers = 128MB"), "{settings}");
}

#[test]
fn a_release_goes_from_host_to_host() {
    let Some(hosts) = Hosts::start(3) else { return };
    recap(&hosts, &["playbooks/rolling_update.yml", "-e", "release=1.4.2"]);
    for host in &hosts.all[..2] {
        let version = fs::read_to_string(host.root.join("app/current/VERSION")).expect("the release");
        assert_eq!(version, "release=1.4.2\n");
    }
    let pool = fs::read_to_string(hosts.all[2].root.join("pool")).expect("the pool");
    assert_eq!(pool, "server t1\nserver t2\n");
}
