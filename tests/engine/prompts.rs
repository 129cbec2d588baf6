//! `vars_prompt`, as far as nobody is asked: a test may have a terminal.

use super::play;
use crate::lab::Lab;

#[test]
fn what_the_command_line_gives_is_not_asked_for() {
    let keywords = "vars: {a: own}\nvars_prompt:\n  - {name: a, default: 'x'}\n  - {name: b, confirm: true}";
    let lab = Lab::new("a").playbook(&play(keywords, "- {name: one, debug: {msg: '{{ a }} {{ b }}'}}"));
    let run = lab.run(&["-e", "a=1 b=2"]);
    assert_eq!(run.message("a", "one"), "1 2", "{run}");
}

#[test]
fn questions_that_make_no_sense_are_errors_before_anything_runs() {
    for (prompt, expected) in [
        ("[{name: a, promt: x}]", "found unsupported key 'promt'"),
        ("[{prompt: x}]", "missing 'name' key"),
        ("[a]", "expected a dictionary"),
        ("[{name: a b}]", "Invalid variable name 'a b'."),
        ("[{name: a, default: '{{ nope }}'}]", "'nope' is undefined"),
        ("[{name: a, private: perhaps}]", "is not a valid boolean"),
        ("[{name: a, salt_size: much, encrypt: md5_crypt}]", "is not a number"),
    ] {
        let lab = Lab::new("a").playbook(&play(&format!("vars_prompt: {prompt}"), "- {name: one, ping: }"));
        let run = lab.run(&[]);
        assert_eq!((run.exit, run.order().as_str()), (4, ""), "{prompt} {run}");
        assert!(format!("{run}").contains(expected), "{prompt} {run}");
    }
}
