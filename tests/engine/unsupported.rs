//! Modules and options that fanfare does not have: an error before the run where a host is sure to come to them, a
//! warning where it may not.

use super::play;
use crate::lab::Lab;

/// Runs tasks on a host; its order of results, exit code, and what was said.
fn run(tasks: &str) -> (String, u8, String) {
    let lab = Lab::new("a").playbook(&play("", &format!("\n- {{name: first, ping: }}\n{tasks}")));
    let run = lab.run(&[]);
    (run.order(), run.exit, format!("{run}"))
}

#[test]
fn what_is_sure_to_fail_is_told_before_any_host_is_touched() {
    for tasks in ["- k8s: {state: present}", "- a.b.c: {x: 1}", "- ping: {dato: x}", "- pingg: "] {
        let (order, exit, said) = run(tasks);
        assert_eq!((order.as_str(), exit), ("", 4), "{tasks} {said}");
        assert!(said.contains("error: "), "{said}");
    }
}

#[test]
fn what_may_be_skipped_fails_only_where_it_is_not() {
    let (order, exit, said) =
        run("- {name: maybe, k8s: {state: present}, when: false}\n- {name: last, ping: }");
    assert_eq!((order.as_str(), exit), ("a:first:ok a:maybe:skipped a:last:ok", 0), "{said}");
    assert!(said.contains("not supported yet: the module 'k8s'"), "{said}");
    let (order, exit, said) = run("- {name: surely, k8s: {state: present}, when: true}");
    assert_eq!((order.as_str(), exit), ("a:first:ok a:surely:failed", 2), "{said}");
    let (order, exit, said) = run("- {name: surely, ping: {dato: 1}, when: true}");
    assert_eq!((order.as_str(), exit), ("a:first:ok a:surely:failed", 2), "{said}");
    assert!(said.contains("Unsupported parameters for (ping) module: dato"), "{said}");
}

#[test]
fn a_failure_that_is_expected_comes_in_the_run() {
    let (order, exit, said) =
        run("- {name: bad, debug: {mesg: x}, ignore_errors: true}\n- {name: last, ping: }");
    assert_eq!((order.as_str(), exit), ("a:first:ok a:bad:failed a:last:ok", 0), "{said}");
    let (order, exit, said) = run("- block: [{name: bad, k8s: {x: 1}}]\n  rescue: [{name: saved, ping: }]");
    assert_eq!((order.as_str(), exit), ("a:first:ok a:bad:failed a:saved:ok", 0), "{said}");
}

#[test]
fn a_misspelled_module_is_an_error_wherever_it_stands() {
    let (order, exit, said) = run("- {name: maybe, coppy: {src: x}, when: false}");
    assert_eq!((order.as_str(), exit), ("", 4), "{said}");
    assert!(said.contains("did you mean 'copy'?"), "{said}");
}
