use std::fmt::Write;

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::*;
use crate::value::Value;

/// A value with its type, as `tests/data/yaml/generate.py` writes them.
fn typed(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(flag) => json!(flag),
        Value::Int(_) | Value::BigInt(_) => json!({"int": value.to_string()}),
        Value::Float(_) => json!({"float": value.to_string()}),
        Value::Str(text) => json!(&**text),
        Value::Template(template) => json!(&**template.source()),
        Value::Vault(vaulted) => json!(&*vaulted.ciphertext),
        Value::List(items) => items.iter().map(typed).collect(),
        Value::Dict(entries) => {
            json!({"map": entries.iter().map(|(key, value)| json!([typed(key), typed(value)])).collect::<Vec<_>>()})
        }
        other => panic!("YAML does not make {other:?}"),
    }
}

fn loaded(text: &str) -> Result<Json> {
    let loaded = parse_str(text, "<test>", Trust::Trusted)?;
    Ok(loaded.documents.iter().map(|document| typed(&document.to_value())).collect())
}

/// Differences we chose: we take what PyYAML refuses.
const LENIENT: &[&str] = &["- =\n", "- <<\n", "é: ü\n日本: 語\n\"😀\": \"\\ud83d\\ude00\"\n"];

#[test]
fn reads_what_pyyaml_reads() {
    let path = std::env::var("FANFARE_YAML_CASES")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/yaml/cases.json").to_owned());
    let cases: Vec<Json> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(cases.len() > 100);
    let mut wrong = Vec::new();
    for case in &cases {
        let text = case["text"].as_str().unwrap();
        match (loaded(text), case.get("documents")) {
            (Ok(ours), Some(theirs)) if ours == *theirs => {}
            (Err(_), None) => {}
            (Ok(_), None) if LENIENT.contains(&text) => {}
            (ours, theirs) => {
                let ours = ours.map_or_else(|error| error.report(false), |json| json.to_string());
                let theirs = theirs.map_or("an error".to_owned(), Json::to_string);
                wrong.push(format!("{text:?}\n   ours: {ours}\n theirs: {theirs}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// The whole report of what is wrong with a text.
fn error(text: &str) -> String {
    parse_str(text, "play.yml", Trust::Trusted).unwrap_err().report(false)
}

#[test]
fn explains_the_usual_mistakes() {
    assert_snapshot!(error("- vars:\n    x: {{ y }}\n"), @r#"
    error: a mapping cannot be the key of a mapping
     --> play.yml:2:8
      |
    1 | - vars:
    2 |     x: {{ y }}
      |        ^^^^^^^
      |
    help: quote a value that begins with a template: `key: "{{ value }}"`
    "#);
    assert_snapshot!(error("- vars:\n    x: {{ y }}/z\n    b: 1\n"), @r#"
    error: a mapping cannot be the key of a mapping
     --> play.yml:2:8
      |
    1 | - vars:
    2 |     x: {{ y }}/z
      |        ^^^^^^^
      |
    help: quote a value that begins with a template: `key: "{{ value }}"`
    "#);
    assert_snapshot!(error("- hosts: all\n\ttasks: []\n"), @r"
    error: YAML parsing failed: While scanning a plain scalar found a tab.
     --> play.yml:2:1
      |
    1 | - hosts: all
    2 |     tasks: []
      | ^
      |
    help: indent with spaces: YAML does not take tabs
    ");
    assert_snapshot!(error("- hosts: all\n  vars:\n    x: \"a\n  tasks: []\n"), @r#"
    error: YAML parsing failed: While scanning a quoted scalar found unexpected end of stream.
     --> play.yml:3:8
      |
    1 | - hosts: all
    2 |   vars:
    3 |     x: "a
      |        ^
      |
    help: a quote that is opened here is never closed
    "#);
    assert_snapshot!(error("- debug: msg=a: b\n"), @r#"
    error: YAML parsing failed: Mapping values are not allowed in this context.
     --> play.yml:1:15
      |
    1 | - debug: msg=a: b
      |               ^
      |
    help: quote a value that holds a colon and a space: `key: "a: b"`
    "#);
    assert_snapshot!(error("- hosts:localhost\n  tasks: []\n"), @r"
    error: YAML parsing failed: Mapping values are not allowed in this context.
     --> play.yml:2:8
      |
    1 | - hosts:localhost
    2 |   tasks: []
      |        ^
      |
    help: put a space after the colon: `key: value`
    ");
    assert_snapshot!(error("x: \"{{ a }}\" foo\n"), @r#"
    error: YAML parsing failed: Invalid trailing content after double-quoted scalar.
     --> play.yml:1:14
      |
    1 | x: "{{ a }}" foo
      |              ^
      |
    help: a value that begins with a quote must end with the same quote: quote all of it
    "#);
    assert_snapshot!(error("a:\n  b: 1\n c: 2\n"), @r"
    error: YAML parsing failed: While parsing a block mapping did not find expected key.
     --> play.yml:3:2
      |
    1 | a:
    2 |   b: 1
    3 |  c: 2
      |  ^
      |
    help: check the indentation: entries of one list or mapping begin in one column
    ");
    assert_snapshot!(error("a: [1, 2\nb: 3\n"), @r"
    error: YAML parsing failed: Illegal placement of ':' indicator.
     --> play.yml:2:2
      |
    1 | a: [1, 2
    2 | b: 3
      |  ^
      |
    help: a bracket is not closed, or a comma is missing between two items
    ");
    assert_snapshot!(error("a: \"C:\\path\"\n"), @r#"
    error: YAML parsing failed: While parsing a quoted scalar found unknown escape character.
     --> play.yml:1:4
      |
    1 | a: "C:\path"
      |    ^
      |
    help: in double quotes a backslash begins an escape: double it, or use single quotes
    "#);
    assert_snapshot!(error("a: @x\n"), @r"
    error: YAML parsing failed: While scanning for the next token found character that cannot start any token.
     --> play.yml:1:4
      |
    1 | a: @x
      |    ^
      |
    help: quote a value that begins with `@`, `` ` `` or `%`
    ");
    assert_snapshot!(error("a: !foo b\n"), @r"
    error: unknown tag `!foo`: quote a value that begins with `!`
     --> play.yml:1:4
      |
    1 | a: !foo b
      |    ^^^^
    ");
    assert_snapshot!(error("a: *nowhere\n"), @r"
    error: YAML parsing failed: Found undefined alias.
     --> play.yml:1:4
      |
    1 | a: *nowhere
      |    ^
      |
    help: quote a value that begins with `*` or `&`
    ");
    assert_snapshot!(error("a: \u{1b}\n"), @r#"
    error: control characters are not allowed in YAML (found U+001B)
     --> play.yml:1:4
      |
    1 | a: ␛
      |    ^
      |
    help: in a double-quoted string, write it as an escape: "\x1b"
    "#);
    assert_snapshot!(error("<<: 3\n"), @r"
    error: `<<` takes a mapping or a list of mappings, this is a number
     --> play.yml:1:5
      |
    1 | <<: 3
      |     ^
    ");
}

#[test]
fn duplicate_keys_are_warned_about_with_both_places() {
    let loaded = parse_str("a: 1\nb: 2\na: 3\n", "vars.yml", Trust::Trusted).unwrap();
    let [warning] = loaded.warnings.as_slice() else { panic!("{:?}", loaded.warnings) };
    assert_snapshot!(warning.report_warning(false), @r"
    warning: Found duplicate mapping key 'a'.
     --> vars.yml:3:1
      |
    1 | a: 1
    2 | b: 2
    3 | a: 3
      | ^
      |
    note: first defined here
     --> vars.yml:1:1
      |
    1 | a: 1
      | ^
    help: Using last defined value only.
    ");
    assert_eq!(loaded.documents[0].get("a").unwrap().to_value(), Value::Int(3));
}

#[test]
fn only_trusted_text_becomes_a_template() {
    let text = "a: '{{ x }}'\nb: !unsafe '{{ x }}'\nc: !unsafe [{d: '{{ x }}'}]\n'{{ k }}': '{% x'\n";
    let kinds = |trust| {
        let document = parse_str(text, "<test>", trust).unwrap().documents.remove(0);
        let c = document.get("c").unwrap().as_list().unwrap()[0].get("d").unwrap().to_value();
        let is_template = |value: &Value| matches!(value, Value::Template(_));
        let at = |key| document.get(key).unwrap().to_value();
        [at("a"), at("b"), c, at("{{ k }}")].map(|value| is_template(&value))
    };
    assert_eq!(kinds(Trust::Trusted), [true, false, false, true]);
    assert_eq!(kinds(Trust::Untrusted), [false; 4]);
}

#[test]
fn every_node_knows_its_place() {
    let text = "- name: é x # c\n  'k': &a \"v w\"\n  l: [1, {m: n}]\n  b: |\n    text\n  e:\n  s: *a\n";
    let document = parse_str(text, "p", Trust::Trusted).unwrap().documents.remove(0);
    let mut seen = Vec::new();
    visit(&document, &mut |node| {
        let place = &node.place;
        seen.push(format!("{}:{}+{} {:?}", place.line, place.column, place.length, node.to_value()));
    });
    assert_snapshot!(seen.join("\n"), @r"
    1:1+0 [{'name': 'é x', 'k': 'v w', 'l': [1, {'m': 'n'}], 'b': 'text\n', 'e': None, 's': 'v w'}]
    1:3+0 {'name': 'é x', 'k': 'v w', 'l': [1, {'m': 'n'}], 'b': 'text\n', 'e': None, 's': 'v w'}
    1:3+4 'name'
    1:9+3 'é x'
    2:3+3 'k'
    2:11+5 'v w'
    3:3+1 'l'
    3:6+1 [1, {'m': 'n'}]
    3:7+1 1
    3:10+1 {'m': 'n'}
    3:11+1 'm'
    3:14+1 'n'
    4:3+1 'b'
    5:5+4 'text\n'
    6:3+1 'e'
    6:4+0 None
    7:3+1 's'
    2:11+5 'v w'
    ");
}

fn visit(node: &Node, each: &mut impl FnMut(&Node)) {
    each(node);
    for item in node.as_list().unwrap_or_default() {
        visit(item, each);
    }
    for (key, value) in node.as_map().unwrap_or_default() {
        visit(key, each);
        visit(value, each);
    }
}

#[test]
fn places_are_right_after_a_quoted_scalar_that_is_not_indented() {
    let text = "x: [\"one\ntwo\", {{ y }}: z]\n";
    let report = error(text);
    assert_snapshot!(report, @r#"
    error: a mapping cannot be the key of a mapping
     --> play.yml:2:7
      |
    1 | x: ["one
    2 | two", {{ y }}: z]
      |       ^^^^^^^
      |
    help: quote a value that begins with a template: `key: "{{ value }}"`
    "#);
}

#[test]
fn a_quoted_scalar_may_go_on_after_tabs() {
    let loaded = parse_str("- a: 'x\n\t\ty\n\n\tz'\n  b: \"1\n\t2\"\n", "t", Trust::Trusted).unwrap();
    assert_eq!(
        loaded.documents[0].to_value(),
        parse_str("[{a: \"x y\\nz\", b: '1 2'}]", "t", Trust::Trusted).unwrap().documents[0].to_value()
    );
}

#[test]
fn vaulted_text_keeps_its_place() {
    let loaded =
        parse_str("a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n", "v", Trust::Trusted).unwrap();
    let Value::Vault(vaulted) = loaded.documents[0].get("a").unwrap().to_value() else { panic!() };
    assert_eq!(&*vaulted.ciphertext, "$ANSIBLE_VAULT;1.1;AES256\n6162\n");
    assert_eq!(vaulted.place.line, 2);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("latin1.yml");
    std::fs::write(&path, b"a: 1\nb: \xe9\n").unwrap();
    let report = load_file(&path).unwrap_err().report(false).replace(directory.path().to_str().unwrap(), "");
    assert_snapshot!(report, @r"
    error: /latin1.yml is not UTF-8 text
     --> /latin1.yml:2:4
      |
    1 | a: 1
    2 | b: �
      |    ^
      |
    help: convert the file to UTF-8, or encrypt it if it is meant to be secret
    ");
    let report = load_file(&directory.path().join("none.yml")).unwrap_err().report(false);
    assert_snapshot!(report.replace(directory.path().to_str().unwrap(), ""), @"error: could not read /none.yml: no such file or directory");
    load_file(directory.path()).unwrap_err();
    std::fs::write(&path, "$ANSIBLE_VAULT;1.1;AES256\n36310a36310a3631\n").unwrap();
    let report = load_file(&path).unwrap_err().report(false).replace(directory.path().to_str().unwrap(), "");
    assert_snapshot!(report, @r"
    error: /latin1.yml: Attempting to decrypt but no vault secrets found.
    help: give the password with --vault-password-file, --vault-id or -J (--ask-vault-password)
    ");
}

/// A small text that stands for 10^12 nodes.
#[test]
fn alias_bombs_are_refused() {
    let mut text = "- &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        let items = vec![alias; 10].join(", ");
        writeln!(text, "- &a{level} [{items}]").unwrap();
    }
    assert!(error(&text).contains("too many nodes"));
}

#[test]
fn a_second_document_is_an_error_for_those_who_want_one() {
    let loaded = parse_str("a: 1\n---\nb: 2\n", "two.yml", Trust::Trusted).unwrap();
    assert_snapshot!(loaded.single().unwrap_err().report(false), @r"
    error: expected a single document but found another one
     --> two.yml:3:1
      |
    1 | a: 1
    2 | ---
    3 | b: 2
      | ^
    ");
    assert!(parse_str("# nothing\n", "x", Trust::Trusted).unwrap().single().unwrap().0.is_none());
}

/// As deep as the parser goes, on the small stack of a test or of a worker thread.
#[test]
fn deep_nesting_is_read_or_refused() {
    for (blocks, flows) in [(250, 250), (0, 250), (250, 0), (300, 0), (0, 10_000), (10_000, 0)] {
        let mut text = "- ".repeat(blocks);
        text += &"[".repeat(flows);
        text += &"]".repeat(flows);
        match parse_str(&text, "<deep>", Trust::Trusted) {
            Ok(loaded) => drop(loaded.documents[0].to_value().repr()),
            Err(error) => assert!(blocks > 255 || flows > 255, "{error}"),
        }
    }
}

/// Whatever the bytes are, there is an answer; and the same one for text that is cut off anywhere.
#[test]
fn no_text_makes_it_panic() {
    let cases =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/yaml/cases.txt")).unwrap();
    let try_one = |text: &str| match parse_str(text, "fuzz", Trust::Trusted) {
        Ok(loaded) => loaded.warnings.iter().for_each(|warning| drop(warning.report_warning(false))),
        Err(error) => drop(error.report(false)),
    };
    for case in cases.split("=====\n") {
        for (at, _) in case.char_indices() {
            try_one(&case[..at]);
            try_one(&case[at..]);
        }
    }
    // A small generator of its own: the alphabet that YAML gives a meaning to.
    let alphabet: Vec<char> =
        "ab01 \n\n\t:-?,[]{}#&*!|>'\"%@`~<=.\\é\u{feff}\r\u{85}\u{2028}".chars().collect();
    let mut state: usize = 0x2545_f491_4f6c_dd1d;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..40 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push(alphabet[state % alphabet.len()]);
        }
        try_one(&text);
    }
}
