//! Which module a task calls, and with what.

use std::sync::Arc;

use super::Loader;
use super::around::Around;
use super::elsewhere::Elsewhere;
use super::fields::{Field, Fields, setting_of};
use super::merge::piece;
use super::repeat::lookup_of;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::nearest::nearest;
use crate::playbook::keyword::{Object, find};
use crate::playbook::{Action, Dynamic, Setting, Task, split};
use crate::template::Template;
use crate::value::{Dict, Value};
use crate::yaml::Node;

/// Actions whose text is a command line: only their own options are taken out of it.
const COMMANDS: [&str; 6] = ["command", "shell", "raw", "script", "win_command", "win_shell"];

/// Actions whose options are the user's own names.
const TAKE_ANYTHING: [&str; 2] = ["add_host", "set_fact"];

pub(super) const INDEX: &str = "`fanfare doc --list` shows the modules there are";

/// Actions of the loader itself.
const STATIC: [&str; 3] = ["import_playbook", "import_role", "import_tasks"];

const META: [&str; 10] = [
    "clear_facts",
    "clear_host_errors",
    "end_batch",
    "end_host",
    "end_play",
    "end_role",
    "flush_handlers",
    "noop",
    "refresh_inventory",
    "reset_connection",
];

/// The action of a task, found among its keys.
pub(super) struct Called<'a> {
    /// The canonical short name.
    pub name: String,
    pub written: String,
    pub place: &'a Place,
    /// The key that calls it.
    pub key: &'a str,
    /// A template as the name: what it comes to is known only in the run.
    dynamic: bool,
    /// A module that there is, but not here.
    pub elsewhere: Option<Elsewhere>,
    free_form: bool,
    given: Given<'a>,
}

enum Given<'a> {
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

/// An option with its places.
pub(super) struct GivenOption<'a> {
    pub name: String,
    pub value: Value,
    pub key: &'a Place,
    pub node: &'a Node,
}

/// All options of a task.
pub(super) struct Options<'a> {
    pub all: Vec<GivenOption<'a>>,
    pub computed: Option<Setting>,
}

impl<'a> Options<'a> {
    fn all(all: Vec<GivenOption<'a>>) -> Self {
        Self { all, computed: None }
    }

    pub fn get(&self, name: &str) -> Option<&GivenOption<'a>> {
        self.all.iter().find(|option| option.name == name)
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
                        some => calls.push(Called::by_key(field, (name.to_owned(), true), some)),
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

