//! What holds for every module.

use std::collections::BTreeSet;
use std::path::Path;

use crate::{MODULES, find};

/// Files beside the modules that are none.
const OTHERS: [&str; 3] = ["lib", "laws", "worker"];

#[test]
fn the_table_is_the_directory_sorted() {
    let names: Vec<&str> = MODULES.iter().map(|module| module.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: BTreeSet<String> = dir
        .read_dir()
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".rs")?.to_owned()))
        .filter(|name| !OTHERS.contains(&name.as_str()))
        .collect();
    assert_eq!(files, names.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn names_lead_to_one_module() {
    for module in MODULES {
        for name in module.aliases.iter().chain([&module.name]) {
            for full in
                [(*name).to_owned(), format!("ansible.builtin.{name}"), format!("ansible.legacy.{name}")]
            {
                assert_eq!(find(&full).unwrap().name, module.name);
            }
        }
    }
    assert!(find("ansible.builtin.nope").is_none());
}

#[test]
fn every_module_and_option_is_described() {
    for module in MODULES {
        let spec = module.spec();
        let first = spec.doc.lines().next().unwrap_or_default();
        assert!(first.ends_with('.'), "{}: the first line is no sentence: {first:?}", spec.name);
        assert!(!spec.examples.is_empty(), "{}: no examples", spec.name);
        let mut names = BTreeSet::new();
        for option in &spec.options {
            assert!(!option.doc.trim().is_empty(), "{}.{}: not described", spec.name, option.name);
            for name in option.aliases.iter().chain([&option.name]) {
                assert!(names.insert(name), "{}: {name} twice", spec.name);
            }
        }
        let known = |name: &String| names.contains(name);
        let rules = &spec.rules;
        assert!(spec.free_form.iter().all(known), "{}: free_form names no option", spec.name);
        let groups = [&rules.mutually_exclusive, &rules.required_together, &rules.required_one_of];
        for group in groups.into_iter().flatten().chain(rules.required_if.iter().map(|rule| &rule.needs)) {
            assert!(!group.is_empty() && group.iter().all(known), "{}: bad rule {group:?}", spec.name);
        }
    }
}
