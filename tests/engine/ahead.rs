//! Tasks of one host are sent together, with the results of tasks that are sent one after the other.

use fanfare_modules::kit::wire::Kind;

use super::{play, tasks};
use crate::lab::{Lab, Outcome};

/// A host whose task that says `first` does not begin before another one was sent, which says `last`.
fn lab(hosts: &str, keywords: &str, list: &str) -> Lab {
    Lab::new(hosts).hold("a", "first", "a", "last").playbook(&play(keywords, list))
}

fn requests(run: &Outcome) -> usize {
    run.wire.frames().iter().filter(|seen| seen.kind == Kind::Request).count()
}

const THREE: &str = "- ping: {data: first}\n- ping:\n- ping: {data: last}";

#[test]
fn tasks_of_one_host_travel_together() {
    let run = lab("a", "", THREE).run(&[]);
    assert_eq!(run.recap(), "a ok=3", "{run}");
    let run = lab("a b", "strategy: free", THREE).run(&[]);
    assert_eq!(run.recap(), "a ok=3, b ok=3", "{run}");
    let (_, run) = tasks("a b", THREE);
    assert_eq!(run.wire.kinds("a"), ["Request Reply"; 3].join(" "), "what comes of b may end a's play");
}

#[test]
fn nothing_runs_after_the_first_failure() {
    let list = "- {name: one, command: /bin/good first}\n- {name: two, command: /bin/bad}\n\
                - {name: three, command: /bin/good last}";
    let lab = lab("a", "", list).command("a", "/bin/good", 0, "").command("a", "/bin/bad", 1, "");
    let run = lab.run(&[]);
    assert_eq!(requests(&run), 3, "{run}");
    assert_eq!(run.recap(), "a ok=1 changed=1 failed=1");
    assert_eq!(run.order(), "a:one:changed a:two:failed");
    assert_eq!(lab.ran("a"), ["/bin/good first", "/bin/bad"]);
}

#[test]
fn a_failure_that_is_ignored_or_rescued_goes_its_way() {
    let bad = |tasks: &str| {
        let lab = Lab::new("a").command("a", "/bin/bad", 1, "").command("a", "/bin/late", 0, "");
        let lab = lab.playbook(&play("", tasks));
        let run = lab.run(&[]);
        (run.order(), lab.ran("a"))
    };
    let (order, ran) = bad("- {name: one, command: /bin/bad, ignore_errors: yes}\n\
                            - {name: two, command: /bin/late}\n- {name: three, ping: }");
    assert_eq!(order, "a:one:failed a:two:changed a:three:ok");
    assert_eq!(ran, ["/bin/bad", "/bin/late"]);
    let (order, ran) = bad("- block: [{name: one, command: /bin/bad}, {name: two, command: /bin/late}]\n  \
                            rescue: [{name: three, ping: }]\n- {name: four, ping: }\n- {name: five, ping: }");
    assert_eq!(order, "a:one:failed a:three:ok a:four:ok a:five:ok");
    assert_eq!(ran, ["/bin/bad"]);
}

#[test]
fn what_depends_on_a_result_waits_for_it() {
    for dependent in [
        "- {name: last, ping: {data: '{{ r.ping }}'}}",
        "- {name: last, ping: , when: r is defined and r is not failed}",
        "- {name: last, ping: {data: '{{ r | default(1) }}'}}",
        "- {name: last, ping: {data: '{{ vars.r.ping }}'}}",
        "- {name: last, ping: {data: '{{ hostvars.a.r.ping }}'}}",
        "- {name: last, ping: {data: '{{ indirect }}'}, vars: {indirect: '{{ r.ping }}'}}",
        "- {name: last, ping: {data: '{{ lookup(\"vars\", \"r\").ping }}'}}",
    ] {
        let (_, run) = tasks("a", &format!("- {{ping: , register: r}}\n- ping:\n{dependent}"));
        assert!(run.wire.kinds("a").ends_with(" Request Reply"), "{dependent}\n{run}");
        assert_eq!(run.recap(), "a ok=3", "{dependent}\n{run}");
    }
}

