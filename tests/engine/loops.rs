//! Loops: items, their results, and when they travel together.

use fanfare::run::event::Event;

use super::tasks;
use crate::lab::{Lab, Outcome};

fn labels(run: &Outcome) -> Vec<String> {
    let items = run.events.iter().filter_map(|event| match event {
        Event::ItemDone { result, .. } => result.label.clone(),
        _ => None,
    });
    items.collect()
}

#[test]
fn every_item_has_its_result_and_the_loop_sums_up() {
    let (lab, run) = tasks(
        "a",
        "
- name: one
  copy: {dest: '/tmp/{{ item }}', content: x}
  loop: [p, q, p]
  register: r
- name: two
  debug: {msg: '{{ r.results | map(attribute=\"changed\") | list }} {{ r.changed }}'}
",
    );
    assert_eq!(labels(&run), ["p", "q", "p"]);
    assert_eq!(run.message("a", "two"), "[True, True, False] True");
    assert_eq!(lab.read("a", "/tmp/q"), "x");
}

#[test]
fn items_that_need_nothing_between_them_travel_together() {
    let text = |n: u32| format!("item-{n}-");
    // The first is not answered before the last was sent.
    let lab = Lab::new("a").hold("a", &text(0), "a", &text(9)).playbook(&super::play(
        "",
        "- {name: one, ping: {data: 'item-{{ item }}-'}, loop: '{{ range(10) | list }}'}",
    ));
    let run = lab.run(&[]);
    assert_eq!(run.recap(), "a ok=1", "{run}");
    assert_eq!(run.wire.kinds("a"), "Request*10 Reply*10");
}

#[test]
fn an_item_that_waits_for_the_one_before_is_sent_after_it() {
    let (_, run) =
        tasks("a", "- {name: one, ping: , loop: [1, 2, 3], loop_control: {break_when: item == 2}}");
    assert_eq!(run.wire.kinds("a"), "Request Reply Request Reply");
    assert_eq!(labels(&run), ["1", "2"]);
}

#[test]
fn a_failed_item_fails_the_task_and_the_others_are_done() {
    let (_, run) = tasks("a", "- {name: one, ping: , loop: [1, 2, 3], failed_when: item == 2}");
    assert_eq!(labels(&run).len(), 3);
    assert_eq!(run.message("a", "one"), "One or more items failed");
    assert_eq!(run.recap(), "a failed=1");
}

#[test]
fn skipped_items_are_not_sent() {
    let lab = Lab::new("a").hold("a", "item-1", "a", "item-3").playbook(&super::play(
        "",
        "- {name: one, ping: {data: 'item-{{ item }}'}, loop: [1, 2, 3], when: item != 2}",
    ));
    let run = lab.run(&[]);
    assert_eq!(run.wire.kinds("a"), "Request*2 Reply*2");
    assert_eq!(run.task("one"), "a:ok");
}

#[test]
fn until_asks_again() {
    let (_, run) =
        tasks("a", "- {name: one, ping: , register: r, until: r.attempts == 3, retries: 5, delay: 0}");
    assert_eq!(run.result("a", "one", "attempts").to_string(), "3");
    assert_eq!(run.wire.kinds("a"), "Request Reply Request Reply Request Reply");
}

#[test]
fn a_link_that_breaks_in_a_loop_ends_it() {
    let lab = Lab::new("a")
        .cut("a", "item-2")
        .playbook(&super::play("", "- {name: one, ping: {data: 'item-{{ item }}'}, loop: [1, 2, 3]}"));
    let run = lab.run(&[]);
    assert_eq!(run.recap(), "a unreachable=1", "{run}");
    assert_eq!(run.exit, 4);
}
