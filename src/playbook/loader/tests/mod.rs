mod corpus;
mod dump;
mod includes;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{LoadOptions, Loader, Purpose};
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;
use crate::playbook::{Actions, Known, Misuse};
use crate::value::Dict;

/// The documented modules, known by the names of their options.
struct Documented(serde_json::Map<String, serde_json::Value>);

impl Documented {
    fn load() -> Self {
        Self(serde_json::from_str(include_str!("../../../../tests/data/modules.json")).unwrap())
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

    fn is_foreign(&self, name: &str) -> bool {
        name == "firewalld" || name.split('.').count() > 2
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn check(&self, canonical: &str, args: &Dict, _complete: bool) -> Result<(), Misuse> {
        let options = self.0[canonical]["options"].as_object().unwrap();
        let is_free =
            |name: &str| name == "_raw_params" || canonical == "set_fact" || canonical == "add_host";
        let names = args.keys().map(ToString::to_string);
        match names.into_iter().find(|name| !options.contains_key(name) && !is_free(name)) {
            None => Ok(()),
            Some(name) => Err(Misuse {
                value: false,
                message: format!("Unsupported parameters for ({canonical}) module: {name}."),
                hints: nearest(&name, options.keys().map(String::as_str))
                    .map(str::to_owned)
                    .into_iter()
                    .collect(),
                option: Some(name),
            }),
        }
    }
}

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/playbooks").join(path)
}

fn loader(extra_vars: Dict) -> Loader {
    Loader::new(LoadOptions {
        private_role_vars: None,
        actions: Arc::new(Documented::load()),
        roles_path: vec![data("roles")],
        collections_path: vec![data("collections")],
        module_path: Vec::new(),
        module_utils_path: Vec::new(),
        action_path: Vec::new(),
        extra_vars: Arc::new(extra_vars),
        groups: Arc::default(),
        purpose: Purpose::Run,
    })
}

/// `file:line:column: message`, then notes and hints.
fn told(error: &Diagnostic) -> String {
    let mut text = match error.place() {
        Some(place) => {
            let file = place.source.path.components().rev().take(3).collect::<Vec<_>>();
            let file: PathBuf = if place.source.path.starts_with(data("")) || place.source.path.is_relative()
            {
                file.into_iter().rev().collect()
            } else {
                place.source.path.file_name().unwrap().into()
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
