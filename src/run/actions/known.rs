//! What the playbook loader asks about modules and actions.

use fanfare_modules::kit::args::{ArgsError, Spec};
use serde_json::{Map, Value as Json};

use super::{ACTIONS, Action, Manual, find, foreign};
use crate::nearest::nearest;
use crate::playbook::{Actions, Known, Misuse};
use crate::value::{Dict, Value};

/// The modules of the worker and the actions of the control node, as one.
pub struct Library;

impl Actions for Library {
    fn resolve(&self, name: &str) -> Option<Known> {
        let short = fanfare_modules::short(name);
        // As the action of a task, it is the module behind it.
        let (short, name) = if short == "gather_facts" { ("setup", "setup") } else { (short, name) };
        if let Some(action) = find(short) {
            return Some(Known { canonical: action.name.to_owned(), free_form: action.free_form });
        }
        let spec = fanfare_modules::find(name)?.spec();
        Some(Known { canonical: spec.name.to_owned(), free_form: spec.takes_free_form() })
    }

    fn names(&self) -> Vec<String> {
        let actions = ACTIONS.iter().map(|action| action.name.to_owned());
        let mut names: Vec<String> =
            actions.chain(fanfare_modules::MODULES.iter().map(|module| module.name.to_owned())).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn is_foreign(&self, name: &str) -> bool {
        let short = name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy."));
        foreign::is_known_elsewhere(short.unwrap_or(name))
    }

    fn check(&self, canonical: &str, args: &Dict, complete: bool) -> Result<(), Misuse> {
        if args.contains("_raw_params") && !takes_text(canonical) {
            return Err(Misuse {
                option: Some("_raw_params".to_owned()),
                value: true,
                message: format!("Action '{canonical}' does not support raw params."),
                hints: vec!["write options as key=value, or as a mapping".to_owned()],
            });
        }
        let action = find(canonical).and_then(|action| Some((action, action.manual?)));
        match (action, fanfare_modules::find(canonical)) {
            (Some((action, manual)), _) => check_action(action, manual, args, complete),
            (None, Some(module)) => check_module(module.spec(), args, complete),
            (None, None) => Ok(()),
        }
    }
}

/// Whether text without `key=` means something to an action or module.
fn takes_text(canonical: &str) -> bool {
    match (find(canonical), fanfare_modules::find(canonical)) {
        (Some(action), _) => action.free_form,
        (None, Some(module)) => module.spec().takes_free_form(),
        (None, None) => true,
    }
}

/// Checks the options of an action that were known only in the run.
pub fn check(action: &Action, args: &Dict) -> Result<(), String> {
    Library.check(action.name, args, true).map_err(|misuse| misuse.message)
}

fn check_action(action: &Action, manual: &Manual, args: &Dict, complete: bool) -> Result<(), Misuse> {
    for name in args.keys().filter(|_| !manual.open) {
        let free_text = name.as_str() == Some("_raw_params") && action.free_form;
        if free_text || manual.names().any(|known| name.as_str() == Some(known)) {
            continue;
        }
        let name = name.to_string();
        let hints = nearest(&name, manual.names()).map(|near| format!("did you mean `{near}`?"));
        let mut supported: Vec<&str> = manual.options.iter().map(|option| option.name).collect();
        supported.sort_unstable();
        let message = match action.name {
            "include_vars" => format!("{name} is not a valid option in include_vars"),
            "fail" | "group_by" | "set_stats" | "wait_for_connection" => {
                format!("Invalid options for {}: {name}", action.name)
            }
            action => format!(
                "Unsupported parameters for ({action}) module: {name}. Supported parameters include: {}.",
                supported.join(", ")
            ),
        };
        return Err(Misuse { message, option: Some(name), value: false, hints: hints.into_iter().collect() });
    }
    let given = |known: &str| args.contains(known);
    let missing: Vec<&str> = manual
        .options
        .iter()
        .filter(|option| {
            option.required && !given(option.name) && !option.aliases.iter().any(|alias| given(alias))
        })
        .map(|option| option.name)
        .collect();
    if complete && !missing.is_empty() {
        return Err(Misuse {
            option: None,
            value: false,
            message: format!("missing required arguments: {}", missing.join(", ")),
            hints: Vec::new(),
        });
    }
    Ok(())
}

fn check_module(spec: &Spec, args: &Dict, complete: bool) -> Result<(), Misuse> {
    let json: Map<String, Json> = args.to_json();
    // A value with a template anywhere in it is judged when it is rendered.
    let open: Vec<Json> = args.values().filter(|value| value.holds_template()).map(Value::to_json).collect();
    let wrong = spec.check(&json, &|value| open.contains(value));
    match wrong.into_iter().find(|error| complete || error.option.is_some()) {
        Some(error) => Err(misuse(error, args)),
        None => Ok(()),
    }
}

fn misuse(error: ArgsError, args: &Dict) -> Misuse {
    let known = error.option.as_ref().filter(|option| args.contains(option));
    Misuse {
        value: known.is_some() && !error.message.starts_with("Unsupported parameters"),
        option: known.cloned(),
        message: error.message,
        hints: error.hint.into_iter().collect(),
    }
}
