//! What is secret stays it.

use super::play;
use crate::lab::{Kind, Lab, Outcome};

const SECRET: &str = "hunter2-is-the-password";

/// The secret stands in a file of its own: what an error shows of the playbook is the user's to see.
fn lab(tasks: &str) -> Lab {
    Lab::new("a")
        .command("a", "/bin/login", 3, SECRET)
        .here("secret.yml", format!("secret: {SECRET}\n"))
        .playbook(&play("vars_files: [secret.yml]", tasks))
}

fn run(tasks: &str, args: &[&str]) -> Outcome {
    lab(tasks).run(args)
}

const NO_LOG: &str = "
- {name: ok, copy: {dest: /srv/x, content: '{{ secret }}'}, no_log: yes}
- {name: loop, ping: {data: '{{ item }}'}, loop: ['{{ secret }}'], no_log: yes}
- {name: says, debug: {msg: '{{ secret }}'}, no_log: yes}
- {name: fails, command: '/bin/login {{ secret }}', no_log: yes, ignore_errors: yes}
- {name: bad, ping: {data: '{{ secret | no_such_thing }}'}, no_log: yes, ignore_errors: yes}
- {name: asks, ping: {data: '{{ secret }}'}, no_log: yes, register: r, until: r.attempts == 2, retries: 3, delay: 0}
- {name: fact, set_fact: {known: '{{ secret }}'}, no_log: yes}
- {name: refuses, assert: {that: 'secret == \"x\"', fail_msg: '{{ secret }}'}, no_log: yes, ignore_errors: yes}
";

#[test]
fn no_log_is_kept_by_every_callback_however_much_is_told() {
    for callback in ["default", "yaml", "json", "minimal", "oneline"] {
        for words in [&[][..], &["-vvvv", "--diff"]] {
            let run = lab(NO_LOG).setting("ANSIBLE_STDOUT_CALLBACK", callback).run(words);
            let shown = run.stdout.clone() + &run.stderr;
            assert_eq!(run.exit, 0, "{run}");
            assert!(shown.contains("no_log"), "{callback}: {run}");
            assert!(!shown.contains(SECRET), "{callback} {words:?}: {run}");
            // The worker did get it: nothing was skipped.
            let sent = run.wire.frames().iter().filter(|seen| seen.text().contains(SECRET)).count();
            assert!(sent >= 4, "{sent}");
        }
    }
}

#[test]
fn events_carry_nothing_secret_under_no_log() {
    let run = run(NO_LOG, &["-vvv", "--diff"]);
    for event in &run.events {
        let text = format!("{event:?}");
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[test]
fn what_was_registered_under_no_log_can_still_be_used() {
    let run = run(
        "
- {name: one, ping: {data: '{{ secret }}'}, no_log: yes, register: r}
- {name: two, assert: {that: r.ping == secret}}
",
        &[],
    );
    assert_eq!(run.recap(), "a ok=2");
}

#[test]
fn options_that_are_secret_are_not_in_results() {
    let run = run(
        "
- name: one
  get_url: {url: 'http://127.0.0.1:1/x', dest: /srv/x, url_username: u, url_password: '{{ secret }}'}
  register: r
  ignore_errors: yes
- {name: two, debug: {var: r}}
",
        &["-vvv"],
    );
    assert!(!(run.stdout.clone() + &run.stderr).contains(SECRET), "{run}");
    let replies = run.wire.frames().into_iter().filter(|seen| seen.kind == Kind::Reply);
    assert!(replies.into_iter().all(|seen| !seen.text().contains(SECRET)));
}
