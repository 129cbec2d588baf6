//! Handlers: when they run, in which order, and for whom.

use super::play;
use crate::lab::Lab;

const HANDLERS: &str = "
handlers:
  - {name: first, ping: }
  - {name: second, ping: , listen: both}
  - {name: third, ping: , listen: both}
";

fn run(tasks: &str, args: &[&str]) -> String {
    let lab = Lab::new("a b").playbook(&play(HANDLERS, tasks));
    lab.run(args).order()
}

#[test]
fn they_run_once_in_the_order_of_their_definition_at_the_end() {
    let order = run(
        "
- {name: one, ping: , changed_when: yes, notify: [both, first], when: inventory_hostname == 'a'}
- {name: two, ping: , changed_when: yes, notify: first, when: inventory_hostname == 'a'}
",
        &["-f1"],
    );
    assert!(order.ends_with("b:two:skipped a:first:ok a:second:ok a:third:ok"), "{order}");
}

#[test]
fn only_changes_notify() {
    let order =
        run("- {name: one, ping: , notify: first, changed_when: inventory_hostname == 'b'}", &["-f1"]);
    assert_eq!(order, "a:one:ok b:one:changed b:first:ok");
}

#[test]
fn they_can_be_flushed_early() {
    let order = run(
        "
- {name: one, ping: , changed_when: yes, notify: first}
- meta: flush_handlers
- {name: two, ping: }
",
        &["-f1", "-l", "a"],
    );
    assert_eq!(order, "a:one:changed a:first:ok a:two:ok");
}

#[test]
fn a_host_that_failed_runs_them_only_when_forced() {
    let tasks = "
- {name: one, ping: , changed_when: yes, notify: first}
- {name: two, fail: }
";
    assert_eq!(run(tasks, &["-l", "a"]), "a:one:changed a:two:failed");
    assert_eq!(run(tasks, &["-l", "a", "--force-handlers"]), "a:one:changed a:two:failed a:first:ok");
}

#[test]
fn a_handler_that_does_not_exist_ends_the_run() {
    let tasks = "
- {name: one, ping: , changed_when: yes, notify: gone}
- {name: two, ping: }
";
    let run = Lab::new("a").playbook(&play("", tasks)).run(&[]);
    assert_eq!(run.exit, 1, "{run}");
    let error = run.error.as_ref().expect("an error");
    assert!(error.message().contains("'gone'") && error.place().is_some(), "{run}");
    assert!(!run.to_string().contains("TASK [two]"), "{run}");
}
