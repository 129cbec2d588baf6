//! Blocks: rescue, always, and what counts.

use super::{play, tasks};
use crate::lab::Lab;

#[test]
fn rescue_runs_where_the_block_failed_and_only_there() {
    let (_, run) = tasks(
        "a b",
        "
- block:
    - {name: one, fail: {msg: broken}, when: inventory_hostname == 'a'}
    - {name: two, ping: }
  rescue:
    - {name: mend, debug: {msg: '{{ ansible_failed_task.name }} said {{ ansible_failed_result.msg }}'}}
  always:
    - {name: end, ping: }
- {name: after, ping: }
",
    );
    assert_eq!(run.task("two"), "b:ok");
    assert_eq!(run.task("mend"), "a:ok");
    assert_eq!(run.message("a", "mend"), "one said broken");
    assert_eq!(run.task("end"), "a:ok b:ok");
    assert_eq!(run.recap(), "a ok=3 rescued=1, b ok=3 skipped=1");
    assert_eq!(run.exit, 0);
}

#[test]
fn always_runs_after_a_failure_that_stays_one() {
    let (_, run) = tasks(
        "a",
        "
- block: [{name: one, fail: }]
  rescue: [{name: mend, fail: }]
  always: [{name: end, ping: }]
- {name: after, ping: }
",
    );
    assert_eq!(run.order(), "a:one:failed a:mend:failed a:end:ok");
    assert_eq!(run.recap(), "a ok=1 failed=1 rescued=1");
    assert_eq!(run.exit, 2);
}

#[test]
fn an_unreachable_host_is_not_rescued() {
    let lab = Lab::new("a b").cut("a", "boom").playbook(&play(
        "",
        "
- block: [{name: one, ping: {data: boom}}]
  rescue: [{name: mend, ping: }]
  always: [{name: end, ping: }]
",
    ));
    let run = lab.run(&[]);
    assert_eq!(run.task("mend"), "");
    assert_eq!(run.task("end"), "b:ok");
    assert_eq!(run.recap(), "a unreachable=1, b ok=2");
    assert_eq!(run.exit, 4);
}

#[test]
fn an_unreachable_host_is_rescued_where_the_block_says_so() {
    let lab = Lab::new("a b").cut("a", "boom").playbook(&play(
        "",
        "
- block: [{name: one, ping: {data: boom}}, {name: two, ping: }]
  vars: {fanfare_rescue_unreachable: true}
  rescue: [{name: mend, ping: }, {name: told, assert: {that: ansible_failed_result.unreachable}}]
  always: [{name: end, ping: }]
- {name: after, ping: }
",
    ));
    let run = lab.run(&[]);
    assert_eq!(
        (run.task("one").as_str(), run.task("mend").as_str()),
        ("a:unreachable b:ok", "a:ok"),
        "{run}"
    );
    assert_eq!((run.task("two").as_str(), run.task("after").as_str()), ("b:ok", "a:ok b:ok"), "{run}");
    assert_eq!((run.exit, run.recap().as_str()), (0, "a ok=4 rescued=1, b ok=4"), "{run}");
}

#[test]
fn blocks_pass_their_keywords_on() {
    let (_, run) = tasks(
        "a b",
        "
- when: inventory_hostname == 'b'
  vars: {word: outer}
  block:
    - vars: {word: inner}
      block: [{name: one, debug: {msg: '{{ word }}'}}]
    - {name: two, debug: {msg: '{{ word }}'}}
",
    );
    assert_eq!(run.task("one"), "a:skipped b:ok");
    assert_eq!((run.message("b", "one"), run.message("b", "two")), ("inner".into(), "outer".into()));
}
