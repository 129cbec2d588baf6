use serde_json::{Value as Json, json};

use super::text_of;
use crate::kit::control::{ControlFile, ControlTree, TreeEntry, TreeNode};
use crate::kit::trial::{Trial, control_file};

fn stage() -> Trial {
    let trial = Trial::of("copy");
    trial.host.file("/d/f", "old\n").link("/d/l", "f").file("/src/a", "A").file("/src/sub/b", "B");
    trial.host.set_mode_of("/src/a", 0o600).set_mode_of("/d/f", 0o640);
    trial.host.answer("check", 0, "").answer("refuse", 1, "no good");
    trial
}

fn check(args: Json, expected: Json) -> Trial {
    let trial = stage();
    let got = trial.lawful(&args);
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(got.get(key).unwrap_or(&Json::Null), value, "{key} of {got:#}");
    }
    trial
}

fn error(args: Json, message: &str) -> Trial {
    let trial = stage();
    let before = trial.host.snapshot();
    let got = trial.run(&args);
    assert_eq!((&got["failed"], &got["msg"]), (&json!(true), &json!(message)), "{got:#}");
    assert_eq!(trial.host.snapshot(), before);
    trial
}

#[test]
fn content_given_right_here() {
    let trial = check(
        json!({"content": "hi\n", "dest": "/d/new", "mode": "0600", "owner": "nobody"}),
        json!({"changed": true, "dest": "/d/new", "checksum": "55ca6286e3e4f4fba5d0448333fa99fc5a404a73",
               "md5sum": "764efa883dda1e11db47671c4a3bbd9e", "mode": "0600", "owner": "nobody", "size": 3,
               "state": "file",
               "diff": [{"before": "", "after": "hi\n", "after_header": "/d/new"}]}),
    );
    assert_eq!(trial.host.read("/d/new").unwrap(), "hi\n");
    let trial = check(
        json!({"content": "new\n", "dest": "/d/f"}),
        json!({"mode": "0640", "diff": [{"before": "old\n", "before_header": "/d/f",
                                         "after": "new\n", "after_header": "/d/f"}]}),
    );
    assert_eq!(trial.host.meta("/d/f").unwrap().mode, 0o640);
    check(
        json!({"content": "old\n", "dest": "/d/f", "mode": "0600"}),
        json!({"changed": true, "md5sum": null, "diff": {"before": {"path": "/d/f", "mode": "0640"},
                                         "after": {"path": "/d/f", "mode": "0600"}}}),
    );
    check(json!({"content": "", "dest": "/d/empty"}), json!({"changed": true, "size": 0}));
    for (content, text) in [
        (json!({"a": [1, "\u{fc}\u{1f600}"]}), "{\"a\": [1, \"\\u00fc\\ud83d\\ude00\"]}"),
        (json!(true), "True"),
        (json!(5), "5"),
    ] {
        assert_eq!(text_of(&content), text);
    }
    error(json!({"content": "x", "dest": "/d/"}), "can not use content with a dir as dest");
    error(json!({"content": "x", "dest": "/nope/x"}), "Destination directory /nope does not exist");
    error(json!({"dest": "/d/x"}), "src (or content) is required");
    error(json!({"src": "", "dest": "/d/x"}), "src (or content) is required");
    error(
        json!({"content": "x", "dest": "/d/x", "checksum": "abc"}),
        "Copied file does not match the expected checksum. Transfer failed.",
    );
}

#[test]
fn a_file_of_the_control_node() {
    let file = control_file("a.conf", "new\n");
    check(json!({"src": file, "dest": "/d"}), json!({"dest": "/d/a.conf"}));
    let trial = check(
        json!({"src": file, "dest": "/d/x/y/", "directory_mode": "0700"}),
        json!({"dest": "/d/x/y/a.conf"}),
    );
    assert_eq!(trial.host.meta("/d/x").unwrap().mode, 0o700);
    let trial = check(json!({"src": file, "dest": "/d/l", "follow": true}), json!({"dest": "/d/f"}));
    assert_eq!(trial.host.read("/d/f").unwrap(), "new\n");
    let trial = check(json!({"src": file, "dest": "/d/l"}), json!({"changed": true}));
    assert!(!trial.host.meta("/d/l").unwrap().is_link());
    assert_eq!(trial.host.read("/d/f").unwrap(), "old\n");
    check(json!({"src": file, "dest": "/d/f", "force": false, "mode": "0600"}), json!({"changed": false}));
    let mut source = ControlFile::inline("s", b"#!");
    source.mode = Some(0o751);
    check(json!({"src": source, "dest": "/d/s", "mode": "preserve"}), json!({"mode": "0751"}));
}

