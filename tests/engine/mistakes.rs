//! What is wrong with what the user wrote or typed: told with what may be meant.

use super::play;
use crate::lab::Lab;

#[test]
fn includes_without_an_end_are_an_error() {
    let lab = Lab::new("a")
        .playbook(&play("", "\n- include_tasks: again.yml\n"))
        .here("again.yml", "- include_tasks: again.yml\n");
    let run = lab.run(&[]);
    assert_eq!(run.exit, 4, "{run}");
    let told = run.to_string();
    assert!(told.contains("1000 includes within one another"), "{told}");
    assert!(told.contains("again.yml:1:3"), "{told}");
}

#[test]
fn includes_that_end_may_be_deep() {
    let lab = Lab::new("a")
        .playbook(&play("", "\n- include_tasks: again.yml\n"))
        .here(
            "again.yml",
            "- set_fact: {n: '{{ n | default(0) | int + 1 }}'}\n- include_tasks: again.yml\n  when: n | int < 300\n",
        );
    let run = lab.run(&[]);
    assert_eq!(run.exit, 0, "{run}");
    assert_eq!(run.recap(), "a ok=600 skipped=1");
}

#[test]
fn tags_that_no_task_has() {
    let tasks = "\n- {name: one, ping: , tags: install}\n";
    let lab = Lab::new("a").playbook(&play("", tasks));
    let run = lab.run(&["--tags", "instal,never"]);
    assert!(run.stderr.contains("no task has the tag 'instal'\nhelp: did you mean 'install'?"), "{run}");
    assert!(!run.stderr.contains("'never'"), "{run}");
    // What is included may have it.
    let included = format!("{tasks}- include_tasks: more.yml\n");
    let lab = Lab::new("a").playbook(&play("", &included)).here("more.yml", "- {ping: , tags: instal}\n");
    assert_eq!(lab.run(&["--tags", "instal"]).stderr, "");
}

#[test]
fn patterns_that_match_nobody() {
    let lab = Lab::new("web1 db1").playbook("- hosts: wbe1\n  tasks: [{ping: }]\n");
    let run = lab.run(&[]);
    assert!(run.stderr.contains("pattern, ignoring: wbe1\nhelp: did you mean 'web1'?"), "{run}");
    assert_eq!(run.exit, 0);
}

#[test]
fn python_by_the_name_of_a_module() {
    let lab =
        Lab::new("a").playbook(&play("", "\n- ping:\n")).here("library/ping.py", "").here("library/x.py", "");
    let run = lab.run(&[]);
    assert!(run.stderr.contains("library/ping.py is not run: 'ping' is fanfare's own module"), "{run}");
    assert!(!run.stderr.contains("x.py"), "{run}");
    assert_eq!(run.exit, 0);
}

#[test]
fn keys_that_an_included_file_has_twice() {
    let tasks =
        "\n- include_vars: some.yml\n- include_vars: {dir: vars/more}\n- debug: {msg: '{{ a }} {{ b }}'}\n";
    let lab = Lab::new("x").playbook(&play("", tasks));
    let lab = lab.here("vars/some.yml", "a: 1\na: 2\n").here("vars/more/b.yml", "b: 3\nb: 4\n");
    let run = lab.run(&["-v"]);
    for (name, place) in [("a", "some.yml:2:1"), ("b", "b.yml:2:1")] {
        assert!(run.stderr.contains(&format!("Found duplicate mapping key '{name}'.")), "{run}");
        assert!(run.stderr.contains(place), "{run}");
    }
    assert!(run.stdout.contains("2 4"), "{run}");
}
