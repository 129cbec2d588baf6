use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{FileAttributes, FilePath, Kind, Secret, Spec};
use crate::kit::control::ControlSource;

/// Does things.
///
/// At length.
///
/// # Examples
///
/// ```yaml
/// - thing: {path: /x}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["src", "content"]], "required_if" = [["state", "link", ["src"]]]))]
#[schemars(extend("free_form" = "content"))]
#[expect(dead_code, reason = "only its schema is used")]
struct Args {
    /// Where.
    #[schemars(extend("aliases" = ["dest", "name"]))]
    path: FilePath,
    /// What.
    #[serde(default)]
    state: State,
    /// How many.
    count: Option<i64>,
    /// Whether.
    #[serde(default = "yes")]
    force: bool,
    /// Which.
    #[serde(default)]
    items: Vec<String>,
    /// Places.
    #[serde(default)]
    paths: Vec<FilePath>,
    /// States.
    states: Option<Vec<State>>,
    /// More.
    extra: Option<serde_json::Map<String, Json>>,
    /// Anything.
    any: Option<Json>,
    /// Key.
    password: Option<Secret>,
    /// From here.
    #[schemars(extend("unless" = "force"))]
    src: Option<ControlSource>,
    /// Text.
    content: Option<String>,
    #[serde(flatten)]
    attributes: FileAttributes,
}

fn yes() -> bool {
    true
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// Plain.
    #[default]
    File,
    /// Linked.
    Link,
    /// Built.
    BuildDep,
}

fn spec() -> Spec {
    Spec::of::<Args>("thing")
}

/// Normalises one option beside `path` and gives its value, or the error.
fn check(name: &str, value: Json, expected: Json) {
    let given = json!({"path": "/x", name: value});
    let got = match spec().normalise(given.as_object().unwrap()) {
        Ok(mut exact) => {
            let canonical = spec().option(name).unwrap().name.clone();
            exact.remove(&canonical).unwrap_or_default()
        }
        Err(e) => json!({ "error": e.message }),
    };
    assert_eq!(got, expected, "{name}");
}

fn error(name: &str, value: Json, message: &str) {
    check(name, value, json!({ "error": message }));
}

#[test]
fn a_type_gives_its_specification() {
    let spec = spec();
    assert_eq!(spec.doc, "Does things.\n\nAt length.");
    assert_eq!(spec.examples, "- thing: {path: /x}\n");
    let path = spec.option("dest").unwrap();
    assert_eq!((path.name.as_str(), path.required, &path.kind), ("path", true, &Kind::Path));
    let state = spec.option("state").unwrap();
    assert_eq!((state.required, &state.default), (false, &Some(json!("file"))));
    assert_eq!(state.choices, ["file", "link", "build-dep"]);
    assert_eq!(spec.option("states").unwrap().choices, state.choices);
    assert_eq!(spec.option("force").unwrap().default, Some(json!(true)));
    assert_eq!(spec.option("items").unwrap().kind, Kind::List(Box::new(Kind::Str)));
    assert_eq!(spec.option("paths").unwrap().kind, Kind::List(Box::new(Kind::Path)));
    assert_eq!(spec.option("extra").unwrap().kind, Kind::Dict);
    assert_eq!(spec.option("any").unwrap().kind, Kind::Raw);
    assert_eq!(spec.option("mode").unwrap().kind, Kind::Mode);
    assert_eq!(spec.option("attr").unwrap().name, "attributes");
    assert!(spec.option("password").unwrap().secret);
    let control = spec.option("src").unwrap().control.clone().unwrap();
    assert_eq!((control.subdir.as_str(), control.unless.as_deref()), ("files", Some("force")));
    assert_eq!(spec.option("_raw_params").unwrap().name, "content");
}

#[test]
fn values_are_taken_as_loosely_as_ansible_does() {
    check("force", json!("yes"), json!(true));
    check("force", json!(0), json!(false));
    check("force", json!("Off"), json!(false));
    check("count", json!("42"), json!(42));
    check("count", json!(3.0), json!(3));
    check("content", json!(5), json!("5"));
    check("content", json!(true), json!("True"));
    check("content", json!(["a", 1, null]), json!("['a', 1, None]"));
    check("content", json!({"a": "it's"}), json!("{'a': \"it's\"}"));
    check("content", json!(null), json!(null));
    check("items", json!("a, b"), json!(["a", "b"]));
    check("items", json!(7), json!(["7"]));
    check("items", json!([1, "b"]), json!(["1", "b"]));
    check("extra", json!("{\"a\": 1}"), json!({"a": 1}));
    check("extra", json!("a=1, b='x y'"), json!({"a": "1", "b": "x y"}));
    check("any", json!([1]), json!([1]));
    check("mode", json!(420), json!(0o644));
    check("mode", json!("0644"), json!(0o644));
    check("mode", json!("u=rw,g=r"), json!("u=rw,g=r"));
    check("paths", json!("/a,~/b"), json!(["/a", {"$path": "~/b"}]));
    check("states", json!("link,file"), json!(["link", "file"]));
}

#[test]
fn wrong_values_are_told_in_ansibles_words() {
    error(
        "force",
        json!("maybe"),
        "argument 'force' is of type str and we were unable to convert to bool: The value 'maybe' is not a valid \
         boolean. Valid booleans include: 0, 1, 'on', '0', '1', 'false', 'y', 'f', 'n', 'off', 'yes', 'no', \
         'true', 't'",
    );
    error(
        "count",
        json!("abc"),
        "argument 'count' is of type str and we were unable to convert to int: \"'abc'\" cannot be converted to \
         an int",
    );
    error("state", json!("foo"), "value of state must be one of: file, link, build-dep, got: foo");
    error(
        "states",
        json!(["foo"]),
        "value of states must be one or more of: file, link, build-dep, got: foo",
    );
    error(
        "items",
        json!({"a": 1}),
        "argument 'items' is of type dict and we were unable to convert to list: <class 'dict'> cannot be \
         converted to a list",
    );
    error("mode", json!("u=zz"), "mode: mode must be in octal or symbolic form, got: u=zz");
    error("state", json!("link"), "state is link but all of the following are missing: src");
}

#[test]
fn wrong_names_are_told_with_the_nearest_right_one() {
    let spec = spec();
    let fail = |given: Json| spec.normalise(given.as_object().unwrap()).unwrap_err();
    let e = fail(json!({"paht": "/x", "wrong": 1}));
    assert!(
        e.message.starts_with("Unsupported parameters for (thing) module: paht, wrong. Supported"),
        "{e}"
    );
    assert_eq!((e.option.as_deref(), e.hint.as_deref()), (Some("paht"), Some("did you mean `path`?")));
    assert_eq!(fail(json!({})).message, "missing required arguments: path");
    let both = fail(json!({"path": "/x", "src": "a", "content": "b"}));
    assert_eq!(both.message, "parameters are mutually exclusive: src|content");
}

#[test]
fn templates_are_left_alone_before_the_run() {
    let spec = spec();
    let is_template = |value: &Json| value.as_str().is_some_and(|text| text.contains("{{"));
    let check = |given: Json| -> Vec<String> {
        let wrong = spec.check(given.as_object().unwrap(), &is_template);
        wrong.into_iter().map(|e| e.message).collect()
    };
    assert!(check(json!({"dest": "{{ x }}", "state": "{{ y }}", "force": "yes"})).is_empty());
    assert_eq!(check(json!({"dest": "/x", "state": "{{ y }}", "count": "z", "bad": 1})).len(), 2);
    assert_eq!(check(json!({"state": "file"})), ["missing required arguments: path"]);
}
