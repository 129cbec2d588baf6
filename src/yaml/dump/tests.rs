use serde_json::Value as Json;

use super::*;

/// Cases written by `tests/data/yaml/generate_dump.py` with PyYAML itself.
#[test]
fn writes_what_pyyaml_writes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/yaml/dump.json");
    let cases: Vec<Json> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(cases.len() > 100);
    let mut wrong = Vec::new();
    for case in &cases {
        let option = |name: &str| case["options"].get(name);
        let number = |name: &str, default| {
            option(name).and_then(Json::as_u64).map_or(default, |number| usize::try_from(number).unwrap())
        };
        let options = DumpOptions {
            indent: number("indent", 2),
            width: number("width", 80),
            allow_unicode: option("allow_unicode") != Some(&Json::Bool(false)),
            flow: match option("default_flow_style") {
                Some(Json::Null) => Flow::Leaves,
                Some(Json::Bool(true)) => Flow::Always,
                _ => Flow::Block,
            },
            explicit_start: option("explicit_start").is_some(),
            ..DumpOptions::default()
        };
        let value = Value::from(case["value"].clone());
        let ours = dump(&value, &options);
        if case["text"] != ours.as_str() {
            wrong.push(format!("{value:?} {options:?}\n ours: {ours:?}\ntheirs: {}", case["text"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn shared_containers_get_an_anchor() {
    let shared = Value::from(vec![Value::from("a")]);
    let both = Value::from(vec![shared.clone(), shared.clone(), Value::from(vec![Value::from("a")])]);
    assert_eq!(dump(&both, &DumpOptions::default()), "- &id001\n  - a\n- *id001\n- - a\n");
    let options = DumpOptions { aliases: false, ..DumpOptions::default() };
    assert_eq!(dump(&both, &options), "- - a\n- - a\n- - a\n");
}

#[test]
fn scalars_that_json_does_not_know() {
    let check = |value: Value, text: &str| assert_eq!(dump(&value, &DumpOptions::default()), text);
    check(Value::from(vec![Value::Float(f64::NAN), Value::Float(f64::NEG_INFINITY)]), "- .nan\n- -.inf\n");
    check(Value::from(vec![Value::Float(1e16), Value::Float(1.5e-7)]), "- 1.0e+16\n- 1.5e-07\n");
    let node = crate::yaml::parse_str("a: !vault |\n  x\n  y\n", "t", crate::yaml::Trust::Trusted).unwrap();
    check(node.documents[0].to_value(), "a: !vault |\n  x\n  y\n");
}

#[test]
fn text_of_several_lines_as_blocks() {
    let options = DumpOptions { literal_blocks: true, ..DumpOptions::default() };
    let check = |json: Json, text: &str| {
        let value = Value::from(json);
        assert_eq!(dump(&value, &options), text);
        let back = crate::yaml::parse_str(text, "<test>", crate::yaml::Trust::Untrusted).expect("YAML");
        assert_eq!(back.single().expect("one").0.expect("a node").to_value(), value);
    };
    check(serde_json::json!({"a": {"k": "one\n\n two"}}), "a:\n  k: |-\n    one\n\n     two\n");
    check(
        serde_json::json!(["one\ntwo\n", " x\ny\n\n", "a\tb\n"]),
        "- |\n  one\n  two\n- |2+\n   x\n  y\n\n- \"a\\tb\\n\"\n",
    );
}
