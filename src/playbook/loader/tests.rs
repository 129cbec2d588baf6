use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{LoadOptions, Loader};
use crate::diagnostic::Diagnostic;
use crate::playbook::nearest::nearest;
use crate::playbook::{Actions, Known, Listing, Misuse, Node, Playbook, Task, list};
use crate::value::{Dict, Value};

/// The documented modules, known by the names of their options.
struct Documented(serde_json::Map<String, serde_json::Value>);

impl Documented {
    fn load() -> Self {
        Self(serde_json::from_str(include_str!("../../../tests/data/modules.json")).unwrap())
    }
}

impl Actions for Documented {
    fn resolve(&self, name: &str) -> Option<Known> {
        let short =
            name.strip_prefix("ansible.builtin.").or(name.strip_prefix("ansible.legacy.")).unwrap_or(name);
        let free_form =
            ["command", "shell", "raw", "script", "meta", "include_tasks", "include_vars", "set_fact"]
                .contains(&short);
        self.0.contains_key(short).then(|| Known { canonical: short.to_owned(), free_form })
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn check(&self, canonical: &str, args: &[(String, Value)], _complete: bool) -> Result<(), Misuse> {
        let options = self.0[canonical]["options"].as_object().unwrap();
        let is_free =
            |name: &str| name == "_raw_params" || canonical == "set_fact" || canonical == "add_host";
        match args.iter().find(|(name, _)| !options.contains_key(name) && !is_free(name)) {
            None => Ok(()),
            Some((name, _)) => Err(Misuse {
                option: Some(name.clone()),
                value: false,
                message: format!("Unsupported parameters for ({canonical}) module: {name}."),
                hints: nearest(name, options.keys().map(String::as_str))
                    .map(str::to_owned)
                    .into_iter()
                    .collect(),
            }),
        }
    }
}

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/playbooks").join(path)
}

fn loader(extra_vars: Dict) -> Loader {
    Loader::new(LoadOptions {
        actions: Arc::new(Documented::load()),
        roles_path: vec![data("roles")],
        collections_path: vec![data("collections")],
        extra_vars: Arc::new(extra_vars),
    })
}

/// `file:line:column: message`, then notes and hints.
fn told(error: &Diagnostic) -> String {
    let mut text = match error.place() {
        Some(place) => {
            let file = place.source.path.components().rev().take(3).collect::<Vec<_>>();
            let file: PathBuf =
                match place.source.path.starts_with(data("")) || place.source.path.is_relative() {
                    true => file.into_iter().rev().collect(),
                    false => place.source.path.file_name().unwrap().into(),
                };
            format!("{}:{}:{}: {}", file.display(), place.line, place.column, error.message())
        }
        None => error.message().to_owned(),
    };
    for (note, place) in error.notes() {
        let at =
            place.as_ref().map(|place| format!(" at {}:{}", place.line, place.column)).unwrap_or_default();
        write!(text, "\n  note: {note}{at}").unwrap();
    }
    for hint in error.hints() {
        write!(text, "\n  hint: {hint}").unwrap();
    }
    text
}

/// Every wrong playbook of the corpus, with what is said about it.
#[test]
fn bad_playbooks() {
    let corpus = std::fs::read_to_string(data("bad.txt")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    std::fs::write(root.join("inc.yml"), "- debug:\n").unwrap();
    std::fs::write(root.join("self.yml"), "- import_tasks: self.yml\n").unwrap();
    std::fs::write(root.join("ok.yml"), "- hosts: localhost\n").unwrap();
    let mut report = String::new();
    for case in corpus.split("=== ").skip(1) {
        let (name, text) = case.split_once('\n').unwrap();
        let path = root.join("p.yml");
        std::fs::write(&path, text).unwrap();
        let loader = loader(Dict::new());
        let outcome = match loader.playbook(&path) {
            Ok(_) => "ok".to_owned(),
            Err(error) => told(&error),
        };
        writeln!(report, "{name}: {outcome}").unwrap();
        for warning in loader.take_warnings() {
            writeln!(report, "  warning: {}", told(&warning)).unwrap();
        }
    }
    let hidden =
        report.replace(&root.display().to_string(), "ROOT").replace(&data("").display().to_string(), "DATA/");
    insta::assert_snapshot!(hidden);
}

/// What is listed of the good playbooks is what ansible-playbook lists (`tests/data/playbooks/oracle`).
#[test]
fn good_playbooks_are_listed_as_ansible_lists_them() {
    let words = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let (some, skipped) = (words("users,byhand,again"), words("base,web"));
    let tasks = Listing { tasks: true, ..Listing::default() };
    for book in ["site", "web", "more"] {
        let loader = loader(Dict::new());
        let playbook = loader
            .playbook(&data(&format!("good/{book}.yml")))
            .unwrap_or_else(|error| panic!("{}", told(&error)));
        for (ending, listing) in [
            ("all", Listing { tags: true, ..tasks }),
            ("some", Listing { only: &some, ..tasks }),
            ("skipped", Listing { skip: &skipped, ..tasks }),
            ("syntax", Listing::default()),
        ] {
            let ours = list(&loader, &playbook, &format!("{book}.yml"), &listing, &|_| Vec::new());
            let expect = std::fs::read_to_string(data(&format!("good/{book}.{ending}"))).unwrap();
            assert_eq!(steady(&ours), steady(&expect), "{book}.{ending}");
        }
    }
}

/// Ansible gives the tags of a play in no order.
fn steady(listing: &str) -> String {
    let line = |line: &str| match line.split_once("\tTAGS: [").filter(|_| line.starts_with("  play")) {
        Some((play, tags)) => {
            let mut tags: Vec<_> = tags.trim_end_matches(']').split(',').collect();
            tags.sort_unstable();
            format!("{play}\tTAGS: [{}]", tags.join(","))
        }
        None => line.to_owned(),
    };
    listing.lines().map(line).collect::<Vec<_>>().join("\n")
}
