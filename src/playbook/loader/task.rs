use std::sync::Arc;

use super::around::Around;
use super::called::Called;
use super::fields::{Field, Fields};
use super::merge::texts;
use super::options::GivenOption;
use super::repeat::{lookup_of, repeat};
use super::{Found, Loader};
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::keyword::{Object, find, invalid_name, is_variable_name};
use crate::playbook::{Action, Node, Projection, Setting, Task};
use crate::template::Template;
use crate::value::Value;
use crate::yaml;

impl Loader {
    /// Loads one task, or what it imports, onto the end of `nodes`.
    pub(super) fn task(
        &self,
        fields: &Fields<'_>,
        around: &Around,
        found: &mut Found,
        nodes: &mut Vec<Node>,
    ) -> Result<()> {
        let object = if around.is_handler { Object::Handler } else { Object::Task };
        let called = self.called(fields, object, around)?;
        match called.name.as_str() {
            "import_tasks" => self.import_tasks(fields, &called, around, found, nodes),
            "import_role" => self.import_role(fields, &called, around, found, nodes),
            "import_playbook" => Err(Diagnostic::new("import_playbook is not for tasks")
                .at(called.place)
                .hint("it stands at the top level of a playbook, beside the plays")),
            "include_role" if around.is_handler => {
                Err(Diagnostic::new("Using 'include_role' as a handler is not supported.").at(called.place))
            }
            _ => {
                nodes.push(Node::Task(Arc::new(self.plain_task(fields, &called, around)?)));
                Ok(())
            }
        }
    }

    fn plain_task(&self, fields: &Fields<'_>, called: &Called<'_>, around: &Around) -> Result<Task> {
        let object = match called.name.as_str() {
            "include_tasks" => Object::IncludeTasks,
            "include_role" => Object::IncludeRole,
            _ if around.is_handler => Object::Handler,
            _ => Object::Task,
        };
        check_keywords(fields, called, object, around.is_handler)?;
        let may_fail = around.may_fail
            || ["ignore_errors", "failed_when", "when"].iter().any(|name| fields.get(name).is_some());
        let lenient = Around { may_fail, ..around.clone() };
        let mut keywords = self.inside(&lenient, fields)?.keywords;
        if called.key == "local_action" {
            let local = Setting::new(Value::str("localhost"), called.place.clone());
            Arc::make_mut(&mut keywords).delegate_to = Some(local);
        }
        let options = Self::options(called, fields)?;
        let (include, options) = match object {
            Object::IncludeTasks | Object::IncludeRole => {
                let (include, options) = self.include(called, options, fields, around)?;
                (Some(include), options)
            }
            _ => (None, options),
        };
        let may_fail = may_fail
            || !keywords.when.is_empty()
            || keywords.ignore_errors.is_some()
            || (around.is_handler && called.elsewhere.is_some());
        let action = self.action(called, options, &keywords.module_defaults, may_fail, around)?;
        if called.name == "meta" {
            check_meta_place(&action, around)?;
        }
        Ok(Task {
            place: fields.place.clone(),
            name: fields.setting("name", object)?,
            action,
            role: around.role.clone(),
            repeat: repeat(fields)?,
            loop_control: self.loop_control(fields)?,
            register: register(fields)?,
            until: self.conditions(fields, "until")?,
            retries: self.optional(fields, "retries")?,
            delay: self.optional(fields, "delay")?,
            background: self.optional(fields, "async")?,
            poll: self.optional(fields, "poll")?,
            changed_when: self.conditions(fields, "changed_when")?,
            failed_when: self.conditions(fields, "failed_when")?,
            listen: fields.get("listen").map(|field| texts(&field)).transpose()?.unwrap_or_default(),
            is_handler: around.is_handler,
            include,
            keywords,
        })
    }

    fn conditions(&self, fields: &Fields<'_>, name: &str) -> Result<Vec<Setting>> {
        let conditions = fields.get(name).map(|field| field.conditions()).transpose();
        let conditions = conditions.or_else(|error| self.refuse(error))?.unwrap_or_default();
        self.warn_of_marks(&conditions);
        Ok(conditions)
    }