#[test]
fn backups_and_checks() {
    let trial = stage();
    let got = trial.run(&json!({"content": "new", "dest": "/d/f", "backup": true}));
    let backup = got["backup_file"].as_str().unwrap();
    assert!(backup.starts_with("/d/f.") && backup.ends_with('~'), "{backup}");
    assert_eq!(trial.host.read(backup).unwrap(), "old\n");
    assert_eq!(trial.host.meta(backup).unwrap().mode, 0o640);
    check(json!({"content": "new", "dest": "/d/f", "validate": "check %s"}), json!({"changed": true}));
    error(
        json!({"content": "new", "dest": "/d/f", "validate": "refuse %s"}),
        "failed to validate: rc:1 error:no good",
    );
    error(
        json!({"content": "new", "dest": "/d/f", "validate": "refuse"}),
        "validate must contain %s: refuse",
    );
}

#[test]
fn a_directory_of_the_control_node() {
    let entry = |path: &str, what| TreeEntry { path: path.to_owned(), what };
    let tree = |contents_only| {
        serde_json::to_value(ControlTree {
            name: "site".to_owned(),
            source: "/home/me/site".to_owned(),
            contents_only,
            mode: None,
            entries: vec![
                entry("a", TreeNode::File(ControlFile::inline("a", b"A"))),
                entry("sub", TreeNode::Dir { mode: None }),
                entry("sub/b", TreeNode::File(ControlFile::inline("b", b"B"))),
                entry("sub/l", TreeNode::Link { target: "b".to_owned() }),
            ],
        })
        .unwrap()
    };
    let trial = check(
        json!({"src": tree(false), "dest": "/d", "mode": "0600", "directory_mode": "0711", "owner": "nobody"}),
        json!({"changed": true, "dest": "/d/", "src": "/home/me/site"}),
    );
    assert_eq!(trial.host.read("/d/site/sub/l").unwrap(), "B");
    let (dir, file) = (trial.host.meta("/d/site/sub").unwrap(), trial.host.meta("/d/site/a").unwrap());
    assert_eq!((dir.mode, dir.uid, file.mode, file.uid), (0o711, 65534, 0o600, 65534));
    assert_eq!(trial.host.meta("/d").unwrap().mode, 0o755);
    let trial = check(json!({"src": tree(true), "dest": "/new/x"}), json!({"dest": "/new/x/"}));
    assert_eq!(trial.host.read("/new/x/sub/b").unwrap(), "B");
}

#[test]
fn from_the_target_itself() {
    let trial = check(
        json!({"src": "/src/a", "dest": "/d/a", "remote_src": true, "mode": "preserve"}),
        json!({"changed": true, "src": "/src/a", "dest": "/d/a", "mode": "0600"}),
    );
    assert_eq!(trial.host.read("/d/a").unwrap(), "A");
    let trial =
        check(json!({"src": "/src", "dest": "/d/new", "remote_src": true}), json!({"dest": "/d/new"}));
    assert_eq!(trial.host.read("/d/new/src/sub/b").unwrap(), "B");
    let trial = check(
        json!({"src": "/src/", "dest": "/d/new", "remote_src": true, "directory_mode": "0711", "owner": "nobody"}),
        json!({"dest": "/d/new", "mode": "0711"}),
    );
    // What is replaced gets the mode of what it was copied from, unless another is asked for.
    check(json!({"src": "/src/a", "dest": "/d/f", "remote_src": true}), json!({"mode": "0600"}));
    check(
        json!({"src": "/src/a", "dest": "/d/f", "remote_src": true, "mode": "0644"}),
        json!({"mode": "0644"}),
    );
    let (top, file) = (trial.host.meta("/d/new").unwrap(), trial.host.meta("/d/new/a").unwrap());
    assert_eq!((top.mode, file.mode, file.uid), (0o711, 0o600, 65534));
    error(json!({"src": "/nope", "dest": "/d/a", "remote_src": true}), "Source /nope not found");
}
