use serde_json::{Value as Json, json};

use crate::docker::fake;
use crate::kit::Output;
use crate::kit::trial::Trial;

const FILE: &str = "/c/config.json";

fn lab() -> Trial {
    let trial = Trial::of("docker_login");
    fake::serve(&trial.host);
    trial
}

fn login(more: &Json) -> Json {
    let mut args =
        json!({"registry_url": "r.example", "username": "me", "password": "secret", "config_path": FILE});
    args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    args
}

#[test]
fn a_login_is_kept_for_its_owner_alone() {
    let trial = lab();
    let done = trial.lawful(&login(&json!({})));
    assert_eq!(done["login_result"]["Status"], "Login Succeeded", "{done}");
    let kept = "{\n    \"auths\": {\n        \"r.example\": {\n            \"auth\": \"bWU6c2VjcmV0\"\n        }\n    }\n}";
    assert_eq!(trial.host.read(FILE).unwrap(), kept);
    assert_eq!(trial.host.meta(FILE).unwrap().mode & 0o777, 0o600);
    assert!(!format!("{done}").contains("bWU6c2VjcmV0"), "{done}");
    let again = trial.run(&login(&json!({})));
    let known = json!({"username": "me", "email": null, "serveraddress": "r.example"});
    assert_eq!((&again["changed"], &again["login_result"]), (&false.into(), &known));
    assert_eq!(trial.run(&login(&json!({"reauthorize": true})))["changed"], true);
}

#[test]
fn the_rest_of_the_file_stays() {
    let trial = lab();
    trial.host.file(FILE, r#"{"psFormat": "x", "auths": {"other": {"auth": "b3RoZXI6cA=="}}}"#);
    trial.lawful(&login(&json!({})));
    let kept: Json = serde_json::from_str(&trial.host.read(FILE).unwrap()).unwrap();
    assert_eq!(
        kept,
        json!({"psFormat": "x", "auths": {"other": {"auth": "b3RoZXI6cA=="}, "r.example": {"auth": "bWU6c2VjcmV0"}}})
    );
    let gone = json!({"registry_url": "r.example", "state": "absent", "config_path": FILE});
    trial.lawful(&gone);
    let kept: Json = serde_json::from_str(&trial.host.read(FILE).unwrap()).unwrap();
    assert_eq!(kept["auths"], json!({"other": {"auth": "b3RoZXI6cA=="}}));
}

#[test]
fn wrong_passwords_and_files_are_errors() {
    let trial = lab();
    let failed = trial.run(&login(&json!({"password": "wrong"})));
    let msg = failed["msg"].as_str().unwrap();
    assert!(msg.starts_with("Logging into r.example for user me failed - 500 Server Error"), "{msg}");
    assert!(trial.host.read(FILE).is_none());
    trial.host.file(FILE, "no json");
    let failed = trial.run(&login(&json!({})));
    assert!(failed["msg"].as_str().unwrap().starts_with("/c/config.json is no JSON"), "{failed}");
    assert_eq!(trial.host.read(FILE).unwrap(), "no json");
}

#[test]
fn a_program_keeps_passwords_where_the_file_says_so() {
    let trial = lab();
    trial.host.file(FILE, r#"{"credHelpers": {"r.example": "pass"}}"#);
    trial.host.program("/usr/bin/docker-credential-pass");
    let none = Output {
        code: 1,
        stdout: b"credentials not found in native keychain\n".to_vec(),
        ..Output::default()
    };
    trial.host.script("docker-credential-pass get", move |_, _| none.clone());
    trial.host.script("docker-credential-pass store", |command, _| {
        let given: Json = serde_json::from_slice(command.stdin.as_deref().unwrap()).unwrap();
        assert_eq!(given, json!({"ServerURL": "r.example", "Username": "me", "Secret": "secret"}));
        Output::default()
    });
    assert_eq!(trial.foretold(&login(&json!({})), true)["failed"], Json::Null);
    let known = "{\"Username\": \"me\", \"Secret\": \"secret\"}";
    trial.host.answer("docker-credential-pass get", 0, known);
    trial.foretold(&login(&json!({})), false);
    trial.host.answer("docker-credential-pass erase", 0, "");
    let gone = json!({"registry_url": "r.example", "state": "absent", "config_path": FILE});
    trial.foretold(&gone, true);
    assert!(trial.host.ran().iter().all(|line| !line.contains("secret")));
    assert!(!trial.host.read(FILE).unwrap().contains("auths"));
}
