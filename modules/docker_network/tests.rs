use serde_json::{Value as Json, json};

use crate::docker::fake;
use crate::kit::trial::Trial;

struct Lab {
    trial: Trial,
    engine: fake::Engine,
}

impl Lab {
    fn new() -> Self {
        let trial = Trial::of("docker_network");
        let engine = fake::serve(&trial.host);
        for name in ["a", "b"] {
            let container = json!({"Id": name.repeat(64), "Name": format!("/{name}"), "NetworkSettings": {"Networks": {}}});
            engine.lock().unwrap().containers.push(container);
        }
        Self { trial, engine }
    }

    /// What it does, in check mode and then; nothing again.
    fn actions(&self, more: &Json) -> Json {
        let mut args = json!({"name": "n", "debug": true});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let asked = self.engine.lock().unwrap().asked.len();
        let foretold = self.trial.check(&args);
        assert_eq!(self.engine.lock().unwrap().asked.len(), asked, "check mode did something");
        let done = self.trial.run(&args);
        assert_eq!(done["failed"], Json::Null, "{done}");
        assert_eq!(foretold["changed"], done["changed"], "{args}");
        assert_eq!(foretold["actions"], done["actions"], "{args}");
        assert_eq!(self.trial.check(&args)["changed"], args.get("force").is_some(), "{args} again");
        done["actions"].clone()
    }
}

const MADE: &str = "Created network n with driver bridge";

#[test]
fn a_network_is_made_once_and_anew_where_it_differs() {
    let lab = Lab::new();
    let config = json!([{"subnet": "10.9.0.0/24", "aux_addresses": {"h": "10.9.0.9"}}]);
    assert_eq!(lab.actions(&json!({"ipam_config": config, "labels": {"a": 1}})), json!([MADE]));
    let asked = lab.engine.lock().unwrap().asked[0].clone();
    assert!(
        asked.contains(r#""Config":[{"Subnet":"10.9.0.0/24","AuxiliaryAddresses":{"h":"10.9.0.9"}}]"#),
        "{asked}"
    );
    assert_eq!(lab.actions(&json!({})), json!([]));
    for other in [
        json!({"internal": true}),
        json!({"labels": {"a": "2"}}),
        json!({"driver_options": {"x": true}}),
        json!({"ipam_config": [{"subnet": "fd00:01::/64"}]}),
        json!({"force": true}),
    ] {
        assert_eq!(lab.actions(&other), json!(["Removed network n", MADE]), "{other}");
    }
    assert_eq!(lab.actions(&json!({"state": "absent"})), json!(["Removed network n"]));
    assert_eq!(lab.actions(&json!({"state": "absent"})), json!([]));
}

#[test]
fn containers_join_and_leave() {
    let lab = Lab::new();
    assert_eq!(lab.actions(&json!({"connected": ["a"]})), json!([MADE, "Connected container a"]));
    let both = json!({"connected": ["b"], "appends": true});
    assert_eq!(lab.actions(&both), json!(["Connected container b"]));
    assert_eq!(lab.actions(&json!({})), json!([]));
    assert_eq!(lab.actions(&json!({"connected": ["b"]})), json!(["Disconnected container a"]));
    let anew = json!(["Disconnected container b", "Removed network n", MADE, "Connected container b"]);
    assert_eq!(lab.actions(&json!({"internal": true})), anew);
    let gone = json!(["Disconnected container b", "Removed network n"]);
    assert_eq!(lab.actions(&json!({"state": "absent"})), gone);
    let done = lab.trial.run(&json!({"name": "n", "connected": ["nobody"]}));
    assert_eq!(done["warnings"], json!(["connected: there is no container nobody"]), "{done}");
}

#[test]
fn what_is_no_network_is_an_error() {
    let lab = Lab::new();
    for (args, msg) in [
        (json!({"name": "n", "ipam_config": [{"subnet": "foo"}]}), "\"foo\" is not a valid CIDR"),
        (json!({"name": "n", "ipam_config": [{"foo": 1}]}), "Unsupported parameters: ipam_config.foo."),
        (json!({"name": "n", "labels": {"a": true}}), "The value True for 'a' of labels is not a string"),
        (
            json!({"name": "n", "enable_ipv4": true}),
            "Docker API version is 1.41. Minimum version required is 1.47",
        ),
    ] {
        let failed = lab.trial.run(&args);
        assert!(failed["msg"].as_str().unwrap().contains(msg), "{failed}");
    }
}
