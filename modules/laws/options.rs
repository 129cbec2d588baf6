//! What the modules take, held against what the real ones' documentation names, and against the list of what is not
//! done (`tests/conformance/unsupported.txt`, told in `docs/compatibility.md`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use crate::kit::Spec;
use crate::{COLLECTIONS, MODULES};

const OWN: &str = include_str!("../../tests/data/modules.json");
const COLLECTED: &str = include_str!("../../tests/data/collections.json");
const UNSUPPORTED: &str = include_str!("../../tests/conformance/unsupported.txt");

/// Names that stand for what is written without an option.
const FREE: [&str; 2] = ["free_form", "free-form"];

/// The options of a module of the documentation, with their other names.
fn documented() -> BTreeMap<String, Vec<Vec<String>>> {
    let own: Map<String, Json> = serde_json::from_str(OWN).unwrap();
    let own = own.into_iter().map(|(name, module)| {
        let options = module["options"].as_object().unwrap().iter().map(|(option, said)| {
            let aliases = said["aliases"].as_array().cloned().unwrap_or_default();
            let aliases = aliases.iter().map(|alias| alias.as_str().unwrap().to_owned());
            [option.clone()].into_iter().chain(aliases).collect()
        });
        (name, options.collect())
    });
    let collected: BTreeMap<String, BTreeMap<String, Vec<String>>> = serde_json::from_str(COLLECTED).unwrap();
    let collected = collected.into_iter().map(|(name, options)| {
        let names =
            options.into_iter().map(|(option, aliases)| [option].into_iter().chain(aliases).collect());
        (name, names.collect())
    });
    own.chain(collected).collect()
}

/// Module and option of each line; those that speak of single values are of no matter here.
fn unsupported() -> BTreeSet<(&'static str, &'static str)> {
    let lines = UNSUPPORTED.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut parts = line.split(" | ");
            Some((parts.next()?.trim(), parts.next()?.trim()))
        })
        .filter(|(_, option)| !option.contains('='))
        .collect()
}

fn takes(spec: &Spec) -> BTreeSet<&str> {
    spec.options
        .iter()
        .flat_map(|option| option.aliases.iter().chain([&option.name]))
        .map(String::as_str)
        .collect()
}

#[test]
fn each_option_of_the_real_modules_is_taken_or_listed() {
    let (documented, mut listed) = (documented(), unsupported());
    let mut wrong = Vec::new();
    for module in MODULES {
        for name in module.aliases.iter().chain([&module.name]) {
            let Some(options) = documented.get(*name) else { continue };
            let taken = takes(module.spec());
            for names in options {
                let canonical = names.first().unwrap();
                let is_listed = listed.remove(&(*name, canonical.as_str()));
                let lacks =
                    names.iter().any(|name| !taken.contains(name.as_str()) && !FREE.contains(&name.as_str()));
                if lacks && !is_listed {
                    wrong.push(format!("{name} does not take {}", names.join(", ")));
                }
            }
        }
    }
    wrong
        .extend(listed.iter().map(|(module, option)| format!("unsupported.txt: what is {module}.{option}?")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_of_a_collection_is_documented() {
    let documented = documented();
    for (collection, module) in COLLECTIONS {
        assert!(documented.contains_key(*module), "tests/data/collections.json lacks {collection}.{module}");
    }
}