    fn optional(&self, fields: &Fields<'_>, name: &str) -> Result<Option<Setting>> {
        match (fields.get(name), find(name)) {
            (Some(field), Some(keyword)) => field.setting(keyword).or_else(|error| self.refuse(error)),
            _ => Ok(None),
        }
    }
}

/// Whether a `meta` can be where it stands.
fn check_meta_place(action: &Action, around: &Around) -> Result<()> {
    let what = action.args.get("_raw_params").and_then(Value::as_str).unwrap_or_default().trim();
    let problem = match what {
        "end_role" if around.is_handler => "Cannot execute 'end_role' from a handler",
        "end_role" if around.role.is_none() => "Cannot execute 'end_role' from outside of a role",
        _ => return Ok(()),
    };
    Err(Diagnostic::new(problem).at(&action.place))
}

/// Checks the keys of a task besides the one that calls the action.
pub(super) fn check_keywords(
    fields: &Fields<'_>,
    called: &Called<'_>,
    object: Object,
    is_handler: bool,
) -> Result<()> {
    for field in &fields.all {
        let is_call = field.name == called.key;
        let is_topic = is_handler && field.name == "listen";
        if !is_call && !is_topic && lookup_of(field.name).is_none() {
            field.check(object)?;
        }
    }
    Ok(())
}

pub(super) fn register(fields: &Fields<'_>) -> Result<Vec<Projection>> {
    let Some(field) = fields.get("register").filter(|field| !field.value.is_null()) else {
        return Ok(Vec::new());
    };
    let invalid = |node: &yaml::Node| {
        invalid_name(&node.to_value()).context("Invalid 'register' specified").at(&node.place)
    };
    let name = |node: &yaml::Node| match node.as_scalar() {
        Some(Value::Str(name)) if is_variable_name(name) => Ok(name.to_string()),
        _ => Err(invalid(node)),
    };
    match field.value.as_map() {
        Some(entries) => entries
            .iter()
            .map(|(key, value)| Ok(Projection { name: name(key)?, value: Some(expression(value)?) }))
            .collect(),
        None => Ok(vec![Projection { name: name(field.value)?, value: None }]),
    }
}

/// A bare expression as the template that renders it; what is no text stands for itself.
fn expression(node: &yaml::Node) -> Result<Value> {
    let Some(text) = node.as_str() else { return Ok(node.to_value()) };
    if Template::is_template(text) {
        return Err(Diagnostic::new("Template delimiters are not supported in expressions")
            .at(&node.place)
            .hint("What 'register' keeps is an expression already: write it without '{{ }}'."));
    }
    let template = Template::new(format!("{{{{ {text} }}}}"), Some(node.place.clone()));
    template.check()?;
    Ok(Value::Template(Arc::new(template)))
}

/// Warns of keywords that stand where they change nothing.
pub(super) fn without_effect(loader: &Loader, fields: &[Field<'_>], names: &[&str], on: &str) {
    for field in fields.iter().filter(|field| names.contains(&field.name)) {
        loader.warn(
            Diagnostic::new(format!("'{}' on {on} has no effect", field.name))
                .at(&field.key.place)
                .hint("put it on what is imported instead"),
        );
    }
}

/// The value of an option that must be a literal boolean.
pub(super) fn flag(given: &GivenOption<'_>, option: &str) -> Result<bool> {
    match &given.value {
        Value::Bool(flag) => Ok(*flag),
        Value::Str(text) if text.eq_ignore_ascii_case("yes") || text.eq_ignore_ascii_case("true") => Ok(true),
        Value::Str(text) if text.eq_ignore_ascii_case("no") || text.eq_ignore_ascii_case("false") => {
            Ok(false)
        }
        _ => Err(Diagnostic::new(format!("'{option}' must be true or false")).at(&given.node.place)),
    }
}
