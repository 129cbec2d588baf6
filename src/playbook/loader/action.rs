//! The action of a task: the module it calls with its options, checked.

use std::sync::Arc;

use super::called::{Called, Given, STATIC};
use super::options::{COMMANDS, Options};
use super::{Around, Loader};
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::nearest::nearest;
use crate::playbook::{Action, Dynamic, Setting, Task, split};
use crate::template::Template;
use crate::value::{Dict, Value};

/// Actions whose options are the user's own names.
const TAKE_ANYTHING: [&str; 2] = ["add_host", "set_fact"];

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

impl Loader {
    /// The action with its options checked as far as they can be before rendering. Where the task `may_fail`, or
    /// may be skipped, what is wrong is a warning, and an error only where a host comes to it.
    pub(super) fn action(
        &self,
        called: &Called<'_>,
        options: Options<'_>,
        defaults: &[Setting],
        may_fail: bool,
        around: &Around,
    ) -> Result<Action> {
        let custom = called
            .elsewhere
            .as_ref()
            .map(|elsewhere| self.custom(elsewhere, &called.written, called.place, around));
        if let Some(Err(error)) = &custom {
            if !may_fail {
                return Err(error.clone());
            }
            self.warn_once(error.clone().hint("tasks that call it fail where they are not skipped"));
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
                around: around.clone(),
            };
            return Ok(Action {
                name: String::new(),
                written: called.written.clone(),
                place: called.place.clone(),
                args,
                computed: options.computed,
                dynamic: Some(dynamic),
                custom: None,
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
            custom,
        })
    }

    /// The task as it is once the name of its module is known.
    pub(super) fn named_task(&self, task: &Task, dynamic: &Dynamic, name: &str) -> Result<Task> {
        const FIXED: [&str; 3] = ["meta", "include_role", "include_tasks"];
        let place = &dynamic.name.place;
        let (canonical, free_form, custom) = if let Some((canonical, free_form)) = self.resolve(name) {
            (canonical, free_form, None)
        } else {
            let elsewhere = self.elsewhere(name, &dynamic.around);
            let elsewhere = elsewhere.ok_or_else(|| self.unknown_action(name, place))?;
            let custom = self.custom(&elsewhere, name, place, &dynamic.around)?;
            (name.to_owned(), elsewhere.is_free_form(), Some(Ok(custom)))
        };
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
        action.custom = custom;
        action.args = args;
        action.dynamic = None;
        Ok(Task { action, ..task.clone() })
    }
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
