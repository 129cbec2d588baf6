//! The inventories under `tests/data/inventory`, each held against what ansible-core says about it.

use std::path::{Path, PathBuf};

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