    fn resolve(&self, name: &str) -> Option<(String, bool)> {
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
            None if elsewhere.is_some() => (written.clone(), true),
            None => return Err(self.unknown_action(&written, place)),
        };
        Ok(Called { name, written, place, key: field.name, dynamic: false, elsewhere, free_form, given })
    }

    /// The options under the module's name and those of `args:`.
    pub(super) fn options<'a>(called: &Called<'a>, fields: &Fields<'a>) -> Result<Options<'a>> {
        let Options { all: mut options, mut computed } = match &called.given {
            Given::Node(node) => given(called, node)?,
            Given::Text(..) if called.dynamic => Options::all(Vec::new()),
            Given::Text(node, text) => text_options(called, node, text)?,
            Given::Rest(entries) => {
                let nested = |(key, value): &'a (Node, Node)| match (key.as_str(), value.as_map()) {
                    (Some("args"), Some(inner)) => inner.iter().collect(),
                    _ => Vec::new(),
                };
                let own = entries.iter().filter(|(key, value)| match key.as_str() {
                    Some("module") => false,
                    Some("args") => value.as_map().is_none(),
                    _ => true,
                });
                Options::all(own.chain(entries.iter().flat_map(nested)).map(entry).collect::<Result<_>>()?)
            }
        };
        if let Some(field) = fields.get("args").filter(|field| !field.value.is_null()) {
            match (field.value.as_map(), field.value.as_scalar()) {
                (Some(entries), _) => {
                    for option in entries.iter().map(entry) {
                        let option = option?;
                        if !options.iter().any(|given| given.name == option.name) {
                            options.push(option);
                        }
                    }
                }
                (None, Some(Value::Template(_))) => {
                    if let Some(first) = computed.replace(setting_of(field.value)) {
                        return Err(Diagnostic::new(
                            "The options of a task can be given by one template only.",
                        )
                        .at(&field.value.place)
                        .note("the first one", Some(first.place)));
                    }
                }
                _ => {
                    return Err(Diagnostic::new("The value of the task `args` keyword is invalid.")
                        .at(&field.value.place)
                        .hint("a mapping or template which resolves to a mapping is required"));
                }
            }
        }
        Ok(Options { all: options, computed })
    }

    /// The action with its options checked as far as they can be before rendering. Where the task `may_fail`, or
    /// may be skipped, what is wrong is a warning, and an error only where a host comes to it.
    pub(super) fn action(
        &self,
        called: &Called<'_>,
        options: Options<'_>,
        defaults: &[Setting],
        may_fail: bool,
    ) -> Result<Action> {
        if let Some(elsewhere) = &called.elsewhere {
            if !may_fail {
                return Err(elsewhere.refuse(&called.written, called.place));
            }
            self.warn_once(Diagnostic::new(format!(
                "the module '{}' is not supported yet: tasks that call it fail where they are not skipped",
                called.written
            )).at(called.place));
        }
        let has_defaults = defaults
            .iter()
            .any(|setting| setting.value.as_dict().is_some_and(|defaults| defaults.contains(&called.name)));
        let complete = options.computed.is_none() && !has_defaults;
        let args: Dict =
            options.all.iter().map(|option| (option.name.as_str(), option.value.clone())).collect();
        if called.dynamic {
            let value =
                |text: &str| Value::Template(Arc::new(Template::new(text, Some(called.place.clone()))));
            let text = match &called.given {
                Given::Text(_, text) => text.as_str(),
                Given::Node(_) | Given::Rest(_) => "",
            };
            let dynamic = Dynamic {
                name: Setting::new(value(&called.written), called.place.clone()),
                text: Setting::new(value(text), called.place.clone()),
            };
            return Ok(Action {
                name: String::new(),
                written: called.written.clone(),
                place: called.place.clone(),
                args,
                computed: options.computed,
                dynamic: Some(dynamic),
            });
        }
        if let Err(misuse) = self.options.actions.check(&called.name, &args, complete) {
            let option = misuse.option.as_deref().and_then(|name| options.get(name));
            let place = match option {
                Some(option) if misuse.value => &option.node.place,
                Some(option) => option.key,
                None => called.place,
            };
            let error = Diagnostic::new(misuse.message).at(place);
            let error = misuse.hints.into_iter().fold(error, Diagnostic::hint);
            if !may_fail {
                return Err(error);
            }
            self.warn(error.hint("this task fails where it is not skipped"));
        }
        if let Some(computed) = &options.computed
            && !TAKE_ANYTHING.contains(&called.name.as_str())
        {
            self.warn(
                Diagnostic::new("Using a template for task args is unsafe in some situations.")
                    .at(&computed.place)
                    .hint("who provides the variable decides which options the module gets"),
            );
        }
        if called.name == "meta" {
            check_meta(&options, called.place).or_else(|error| self.refuse(error))?;
        }
        Ok(Action {
            name: called.name.clone(),
            written: called.written.clone(),
            place: called.place.clone(),
            args,
            computed: options.computed,
            dynamic: None,
        })
    }

    /// The task as it is once the name of its module is known.
    pub(super) fn named_task(&self, task: &Task, dynamic: &Dynamic, name: &str) -> Result<Task> {
        const FIXED: [&str; 3] = ["meta", "include_role", "include_tasks"];
        let place = &dynamic.name.place;
        let (canonical, free_form) = self.resolve(name).ok_or_else(|| self.unknown_action(name, place))?;
        if STATIC.contains(&canonical.as_str()) || FIXED.contains(&canonical.as_str()) {
            let error = Diagnostic::new(format!("a template cannot come to '{canonical}'")).at(place);
            return Err(error.hint("what a task includes, and what it tells the run, must be seen before it"));
        }
        let mut action = task.action.clone();
        let text = match &dynamic.text.value {
            Value::Template(text) => text.source().clone(),
            _ => Arc::from(""),
        };
        let value = |text: &str| {
            if Template::is_template(text) {
                Value::Template(Arc::new(Template::new(text, Some(place.clone()))))
            } else {
                Value::str(text)
            }
        };
        let parsed =
            split::parse(&text, COMMANDS.contains(&canonical.as_str())).map_err(|error| error.at(place))?;
        let mut args: Dict =
            parsed.options.into_iter().map(|(name, text)| (Value::from(name), value(&text))).collect();
        if let Some(rest) = parsed.rest {
            if !free_form && rest.trim().starts_with("{{") && rest.trim().ends_with("}}") {
                action.computed = Some(Setting::new(value(rest.trim()), place.clone()));
            } else {
                args.insert("_raw_params", value(&rest));
            }
        }
        args.extend(std::mem::take(&mut action.args));
        let complete = action.computed.is_none() && task.keywords.module_defaults.is_empty();
        if let Err(misuse) = self.options.actions.check(&canonical, &args, complete) {
            let error = Diagnostic::new(misuse.message).at(place);
            return Err(misuse.hints.into_iter().fold(error, Diagnostic::hint));
        }
        action.name = canonical;
        action.args = args;
        action.dynamic = None;
        Ok(Task { action, ..task.clone() })
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

fn entry((key, value): &(Node, Node)) -> Result<GivenOption<'_>> {
    let name = key.as_str().ok_or_else(|| {
        Diagnostic::new(format!("the name of an option must be text, not {}", key.describe())).at(&key.place)
    })?;
    Ok(GivenOption { name: name.to_owned(), value: value.to_value(), key: &key.place, node: value })
}

