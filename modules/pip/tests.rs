use std::io::Read as _;

use serde_json::{Value as Json, json};

use crate::kit::trial::Trial;

fn stage() -> Trial {
    let trial = Trial::of("pip");
    trial.host.program("/usr/bin/pip3").answer("/usr/bin/pip3 list", 0, "Foo.Bar==1.2\nbaz==2\n");
    trial.host.answer("/usr/bin/pip3 install", 0, "Successfully installed new-1\n");
    trial.host.answer("/usr/bin/pip3 uninstall", 0, "  Successfully uninstalled baz-2\n");
    trial
}

/// Whether a change is foretold, and what then runs.
fn check(args: Json, foretold: bool, expected: &str) {
    let trial = stage();
    assert_eq!(trial.check(&args)["changed"], foretold, "{args}");
    let result = trial.run(&args);
    let ran = trial.host.ran();
    assert_eq!(ran.last().unwrap(), expected, "{args} {result:#}");
    assert!(!format!("{result} {ran:?}").contains("secret"), "{result} {ran:?}");
}

#[test]
fn check_mode_goes_by_what_is_listed() {
    check(json!({"name": "foo_bar"}), false, "/usr/bin/pip3 install foo_bar");
    check(json!({"name": ["baz==2", "foo-bar"]}), false, "/usr/bin/pip3 install baz==2 foo-bar");
    check(json!({"name": "new", "state": "absent"}), false, "/usr/bin/pip3 uninstall -y new");
    check(json!({"name": "baz==3"}), true, "/usr/bin/pip3 install baz==3");
    check(json!({"name": "baz", "version": "3"}), true, "/usr/bin/pip3 install baz==3");
    check(json!({"name": "new,baz>=2,<3"}), true, "/usr/bin/pip3 install new baz>=2,<3");
    check(json!({"name": "baz", "state": "absent"}), true, "/usr/bin/pip3 uninstall -y baz");
    check(json!({"name": "baz", "state": "latest"}), true, "/usr/bin/pip3 install -U baz");
}

#[test]
fn what_is_installed_is_no_change() {
    let trial = stage();
    trial.host.answer("/usr/bin/pip3 install", 0, "Requirement already satisfied: baz\n");
    let result = trial.run(&json!({"name": "baz"}));
    assert_eq!((&result["changed"], &result["name"]), (&json!(false), &json!(["baz"])), "{result}");
    trial.host.script("/usr/bin/pip3 install", |_, _| crate::kit::Output {
        code: 1,
        stdout: b"out".to_vec(),
        stderr: b"no https://u:secret@h".to_vec(),
        ..crate::kit::Output::default()
    });
    let result = trial.run(&json!({"name": "no"}));
    assert_eq!(result["msg"], "stdout: out\n:stderr: no https://u:********@h");
    assert_eq!(result["cmd"], json!(["/usr/bin/pip3", "install", "no"]));
}

#[test]
fn passwords_are_in_no_list_of_processes() {
    let requirements = |args: Json, ran: &str, variables: &[(&str, &str)], file: &str| {
        let trial = stage();
        let expected: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let file = file.to_owned();
        trial.host.script("/usr/bin/pip3 install", move |command, host| {
            for variable in &expected {
                assert!(command.env.contains(variable), "{variable:?} of {:?}", command.env);
            }
            if !file.is_empty() {
                let path = std::path::Path::new(command.argv.last().unwrap());
                assert_eq!(host.stat(path, false).unwrap().unwrap().mode, 0o600);
                let mut text = String::new();
                host.open(path).unwrap().read_to_string(&mut text).unwrap();
                assert_eq!(text, file);
            }
            crate::kit::Output::default()
        });
        let result = trial.run(&args);
        let line = trial.host.ran().pop().unwrap();
        assert!(line.starts_with(ran) && !format!("{line}{result}").contains("secret"), "{line} {result}");
        assert_eq!(trial.host.list_of("/tmp"), "", "the file of requirements was left behind");
    };
    requirements(
        json!({"requirements": "/r.txt", "extra_args": "-i https://u:secret@h/x --extra-index-url=https://u:secret@i --pre \
               --extra-index-url https://u:secret@j --proxy u:secret@proxy:80"}),
        "/usr/bin/pip3 install --pre -r /r.txt",
        &[
            ("PIP_INDEX_URL", "https://u:secret@h/x"),
            ("PIP_EXTRA_INDEX_URL", "https://u:secret@i https://u:secret@j"),
            ("PIP_PROXY", "u:secret@proxy:80"),
        ],
        "",
    );
    requirements(
        json!({"name": ["a", "b @ https://u:secret@h/b.whl", "https://u:secret@h/c.whl"]}),
        "/usr/bin/pip3 install a -r /tmp/",
        &[],
        "b @ https://u:secret@h/b.whl\nhttps://u:secret@h/c.whl\n",
    );
    requirements(
        json!({"name": "git+https://u:secret@h/x.git#egg=foo", "editable": true}),
        "/usr/bin/pip3 install -e git+https://u@h/x.git#egg=foo",
        &[("GIT_CONFIG_KEY_1", "credential.https://h.helper"), ("FANFARE_GIT_PASSWORD_0", "secret")],
        "",
    );
}

#[test]
fn an_environment_is_made_when_it_is_missing() {
    let trial = Trial::of("pip");
    trial.host.program("/usr/bin/python3").script("/usr/bin/python3 -m venv", |_, host| {
        host.make_dir(std::path::Path::new("/v"), 0o777).unwrap();
        host.make_dir(std::path::Path::new("/v/bin"), 0o777).unwrap();
        for name in ["activate", "pip"] {
            let path = std::path::Path::new("/v/bin").join(name);
            host.place(&path, &mut &b"#!"[..], &crate::kit::host::Placement::default()).unwrap();
        }
        crate::kit::Output::default()
    });
    trial.host.answer("/v/bin/pip install", 0, "Successfully installed a-1\n");
    let args = json!({"name": "a", "virtualenv": "/v", "virtualenv_command": "/usr/bin/python3 -m venv"});
    assert_eq!(trial.check(&args)["changed"], true);
    let result = trial.run(&args);
    assert_eq!((&result["changed"], &result["virtualenv"]), (&json!(true), &json!("/v")), "{result}");
}

#[test]
fn bad_arguments_are_refused() {
    for (args, start) in [
        (json!({"name": "a,b", "version": "1"}), "'version' argument is ambiguous"),
        (json!({"name": "a", "version": "1", "state": "latest"}), "version is incompatible"),
        (json!({"name": "a>1", "version": "1"}), "The 'version' argument conflicts"),
        (json!({"state": "latest"}), "one of the following is required: name, requirements"),
    ] {
        let result = stage().run(&args);
        assert!(result["msg"].as_str().unwrap().starts_with(start), "{result}");
    }
}
