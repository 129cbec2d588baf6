//! With a client that says what the real one says. That one is asked by
//! tests/conformance/cases/modules/docker_compose_v2.case.

use serde_json::{Value as Json, json};

use crate::kit::Output;
use crate::kit::trial::Trial;

fn lab(version: &str, stderr: &'static str, code: i32) -> Trial {
    let trial = Trial::of("docker_compose_v2");
    trial.host.program("/usr/bin/docker").file("/p/compose.yml", "");
    let said = Output { code, stderr: stderr.into(), ..Output::default() };
    trial.host.script("/usr/bin/docker compose --ansi", move |command, _| {
        let line = command.line();
        let told = |text: &str| Output { stdout: text.into(), ..Output::default() };
        if line.contains(" ps --format json") {
            told("{\"Name\":\"p-web-1\",\"State\":\"running\",\"Labels\":\"a=b\"}\n")
        } else if line.ends_with(" images --format json") {
            told("[]")
        } else {
            said.clone()
        }
    });
    let version = format!("{{\"version\":\"{version}\"}}");
    trial.host.answer("/usr/bin/docker compose version", 0, &version);
    trial
}

/// The words for the client, without those that are always there.
fn verbs(trial: &Trial) -> Vec<String> {
    let short = |line: String| line.split_once(" --progress ").map(|(_, rest)| rest.to_owned());
    let looks = |line: &String| line.contains(" ps ") || line.contains(" images ");
    trial.host.ran().into_iter().filter_map(short).filter(|line| !looks(line)).collect()
}

const STARTED: &str =
    " Container p-web-1  Creating\n Container p-web-1  Created\n Container p-web-1  Starting\n";

#[test]
fn a_project_runs() {
    let trial = lab("2.26.1", STARTED, 0);
    let done = trial.run(&json!({"project_src": "/p"}));
    assert_eq!(done["changed"], true, "{done}");
    assert_eq!(
        done["actions"],
        json!([
            {"what": "container", "id": "p-web-1", "status": "Creating"},
            {"what": "container", "id": "p-web-1", "status": "Starting"},
        ])
    );
    assert_eq!(done["containers"][0]["Labels"], json!({"a": "b"}));
    assert_eq!((&done["stdout"], &done["stderr"]), (&Json::Null, &STARTED.into()));
    assert_eq!(verbs(&trial), ["plain --project-directory /p up --detach --no-color --quiet-pull --"]);
    assert_eq!(trial.check(&json!({"project_src": "/p"}))["changed"], true);
    assert!(verbs(&trial)[1].ends_with(" --quiet-pull --dry-run --"), "{:?}", verbs(&trial));
}

#[test]
fn what_runs_is_unchanged() {
    let trial = lab(
        "2.40.3",
        "{\"id\":\"web\",\"text\":\"Pulling\"}\n{\"id\":\"Container p-web-1\",\"status\":\"Running\"}\n",
        0,
    );
    let done = trial.run(&json!({"project_src": "/p", "pull": "always", "assume_yes": true}));
    assert_eq!(done["changed"], false, "{done}");
    assert_eq!(
        verbs(&trial),
        ["json --project-directory /p up --detach --no-color --quiet-pull --pull always --yes --"]
    );
}

#[test]
fn options_are_the_clients() {
    let trial = lab("2.26.1", "", 0);
    let done = trial.run(&json!({
        "project_name": "x", "project_src": "/p", "files": ["compose.yml"], "env_files": ["e"], "profiles": ["q"],
        "services": ["web"], "recreate": "always", "dependencies": false, "build": "never", "scale": {"web": "2"},
        "wait": true, "wait_timeout": 9, "timeout": 3, "remove_orphans": true, "renew_anon_volumes": true,
    }));
    assert_eq!(done["failed"], Json::Null, "{done}");
    assert_eq!(
        verbs(&trial),
        [
            "plain --project-directory /p --project-name x --file compose.yml --env-file e --profile q up --detach \
          --no-color --quiet-pull --remove-orphans --force-recreate --renew-anon-volumes --no-deps --timeout 3 \
          --no-build --scale web=2 --wait --wait-timeout 9 -- web"
        ]
    );
}

#[test]
fn states_are_verbs() {
    for (args, expected) in [
        (
            json!({"state": "stopped", "timeout": 1}),
            &["up --detach --no-color --quiet-pull --timeout 1 --no-start --", "stop --timeout 1 --"][..],
        ),
        (json!({"state": "restarted", "dependencies": false}), &["restart --no-deps --"]),
        (
            json!({"state": "absent", "remove_images": "local", "remove_volumes": true}),
            &["down --rmi local --volumes --"],
        ),
    ] {
        let trial = lab("2.26.1", "", 0);
        let mut all = json!({"project_src": "/p"});
        all.as_object_mut().unwrap().extend(args.as_object().unwrap().clone());
        trial.run(&all);
        let verbs: Vec<String> =
            verbs(&trial).iter().map(|line| line.replace("plain --project-directory /p ", "")).collect();
        assert_eq!(verbs, expected, "{args}");
    }
}

#[test]
fn a_definition_goes_by_the_input() {
    let trial = lab("2.26.1", "", 0);
    trial.run(&json!({"project_name": "x", "definition": {"services": {"a": {"image": "secret"}}}}));
    assert_eq!(
        verbs(&trial),
        ["plain --project-directory / --project-name x --file - up --detach --no-color --quiet-pull --"]
    );
}

#[test]
fn what_goes_wrong_is_told() {
    let trial = lab("2.26.1", " Container p-web-1  Creating\nname is taken\n", 1);
    let failed = trial.run(&json!({"project_src": "/p"}));
    assert_eq!((&failed["failed"], &failed["rc"]), (&true.into(), &1.into()), "{failed}");
    assert_eq!(failed["msg"], "General error: name is taken");
    for (args, msg) in [
        (json!({"project_src": "/nope"}), "\"/nope\" is not a directory"),
        (json!({"project_src": "/usr"}), "\"/usr\" does not contain compose.yaml, compose.yml,"),
        (
            json!({"project_src": "/p", "files": ["x"]}),
            "Cannot find Compose file \"x\" relative to project directory",
        ),
        (
            json!({"project_src": "/p", "scale": {"a": "b"}}),
            "The value 'b' for `scale['a']` is not an integer",
        ),
        (
            json!({"project_src": "/p", "assume_yes": true}),
            "assume_yes=true needs Docker Compose 2.32.0 or newer",
        ),
        (json!({"project_src": "/p", "tls_hostname": "h"}), "tls_hostname is not supported"),
    ] {
        let failed = trial.run(&args);
        assert!(failed["msg"].as_str().unwrap().contains(msg), "{args}: {failed}");
    }
    trial.host.answer("/usr/bin/docker compose version", 1, "");
    let failed = trial.run(&json!({"project_src": "/p"}));
    assert!(
        failed["msg"].as_str().unwrap().contains("does not have the compose plugin installed"),
        "{failed}"
    );
}
