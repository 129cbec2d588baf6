//! What holds for every module.

mod check;
mod options;
mod run;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value as Json};

use crate::kit::Spec;
use crate::kit::args::FREE_FORM;
use crate::{COLLECTIONS, MODULES, find};

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

/// `module_defaults` takes it for granted that all modules of some collections are in their groups, and that others have none.
/// Before another collection joins, see the `action_groups` of its `meta/runtime.yml`.
#[test]
fn modules_belong_to_the_action_groups_of_their_collections() {
    for (collection, module) in COLLECTIONS {
        let is_docker = *collection == "community.docker";
        assert_eq!(crate::is_in_group(module, "docker"), is_docker, "{module}");
        let is_rabbitmq = *collection == "community.rabbitmq";
        assert_eq!(crate::is_in_group(module, "community.rabbitmq.rabbitmq"), is_rabbitmq, "{module}");
        for (all, prefix) in [
            ("community.postgresql.all", "postgresql_"),
            ("community.mysql.all", "mysql_"),
            ("ansible.mysql.all", "mysql_"),
        ] {
            assert_eq!(crate::is_in_group(module, all), module.starts_with(prefix), "{module} in {all}");
        }
        assert!(
            [
                "ansible.mysql",
                "ansible.posix",
                "community.crypto",
                "community.docker",
                "community.general",
                "community.mysql",
                "community.postgresql",
                "community.rabbitmq"
            ]
            .contains(collection),
            "{collection}"
        );
    }
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

/// Keys of a task that are not its module's.
const KEYWORDS: [&str; 15] = [
    "until",
    "retries",
    "delay",
    "name",
    "register",
    "when",
    "args",
    "loop",
    "notify",
    "vars",
    "become",
    "tags",
    "changed_when",
    "failed_when",
    "delegate_to",
];

#[test]
fn every_example_is_a_task_with_good_arguments() {
    for module in MODULES {
        let spec = module.spec();
        for (given, task) in examples(spec) {
            let wrong = spec.check(&given, &|value| value.to_string().contains("{{"));
            assert!(wrong.is_empty(), "{}: {wrong:?} in {task}", spec.name);
        }
    }
}

/// The arguments of each example, with the task they are of.
fn examples(spec: &Spec) -> Vec<(Map<String, Json>, Json)> {
    let tasks = yaml::load(&spec.examples);
    let tasks = tasks.as_array().unwrap_or_else(|| panic!("{}: examples are no list", spec.name));
    tasks.iter().map(|task| (arguments(spec, task), task.clone())).collect()
}

fn arguments(spec: &Spec, task: &Json) -> Map<String, Json> {
    let task = task.as_object().unwrap_or_else(|| panic!("{}: an example is no task", spec.name));
    let mut keys = task.keys().filter(|key| !KEYWORDS.contains(&key.as_str()));
    let key = keys.next().unwrap_or_else(|| panic!("{}: an example without a module", spec.name));
    assert_eq!(find(key).map(|module| module.name), Some(spec.name), "{}: {key} in an example", spec.name);
    assert_eq!(keys.next(), None, "{}: not a keyword", spec.name);
    let mut given = match &task[key] {
        Json::Object(map) => map.clone(),
        Json::Null => Map::new(),
        text => Map::from_iter([(FREE_FORM.to_owned(), text.clone())]),
    };
    given.extend(task.get("args").and_then(Json::as_object).cloned().unwrap_or_default());
    given
}

/// Reads the YAML of examples. The full reader is the control node's.
mod yaml {
    use granit_parser::{Event, Parser, ScalarStyle};
    use serde_json::{Map, Value as Json};

    pub fn load(text: &str) -> Json {
        let mut events = Parser::new_from_str(text)
            .map(|event| event.unwrap_or_else(|e| panic!("{e} in {text}")).0)
            .filter(|event| {
                !matches!(event, Event::StreamStart | Event::DocumentStart(..) | Event::Comment(..))
            });
        let first = events.next().unwrap();
        node(first, &mut events)
    }

    fn node<'a>(event: Event<'a>, rest: &mut impl Iterator<Item = Event<'a>>) -> Json {
        match event {
            Event::Scalar(text, style, ..) => scalar(&text, style),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match rest.next().unwrap() {
                        Event::SequenceEnd => return Json::Array(items),
                        item => items.push(node(item, rest)),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut map = Map::new();
                loop {
                    let key = match rest.next().unwrap() {
                        Event::MappingEnd => return Json::Object(map),
                        Event::Scalar(key, ..) => key.into_owned(),
                        other => panic!("{other:?} as a key"),
                    };
                    let value = rest.next().unwrap();
                    assert!(map.insert(key, node(value, rest)).is_none(), "a key twice");
                }
            }
            other => panic!("{other:?} in an example"),
        }
    }

    fn scalar(text: &str, style: ScalarStyle) -> Json {
        match text {
            _ if style != ScalarStyle::Plain => text.into(),
            "" | "~" | "null" => Json::Null,
            "yes" | "true" | "on" => true.into(),
            "no" | "false" | "off" => false.into(),
            _ => match text.strip_prefix('0').filter(|octal| !octal.is_empty()) {
                Some(octal) => i64::from_str_radix(octal, 8).map_or_else(|_| text.into(), Json::from),
                None => text.parse::<i64>().map_or_else(|_| text.into(), Json::from),
            },
        }
    }
}
