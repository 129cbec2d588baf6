//! Against an engine in memory. The real one is asked by tests/conformance/cases/modules/docker_container.case.

use serde_json::{Value as Json, json};

use crate::docker::fake;
use crate::kit::trial::Trial;

struct Lab {
    trial: Trial,
    engine: fake::Engine,
}

impl Lab {
    fn new() -> Self {
        let trial = Trial::of("docker_container");
        let engine = fake::serve(&trial.host);
        Self { trial, engine }
    }

    /// What changes, in check mode and then: states before and after.
    fn changes(&self, args: &Json) -> Json {
        let asked = self.asked();
        let foretold = self.trial.check(args);
        assert_eq!(self.asked(), asked, "check mode did something");
        let done = self.trial.run(args);
        assert_eq!(foretold["changed"], done["changed"], "{args}: {foretold} {done}");
        assert_eq!(done["failed"], Json::Null, "{done}");
        let again = self.trial.check(args);
        let is_each_time = args.get("recreate").or(args.get("restart")).is_some();
        assert_eq!(again["changed"], is_each_time, "{args} again: {again}");
        foretold["diff"].clone()
    }

    fn fails(&self, args: &Json) -> String {
        let failed = self.trial.run(args);
        assert_eq!(failed["failed"], true, "{failed}");
        failed["msg"].as_str().unwrap().to_owned()
    }

    fn asked(&self) -> Vec<String> {
        self.engine.lock().unwrap().asked.clone()
    }

    /// What was asked since, without ids.
    fn verbs_since(&self, before: usize) -> Vec<String> {
        let short = |line: &String| {
            let path = line.split([' ', '?']).nth(1).unwrap_or_default();
            format!(
                "{} {}",
                line.split(' ').next().unwrap_or_default(),
                path.rsplit('/').next().unwrap_or_default()
            )
        };
        self.asked()
            .iter()
            .skip(before)
            .map(short)
            .map(|line| if line.len() > 60 { "DELETE".to_owned() } else { line })
            .collect()
    }
}

fn web(more: Json) -> Json {
    let mut args = json!({"name": "web", "image": "tiny:1"});
    args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    args
}

#[test]
fn a_container_is_made_once_and_changed_in_place_or_anew() {
    let lab = Lab::new();
    let exists = json!({"before": {"exists": false}, "after": {"exists": true}});
    assert_eq!(lab.changes(&web(json!({"env": {"B": "b"}}))), exists);
    assert_eq!(lab.verbs_since(0), ["POST create", "POST start"]);
    let before = lab.asked().len();
    let memory = json!({"before": {"memory": null}, "after": {"memory": 1_048_576}});
    assert_eq!(lab.changes(&web(json!({"env": {"B": "b"}, "memory": "1M"}))), memory);
    assert_eq!(lab.verbs_since(before), ["POST update"]);
    let before = lab.asked().len();
    let env = json!({
        "before": {"env": ["A=1", "B=b", "PATH=/bin"]}, "after": {"env": ["A=1", "B=c", "PATH=/bin"]},
    });
    assert_eq!(lab.changes(&web(json!({"env": {"B": "c"}, "force_kill": true}))), env);
    assert_eq!(lab.verbs_since(before), ["POST kill", "DELETE", "POST create", "POST start"]);
}

