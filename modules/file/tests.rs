use serde_json::{Value as Json, json};

use crate::kit::trial::Trial;

fn stage() -> Trial {
    let trial = Trial::of("file");
    trial.host.file("/d/f", "x").file("/d/sub/g", "y").link("/d/l", "f").link("/d/broken", "nowhere");
    trial
}

/// Runs with diffs on a fresh stage, after checking that check mode says the same, and twice gives no change.
fn check(args: Json, expected: Json) -> Trial {
    let trial = stage();
    let got = trial.lawful(&args);
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(got.get(key).unwrap_or(&Json::Null), value, "{key} of {got:#}");
    }
    trial
}

fn error(args: Json, message: &str) {
    let got = stage().run(&args);
    assert_eq!((&got["failed"], &got["msg"]), (&json!(true), &json!(message)));
}

#[test]
fn attributes_of_what_is_there() {
    let trial = check(
        json!({"path": "/d/f", "mode": "0600", "owner": "nobody"}),
        json!({"changed": true, "mode": "0600", "owner": "nobody", "uid": 65534, "state": "file", "size": 1,
               "path": "/d/f", "diff": {"before": {"path": "/d/f", "owner": 0, "mode": "0644"},
                                        "after": {"path": "/d/f", "owner": 65534, "mode": "0600"}}}),
    );
    assert_eq!(trial.host.meta("/d/f").unwrap().mode, 0o600);
    check(json!({"path": "/d/f", "mode": "u+x"}), json!({"mode": "0744"}));
    check(
        json!({"path": "/d/f", "mode": 0o644}),
        json!({"changed": false, "diff": {"before": {"path": "/d/f"}, "after": {"path": "/d/f"}}}),
    );
    check(json!({"path": "/d/l", "state": "file", "mode": "0600"}), json!({"path": "/d/f", "mode": "0600"}));
    check(json!({"path": "/d/f", "attributes": "+i"}), json!({"changed": true}));
    let trial = check(json!({"path": "/d/l", "mode": "0600"}), json!({"dest": "/d/l", "state": "link"}));
    assert_eq!(trial.host.meta("/d/f").unwrap().mode, 0o600);
    error(json!({"path": "/d/nope"}), "file (/d/nope) is absent, cannot continue");
    error(json!({"path": "/d", "state": "file"}), "file (/d) is directory, cannot continue");
    error(json!({"path": "/d/f", "owner": "nosuch"}), "chown failed: failed to look up user nosuch");
    error(json!({"path": "/d/f", "mode": "u=zz"}), "mode: mode must be in octal or symbolic form, got: u=zz");
    error(json!({"path": "/d/f", "src": "/d/l"}), "src option requires state to be 'link' or 'hard'");
    error(json!({"path": "/d/f", "recurse": "yes"}), "recurse option requires state to be 'directory'");
}

#[test]
fn directories() {
    let trial = check(
        json!({"path": "/d/a/b", "state": "directory", "mode": "0700"}),
        json!({"changed": true, "mode": "0700", "state": "directory", "path": "/d/a/b"}),
    );
    assert_eq!(trial.host.meta("/d/a").unwrap().mode, 0o700);
    check(json!({"path": "/d/sub", "state": "directory"}), json!({"changed": false}));
    let trial = check(
        json!({"path": "/d", "state": "directory", "recurse": true, "mode": "u=rwX,go="}),
        json!({"changed": true, "mode": "0700"}),
    );
    assert_eq!(trial.host.meta("/d/sub").unwrap().mode, 0o700);
    assert_eq!(trial.host.meta("/d/sub/g").unwrap().mode, 0o600);
    error(json!({"path": "/d/f", "state": "directory"}), "/d/f already exists as a file");
}