#[test]
fn a_result_that_nobody_asks_for_is_no_reason_to_wait() {
    let list =
        "- {ping: {data: first}, register: r}\n- {ping: , when: false, register: s}\n- ping: {data: last}";
    assert_eq!(lab("a", "", list).run(&[]).recap(), "a ok=2 skipped=1");
}

#[test]
fn what_a_result_decides_waits_for_it() {
    for first in [
        "- {ping: , failed_when: false}",
        "- {ping: , changed_when: true}",
        "- {ping: , notify: '{{ 1 }}', changed_when: false}",
        "- {ping: , loop: [1]}",
        "- {ping: , timeout: 5}",
        "- {ping: , retries: 2}",
        "- {setup: {gather_subset: '!all'}}",
        "- {set_fact: {x: 1}}",
        "- {debug: , when: false}",
    ] {
        let (_, run) = tasks("a", &format!("{first}\n- ping:"));
        assert!(!run.wire.kinds("a").contains("Request*2"), "{first}\n{run}");
    }
}

#[test]
fn a_handler_that_is_not_there_ends_the_run_before_anything_else_runs() {
    let list = "- {command: /bin/good, notify: nobody}\n- command: /bin/late";
    let lab = Lab::new("a").command("a", "/bin/good", 0, "").command("a", "/bin/late", 0, "");
    let lab = lab.playbook(&play("", list));
    let run = lab.run(&[]);
    assert_ne!(run.exit, 0, "{run}");
    assert_eq!(lab.ran("a"), ["/bin/good"], "{run}");
}

#[test]
fn a_lookup_is_asked_once_and_in_its_turn() {
    let lab = Lab::new("a").here("count", "");
    let count = lab.path("count");
    let lookup = format!("{{{{ lookup('pipe', 'echo x >> {0}; wc -l < {0}') }}}}", count.display());
    let list = format!("- ping:\n- {{name: two, ping: {{data: \"{lookup}\"}}}}\n- ping:");
    let lab = lab.playbook(&play("", &list));
    let run = lab.run(&[]);
    assert_eq!(run.result("a", "two", "ping").to_string().trim(), "1", "{run}");
    assert_eq!(std::fs::read_to_string(count).unwrap(), "x\n");
    assert!(run.wire.kinds("a").starts_with("Request Reply Request Reply"), "{run}");
}

#[test]
fn check_mode_and_handlers_are_as_ever() {
    let list = "- {copy: {dest: /a, content: first}, notify: h}\n- {file: {path: /a, mode: '0600'}}\n\
                - {stat: {path: /a}, register: last}\n- {assert: {that: last.stat.mode == '0600'}}";
    let lab = Lab::new("a").playbook(&play("handlers: [{name: h, ping: }]", list));
    for args in [&["--check"][..], &[]] {
        let run = lab.run(args);
        assert_eq!((run.recap().as_str(), requests(&run)), ("a ok=5 changed=2", 4), "{run}");
    }
    let again = lab.run(&[]);
    assert_eq!(again.recap(), "a ok=4", "{again}");
}

#[test]
fn a_link_that_breaks_keeps_what_was_done() {
    let list = "- {name: one, ping: {data: first}}\n- {name: two, ping: {data: cut}}\n- {name: three, ping: {data: last}}";
    let run = lab("a", "", list).cut("a", "cut").run(&[]);
    assert_eq!((run.exit, run.order().as_str()), (4, "a:one:ok a:two:unreachable"), "{run}");
}

#[test]
fn tasks_that_are_left_out_are_no_hindrance() {
    let list = "- ping: {data: first}\n- {ping: , tags: [other]}\n- {ping: , when: false}\n\
                - ping: {data: last}\n- {ping: , when: false}";
    let run = lab("a", "", list).run(&["--skip-tags", "other"]);
    assert_eq!((run.recap().as_str(), requests(&run)), ("a ok=2 skipped=2", 2), "{run}");
}
