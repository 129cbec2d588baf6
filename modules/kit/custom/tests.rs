use serde_json::{Map, Value as Json, json};

use super::{Custom, Form, MODULE, Program};
use crate::kit::Output;
use crate::kit::control::ControlFile;
use crate::kit::memory::Memory;
use crate::kit::overlay::Overlay;
use crate::kit::serve::answer;
use crate::kit::trial::Deaf;
use crate::kit::wire::Request;

fn run(host: &Memory, program: Program, check: bool) -> Json {
    let options = Map::from_iter([("a".to_owned(), json!("b c")), ("_ansible_x".to_owned(), json!([1]))]);
    let custom = serde_json::to_value(Custom { name: "own".to_owned(), program, options }).unwrap();
    let args = custom.as_object().cloned().unwrap();
    let request = Request { module: MODULE.to_owned(), args, check, ..Request::default() };
    Json::Object(answer(&**host, &Overlay::over(&**host), request, &mut Deaf).result)
}

fn python(interpreter: Option<&str>) -> Program {
    let call = Map::from_iter([("boot".to_owned(), json!("the boot program"))]);
    Program::Python { interpreter: interpreter.map(str::to_owned), call }
}

fn file(interpreter: &[&str], options: Form) -> Program {
    let interpreter = interpreter.iter().map(|word| (*word).to_owned()).collect();
    Program::File { interpreter, file: ControlFile::inline("own", b"#!/bin/sh\n"), options }
}

/// A host whose Python says that.
fn host_saying(code: i32, stdout: &str) -> Memory {
    let host = Memory::new();
    host.program("/usr/bin/python3");
    host.answer("/usr/bin/python3 -c", code, stdout);
    host
}

#[test]
fn python_reads_all_from_its_input() {
    let host = Memory::new();
    host.program("/usr/bin/python3");
    host.script("/usr/bin/python3 -c", |command, _| {
        let call: Json = serde_json::from_slice(command.stdin.as_deref().unwrap_or_default()).unwrap();
        let args = &call["args"]["ANSIBLE_MODULE_ARGS"];
        assert_eq!((&call["boot"], &args["a"]), (&json!("the boot program"), &json!("b c")));
        assert!(!command.line().contains("b c"));
        Output {
            stdout: br#"noise
{"changed": true, "x": {"_ansible_y": 1, "z": 2}, "invocation": {"secret": 1}}
"#
            .to_vec(),
            ..Output::default()
        }
    });
    let before = host.snapshot();
    assert_eq!(run(&host, python(None), false), json!({"changed": true, "x": {"z": 2}}));
    // It is told of check mode, and runs in it.
    assert_eq!(run(&host, python(None), true)["changed"], true);
    assert_eq!(host.snapshot(), before);
}

#[test]
fn a_python_that_is_missing_is_told() {
    let host = Memory::new();
    let got = run(&host, python(None), false);
    assert!(got["msg"].as_str().unwrap().contains("the module 'own' is Python, and there is none"), "{got}");
    let got = run(&host_saying(0, "{}"), python(Some("/opt/py/bin/python")), false);
    assert_eq!(got["msg"], "The module interpreter '/opt/py/bin/python' was not found.");
    assert_eq!(got["failed"], true);
}

#[test]
fn what_is_said_is_judged() {
    let of = |code, said: &str| run(&host_saying(code, said), python(None), false);
    let got = of(3, "nothing");
    assert_eq!(got["msg"], "Module result deserialization failed: No start of json char found");
    assert_eq!(
        (&got["module_stdout"], &got["rc"], &got["failed"]),
        (&json!("nothing"), &json!(3), &json!(true))
    );
    assert_eq!(
        of(0, "{\"a\": 1}\nafter")["warnings"],
        json!(["Module invocation had junk after the JSON data: after"])
    );
    assert_eq!(of(0, "{\"a\": 1}\n{}")["failed"], true);
    assert_eq!(of(0, "[1]")["failed"], true);
    assert_eq!(
        of(0, "{\"rc\": 2}"),
        json!({"rc": 2, "changed": false, "failed": true, "msg": "Task failed: Module failed: Unknown error."})
    );
    assert_eq!(
        of(0, "{\"failed\": \"yes\", \"changed\": 1}"),
        json!({"changed": true, "failed": true, "msg": "Task failed: Module failed: Unknown error."})
    );
}

#[test]
fn a_file_is_run_with_its_options_and_removed() {
    for (form, text) in
        [(Form::Words, "a='b c' _ansible_x='[1]' "), (Form::Json, r#"{"a":"b c","_ansible_x":[1]}"#)]
    {
        let host = Memory::new();
        host.program("/bin/sh");
        host.script("/bin/sh", move |command, host| {
            let [_, own, options] = command.argv.as_slice() else { panic!("{command:?}") };
            let meta = host.stat(std::path::Path::new(own), false).unwrap().unwrap();
            assert_eq!(meta.mode, 0o700);
            let meta = host.stat(std::path::Path::new(options), false).unwrap().unwrap();
            assert_eq!((meta.mode, meta.size), (0o600, text.len() as u64));
            Output { stdout: b"{\"changed\": true}".to_vec(), ..Output::default() }
        });
        let before = host.snapshot();
        assert_eq!(run(&host, file(&["/bin/sh"], form), false), json!({"changed": true}));
        assert_eq!(host.snapshot(), before);
        let skipped = run(&host, file(&["/bin/sh"], form), true);
        assert_eq!(skipped["msg"], "remote module (own) does not support check mode");
        assert_eq!((&skipped["skipped"], &skipped["changed"]), (&json!(true), &json!(false)));
    }
}

#[test]
fn a_python_that_only_stands_for_others_comes_last() {
    let host = host_saying(0, "{\"which\": \"the system's\"}");
    host.set_env("PATH", "/root/.pyenv/shims:/usr/bin");
    host.program("/root/.pyenv/shims/python3.13").program("/root/.pyenv/shims/python");
    host.answer("/root/.pyenv/shims/python3.13 -c", 127, "");
    assert_eq!(run(&host, python(None), false)["which"], "the system's");
    assert_eq!(run(&host, python(Some("python")), false)["which"], "the system's");
    let host = Memory::new();
    host.set_env("PATH", "/root/.pyenv/shims");
    host.program("/root/.pyenv/shims/python3");
    host.answer("/root/.pyenv/shims/python3 -c", 0, "{}");
    assert_eq!(run(&host, python(None), false), json!({"changed": false}));
}
