//! Which host a task runs on: delegation, run_once, hosts that plays make.

use super::{play, tasks};
use crate::lab::Lab;

#[test]
fn a_delegated_task_runs_there_for_here() {
    let (lab, run) = tasks(
        "a b",
        "
- name: one
  copy: {dest: '/srv/of-{{ inventory_hostname }}', content: x}
  delegate_to: b
",
    );
    assert_eq!(run.recap(), "a ok=1 changed=1, b ok=1 changed=1");
    assert_eq!(lab.host("b").list_of("/srv"), "of-a of-b");
    assert_eq!(lab.host("a").list_of("/srv"), "");
    assert!(run.stdout.contains("changed: [a -> b]"), "{run}");
}

#[test]
fn facts_set_while_delegated_are_the_delegates_when_asked_for() {
    let (_, run) = tasks(
        "a b",
        "
- {set_fact: {x: '{{ inventory_hostname }}'}, delegate_to: b, delegate_facts: yes, run_once: yes}
- {name: see, debug: {msg: '{{ x | default(\"none\") }}'}}
",
    );
    assert_eq!((run.message("a", "see"), run.message("b", "see")), ("none".into(), "a".into()));
}

#[test]
fn run_once_runs_on_the_first_and_is_known_to_all() {
    let (_, run) = tasks(
        "a b c",
        "
- {name: one, ping: {data: '{{ inventory_hostname }}'}, run_once: yes, register: r}
- {name: two, debug: {msg: '{{ r.ping }}'}}
",
    );
    assert_eq!(run.task("one"), "a:ok");
    assert_eq!(run.wire.frames().len(), 2);
    assert_eq!((run.message("a", "two"), run.message("c", "two")), ("a".into(), "a".into()));
}

#[test]
fn run_once_that_fails_fails_all() {
    let (_, run) = tasks("a b", "- {name: one, fail: , run_once: yes}\n- {name: two, ping: }");
    assert_eq!(run.order(), "a:one:failed");
    assert_eq!(run.exit, 2);
}

#[test]
fn hosts_made_by_a_play_are_there_for_the_next() {
    let lab = Lab::new("a").playbook(
        "
- hosts: a
  tasks: [{add_host: {name: new, groups: made, word: hello}}]
- hosts: made
  tasks: [{name: one, ping: {data: '{{ word }}'}}]
",
    );
    let run = lab.run(&[]);
    assert_eq!(run.result("new", "one", "ping").to_string(), "hello");
}

#[test]
fn become_is_another_worker_on_the_same_host() {
    let tasks = "- ping:\n- {ping: {data: second}, become: yes}\n- {ping: {data: third}, become: yes}";
    // Nothing is answered before all was sent.
    let run = Lab::new("a").hold("a", "second", "a", "third").playbook(&play("", tasks)).run(&[]);
    assert_eq!(run.recap(), "a ok=3");
    assert_eq!(run.wire.kinds("a"), "Request Reply Request*2 Reply*2");
}

#[test]
fn connection_variables_without_meaning_are_named_once_wherever_they_are_set() {
    let lab = Lab::new("a b")
        .here("group_vars/all.yml", "ansible_sftp_executable: /opt/sftp\n")
        .playbook(&play("vars: {ansible_pipelining: yes}", "- ping:\n- ping:\n"));
    let said = lab.run(&["-v"]).to_string();
    for name in ["ansible_sftp_executable", "ansible_pipelining"] {
        assert_eq!(said.matches(&format!("{name} has no meaning here")).count(), 1, "{said}");
    }
    let said = lab.run(&[]).to_string();
    assert!(!said.contains("has no meaning here"), "{said}");
}

#[test]
fn many_hosts_delegate_to_one_at_once_but_for_edits() {
    let at_once = |task: &str| {
        let lab = Lab::new("a b c d").playbook(&play("", &format!("\n- {{{task}, delegate_to: d}}\n")));
        let run = lab.command("d", "work", 0, "").slow(100).run(&[]);
        assert_eq!(run.exit, 0, "{run}");
        run.wire.at_once()
    };
    assert!(at_once("command: work") > 1);
    assert_eq!(at_once("lineinfile: {path: /f, line: '{{ inventory_hostname }}', create: yes}"), 1);
}