#[test]
fn what_an_image_brings_along_is_no_difference() {
    let lab = Lab::new();
    lab.changes(&web(json!({
        "labels": {"a": "b"}, "ports": ["8080:80", "81"], "volumes": ["/x:/y", "/z"], "exposed_ports": ["90"],
        "comparisons": {"*": "strict"},
    })));
    assert!(
        lab.asked()[0].contains(r#""ExposedPorts":{"90/tcp":{},"80/tcp":{},"81/tcp":{}}"#),
        "{:?}",
        lab.asked()
    );
    assert!(lab.asked()[0].contains(r#""Binds":["/x:/y:rw"]"#), "{:?}", lab.asked());
}

#[test]
fn processes_of_others_are_seen_by_wish() {
    let lab = Lab::new();
    lab.changes(&web(json!({"pid_mode": "host"})));
    assert!(lab.asked()[0].contains(r#""PidMode":"host""#), "{:?}", lab.asked());
    let diff = lab.changes(&web(json!({"pid_mode": ""})));
    assert_eq!(diff["before"]["pid_mode"], "host");
}

#[test]
fn states_follow_each_other() {
    let lab = Lab::new();
    for (args, verbs) in [
        (json!({"state": "present"}), &["POST create"][..]),
        (json!({"state": "stopped"}), &[]),
        (json!({}), &["POST start"]),
        (json!({"paused": true}), &["POST pause"]),
        (json!({"state": "stopped"}), &["POST stop", "POST unpause", "POST stop"]),
        (json!({"restart_policy": "always"}), &["POST update", "POST start"]),
        (json!({"restart": true}), &["POST restart"]),
        (
            json!({"recreate": true, "keep_volumes": false}),
            &["POST stop", "DELETE", "POST create", "POST start"],
        ),
        (json!({"state": "absent"}), &["POST stop", "DELETE"]),
        (json!({"state": "absent"}), &[]),
    ] {
        let before = lab.asked().len();
        let given =
            if args["state"] == "absent" { json!({"name": "web", "state": "absent"}) } else { web(args) };
        lab.changes(&given);
        assert_eq!(lab.verbs_since(before), verbs, "{given}");
    }
}

#[test]
fn images_are_pulled_when_they_are_wanted() {
    let lab = Lab::new();
    lab.changes(&json!({"name": "a", "image": "other"}));
    assert_eq!(lab.verbs_since(0), ["POST create", "POST create", "POST start"]);
    assert!(
        lab.asked()[0].starts_with("POST /images/create?tag=latest&fromImage=other "),
        "{:?}",
        lab.asked()
    );
    assert_eq!(
        lab.fails(&json!({"name": "b", "image": "x:1", "pull": "never"})),
        "Cannot find image with name x:1, and pull=never"
    );
    assert_eq!(
        lab.fails(&json!({"name": "b", "image": "nope:1"})),
        "Error pulling nope - code: 4 message: denied"
    );
    assert_eq!(lab.fails(&json!({"name": "b"})), "Cannot create container when image is not specified!");
}

#[test]
fn what_the_engine_refuses_is_no_change() {
    let lab = Lab::new();
    let args = web(json!({"command": "nope"}));
    // It was made, and could not be started.
    for changed in [true, false] {
        let failed = lab.trial.run(&args);
        assert_eq!((&failed["failed"], &failed["changed"]), (&json!(true), &json!(changed)), "{failed}");
        assert!(failed["msg"].as_str().unwrap().starts_with("Error starting container"), "{failed}");
    }
}

#[test]
fn networks_are_joined_and_left() {
    let lab = Lab::new();
    let network = |name: &str| json!({"Name": name, "Id": name, "Driver": "bridge", "Options": {}});
    lab.engine.lock().unwrap().networks.extend([network("one"), network("two")]);
    lab.changes(&web(json!({"networks": [{"name": "one", "aliases": ["w"]}]})));
    assert!(lab.asked()[0].contains(r#""EndpointsConfig":{"one":{"Aliases":["w"]}}"#), "{:?}", lab.asked());
    let before = lab.asked().len();
    lab.changes(&web(json!({"networks": [{"name": "one", "aliases": ["w", "x"]}, {"name": "two"}]})));
    assert_eq!(lab.verbs_since(before), ["POST disconnect", "POST connect", "POST connect"]);
    let before = lab.asked().len();
    lab.changes(&web(json!({"networks": [{"name": "one"}], "comparisons": {"networks": "strict"}})));
    assert_eq!(lab.verbs_since(before), ["POST disconnect"]);
    let missing = lab.fails(&web(json!({"networks": [{"name": "three"}]})));
    assert_eq!(missing, "Parameter error: network named three could not be found. Does it exist?");
}

#[test]
fn what_is_not_supported_says_so() {
    let lab = Lab::new();
    for (args, part) in [
        (json!({"docker_host": "ssh://me@there"}), "docker_host ssh://me@there is not supported"),
        (json!({"use_ssh_client": true}), "use_ssh_client is not supported"),
        (json!({"docker_host": "unix:///nowhere"}), "the Docker engine at unix:///nowhere does not answer"),
        (json!({"comparisons": {"foo": "strict"}}), "Unknown module option 'foo' in comparisons dict!"),
        (json!({"comparisons": {"state": "strict"}}), "Unknown module option 'state' in comparisons dict!"),
        (json!({"comparisons": {"env": "loose"}}), "Unknown comparison mode 'loose'!"),
        (json!({"comparisons": {"user": "allow_more_present"}}), "Option 'user' is a value"),
        (json!({"env": {"a": true}}), "Non-string value found for env option."),
        (json!({"networks": [{"name": "x", "foo": 1}]}), "Unsupported parameters: networks.foo."),
        (json!({"memory": "lots"}), "Failed to convert memory to bytes"),
        (json!({"volumes": ["./x:/x"]}), "is no whole path"),
    ] {
        let msg = lab.fails(&web(args.clone()));
        assert!(msg.contains(part), "{args}: {msg}");
    }
}

#[test]
fn what_cannot_change_in_place_is_made_anew() {
    let lab = Lab::new();
    lab.changes(&web(json!({})));
    for (args, option, after) in [
        (json!({"cpus": 0.5}), "cpus", json!(500_000_000)),
        (json!({"pids_limit": 50}), "pids_limit", json!(50)),
        (
            json!({"ulimits": ["n:2", "c:10"]}),
            "ulimits",
            json!([
                {"Name": "c", "Soft": 10, "Hard": 10}, {"Name": "n", "Soft": 2, "Hard": 2},
            ]),
        ),
    ] {
        let before = lab.asked().len();
        let diff = lab.changes(&web(args));
        assert_eq!(diff["after"][option], after);
        assert_eq!(lab.verbs_since(before), ["POST stop", "DELETE", "POST create", "POST start"], "{option}");
    }
    let diff = lab.changes(&web(json!({"healthcheck": {"test": "true"}})));
    assert_eq!(diff["before"]["healthcheck"], json!({"Test": ["NONE"]}));
    lab.engine.lock().unwrap().images.push(fake::image("tiny:2", 2));
    let diff = lab.changes(&json!({"name": "web", "image": "tiny:2"}));
    assert_eq!(diff["image_different"], true);
}

#[test]
fn a_container_that_ran_to_its_end_is_cleaned_up_however_it_ended() {
    let lab = Lab::new();
    let args = web(json!({"detach": false, "cleanup": true, "command": "ends 3"}));
    let foretold = lab.trial.check(&args);
    assert_eq!((&foretold["changed"], foretold.get("container")), (&json!(true), None), "{foretold}");
    let ended = lab.trial.run(&args);
    assert_eq!((&ended["failed"], &ended["status"]), (&json!(true), &json!(3)), "{ended}");
    assert_eq!(ended["container"].as_object().unwrap().keys().collect::<Vec<_>>(), ["Output"]);
    assert!(lab.engine.lock().unwrap().containers.is_empty());
}

#[test]
fn what_a_container_said_stands_in_the_log_where_that_is_asked() {
    let lab = Lab::new();
    lab.engine.lock().unwrap().said = b"\x01\0\0\0\0\0\0\x06hello\n".to_vec();
    let args = json!({"name": "said", "image": "tiny:1", "detach": false, "output_logs": true,
                      "log_driver": "json-file"});
    let warned = lab.trial.run(&args);
    assert!(warned["warnings"].to_string().contains("no program logger"), "{warned}");
    lab.trial.host.program("/usr/bin/logger").answer("/usr/bin/logger", 0, "");
    let mut again = args;
    again["recreate"] = true.into();
    lab.trial.run(&again);
    assert_eq!(lab.trial.host.ran(), ["/usr/bin/logger -t ansible-docker_container"]);
}

#[test]
fn an_older_engine_is_not_told_what_it_would_pass_over() {
    let lab = Lab::new();
    let network = json!({"Name": "one", "Id": "one", "Driver": "bridge", "Options": {}});
    lab.engine.lock().unwrap().networks.push(network);
    for (args, version, option) in [
        (json!({"networks": [{"name": "one", "gw_priority": 1}]}), "1.48", "networks.gw_priority"),
        (
            json!({"healthcheck": {"test": "true", "start_interval": "1s"}}),
            "1.44",
            "healthcheck.start_interval",
        ),
        (json!({"mounts": [{"type": "image", "source": "i", "target": "/i"}]}), "1.47", "mounts.type=image"),
        (
            json!({"mounts": [{"type": "tmpfs", "target": "/t", "tmpfs_options": [{"noexec": null}]}]}),
            "1.46",
            "mounts.tmpfs_options",
        ),
    ] {
        let expected = format!(
            "Docker API version is 1.41. Minimum version required is {version} to set {option} option."
        );
        assert_eq!(lab.fails(&web(args)), expected);
    }
    assert!(lab.asked().is_empty());
}
