//! Linear keeps hosts together, free does not.

use super::play;
use crate::lab::{Kind, Lab};

const TASKS: &str = "
- {name: one, ping: {data: eins}}
- {name: two, ping: {data: zwei}}
- {name: three, ping: {data: drei}}
";

/// None of them is sent ahead of its turn.
fn in_turn() -> String {
    TASKS.replace("}}", "}, changed_when: no}")
}

#[test]
fn linear_waits_for_all_hosts_after_every_task() {
    let lab = Lab::new("a b c").slow(5).playbook(&play("", TASKS));
    let run = lab.run(&[]);
    let frames = run.wire.frames();
    let first = |word: &str| {
        frames.iter().position(|seen| seen.kind == Kind::Request && seen.text().contains(word)).unwrap()
    };
    let last = |word: &str| frames.iter().rposition(|seen| seen.text().contains(word)).unwrap();
    assert!(last("eins") < first("zwei") && last("zwei") < first("drei"), "{}", run.order());
}

#[test]
fn free_lets_every_host_go_its_own_way() {
    // a's first task waits for b's last: with the linear strategy that never comes.
    let lab = Lab::new("a b").hold("a", "eins", "b", "drei").playbook(&play("strategy: free", &in_turn()));
    let run = lab.run(&[]);
    assert_eq!(run.recap(), "a ok=3, b ok=3", "{run}");
    let order = run.order();
    assert!(order.find("b:two:ok") < order.find("a:one:ok"), "{order}");
}

#[test]
fn free_hosts_pass_each_other_back_and_forth() {
    let lab = Lab::new("a b")
        .hold("a", "eins", "b", "zwei")
        .hold("b", "zwei", "a", "drei")
        .playbook(&play("strategy: free", &in_turn()));
    let run = lab.run(&[]);
    assert_eq!(run.recap(), "a ok=3, b ok=3", "{run}");
    let order = run.order();
    let at = |end: &str| order.find(end).unwrap_or_else(|| panic!("{end} in {order}"));
    assert!(at("b:one:ok") < at("a:one:ok") && at("a:two:ok") < at("b:two:ok"), "{order}");
}

#[test]
fn free_hosts_run_their_handlers_without_waiting() {
    let lab = Lab::new("a b").hold("a", "eins", "b", "handled").playbook(&play(
        "strategy: free\nhandlers: [{name: h, ping: {data: handled}}]",
        "- {name: one, ping: {data: eins}, changed_when: yes, notify: h}",
    ));
    let run = lab.run(&[]);
    assert_eq!(run.recap(), "a ok=2 changed=1, b ok=2 changed=1", "{run}");
    assert!(run.order().starts_with("b:one:changed "), "{run}");
}

#[test]
fn a_failure_with_free_is_its_hosts_own() {
    let lab = Lab::new("a b").playbook(&play(
        "strategy: free",
        "- {name: one, fail: , when: inventory_hostname == 'a'}\n- {name: two, ping: }",
    ));
    let run = lab.run(&[]);
    assert_eq!(run.recap(), "a failed=1, b ok=1 skipped=1");
}
