//! `wait_for_connection` and `reboot`.

use super::play;
use crate::lab::Lab;

/// Runs one task on a host that says `boot` for its boot id; its order of results and what was shown.
fn run(lab: Lab, task: &str) -> (String, String) {
    let outcome = lab.playbook(&play("", &format!("\n- {{name: t, {task}}}"))).run(&["-v"]);
    (outcome.order(), format!("{outcome}"))
}

#[test]
fn a_host_that_answers_is_waited_for_no_longer() {
    let (order, said) = run(Lab::new("a"), "wait_for_connection: {timeout: 5}");
    assert_eq!(order, "a:t:ok", "{said}");
    let (order, said) =
        run(Lab::new("a").unreachable("a"), "wait_for_connection: {timeout: 1, connect_timeout: 1}");
    assert_eq!(order, "a:t:failed", "{said}");
    assert!(said.contains("timed out waiting for ping module test"), "{said}");
}

#[test]
fn a_reboot_must_show() {
    let lab =
        || Lab::new("a").command("a", "/bin/sh -c cat", 0, "one\n").command("a", "/bin/sh -c", 0, "one\n");
    let (order, said) = run(lab(), "reboot: {reboot_timeout: 1}");
    assert_eq!(order, "a:t:failed", "{said}");
    assert!(said.contains("boot time has not changed"), "{said}");
    let (order, said) = run(lab(), "reboot: , check_mode: true");
    assert_eq!(order, "a:t:changed", "{said}");
    let (order, said) = run(lab(), "reboot: , vars: {ansible_connection: local}");
    assert!(order == "a:t:failed" && said.contains("would reboot the control node"), "{order} {said}");
}
