//! Tasks in the background: `async` and `poll`. In memory a job is done as soon as it is started.

use fanfare::run::event::{Event, JobState};

use super::{play, tasks};
use crate::lab::{Lab, Outcome};

fn looks(run: &Outcome) -> Vec<JobState> {
    let looks = run.events.iter().filter_map(|event| match event {
        Event::Background { state, .. } => Some(*state),
        _ => None,
    });
    looks.collect()
}

#[test]
fn a_task_is_started_and_asked_about() {
    let (_, run) = tasks(
        "a",
        "
- {name: fire, file: {path: /tmp/f, state: touch}, async: 10, poll: 0, register: job}
- {name: ask, async_status: {jid: '{{ job.ansible_job_id }}'}, register: r, until: r.finished, delay: 0}
- {name: clean, async_status: {jid: '{{ job.ansible_job_id }}', mode: cleanup}}
- {name: gone, async_status: {jid: '{{ job.ansible_job_id }}'}, ignore_errors: true}
",
    );
    assert_eq!(run.result("a", "fire", "finished").to_string(), "False");
    assert_eq!(run.result("a", "ask", "finished").to_string(), "True");
    assert_eq!(run.task("ask"), "a:changed");
    assert_eq!(
        run.result("a", "clean", "erased").to_string(),
        run.result("a", "fire", "results_file").to_string()
    );
    assert_eq!(run.message("a", "gone"), "could not find job");
    assert!(looks(&run).is_empty());
}

#[test]
fn a_polled_task_gives_its_result_and_leaves_nothing_behind() {
    let (lab, run) = tasks("a", "- {name: one, file: {path: /tmp/f, state: touch}, async: 10, poll: 1}");
    assert_eq!((run.task("one").as_str(), looks(&run)), ("a:changed", vec![JobState::Done]));
    // One exchange starts it, one asks.
    assert_eq!(run.wire.kinds("a"), "Request Reply Request Reply");
    assert_eq!(lab.host("a").list_of("/root/.ansible_async"), "");
    let (_, run) = tasks("a", "- {name: one, command: 'false', async: 10, poll: 1}");
    assert_eq!((run.task("one").as_str(), looks(&run)), ("a:failed", vec![JobState::Failed]));
}

#[test]
fn jobs_are_kept_where_the_user_says() {
    let fire = "- {name: fire, ping: , async: 5, poll: 0, vars: {ansible_async_dir: /var/jobs}}
- {name: other, ping: , async: 5, poll: 0}";
    let lab = Lab::new("a").setting("ANSIBLE_ASYNC_DIR", "/srv/jobs").playbook(&play("", fire));
    let run = lab.run(&[]);
    for (task, dir) in [("fire", "/var/jobs/j"), ("other", "/srv/jobs/j")] {
        let file = run.result("a", task, "results_file").to_string();
        assert!(file.starts_with(dir), "{file}");
    }
}

#[test]
fn items_nobody_waits_for_are_started_together() {
    let text = |n: u32| format!("item-{n}-");
    let fire =
        "- {name: one, ping: {data: 'item-{{ item }}-'}, loop: '{{ range(5) | list }}', async: 5, poll: 0}";
    let lab = Lab::new("a").hold("a", &text(0), "a", &text(4)).playbook(&play("", fire));
    let run = lab.run(&[]);
    assert_eq!(run.recap(), "a ok=1 changed=1", "{run}");
}

#[test]
fn a_link_that_stays_broken_is_told_when_the_time_is_over() {
    let lab = Lab::new("a")
        .cut("a", "async_status")
        .playbook(&play("", "- {name: one, ping: , async: 2, poll: 1}"));
    let run = lab.run(&[]);
    assert_eq!((run.task("one").as_str(), looks(&run)), ("a:unreachable", Vec::new()), "{run}");
    // It looked again after the link had been lost.
    assert_eq!(run.wire.kinds("a"), "Request Reply Request*2", "{run}");
}

#[test]
fn what_cannot_run_in_the_background_says_so() {
    for task in [
        "debug: {msg: x}",
        "copy: {dest: /x, content: x}",
        "raw: x",
        "async_status: {jid: x}",
        "pause: {seconds: 1}",
    ] {
        let (_, run) = tasks("a", &format!("- {{name: one, async: 5, poll: 0, {task}}}"));
        let action = task.split(':').next().unwrap();
        assert_eq!(run.message("a", "one"), format!("This action ({action}) does not support async."));
    }
    for (keywords, expected) in [
        ("async: -1", "'async' cannot be negative"),
        ("async: \"{{ 'x' }}\"", "The value 'x' could not be converted to 'int'."),
    ] {
        let (_, run) = tasks("a", &format!("- {{name: one, ping: , {keywords}}}"));
        assert!(run.message("a", "one").contains(expected), "{run}");
    }
    // Zero seconds are the foreground.
    let (_, run) = tasks("a", "- {name: one, debug: {msg: x}, async: 0}");
    assert_eq!(run.task("one"), "a:ok");
}