/// What stands under a module's name: a mapping, or a text.
fn given<'a>(called: &Called<'_>, node: &'a Node) -> Result<Options<'a>> {
    if let Some(entries) = node.as_map() {
        return entries.iter().map(entry).collect::<Result<_>>().map(Options::all);
    }
    match node.as_scalar() {
        Some(Value::None) => Ok(Options::all(Vec::new())),
        Some(Value::Str(_) | Value::Template(_)) => {
            text_options(called, node, node.as_str().unwrap_or_default())
        }
        _ => Err(Diagnostic::new(format!("unexpected parameter type in action: {}", node.describe()))
            .at(&node.place)
            .hint(format!("'{}' takes its options as a mapping or as key=value", called.written))),
    }
}

/// Options written as `key=value`, and the free text beside them.
fn text_options<'a>(called: &Called<'_>, node: &'a Node, text: &str) -> Result<Options<'a>> {
    let is_command = COMMANDS.contains(&called.name.as_str());
    let parsed = split::parse(text, is_command).map_err(|error| error.at(&node.place))?;
    let option =
        |name: String, text: &str| GivenOption { name, value: piece(text, node), key: &node.place, node };
    let mut options: Vec<_> = parsed.options.into_iter().map(|(name, value)| option(name, &value)).collect();
    if let Some(rest) = parsed.rest {
        if !called.free_form && is_one_template(node, &rest) {
            let computed = Setting::new(piece(rest.trim(), node), node.place.clone());
            return Ok(Options { all: options, computed: Some(computed) });
        }
        options.push(option("_raw_params".to_owned(), &rest));
    }
    Ok(Options::all(options))
}

/// Whether a text is a template from end to end, which may come to a dictionary of options.
fn is_one_template(node: &Node, text: &str) -> bool {
    let text = text.trim();
    matches!(node.as_scalar(), Some(Value::Template(_))) && text.starts_with("{{") && text.ends_with("}}")
}

fn check_meta(options: &Options<'_>, place: &Place) -> Result<()> {
    let Some(option) = options.get("_raw_params") else {
        return Err(Diagnostic::new("meta needs to be told what to do")
            .at(place)
            .hint(format!("it is one of {}", META.join(", "))));
    };
    let name = match &option.value {
        Value::Str(name) => name,
        // Never rendered.
        Value::Template(template) => template.source(),
        _ => return Ok(()),
    };
    match name.trim() {
        wrong if !META.contains(&wrong) => {
            let error =
                Diagnostic::new(format!("invalid meta action requested: {name}")).at(&option.node.place);
            Err(match nearest(name, META) {
                Some(right) => error.hint(format!("did you mean '{right}'?")),
                None => error.hint(format!("it is one of {}", META.join(", "))),
            })
        }
        _ => Ok(()),
    }
}
