//! Against an engine in memory. The real one is asked by tests/conformance/cases/modules/docker_image.case.

use serde_json::{Value as Json, json};

use crate::docker::{fake, saved};
use crate::kit::trial::Trial;

struct Lab {
    trial: Trial,
    engine: fake::Engine,
}

impl Lab {
    fn new() -> Self {
        let trial = Trial::of("docker_image");
        let engine = fake::serve(&trial.host);
        Self { trial, engine }
    }

    fn asked(&self) -> Vec<String> {
        self.engine.lock().unwrap().asked.clone()
    }

    /// Its actions, in check mode and then; whether something changed.
    fn actions(&self, args: &Json) -> (Json, bool) {
        let asked = self.asked().len();
        let foretold = self.trial.check(args);
        assert_eq!(self.asked().len(), asked, "check mode did something");
        let done = self.trial.run(args);
        assert_eq!(done["failed"], Json::Null, "{args}: {done}");
        assert_eq!(foretold["actions"], done["actions"], "{args}");
        (done["actions"].clone(), done["changed"] == true)
    }

    fn fails(&self, args: &Json) -> String {
        let failed = self.trial.run(args);
        assert_eq!(failed["failed"], true, "{args}: {failed}");
        failed["msg"].as_str().unwrap().to_owned()
    }
}

#[test]
fn images_come_and_go() {
    let lab = Lab::new();
    for (args, action, changed) in [
        (json!({"name": "tiny:1", "source": "local"}), None, false),
        (json!({"name": "app", "tag": "2", "source": "pull"}), Some("Pulled image app:2"), true),
        (json!({"name": "app:2", "source": "pull"}), None, false),
        (
            json!({"name": "app:2", "source": "local", "repository": "r/a"}),
            Some("Tagged image app:2 to r/a:2"),
            true,
        ),
        (json!({"name": "app:2", "source": "local", "repository": "r/a"}), None, false),
        (
            json!({"name": "app:2", "source": "local", "repository": "r/a", "force_tag": true}),
            Some("Tagged image app:2 to r/a:2"),
            false,
        ),
        (json!({"name": "app:2", "source": "local", "push": true}), Some("Pushed image app to app:2"), true),
        (json!({"name": "app:2", "state": "absent"}), Some("Removed image app:2"), true),
        (json!({"name": "app:2", "state": "absent"}), None, false),
    ] {
        let expected = action.map_or(json!([]), |action| json!([action]));
        assert_eq!(lab.actions(&args), (expected, changed), "{args}");
    }
}

#[test]
fn an_image_is_built_of_a_directory() {
    let lab = Lab::new();
    lab.trial.host.file("/c/Dockerfile", "FROM scratch\n").file("/c/keep", "x").file("/c/x.log", "y");
    lab.trial.host.file("/c/.dockerignore", "*.log\n").dir("/tmp");
    let args = json!({
        "name": "b:1", "source": "build",
        "build": {"path": "/c", "args": {"A": 1}, "labels": {"l": "m"}, "container_limits": {"memory": "1M"}},
    });
    assert_eq!(lab.actions(&args), (json!(["Built image b:1 from /c"]), true));
    let asked = lab.asked()[0].clone();
    for part in
        ["t=b%3A1", "rm=True", "buildargs=%7B%22A%22%3A%221%22%7D", "memory=1048576", "Dockerfile", "keep"]
    {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    assert!(!asked.contains("x.log"), "{asked}");
    assert_eq!(lab.trial.host.list_of("/tmp"), "");
    assert_eq!(lab.actions(&args), (json!([]), false));
}

#[test]
fn archives_are_loaded_and_written() {
    let lab = Lab::new();
    let id = format!("{:064x}", 1);
    let manifest = format!(r#"[{{"Config":"{id}.json","RepoTags":["tiny:1"]}}]"#);
    lab.engine.lock().unwrap().archive = saved::archive_of(&manifest);
    lab.trial.host.dir("/a");
    let args = json!({"name": "tiny:1", "source": "local", "archive_path": "/a/t.tar"});
    let written = json!(["Archived image tiny:1 to /a/t.tar, since none present"]);
    assert_eq!(lab.actions(&args), (written, true));
    assert_eq!(lab.actions(&args), (json!([]), false));
    lab.trial.host.file("/a/t.tar", "oops");
    let again = json!(["Archived image tiny:1 to /a/t.tar, overwriting an unreadable archive file"]);
    assert_eq!(lab.actions(&args), (again, true));
    let load = json!({"name": "loaded:1", "source": "load", "load_path": "/a/t.tar"});
    assert_eq!(lab.actions(&load), (json!(["Loaded image loaded:1 from /a/t.tar"]), true));
    assert_eq!(
        lab.fails(&json!({"name": "other:1", "source": "load", "load_path": "/a/t.tar"})),
        "The archive did not contain image 'other:1'. Instead, found 'loaded:1'."
    );
}

#[test]
fn what_goes_wrong_is_told() {
    let lab = Lab::new();
    let id = format!("sha256:{}", "1d".repeat(32));
    for (args, msg) in [
        (json!({"name": "x:1", "source": "local"}), "Cannot find the image x:1 locally.".to_owned()),
        (
            json!({"name": "nope:1", "source": "pull"}),
            "Error pulling nope - code: 4 message: denied".to_owned(),
        ),
        (
            json!({"name": "x", "source": "load", "load_path": "/no"}),
            "Error loading image x. Specified path /no does not exist.".to_owned(),
        ),
        (
            json!({"name": "x", "source": "build", "build": {"path": "/no"}}),
            "Requested build path /no could not be found or you do not have access.".to_owned(),
        ),
        (
            json!({"name": id, "source": "pull"}),
            format!("Image name must not be an image ID for source=pull; got: {id}"),
        ),
        (json!({"name": "x"}), "state is present but all of the following are missing: source".to_owned()),
    ] {
        assert_eq!(lab.fails(&args), msg, "{args}");
    }
    let msg = lab.fails(&json!({"name": "x", "source": "build", "build": {"path": "/no", "foo": 1}}));
    assert!(msg.starts_with("Unsupported parameters: build.foo."), "{msg}");
}
