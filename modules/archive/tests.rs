use serde_json::{Value as Json, json};

use crate::kit::trial::Trial;

fn trial() -> Trial {
    let trial = Trial::of("archive");
    trial.host.file("/d/a/f", "one\n").file("/d/a/b/g", "two\n").file("/d/one", "three\n").dir("/o");
    trial.host.link("/d/a/l", "f");
    trial
}

#[test]
fn trees_are_packed_and_again_nothing_changes() {
    for (format, dest) in [("gz", "/o/a.tgz"), ("tar", "/o/a.tar"), ("zip", "/o/a.zip")] {
        let trial = trial();
        let args = json!({"path": "/d/a", "dest": dest, "format": format, "mode": "0600"});
        let result = trial.lawful(&args);
        assert_eq!(result["changed"], true, "{result:#}");
        assert_eq!(
            result["archived"].as_array().map(Vec::len),
            Some(if format == "zip" { 3 } else { 4 }),
            "{result:#}"
        );
        assert_eq!((&result["dest_state"], &result["arcroot"]), (&json!("archive"), &json!("/d/")));
        trial.host.file("/d/a/f", "ONE\n");
        assert_eq!(trial.check(&args)["changed"], true);
        assert_eq!(trial.run(&args)["changed"], true);
        assert_eq!(trial.run(&args)["changed"], false);
    }
}

#[test]
fn a_single_file_is_compressed_in_its_place() {
    let trial = trial();
    let result = trial.lawful(&json!({"path": "/d/one"}));
    assert_eq!((&result["dest"], &result["dest_state"]), (&json!("/d/one.gz"), &json!("compress")));
    let result = trial.run(&json!({"path": "/d/one", "remove": true}));
    assert_eq!((&result["changed"], trial.host.read("/d/one")), (&json!(true), None), "{result:#}");
    let result = trial.run(&json!({"path": "/d/one", "remove": true}));
    assert_eq!((&result["changed"], &result["missing"]), (&json!(false), &json!(["/d/one"])), "{result:#}");
}

#[test]
fn some_are_left_out() {
    let names = |args: Json| {
        let mut whole = json!({"dest": "/o/x.tar", "format": "tar"});
        whole.as_object_mut().unwrap().extend(args.as_object().unwrap().clone());
        trial().run(&whole)["archived"].to_string()
    };
    assert_eq!(names(json!({"path": "/d/*", "exclude_path": "/d/a"})), r#"["/d/one"]"#);
    assert_eq!(names(json!({"path": "/d/a", "exclusion_patterns": ["*/g", "a/[fl]"]})), r#"["/d/a/b"]"#);
    assert_eq!(names(json!({"path": ["/d/one", "/d/none"]})), r#"["/d/one"]"#);
}

#[test]
fn what_cannot_be_is_an_error() {
    let said = |args: Json| trial().run(&args)["msg"].as_str().unwrap_or_default().to_owned();
    assert!(said(json!({"path": "/d/a"})).contains("must specify \"dest\""));
    assert!(said(json!({"path": "/d/no*", "dest": "/o/x"})).contains("no source paths"));
    assert!(
        said(json!({"path": "/d/a", "dest": "/d/a/x.tgz", "remove": true})).contains("can not be contained")
    );
    let said = said(json!({"path": "/d/a", "dest": "/o/x", "format": "xz"}));
    assert_eq!(said, "format: xz needs the program xz on this host");
}
