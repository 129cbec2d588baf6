use std::collections::{BTreeMap, BTreeSet};

use super::{KEYWORDS, Object};

type Table = BTreeMap<String, BTreeMap<String, String>>;

fn reference() -> Table {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/data/language.json")).unwrap();
    let mut table: Table = serde_json::from_value(file["keywords"].clone()).unwrap();
    for keywords in table.values_mut() {
        keywords.retain(|name, _| !name.ends_with("(private)"));
        for kind in keywords.values_mut().filter(|kind| *kind == "None") {
            "name".clone_into(kind);
        }
    }
    table
}

/// On dynamic includes ansible-core takes only these, whatever its classes say (tried one by one on 2.21).
const ON_INCLUDES: &str = "action args collections debugger ignore_errors loop loop_control name no_log register run_once tags timeout vars when";

#[test]
fn table_is_the_languages() {
    let mut expect = reference();
    let allowed: BTreeSet<_> = ON_INCLUDES.split(' ').collect();
    // An option of the module, not a keyword.
    expect.get_mut("IncludeRole").unwrap().remove("public");
    for include in ["TaskInclude", "IncludeRole"] {
        expect.get_mut(include).unwrap().retain(|name, _| allowed.contains(name.as_str()));
    }
    // An old name, still read by 2.21 and in no list of its own.
    expect.get_mut("Play").unwrap().insert("user".into(), "string".into());
    let mut ours = Table::new();
    for keyword in KEYWORDS {
        for object in keyword.on.objects() {
            ours.entry(object.name().into())
                .or_default()
                .insert(keyword.name.into(), keyword.kind.name().into());
        }
    }
    assert_eq!(ours, expect);
}

#[test]
fn sorted_and_explained() {
    assert!(KEYWORDS.is_sorted_by(|a, b| a.name < b.name));
    for keyword in KEYWORDS {
        assert!(keyword.help.ends_with(['.', '…']), "{}: {}", keyword.name, keyword.help);
    }
}

#[test]
fn wrong_keys() {
    let source = std::sync::Arc::new(crate::diagnostic::Source {
        path: "p.yml".into(),
        text: "".into(),
        secret: false,
    });
    let place = crate::diagnostic::Place { source, line: 1, column: 1, length: 0 };
    let check = |name, object, expect: &str| {
        let error = super::check(name, object, &place).unwrap_err();
        let told: Vec<_> =
            std::iter::once(error.message().to_owned()).chain(error.hints().iter().cloned()).collect();
        assert_eq!(told.join(" | "), expect);
    };
    check("whne", Object::Task, "'whne' is not a valid attribute for a Task | did you mean 'when'?");
    check("zzzzzz", Object::Task, "'zzzzzz' is not a valid attribute for a Task");
    check("hosts", Object::Task, "'hosts' is not a valid attribute for a Task | 'hosts' belongs on a play");
    check(
        "loop",
        Object::Block,
        "'loop' is not a valid attribute for a Block | 'loop' belongs on a task, a handler, include_tasks or include_role",
    );
    check(
        "become",
        Object::IncludeTasks,
        "'become' is not a valid attribute for a TaskInclude | 'become' belongs on a play, a role, a block, a task, \
         a handler, import_playbook or a role's meta | put it under `apply:` to give it to the included tasks: \
         apply: {become: …}",
    );
}

/// Writes `docs/guide/keywords.md` anew under `FANFARE_BLESS=1`.
#[test]
fn guide_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guide/keywords.md");
    if std::env::var_os("FANFARE_BLESS").is_some() {
        std::fs::write(path, super::reference::guide()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(written, super::reference::guide(), "stale: run the test with FANFARE_BLESS=1");
}
