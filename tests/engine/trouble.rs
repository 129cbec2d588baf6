//! Hosts that go away, hang, or answer late.

use std::time::{Duration, Instant};

use super::play;
use crate::lab::Lab;

const TASKS: &str = "
- {name: one, ping: {data: eins}}
- {name: two, ping: {data: zwei}}
- {name: three, ping: {data: drei}}
";

#[test]
fn a_host_that_goes_away_is_left_behind() {
    let lab = Lab::new("a b").cut("a", "zwei").playbook(&play("", TASKS));
    let run = lab.run(&["-f1"]);
    assert_eq!(run.order(), "a:one:ok b:one:ok a:two:unreachable b:two:ok b:three:ok");
    assert_eq!(run.recap(), "a ok=1 unreachable=1, b ok=3");
    assert_eq!(run.exit, 4);
    assert!(run.message("a", "two").contains("the link was cut"), "{run}");
}

#[test]
fn a_host_that_is_not_there_says_why_and_the_others_run() {
    let lab = Lab::new("a b").unreachable("b").playbook(&play("", TASKS));
    let run = lab.run(&[]);
    assert_eq!(run.recap(), "a ok=3, b unreachable=1");
    assert!(run.stdout.contains("fatal: [b]: UNREACHABLE!"), "{run}");
}

#[test]
fn ignore_unreachable_tries_again_with_the_next_task() {
    let lab = Lab::new("a").cut("a", "zwei").playbook(&play("ignore_unreachable: yes", TASKS));
    let run = lab.run(&[]);
    assert_eq!(run.order(), "a:one:ok a:two:unreachable a:three:ok");
    assert_eq!(run.recap(), "a ok=3 ignored=1");
    assert_eq!(run.exit, 0);
}

#[test]
fn a_task_that_hangs_fails_after_its_timeout_and_the_host_goes_on() {
    let lab = Lab::new("a b").hang("a", "zwei").playbook(&play(
        "",
        "
- {name: one, ping: {data: eins}}
- {name: two, ping: {data: zwei}, timeout: 1, ignore_errors: yes}
- {name: three, ping: {data: drei}}
",
    ));
    let started = Instant::now();
    let run = lab.run(&[]);
    assert_eq!(run.recap(), "a ok=3 ignored=1, b ok=3", "{run}");
    assert_eq!(run.message("a", "two"), "Task failed: Timed out after 1 second(s).");
    assert!(started.elapsed() < Duration::from_secs(8));
}

#[test]
fn no_more_hosts_left_ends_the_run() {
    let lab = Lab::new("a b").unreachable("a").unreachable("b").playbook(
        "- hosts: all\n  tasks: [{name: one, ping: }]\n- hosts: all\n  tasks: [{name: two, ping: }]\n",
    );
    let run = lab.run(&[]);
    assert_eq!(run.task("two"), "");
    assert_eq!(run.exit, 4);
}
