//! Check mode touches nothing and foretells the run.

use super::play;
use crate::lab::Lab;

fn lab(tasks: &str) -> Lab {
    Lab::new("a")
        .here("files/small", "small")
        .here("files/tree/deep/one", "1")
        .here("templates/t.j2", "{{ inventory_hostname }}\n")
        .file("a", "/etc/there", "one\ntwo\n")
        .file("a", "/etc/old/file", "x")
        .playbook(&play("", tasks))
}

/// `--check --diff` gives the recap and the output of the run that follows, and leaves the host alone.
fn check(tasks: &str) -> Lab {
    let lab = lab(tasks);
    let before = lab.snapshot("a");
    let foretold = lab.run(&["--check", "--diff"]);
    assert_eq!(lab.snapshot("a"), before, "check mode changed something: {tasks}");
    let done = lab.run(&["--diff"]);
    assert_eq!(foretold.exit, 0, "{foretold}");
    assert!(done.recap().contains("changed="), "nothing to foretell: {done}");
    assert_eq!(foretold.recap(), done.recap(), "{tasks}");
    assert_eq!(foretold.stdout, done.stdout, "{tasks}");
    lab
}

#[test]
fn what_every_module_for_files_would_do() {
    for task in [
        "- file: {path: /srv/x, state: directory, mode: '0750'}",
        "- file: {path: /srv/x/y, state: directory}",
        "- file: {path: /srv/l, src: /etc/there, state: link}",
        "- file: {path: /srv/h, src: /etc/there, state: hard}",
        "- file: {path: /etc/there, mode: '0600'}",
        "- file: {path: /etc/old, state: absent}",
        "- copy: {dest: /srv/x, content: text, mode: '0600'}",
        "- copy: {dest: /etc/there, src: small}",
        "- copy: {dest: /srv, src: tree}",
        "- template: {dest: /etc/there, src: t.j2}",
        "- lineinfile: {path: /etc/there, line: three}",
        "- lineinfile: {path: /etc/there, regexp: two, state: absent}",
        "- blockinfile: {path: /etc/there, block: three}",
        "- replace: {path: /etc/there, regexp: two, replace: '2'}",
    ] {
        let lab = check(task);
        let again = lab.run(&["--check"]);
        assert!(!again.recap().contains("changed="), "{again}");
    }
}

#[test]
fn tasks_that_build_on_one_another() {
    check(
        "
- file: {path: /srv/app, state: directory}
- copy: {dest: /srv/app/conf, content: \"a\\nb\\n\"}
- lineinfile: {path: /srv/app/conf, line: c}
- replace: {path: /srv/app/conf, regexp: ^b$, replace: B}
- file: {path: /srv/app/link, src: conf, state: link}
- template: {src: t.j2, dest: /srv/app/host}
- file: {path: /etc/old, state: absent}
",
    );
}

#[test]
fn handlers_are_foretold_too() {
    let lab = Lab::new("a").playbook(&play(
        "handlers: [{name: h, copy: {dest: /srv/h, content: x}}]",
        "- {copy: {dest: /srv/x, content: x}, notify: h}",
    ));
    let foretold = lab.run(&["--check"]);
    assert_eq!(foretold.recap(), "a ok=2 changed=2");
    assert_eq!(lab.host("a").list_of("/srv"), "");
    assert_eq!(lab.run(&[]).recap(), "a ok=2 changed=2");
}

#[test]
fn commands_do_not_run() {
    let lab = Lab::new("a")
        .command("a", "/bin/thing", 0, "")
        .playbook(&play("", "- {name: c, command: /bin/thing}"));
    assert_eq!(lab.run(&["--check"]).task("c"), "a:skipped");
    assert!(lab.ran("a").is_empty());
    assert_eq!(lab.run(&[]).task("c"), "a:changed");
    assert_eq!(lab.ran("a"), ["/bin/thing"]);
}

#[test]
fn one_task_can_check_in_a_real_run_and_one_be_real_in_a_check() {
    let lab = lab("
- {name: one, copy: {dest: /srv/one, content: x}, check_mode: yes}
- {name: two, copy: {dest: /srv/two, content: x}, check_mode: no}
");
    assert_eq!(lab.run(&["--check"]).recap(), "a ok=2 changed=2");
    assert_eq!(lab.host("a").list_of("/srv"), "two");
    assert_eq!(lab.run(&[]).recap(), "a ok=2 changed=1");
    assert_eq!(lab.host("a").list_of("/srv"), "two");
}
