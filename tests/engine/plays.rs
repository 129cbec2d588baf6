//! Plays: batches, and failures that concern more than their host.

use super::play;
use crate::lab::Lab;

const FAIL_ON_A: &str = "
- {name: one, command: /bin/one, failed_when: inventory_hostname == 'a'}
- {name: two, command: /bin/two}
";

fn lab(hosts: &str, keywords: &str) -> Lab {
    let lab = Lab::new(hosts).playbook(&play(keywords, FAIL_ON_A));
    hosts
        .split(' ')
        .fold(lab, |lab, host| lab.command(host, "/bin/one", 0, "").command(host, "/bin/two", 0, ""))
}

#[test]
fn a_failed_host_leaves_and_the_others_go_on() {
    let run = lab("a b", "").run(&["-f1"]);
    assert_eq!(run.order(), "a:one:failed b:one:changed b:two:changed");
    assert_eq!(run.recap(), "a failed=1, b ok=2 changed=2");
    assert_eq!(run.exit, 2);
}

#[test]
fn batches_come_one_after_the_other() {
    let run = lab("b c d e", "serial: [1, 2]").run(&["--forks", "1"]);
    assert_eq!(
        run.order(),
        "b:one:changed b:two:changed c:one:changed d:one:changed c:two:changed d:two:changed \
         e:one:changed e:two:changed"
    );
    assert_eq!(run.exit, 0);
}

#[test]
fn a_batch_that_is_lost_ends_the_run() {
    let run = lab("a b c", "serial: 1").run(&[]);
    assert_eq!(run.order(), "a:one:failed");
    assert_eq!(run.recap(), "a failed=1");
}

#[test]
fn any_errors_fatal_ends_it_for_all_after_the_task() {
    let run = lab("a b", "any_errors_fatal: yes").run(&[]);
    assert_eq!(run.task("one"), "a:failed b:changed");
    assert_eq!(run.task("two"), "");
    assert_eq!(run.exit, 2);
}

#[test]
fn as_many_may_fail_as_max_fail_percentage_says() {
    for (limit, two) in [("24", ""), ("25", "b:changed c:changed d:changed")] {
        let run = lab("a b c d", &format!("max_fail_percentage: {limit}")).run(&[]);
        assert_eq!(run.task("two"), two, "{limit}");
    }
}

#[test]
fn later_plays_leave_lost_hosts_out() {
    let lab = Lab::new("a b").playbook(
        "
- hosts: all
  tasks: [{name: one, fail: , when: inventory_hostname == 'a'}]
- hosts: all
  tasks: [{name: two, ping: }]
",
    );
    assert_eq!(lab.run(&["-f1"]).order(), "a:one:failed b:one:skipped b:two:ok");
}

#[test]
fn forks_are_how_many_hosts_work_at_a_time() {
    let hosts = "h1 h2 h3 h4 h5 h6";
    for forks in [1, 3] {
        let lab = Lab::new(hosts).slow(30).playbook(&play("", "- {name: one, ping: }"));
        let run = lab.run(&["--forks", &forks.to_string()]);
        assert_eq!(run.wire.at_once(), forks, "{run}");
    }
}

#[test]
fn throttle_narrows_one_task() {
    let lab = Lab::new("h1 h2 h3 h4").slow(30).playbook(&play("", "- {name: one, ping: , throttle: 2}"));
    assert_eq!(lab.run(&["--forks", "4"]).wire.at_once(), 2);
}

#[test]
fn a_bad_playbook_touches_no_host() {
    let lab = Lab::new("a").playbook(&play("", "- ping:\n- frobnicate:"));
    let run = lab.run(&[]);
    assert_eq!(run.exit, 4);
    assert!(run.error.is_some_and(|error| error.report(false).contains("site.yml:5:7")));
    assert!(run.wire.frames().is_empty());
}
