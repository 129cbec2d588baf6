//! Which module a task calls.

use super::Loader;
use super::around::Around;
use super::elsewhere::Elsewhere;
use super::fields::{Field, Fields};
use super::repeat::lookup_of;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::nearest::nearest;
use crate::playbook::keyword::{Object, find};
use crate::yaml::Node;

pub(super) const INDEX: &str = "`fanfare doc --list` shows the modules there are";

/// Actions of the loader itself.
pub(super) const STATIC: [&str; 3] = ["import_playbook", "import_role", "import_tasks"];

/// The action of a task, found among its keys.
pub(super) struct Called<'a> {
    /// The canonical short name.
    pub name: String,
    pub written: String,
    pub place: &'a Place,
    /// The key that calls it.
    pub key: &'a str,
    /// A template as the name: what it comes to is known only in the run.
    pub dynamic: bool,
    /// A module that there is, but not here.
    pub elsewhere: Option<Elsewhere>,
    pub free_form: bool,
    pub given: Given<'a>,
}

pub(super) enum Given<'a> {
    /// What stands under the module's name.
    Node(&'a Node),
    /// `action: name text`.
    Text(&'a Node, String),
    /// `action: {module: name, …}`: all but `module`.
    Rest(&'a [(Node, Node)]),
}

impl<'a> Called<'a> {
    /// By a key of the task that is the module's name.
    fn by_key(field: &Field<'a>, resolved: (String, bool), elsewhere: Option<Elsewhere>) -> Self {
        let (name, free_form) = resolved;
        Self {
            name,
            written: field.name.to_owned(),
            place: &field.key.place,
            key: field.name,
            dynamic: false,
            elsewhere,
            free_form,
            given: Given::Node(field.value),
        }
    }
}

impl Loader {
    pub(super) fn called<'a>(
        &self,
        fields: &Fields<'a>,
        object: Object,
        around: &Around,
    ) -> Result<Called<'a>> {
        let mut calls = Vec::new();
        let mut strange = Vec::new();
        for field in &fields.all {
            match field.name {
                "action" | "local_action" => calls.push(self.spelled_out(field, around)?),
                name if is_task_keyword(name) || lookup_of(name).is_some() => {}
                name => match self.resolve(name) {
                    Some(resolved) => calls.push(Called::by_key(field, resolved, None)),
                    None => match self.elsewhere(name, around) {
                        None => strange.push(field),
                        Some(found) => {
                            let named = (name.to_owned(), found.is_free_form());
                            calls.push(Called::by_key(field, named, Some(found)));
                        }
                    },
                },
            }
        }
        let mut calls = calls.into_iter();
        match (calls.next(), calls.next()) {
            (Some(first), Some(second))
                if first.key.ends_with("action") && second.key.ends_with("action") =>
            {
                Err(Diagnostic::new("action and local_action are mutually exclusive").at(second.place))
            }
            (Some(first), Some(second)) => Err(Diagnostic::new(format!(
                "conflicting action statements: {}, {}",
                first.written, second.written
            ))
            .at(second.place)
            .note("the first one", Some(first.place.clone()))
            .hint("a task calls one module: make two tasks of it")),
            (Some(call), None) => match strange.first() {
                Some(field) => match field.check(object) {
                    Err(error) => Err(error),
                    Ok(_) => Ok(call),
                },
                None => Ok(call),
            },
            (None, _) => Err(self.no_action(fields, &strange, object)),
        }
    }

    fn no_action(&self, fields: &Fields<'_>, strange: &[&Field<'_>], object: Object) -> Diagnostic {
        // Of several strangers, the one that looks least like a keyword was meant as the action.
        let keywords = || crate::playbook::keyword::KEYWORDS.iter().map(|keyword| keyword.name);
        let meant =
            strange.iter().find(|field| nearest(field.name, keywords()).is_none()).or(strange.first());
        match meant {
            None => Diagnostic::new("no module/action detected in task.").at(fields.place),
            Some(field) if find(field.name).is_some() => match field.check(object) {
                Err(error) => error,
                Ok(_) => Diagnostic::new("no module/action detected in task.").at(fields.place),
            },
            Some(field) => self.unknown_action(field.name, &field.key.place),
        }
    }

    /// The error for a name that is no module.
    pub(super) fn unknown_action(&self, name: &str, place: &Place) -> Diagnostic {
        if self.options.actions.is_foreign(name) {
            return Elsewhere::Known.refuse(name, place);
        }
        let error = Diagnostic::new(format!(
            "couldn't resolve module/action '{name}'. This often indicates a misspelling, missing collection, or \
             incorrect module path."
        ))
        .at(place);
        if name == "include" || name == "ansible.builtin.include" {
            return error
                .hint("'include' was removed from the language: use include_tasks or import_tasks instead");
        }
        let short = name.rsplit_once('.').map_or(name, |(_, short)| short);
        let names = self.options.actions.names();
        let known = names.iter().map(String::as_str).chain(STATIC);
        match nearest(short, known) {
            Some(right) => error.hint(format!("did you mean '{right}'?")),
            None => error.hint(INDEX),
        }
    }

    pub(super) fn resolve(&self, name: &str) -> Option<(String, bool)> {
        let short =
            name.strip_prefix("ansible.builtin.").or(name.strip_prefix("ansible.legacy.")).unwrap_or(name);
        if STATIC.contains(&short) {
            return Some((short.to_owned(), short == "import_tasks"));
        }
        self.options.actions.resolve(name).map(|known| (known.canonical, known.free_form))
    }

    /// `action: name key=value` and `action: {module: name, key: value}`.
    fn spelled_out<'a>(&self, field: &Field<'a>, around: &Around) -> Result<Called<'a>> {
        let place = &field.value.place;
        let (written, given) = match (field.value.as_map(), field.value.as_str()) {
            (Some(entries), _) => {
                let named = entries.iter().find(|(key, _)| key.as_str() == Some("module"));
                let Some(written) = named.and_then(|(_, name)| name.as_str()) else {
                    return Err(Diagnostic::new("no module/action detected in task.").at(place));
                };
                self.warn(
                    Diagnostic::new(
                        "Using a mapping for `action` is deprecated. This feature will be removed from \
                         ansible-core version 2.23.",
                    )
                    .at(place)
                    .hint("use the module's name as the key instead"),
                );
                (written.to_owned(), Given::Rest(entries))
            }
            (None, Some(text)) => {
                let text = text.trim();
                let (name, rest) = split_name(text);
                (name.to_owned(), Given::Text(field.value, rest.trim_start().to_owned()))
            }
            (None, None) => {
                return Err(Diagnostic::new(format!(
                    "unexpected parameter type in action: {}",
                    field.value.describe()
                ))
                .at(place));
            }
        };
        if written.contains("{{") {
            let name = String::new();
            let key = field.name;
            return Ok(Called {
                name,
                written,
                place,
                key,
                dynamic: true,
                elsewhere: None,
                free_form: true,
                given,
            });
        }
        let resolved = self.resolve(&written);
        let elsewhere = if resolved.is_none() { self.elsewhere(&written, around) } else { None };
        let (name, free_form) = match resolved {
            Some(resolved) => resolved,
            None => match &elsewhere {
                Some(found) => (written.clone(), found.is_free_form()),
                None => return Err(self.unknown_action(&written, place)),
            },
        };
        Ok(Called { name, written, place, key: field.name, dynamic: false, elsewhere, free_form, given })
    }
}

/// The name of a module, which may be a template, and what follows it.
fn split_name(text: &str) -> (&str, &str) {
    let within = if text.starts_with("{{") { text.find("}}").unwrap_or(0) } else { 0 };
    let end = text.get(within..).and_then(|rest| rest.find(char::is_whitespace)).map(|end| within + end);
    end.and_then(|end| text.split_at_checked(end)).unwrap_or((text, ""))
}

fn is_task_keyword(name: &str) -> bool {
    find(name).is_some_and(|keyword| keyword.on.has(Object::Task) || keyword.on.has(Object::Handler))
}
