//! One task costs one round trip: frames counted on the wire.

use std::fs::File;
use std::time::{Duration, SystemTime};

use super::play;
use crate::lab::Lab;

fn check(task: &str, first: &str, again: &str) {
    let lab = Lab::new("a")
        .here("files/small", "small")
        .here("files/large", "x".repeat(300_000))
        .here("files/tree/one", "1")
        .here("files/tree/two", "2")
        .here("templates/t.j2", "{{ inventory_hostname }}\n")
        .file("a", "/etc/there", "one\ntwo\n")
        .command("a", "/bin/thing", 0, "done")
        .playbook(&play("", task));
    for expect in [first, again] {
        let run = lab.run(&[]);
        assert_eq!(run.exit, 0, "{run}");
        assert_eq!(run.wire.kinds("a"), expect, "{task}");
    }
}

const ONE: &str = "Request Reply";

#[test]
fn one_request_and_one_reply_for_each_task() {
    for task in [
        "- ping:",
        "- command: /bin/thing",
        "- file: {path: /srv/x, state: directory, mode: '0750'}",
        "- file: {path: /srv/l, src: /etc/there, state: link}",
        "- copy: {dest: /srv/x, content: text}",
        "- copy: {dest: /srv/x, src: small}",
        "- template: {dest: /srv/x, src: t.j2}",
        "- lineinfile: {path: /etc/there, line: three}",
        "- blockinfile: {path: /etc/there, block: three}",
        "- replace: {path: /etc/there, regexp: two, replace: 2}",
        "- stat: {path: /etc/there}",
        "- slurp: {path: /etc/there}",
        "- find: {paths: /etc}",
        "- tempfile:",
    ] {
        check(task, ONE, ONE);
    }
}

#[test]
fn what_commands_say_is_told_to_those_who_follow() {
    let tasks = "- {command: /bin/thing, name: open}\n- {command: /bin/thing, name: hidden, no_log: true}";
    let lab = Lab::new("a").command("a", "/bin/thing", 0, "one\ntwo").playbook(&play("", tasks));
    let run = lab.run(&["--follow"]);
    assert_eq!(run.wire.kinds("a"), "Request Out Reply Request Reply", "{run}");
    assert!(run.stdout.contains("***\na | one\na | two\nchanged: [a]\n"), "{run}");
    assert_eq!(run.stdout.matches("one").count(), 1, "{run}");
    assert_eq!(lab.run(&[]).wire.kinds("a"), "Request*2 Reply*2");
}

#[test]
fn a_large_file_is_asked_for_only_where_it_differs() {
    check("- copy: {dest: /srv/x, src: large}", "Request Need Blob*5 Reply", ONE);
}

/// So large a file is sent while its SHA-1 is still being taken.
#[test]
fn the_sha1_of_a_huge_file_comes_where_it_is_compared() {
    let tasks = "- {name: new, copy: {dest: /srv/new, src: huge}}\n- {name: other, copy: {dest: /srv/x, src: huge}}\n\
                 - {name: again, copy: {dest: /srv/x, src: huge}}\n- {name: wrong, copy: {dest: /srv/y, src: huge, checksum: aa}}";
    let size = 16 << 20;
    let lab = Lab::new("a").here("files/huge", "x".repeat(size)).playbook(&play("", tasks));
    // What may still change is not remembered.
    let huge = File::options().append(true).open(lab.path("files/huge")).unwrap();
    huge.set_modified(SystemTime::now() + Duration::from_hours(1)).unwrap();
    lab.host("a").file("/srv/x", "y".repeat(size));
    let run = lab.run(&[]);
    let sha1 = "f78e872d42c1a6c50c12b410b1bd2b79fbf14653";
    for (task, changed) in [("new", true), ("other", true), ("again", false)] {
        assert_eq!(run.result("a", task, "changed"), changed.into(), "{run}");
        assert_eq!(run.result("a", task, "checksum"), sha1.into(), "{run}");
    }
    assert!(run.message("a", "wrong").starts_with("Copied file does not match"), "{run}");
    let exchange =
        "Request*4 Need Blob*256 Reply Need Blob Need Blob*256 Reply Need Blob Reply Need Blob Reply";
    assert_eq!(run.wire.kinds("a"), exchange);
    assert_eq!(lab.read("a", "/srv/x").len(), size);
}

#[test]
fn a_tree_is_asked_for_at_once() {
    check("- copy: {dest: /srv, src: tree}", "Request Need*2 Blob*2 Reply", ONE);
}

#[test]
fn a_loop_of_ten_is_one_exchange() {
    for task in [
        "copy: {dest: '/srv/{{ item }}', content: x}",
        "template: {dest: '/srv/{{ item }}', src: t.j2}",
        "command: /bin/thing {{ item }}",
    ] {
        let items: Vec<String> = (0..10).map(|n| format!("item-{n}")).collect();
        // Nothing is answered before all was sent.
        let lab = Lab::new("a")
            .hold("a", "item-0", "a", "item-9")
            .here("templates/t.j2", "{{ item }}")
            .command("a", "/bin/thing", 0, "")
            .playbook(&play("", &format!("- {task}\n  loop: [{}]", items.join(", "))));
        assert_eq!(lab.run(&[]).wire.kinds("a"), "Request*10 Reply*10", "{task}");
    }
}

#[test]
fn what_runs_here_costs_no_exchange() {
    let tasks = "
- debug: {msg: hello}
- set_fact: {x: 1}
- assert: {that: x == 1}
- add_host: {name: other}
- {command: /bin/thing, when: no}
";
    let run = Lab::new("a").playbook(&play("", tasks)).run(&[]);
    assert_eq!(run.exit, 0, "{run}");
    assert!(run.wire.frames().is_empty());
}

#[test]
fn what_a_host_has_is_fetched_only_where_it_differs() {
    let task = "- fetch: {src: /etc/there, dest: '{{ playbook_dir }}/got/', flat: yes}";
    check(task, "Request Blob*2 Reply", ONE);
}
