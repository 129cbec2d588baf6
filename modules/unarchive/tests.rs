use serde_json::{Value as Json, json};

use crate::kit::Output;
use crate::kit::trial::{Trial, control_file};

/// A host whose `tar` knows one archive, with `a/f` in it.
fn stage(compared: i32, said: &'static str) -> Trial {
    let trial = Trial::of("unarchive");
    trial.host.program("/usr/bin/tar").dir("/d").file("/t.tgz", "\u{1f}rest");
    trial.host.answer("/usr/bin/tar --list", 0, "a/\na/f\n").answer("/usr/bin/tar --diff", compared, said);
    trial.host.script("/usr/bin/tar --extract", |_, host| {
        host.make_dir(std::path::Path::new("/d/a"), 0o777).unwrap();
        let how = crate::kit::host::Placement::default();
        host.place(std::path::Path::new("/d/a/f"), &mut &b"f"[..], &how).unwrap();
        Output::default()
    });
    trial
}

fn check(trial: &Trial, more: &Json, expected: &Json) {
    let mut args = json!({"src": "/t.tgz", "dest": "/d", "remote_src": true});
    args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let foretold = trial.check(&args)["changed"].clone();
    let result = trial.run(&args);
    assert_eq!(foretold, result["changed"], "{args}");
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&result[key], value, "{key} of {args}: {result:#}");
    }
}

#[test]
fn only_what_differs_is_unpacked() {
    let missing = "tar: a: Warning: Cannot stat: No such file or directory\n";
    let trial = stage(1, missing);
    check(
        &trial,
        &json!({"list_files": true, "mode": "0700", "exclude": ["b"]}),
        &json!({"changed": true, "files": ["a/", "a/f"], "handler": "TarArchive", "dest": "/d"}),
    );
    assert_eq!(trial.host.meta("/d/a/f").unwrap().mode, 0o700);
    assert!(trial.host.ran().contains(&"/usr/bin/tar --extract -C /d --exclude=b -f /t.tgz".to_owned()));
    check(&stage(0, ""), &json!({}), &json!({"changed": false, "extract_results": null}));
    check(&stage(1, "a/f: Mode differs\n"), &json!({"mode": "0700"}), &json!({"changed": false}));
    check(&stage(1, "a/f: Uid differs\n"), &json!({"owner": "root"}), &json!({"changed": false}));
    check(&stage(1, "a/f: Mode differs\n"), &json!({}), &json!({"changed": true}));
    check(
        &stage(0, ""),
        &json!({"creates": "/t.*"}),
        &json!({"changed": false, "skipped": true, "msg": "skipped, since /t.* exists"}),
    );
}

#[test]
fn archives_of_the_control_node_travel_and_go() {
    let trial = stage(1, "a: Mode differs\n");
    let args = json!({"src": control_file("x.tar", "data"), "dest": "/d"});
    assert_eq!(trial.check(&args)["changed"], true);
    assert_eq!(trial.run(&args)["changed"], true);
    assert_eq!(trial.host.list_of("/tmp"), "", "the archive was left behind");
}

#[test]
fn failures_say_what_is_wrong() {
    let trial = stage(0, "");
    check(
        &trial,
        &json!({"dest": "/no"}),
        &json!({"failed": true, "msg": "dest '/no' must be an existing dir"}),
    );
    check(
        &trial,
        &json!({"src": "/no.tgz"}),
        &json!({"failed": true, "msg": "Source '/no.tgz' does not exist"}),
    );
    trial.host.file("/z.zip", "PK");
    check(&trial, &json!({"src": "/z.zip"}), &json!({"failed": true}));
    trial.host.script("/usr/bin/tar --extract", |_, _| Output { code: 2, ..Output::default() });
    trial.host.answer("/usr/bin/tar --diff", 1, "a: Size differs\n");
    let args = json!({"src": "/t.tgz", "dest": "/d", "remote_src": true});
    let result = trial.run(&args);
    assert_eq!(
        (&result["msg"], &result["changed"]),
        (&json!("failed to unpack /t.tgz to /d"), &json!(false))
    );
}
