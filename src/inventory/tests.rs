//! The inventories under `tests/data/inventory`, each held against what ansible-core says about it.

use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use serde_json::Value as Json;

use super::show::View;
use super::*;
use crate::config::InventoryOptions;
use crate::diagnostic::{Diagnostic, Result};
use crate::value::Dict;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/inventory")
}

fn read(name: &str) -> Json {
    serde_json::from_str(&std::fs::read_to_string(data().join(name)).unwrap()).unwrap()
}

/// Loads sources as the case writes them: relative to its directory.
fn load(directory: &Path, sources: &[&str]) -> Result<(Inventory, Vec<Diagnostic>)> {
    let absolute = |source: &&str| match *source {
        list if list.contains(',') => list.to_owned(),
        path => directory.join(path).to_string_lossy().into_owned(),
    };
    let sources = sources.iter().map(absolute).collect();
    Inventory::load(&InventoryOptions { sources, ..InventoryOptions::default() })
}

fn strings(json: &Json) -> Vec<&str> {
    json.as_array().into_iter().flatten().filter_map(Json::as_str).collect()
}

#[test]
fn shows_what_ansible_inventory_shows() {
    let answers = read("answers.json");
    let mut wrong = Vec::new();
    let mut compared = 0;
    for case in read("cases.json").as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let directory = match data().join(name.split('#').next().unwrap()) {
            directory if directory.is_dir() => directory,
            _ => data(),
        };
        let (inventory, _) = load(&directory, &strings(&case["sources"])).unwrap();
        let playbook_dir = case["playbook_dir"].as_str().map(|path| directory.join(path));
        let extra_vars = Dict::new();
        let view = |export| View {
            playbook_dir: playbook_dir.as_deref(),
            limit: None,
            export,
            extra_vars: &extra_vars,
            merges: false,
        };
        let mut shown = vec![
            ("list".to_owned(), show::list(&inventory, &view(false))),
            ("list_export".to_owned(), show::list(&inventory, &view(true))),
            ("list_yaml".to_owned(), show::list_yaml(&inventory, &view(false))),
            ("list_yaml_export".to_owned(), show::list_yaml(&inventory, &view(true))),
            ("graph".to_owned(), show::graph(&inventory, "all", false, &view(false))),
            ("graph_vars".to_owned(), show::graph(&inventory, "all", true, &view(false))),
        ];
        for (host, answer) in answers[name]["host"].as_object().unwrap() {
            // The oracle takes `--host` for a pattern and finds no `h 1`.
            if answer.is_null() {
                continue;
            }
            shown.push((format!("host/{host}"), show::host(&inventory, host, false, &view(false))));
        }
        for (view, ours) in shown {
            let theirs = match view.strip_prefix("host/") {
                Some(host) => answers[name]["host"][host].as_str(),
                None => answers[name][&view].as_str(),
            };
            let ours = ours.unwrap_or_else(|error| error.report(false));
            compared += 1;
            if theirs != Some(&ours) {
                wrong.push(format!(
                    "==== {name} {view}\n---- ours\n{ours}\n---- theirs\n{}",
                    theirs.unwrap_or("?")
                ));
            }
        }
    }
    assert!(compared > 200, "{compared}");
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn patterns_mean_what_they_mean_to_ansible() {
    let mut wrong = Vec::new();
    let answers = read("pattern_answers.json");
    for case in answers.as_array().unwrap() {
        let directory = data().join(case["inventory"].as_str().unwrap());
        let sources = if case["sources"].is_array() { strings(&case["sources"]) } else { vec!["hosts"] };
        let (inventory, _) = load(&directory, &sources).unwrap();
        let pattern = case["pattern"].as_str().unwrap();
        let limits: Vec<String> = case["limit"]
            .as_str()
            .map(|limit| limit.replace('@', &format!("@{}/", directory.display())))
            .into_iter()
            .collect();
        let theirs = match case["error"].as_str() {
            Some(_) => "error".to_owned(),
            None => format!("{:?} {:?}", strings(&case["hosts"]), strings(&case["warnings"])),
        };
        let ours = match inventory.select(pattern, &limits) {
            Err(_) => "error".to_owned(),
            Ok(selection) => {
                let warnings: Vec<String> = selection.warnings().map(|warning| warning.to_string()).collect();
                format!("{:?} {warnings:?}", selection.hosts)
            }
        };
        if ours != theirs {
            wrong.push(format!("{case}\n   ours: {ours}\n theirs: {theirs}"));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// The report of what is wrong with an inventory of one file, without its directory.
fn error(name: &str, text: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, text).unwrap();
    if text.starts_with("#!") {
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, executable).unwrap();
    }
    let error = load(directory.path(), &[name]).unwrap_err();
    error.report(false).replace(&format!("{}/", directory.path().display()), "")
}

#[test]
fn explains_what_is_wrong_with_an_ini_inventory() {
    assert_snapshot!(error("hosts", "web1 port = 80\n"), @r"
    error: expected `name=value` after the host, got `port`
     --> hosts:1:1
      |
    1 | web1 port = 80
      | ^^^^^^^^^^^^^^
      |
    help: no spaces around `=`; one host a line; quote a value that holds spaces
    ");
    assert_snapshot!(error("hosts", "[web]\nweb1 motd=\"it's\n"), @r#"
    error: a double quote is not closed
     --> hosts:2:1
      |
    1 | [web]
    2 | web1 motd="it's
      | ^^^^^^^^^^^^^^^
      |
    help: quote the whole: `name="it's here"`
    "#);
    assert_snapshot!(error("hosts", "[web]\nweb[1:2:0]\n"), @r"
    error: the step of the range `[1:2:0]` must not be zero
     --> hosts:2:1
      |
    1 | [web]
    2 | web[1:2:0]
      | ^^^^^^^^^^
    ");
    assert_snapshot!(error("hosts", "[web servers]\nweb1\n"), @r"
    error: `[web servers]` is not a section
     --> hosts:1:1
      |
    1 | [web servers]
      | ^^^^^^^^^^^^^
      |
    help: a section is `[group]`, `[group:children]` or `[group:vars]`, without spaces
    ");
    assert_snapshot!(error("hosts", "[web:child]\nweb1\n"), @r"
    error: unknown kind of section: `child`
     --> hosts:1:1
      |
    1 | [web:child]
      | ^^^^^^^^^^^
      |
    help: a section is `[group]`, `[group:children]` or `[group:vars]`
    ");
    assert_snapshot!(error("hosts", "[site:children]\nweb\n[webs]\nw1\n"), @r"
    error: [site:children] names the group `web`, which is not defined
     --> hosts:2:1
      |
    1 | [site:children]
    2 | web
      | ^^^
      |
    help: did you mean `webs`?
    ");
    assert_snapshot!(error("hosts", "[all]\nh\n[web:vars]\na=1\n"), @r"
    error: [web:vars] belongs to the group `web`, which is not defined
     --> hosts:3:1
      |
    1 | [all]
    2 | h
    3 | [web:vars]
      | ^^^^^^^^^^
      |
    help: an empty section `[web]` defines it
    ");
    assert_snapshot!(error("hosts", "[a:children]\nb\n[b:children]\na\n"), @r"
    error: the group `a` cannot be a child of `b`, which lies below it
     --> hosts:4:1
      |
    2 | b
    3 | [b:children]
    4 | a
      | ^
    ");
    assert_snapshot!(error("hosts", "[a:children]\nall\n"), @r"
    error: the group `all` holds every group, it cannot be a child
     --> hosts:2:1
      |
    1 | [a:children]
    2 | all
      | ^^^
    ");
    assert_snapshot!(error("hosts", "[a:vars]\nx\n"), @r"
    error: expected `name=value`, got `x`
     --> hosts:2:1
      |
    1 | [a:vars]
    2 | x
      | ^
    ");
}

#[test]
fn explains_what_is_wrong_with_a_yaml_inventory() {
    assert_snapshot!(error("hosts.yml", "all:\n  hosts:\n    - web1\n"), @r"
    error: `hosts` must be a mapping, this is a list
     --> hosts.yml:3:5
      |
    1 | all:
    2 |   hosts:
    3 |     - web1
      |     ^
      |
    help: write `name:` instead of `- name`
    ");
    assert_snapshot!(error("hosts.yml", "- web1\n"), @r"
    error: an inventory is a mapping of groups, this is a list
     --> hosts.yml:1:1
      |
    1 | - web1
      | ^
    ");
    assert_snapshot!(error("hosts.yml", "all:\n  hosts:\n    web1: 80\n"), @r"
    error: a host's variables must be a mapping, this is a number
     --> hosts.yml:3:11
      |
    1 | all:
    2 |   hosts:
    3 |     web1: 80
      |           ^^
    ");
    assert_snapshot!(error("hosts.yml", "web: web1\n"), @r"
    error: the group `web` must be a mapping, this is a string
     --> hosts.yml:1:6
      |
    1 | web: web1
      |      ^^^^
      |
    help: a group has `hosts:`, `children:` and `vars:`
    ");
    assert_snapshot!(error("hosts.yml", "all:\n  hosts:\n    10:\n"), @r"
    error: Host pattern 10 must be a string. Enclose integers/floats in quotation marks.
     --> hosts.yml:3:5
      |
    1 | all:
    2 |   hosts:
    3 |     10:
      |     ^^
    ");
    assert_snapshot!(error("hosts.yml", "a: {children: {b: {children: {a: }}}}\n"), @r"
    error: the group `b` cannot be a child of `a`, which lies below it
     --> hosts.yml:1:16
      |
    1 | a: {children: {b: {children: {a: }}}}
      |                ^
    ");
    assert_snapshot!(error("hosts.yml", "plugin: amazon.aws.aws_ec2\n"), @r"
    error: not supported yet: the inventory plugin `amazon.aws.aws_ec2`
     --> hosts.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^
      |
    help: write its answer to a file: `ansible-inventory -i … --list --export --yaml`
    ");
    assert_snapshot!(error("hosts.yml", "all:\n  vars:\n    x: {{ y }}\n"), @r#"
    error: a mapping cannot be the key of a mapping
     --> hosts.yml:3:8
      |
    1 | all:
    2 |   vars:
    3 |     x: {{ y }}
      |        ^^^^^^^
      |
    help: quote a value that begins with a template: `key: "{{ value }}"`
    "#);
    assert_snapshot!(error("hosts.yml", ""), @"error: the inventory hosts.yml is empty");
    assert_snapshot!(error("hosts.toml", "[web]\nhosts = [\n"), @r"
    error: TOML: unclosed array, expected `]`
     --> hosts.toml:2:10
      |
    1 | [web]
    2 | hosts = [
      |          ^
    ");
}

#[test]
fn explains_what_is_wrong_with_a_script() {
    assert_snapshot!(error("hosts.sh", "#!/bin/sh\necho 'no credentials' >&2; exit 3\n"), @r"
    error: Inventory script returned non-zero exit code 3: hosts.sh --list
    note: it said: no credentials
    ");
    assert_snapshot!(error("hosts.sh", "#!/bin/sh\necho '{'\n"), @r"
    error: Unable to get JSON decoder for inventory script result. Value could not be parsed as JSON: EOF while parsing an object at line 2 column 0
     --> <hosts.sh --list>:1:3
      |
    1 | {
      |  ^
      |
    help: an inventory script answers with one JSON object
    ");
    assert_snapshot!(error("hosts.sh", "#!/bin/sh\necho '[]'\n"), @r"
    error: Unable to get JSON decoder for inventory script result. Value is 'list' instead of 'dict'.
     --> <hosts.sh --list>:1:1
      |
    1 | []
      | ^
      |
    help: an inventory script answers with one JSON object
    ");
    assert_snapshot!(error("hosts.sh", "#!/bin/sh\necho '{\"web\": {\"hosts\": \"a\"}}'\n"), @r#"
    error: Value contains 'web.hosts' which is 'str' instead of 'list'.
     --> <hosts.sh --list>:1:1
      |
    1 | {"web": {"hosts": "a"}}
      | ^
    "#);
    assert_snapshot!(error("hosts.sh", "#!/bin/sh\necho '{\"_meta\": {}}'\n"), @r#"
    error: Value contains '_meta.hostvars' which is 'NoneType' instead of 'dict'.
     --> <hosts.sh --list>:1:1
      |
    1 | {"_meta": {}}
      | ^
    "#);
    let of_a_host = r#"{"web": {"hosts": ["a"]}, "_meta": {"hostvars": {"a": []}}}"#;
    let told = error("hosts.sh", &format!("#!/bin/sh\necho '{of_a_host}'\n"));
    assert!(told.contains("expected dictionary and got: [] (the variables of 'a')"), "{told}");
    let profiled = r#"{"_meta": {"hostvars": {}, "profile": "inventory_new"}}"#;
    let told = error("hosts.sh", &format!("#!/bin/sh\necho '{profiled}'\n"));
    assert!(told.contains("Unknown profile name 'inventory_new'."), "{told}");
    assert_snapshot!(error("hosts.sh", "#!/no/such/interpreter\n"), @r"
    error: Failed to execute inventory script command 'hosts.sh --list': No such file or directory (os error 2)
    help: the program in its first line, after `#!`, is not there
    ");
}

#[test]
fn explains_what_is_wrong_with_variables() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    std::fs::create_dir(directory.path().join("host_vars")).unwrap();
    write("hosts", "a\nb\nc\n");
    write("host_vars/a.yml", "- x\n");
    write("host_vars/b.yml", "x: 1\nx: 2\n");
    let (inventory, _) = load(directory.path(), &["hosts"]).unwrap();
    let shown = |text: String| text.replace(&format!("{}/", directory.path().display()), "");
    let error = inventory.host_layers("a", None).unwrap_err();
    assert_snapshot!(shown(error.report(false)), @r"
    error: variables are a mapping of names to values, this file holds a list
     --> host_vars/a.yml:1:1
      |
    1 | - x
      | ^
    ");
    assert_eq!(inventory.host_layers("b", None).unwrap().len(), 1);
    let warnings = inventory.take_warnings();
    assert_snapshot!(shown(warnings[0].report_warning(false)), @r"
    warning: Found duplicate mapping key 'x'.
     --> host_vars/b.yml:2:1
      |
    1 | x: 1
    2 | x: 2
      | ^
      |
    note: first defined here
     --> host_vars/b.yml:1:1
      |
    1 | x: 1
      | ^
    help: Using last defined value only.
    ");
    assert!(inventory.take_warnings().is_empty());
    assert!(inventory.host_layers("c", None).unwrap().is_empty());
    assert_snapshot!(inventory.host_layers("d", None).unwrap_err(), @"no host `d` in the inventory");
}

#[test]
fn dashes_are_no_host() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hosts");
    std::fs::write(&path, "a\n---\n").unwrap();
    let sources = vec![path.to_string_lossy().into_owned()];
    let options = InventoryOptions { sources, ..InventoryOptions::default() };
    let error = Inventory::load(&options).unwrap_err();
    assert!(error.message().starts_with("Invalid host pattern '---' supplied"), "{error}");
}

#[test]
fn a_bad_source_is_an_error_unless_ansible_s_way_is_asked_for() {
    let sources = vec!["/no/such/file".to_owned(), "a,".to_owned()];
    let strict = InventoryOptions { sources: sources.clone(), ..InventoryOptions::default() };
    assert_snapshot!(Inventory::load(&strict).unwrap_err().report(false), @r"
    error: there is no inventory at /no/such/file
    help: a list of hosts needs a comma: `-i host,`
    ");
    let lenient =
        InventoryOptions { sources, any_unparsed_is_failed: Some(false), ..InventoryOptions::default() };
    let (inventory, warnings) = Inventory::load(&lenient).unwrap();
    assert_eq!(inventory.hosts().count(), 1);
    assert_snapshot!(warnings[0], @"Unable to parse /no/such/file as an inventory source");
    let none = InventoryOptions {
        sources: vec!["/no/file".into()],
        any_unparsed_is_failed: Some(false),
        ..InventoryOptions::default()
    };
    assert_snapshot!(Inventory::load(&none).unwrap().1[1], @"No inventory was parsed, only implicit localhost is available");
}

#[test]
fn layers_say_what_they_are() {
    let (inventory, _) = load(&data().join("vars_both"), &["hosts"]).unwrap();
    let layers = inventory.host_layers("h", Some(&data().join("vars_both/play"))).unwrap();
    let base = format!("{}/", data().join("vars_both").display());
    let shown: Vec<String> = layers
        .iter()
        .map(|layer| {
            let origin = format!("{:?}", layer.origin).replace(&base, "");
            format!("{:>2} {:?} {origin}", layer.level as u8, layer.level)
        })
        .collect();
    assert_snapshot!(shown.join("\n"), @r#"
     3 InventoryGroup Group("a")
     3 InventoryGroup Group("b")
     4 InventoryAllFile File("hosts/group_vars/all")
     5 PlaybookAllFile File("play/group_vars/all.yml")
     6 InventoryGroupFile File("hosts/group_vars/a/main.yml")
     6 InventoryGroupFile File("hosts/group_vars/b.yml")
     7 PlaybookGroupFile File("play/group_vars/a.yml")
     8 InventoryHost Host("h")
     9 InventoryHostFile File("hosts/host_vars/h")
    10 PlaybookHostFile File("play/host_vars/h.yaml")
    "#);
    let again = inventory.host_layers("h", Some(&data().join("vars_both/play"))).unwrap();
    assert!(std::sync::Arc::ptr_eq(&layers, &again));
    let without = inventory.host_layers("h", None).unwrap();
    assert!(without.iter().all(|layer| !matches!(layer.level as u8, 5 | 7 | 10)));
}

#[test]
fn localhost_is_there_unless_it_is_named() {
    let (inventory, _) = load(&data().join("vars_beside"), &["hosts"]).unwrap();
    let layers = inventory.host_layers("localhost", None).unwrap();
    assert_eq!(layers.last().unwrap().origin, Origin::Implicit);
    assert_eq!(layers[0].origin, Origin::Group("all".into()));
    assert!(inventory.group_names("localhost").is_empty());
    let (inventory, _) = load(&data(), &["localhost,"]).unwrap();
    assert!(inventory.host_layers("localhost", None).unwrap().is_empty());
    assert_eq!(inventory.group_names("localhost"), ["ungrouped".into()]);
}

#[test]
fn hosts_and_groups_join_while_it_runs() {
    let (mut inventory, _) = load(&data().join("ini_children"), &["hosts"]).unwrap();
    let names = |inventory: &Inventory, host: &str| inventory.group_names(host).join(" ");
    let vars = Dict::from_iter([("x", 1_i64)]);
    assert!(inventory.add_host("new", &["fresh".into(), "leaf1".into()], &vars).unwrap());
    assert!(!inventory.add_host("new", &["fresh".into()], &vars).unwrap());
    assert_eq!(names(&inventory, "new"), "deep fresh leaf1 mid top");
    let merged: Vec<String> = inventory
        .host_layers("new", None)
        .unwrap()
        .iter()
        .filter_map(|layer| layer.vars.get("who").or(layer.vars.get("x")))
        .map(ToString::to_string)
        .collect();
    assert_eq!(merged.join(" "), "all top mid leaf1 1");

    assert!(inventory.add_host("alone", &[], &Dict::new()).unwrap());
    assert_eq!(names(&inventory, "alone"), "ungrouped");
    assert!(inventory.add_to_group("alone", "os_debian", &["os".into()]).unwrap());
    assert!(!inventory.add_to_group("alone", "os_debian", &["os".into()]).unwrap());
    assert_eq!(names(&inventory, "alone"), "os os_debian");
    assert_eq!(inventory.select("os", &[]).unwrap().hosts, ["alone".into()]);
    assert_eq!(inventory.groups_dict().get("os").unwrap().repr(), "['alone']");
    inventory.add_to_group("nobody", "x", &[]).unwrap_err();
    inventory.add_child("leaf1", "deep").unwrap_err();
}

#[test]
fn hosts_remember_their_source() {
    let (inventory, _) = load(&data().join("two_sources"), &["a", "b", "x,"]).unwrap();
    let file = |host: &str| inventory.host(host).unwrap().inventory_file().unwrap();
    assert_eq!(file("h1"), data().join("two_sources/a/hosts"));
    assert_eq!(file("h2"), data().join("two_sources/b/hosts.yml"));
    assert_eq!(file("x"), Path::new("x,"));
    let dir = |host: &str| inventory.host(host).unwrap().inventory_dir();
    assert_eq!(dir("h1"), Some(&*data().join("two_sources/a")));
    assert_eq!(dir("x"), None);
}

/// Whatever stands in the file, there is an answer.
#[test]
fn no_file_makes_it_panic() {
    let directory = tempfile::tempdir().unwrap();
    let try_bytes = |name: &str, bytes: &[u8]| {
        std::fs::write(directory.path().join(name), bytes).unwrap();
        match load(directory.path(), &[name]) {
            Err(error) => drop(error.report(false)),
            Ok((inventory, warnings)) => {
                for warning in warnings {
                    drop(warning.report_warning(false));
                }
                let names: Vec<_> = inventory.hosts().take(20).map(|(name, _)| name.clone()).collect();
                for host in names {
                    let _ = inventory.host_layers(&host, None);
                    let _ = inventory.select(&host, &[]);
                }
            }
        }
    };
    for file in ["ini_basic/hosts", "ini_inline/hosts", "ini_ranges/hosts", "yaml_basic/hosts.yml"] {
        let bytes = std::fs::read(data().join(file)).unwrap();
        for end in (0..bytes.len()).step_by(5) {
            try_bytes("hosts", &bytes[..end]);
            try_bytes("hosts.yml", &bytes[bytes.len() - end..]);
        }
    }
    let alphabet = b"ab01 \n\n[]:=,#;'\"\\{}()-+._ \xc3\xa9\xff%!&*~@/?";
    let (named, _) = load(directory.path(), &["a,b,web[1],localhost"]).unwrap();
    let mut state: usize = 0x2545_f491_4f6c_dd1d;
    for _ in 0..1500 {
        let mut bytes = Vec::new();
        for _ in 0..40 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.push(alphabet[state % alphabet.len()]);
        }
        try_bytes("hosts", &bytes);
        let pattern = String::from_utf8_lossy(&bytes).into_owned();
        let _ = named.select(&pattern, &[pattern.replace('@', "")]);
    }
}