#[test]
fn symbolic_links() {
    let trial = check(
        json!({"path": "/d/new", "src": "/d/f", "state": "link"}),
        json!({"changed": true, "dest": "/d/new", "src": "/d/f", "state": "link",
               "diff": {"before": {"path": "/d/new", "state": "absent"},
                        "after": {"path": "/d/new", "state": "link"}}}),
    );
    assert_eq!(trial.host.read("/d/new").as_deref(), Some("x"));
    check(
        json!({"path": "/d/l", "src": "sub/g", "state": "link"}),
        json!({"diff": {"before": {"path": "/d/l", "src": "f"}, "after": {"path": "/d/l", "src": "sub/g"}}}),
    );
    check(json!({"path": "/d/l", "src": "f", "state": "link"}), json!({"changed": false}));
    check(
        json!({"path": "/d/new", "src": "/nope", "state": "link", "force": true}),
        json!({"changed": true}),
    );
    check(json!({"path": "/d/f", "src": "sub/g", "state": "link", "force": true}), json!({"changed": true}));
    error(
        json!({"path": "/d/new", "src": "/nope", "state": "link"}),
        "src file does not exist, use 'force=yes' if you really want to create the link: /nope",
    );
    error(json!({"path": "/d/new", "state": "link"}), "src is required for creating new symlinks");
    error(
        json!({"path": "/d/f", "src": "/d/sub/g", "state": "link"}),
        "refusing to convert from file to symlink for /d/f",
    );
    error(
        json!({"path": "/d/sub", "src": "/d/f", "state": "link", "force": true}),
        "the directory /d/sub is not empty, refusing to convert it",
    );
}

#[test]
fn hard_links() {
    let trial = check(json!({"path": "/d/h", "src": "/d/f", "state": "hard"}), json!({"state": "hard"}));
    assert_eq!(trial.host.meta("/d/h").unwrap().inode, trial.host.meta("/d/f").unwrap().inode);
    check(json!({"path": "/d/sub", "src": "/d/f", "state": "hard"}), json!({"dest": "/d/sub/f"}));
    error(json!({"path": "/d/h", "src": "/nope", "state": "hard"}), "src does not exist");
    error(
        json!({"path": "/d/sub/g", "src": "/d/f", "state": "hard"}),
        "Cannot link, a file exists at destination",
    );
}

#[test]
fn absence() {
    let trial = check(
        json!({"path": "/d", "state": "absent"}),
        json!({"changed": true, "path": "/d", "state": "absent"}),
    );
    assert!(trial.host.meta("/d").is_none());
    let trial = check(json!({"path": "/d/l", "state": "absent"}), json!({"changed": true}));
    assert!(trial.host.meta("/d/f").is_some());
    check(json!({"path": "/nope/x", "state": "absent"}), json!({"changed": false}));
}

#[test]
fn touching() {
    let trial = stage();
    let got = trial.run(&json!({"path": "/d/f", "state": "touch"}));
    assert_eq!((&got["changed"], &got["dest"]), (&json!(true), &json!("/d/f")));
    let preserve = json!({"path": "/d/t", "state": "touch", "access_time": "preserve",
                          "modification_time": "preserve", "mode": "0640"});
    check(preserve, json!({"changed": true, "mode": "0640", "size": 0}));
    let trial = check(
        json!({"path": "/d/f", "modification_time": "20200101", "modification_time_format": "%Y%m%d"}),
        json!({"changed": true}),
    );
    assert_eq!(trial.host.meta("/d/f").unwrap().mtime.secs / 86_400 * 86_400, 1_577_836_800);
    let got = stage().run(&json!({"path": "/d/f", "modification_time": "nonsense"}));
    assert!(got["msg"].as_str().unwrap().starts_with("Error while obtaining timestamp for time nonsense"));
}

#[test]
fn a_peek_only_looks() {
    let trial = stage();
    trial.host.file("/d/binary", b"\x7fELF\0");
    let peek = |path: &str| trial.run(&json!({"path": path, "_diff_peek": true, "state": "touch"}));
    assert_eq!((&peek("/d/f")["appears_binary"], &peek("/d/f")["state"]), (&json!(false), &json!("file")));
    assert_eq!(peek("/d/binary")["appears_binary"], true);
    assert_eq!(peek("/d")["appears_binary"], false);
    assert_eq!(peek("/d/nope"), json!({"path": "/d/nope", "appears_binary": false, "changed": false}));
}

#[test]
fn a_name_of_its_own_in_a_directory() {
    check(json!({"path": "/d", "_original_basename": "f"}), json!({"path": "/d/f", "changed": false}));
    check(
        json!({"path": "/d", "_original_basename": "new", "state": "directory"}),
        json!({"path": "/d/new", "changed": true}),
    );
    error(json!({"path": "/d", "_original_basename": "x"}), "file (/d/x) is absent, cannot continue");
}
