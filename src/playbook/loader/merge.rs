//! Keywords of a play, role, block or task laid over those around it.

use std::sync::Arc;

use super::Loader;
use super::around::Around;
use super::fields::{Field, Fields, setting_of};
use super::meta::collections;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::nearest::nearest;
use crate::playbook::keyword::{find, invalid_name, is_variable_name};
use crate::playbook::{Keywords, Layer, Setting, reserved};
use crate::template::Template;
use crate::value::{Dict, Value};
use crate::yaml::Node;

impl Loader {
    /// What surrounds the things inside of something that has `fields`.
    pub(super) fn inside(&self, around: &Around, fields: &Fields<'_>) -> Result<Around> {
        let mut inside = around.with(self.merge(around, &fields.all)?);
        if let Some(own) = collections(fields)? {
            inside.collections = own.iter().chain(around.collections.iter()).cloned().collect();
        }
        Ok(inside)
    }

    /// The keywords in force inside of something that has `fields`; those of other kinds are passed over.
    /// Nothing is copied when there are none.
    pub(super) fn merge(&self, around: &Around, fields: &[Field<'_>]) -> Result<Arc<Keywords>> {
        let mut merged = around.keywords.clone();
        for field in fields {
            if let Some(change) = self.change(around, field)? {
                change.apply(Arc::make_mut(&mut merged));
            }
        }
        // Tags may use the vars that stand beside them.
        match fields.iter().find(|field| field.name == "tags") {
            None => Ok(merged),
            Some(field) => {
                let tags = self.tags(&around.with(merged.clone()), field)?;
                Arc::make_mut(&mut merged).tags.extend(tags);
                Ok(merged)
            }
        }
    }

    fn change(&self, around: &Around, field: &Field<'_>) -> Result<Option<Change>> {
        Ok(match field.name {
            "when" => {
                let conditions = field.conditions().or_else(|error| self.refuse(error))?;
                self.warn_of_marks(&conditions);
                Some(Change::When(conditions))
            }
            "environment" => {
                Some(Change::Environment(environment(field).or_else(|error| self.refuse(error))?))
            }
            "module_defaults" => Some(Change::ModuleDefaults(self.module_defaults(around, field)?)),
            "notify" => Some(Change::Notify(texts(field).or_else(|error| self.refuse(error))?)),
            "vars" => {
                self.warn_of_reserved(field.value);
                vars(field.value)?.map(Change::Vars)
            }
            name if slot(&mut Keywords::default(), name).is_some() => match find(name) {
                Some(keyword) => {
                    let setting = match field.setting(keyword) {
                        // Whoever comes to the task fails there.
                        Err(error) if around.may_fail => {
                            self.warn(error.hint("this task fails where it is not skipped"));
                            Some(setting_of(field.value))
                        }
                        other => other?,
                    };
                    setting.map(|setting| Change::Slot(keyword.name, setting))
                }
                None => None,
            },
            _ => {
                let _ = around;
                None
            }
        })
    }

    /// Variables that are called like keywords or functions.
    pub(super) fn warn_of_reserved(&self, vars: &Node) {
        for (key, _) in vars.as_map().unwrap_or_default() {
            if let Some(warning) = key.as_str().and_then(|name| reserved::warning(name, Some(&key.place))) {
                self.warn(warning);
            }
        }
    }

    /// `when: "{{ x }}"` works, and is on its way out of the language.
    pub(super) fn warn_of_marks(&self, conditions: &[Setting]) {
        for condition in conditions {
            if let Value::Template(template) = &condition.value
                && template.source().trim_start().starts_with(['{'])
            {
                self.warn(
                    Diagnostic::new(
                        "Conditionals should not be surrounded by templating delimiters such as {{ }} or {% %}.",
                    )
                    .at(&condition.place)
                    .hint("a condition is an expression already: write it without the braces"),
                );
            }
        }
    }

    /// Tags are known before any host is: templates in them see the vars of files and command line only.
    fn tags(&self, around: &Around, field: &Field<'_>) -> Result<Vec<Setting>> {
        let mut tags = Vec::new();
        match field.value.as_scalar() {
            Some(Value::Str(text)) => {
                for tag in text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
                    tags.push(Setting::new(Value::str(tag), field.value.place.clone()));
                }
            }
            Some(template @ (Value::Template(_) | Value::Vault(_))) => {
                self.rendered_tags(around, template, field.value, &mut tags)?;
            }
            Some(_) => return Err(Diagnostic::new("tags must be specified as a list").at(&field.value.place)),
            None => {
                let items = field.value.as_list().ok_or_else(|| {
                    Diagnostic::new("tags must be specified as a list").at(&field.value.place)
                })?;
                for item in items {
                    match item.as_scalar() {
                        Some(Value::None) => {}
                        Some(value) => self.rendered_tags(around, value, item, &mut tags)?,
                        None => {
                            let problem = format!("a tag must be text, not {}", item.describe());
                            return Err(Diagnostic::new(problem).at(&item.place));
                        }
                    }
                }
            }
        }
        Ok(tags)
    }

    fn rendered_tags(
        &self,
        around: &Around,
        value: &Value,
        node: &Node,
        tags: &mut Vec<Setting>,
    ) -> Result<()> {
        let rendered = match value {
            Value::Template(_) | Value::Vault(_) => match self.render(around, value) {
                Ok(rendered) => rendered,
                // Nobody asks handlers for their tags.
                Err(_) if around.is_handler => return Ok(()),
                Err(error) => {
                    return Err(error.at(&node.place).hint(
                        "tags are needed before any host is known: they can use vars of the play, its \
                         vars_files, its roles and the command line, but neither inventory nor facts",
                    ));
                }
            },
            other => other.clone(),
        };
        let mut push = |tag: &Value| {
            tags.push(Setting::new(Value::str(tag.to_string()), node.place.clone()));
        };
        match rendered.as_list() {
            Some(items) => items.iter().for_each(push),
            None => push(&rendered),
        }
        Ok(())
    }

    fn module_defaults(&self, around: &Around, field: &Field<'_>) -> Result<Vec<Setting>> {
        let malformed = |node: &Node| {
            Diagnostic::new(
                "The field 'module_defaults' is supposed to be a dictionary or list of dictionaries, the keys of \
                 which must be static action, module, or group names. Only the values may contain templates.",
            )
            .at(&node.place)
            .hint("for example: {ping: \"{{ ping_defaults }}\"}")
        };
        field
            .items()
            .into_iter()
            .map(|item| {
                let mut defaults = Dict::new();
                for (key, value) in item.as_map().ok_or_else(|| malformed(item))? {
                    let Some(Value::Str(name)) = key.as_scalar() else { return Err(malformed(key)) };
                    if let Some(group) = name.strip_prefix("group/") {
                        known_group(group, &key.place)?;
                        defaults.insert(name.to_string(), value.to_value());
                        continue;
                    }
                    let name = match self.options.actions.resolve(name) {
                        Some(known) => known.canonical,
                        None if self.elsewhere(name, around).is_some() => name.to_string(),
                        None => {
                            let error = self.unknown_action(name, &key.place);
                            return Err(error.context("Could not resolve action in module_defaults"));
                        }
                    };
                    defaults.insert(name, value.to_value());
                }
                Ok(Setting::new(Value::dict(defaults), item.place.clone()))
            })
            .collect()
    }
}

/// Groups are of modules of collections. Of most no module is here, so that no more is asked than that there is one.
fn known_group(group: &str, place: &Place) -> Result<()> {
    /// Those that go without the name of their collection.
    const SHORT: [&str; 11] =
        ["acme", "aws", "azure", "cpm", "docker", "gcp", "k8s", "os", "ovirt", "testgroup", "vmware"];
    let short = group.strip_prefix("ansible.builtin.").unwrap_or(group);
    if short.contains('.') || SHORT.contains(&short) {
        return Ok(());
    }
    let problem = format!("could not resolve the module_defaults group {group}");
    let error = Diagnostic::new(problem).at(place).context("Error loading module_defaults");
    Err(match nearest(short, SHORT) {
        Some(near) => error.hint(format!("did you mean 'group/{near}'?")),
        None => error.hint("groups of collections go by their full names: group/namespace.collection.group"),
    })
}

/// What one field does to the keywords.
enum Change {
    Slot(&'static str, Setting),
    When(Vec<Setting>),
    Environment(Vec<Setting>),
    ModuleDefaults(Vec<Setting>),
    Notify(Vec<Setting>),
    Vars(Layer),
}

impl Change {
    fn apply(self, keywords: &mut Keywords) {
        match self {
            Self::Slot(name, setting) => {
                if let Some(slot) = slot(keywords, name) {
                    // Only a template can come to `omit`.
                    let outer = slot.take().filter(|_| matches!(setting.value, Value::Template(_)));
                    *slot = Some(Setting { outer: outer.map(Arc::new), ..setting });
                }
            }
            Self::When(conditions) => keywords.when.extend(conditions),
            Self::Environment(variables) => keywords.environment.extend(variables),
            Self::ModuleDefaults(defaults) => keywords.module_defaults.extend(defaults),
            Self::Notify(names) => keywords.notify.extend(names),
            Self::Vars(layer) => keywords.vars.push(layer),
        }
    }
}

/// Keywords that replace the one around them.
fn slot<'a>(keywords: &'a mut Keywords, name: &str) -> Option<&'a mut Option<Setting>> {
    Some(match name {
        "connection" => &mut keywords.connection,
        "port" => &mut keywords.port,
        "remote_user" => &mut keywords.remote_user,
        "become" => &mut keywords.r#become,
        "become_method" => &mut keywords.become_method,
        "become_user" => &mut keywords.become_user,
        "become_exe" => &mut keywords.become_exe,
        "become_flags" => &mut keywords.become_flags,
        "check_mode" => &mut keywords.check_mode,
        "diff" => &mut keywords.diff,
        "no_log" => &mut keywords.no_log,
        "ignore_errors" => &mut keywords.ignore_errors,
        "ignore_unreachable" => &mut keywords.ignore_unreachable,
        "any_errors_fatal" => &mut keywords.any_errors_fatal,
        "run_once" => &mut keywords.run_once,
        "throttle" => &mut keywords.throttle,
        "debugger" => &mut keywords.debugger,
        "timeout" => &mut keywords.timeout,
        "delegate_to" => &mut keywords.delegate_to,
        "delegate_facts" => &mut keywords.delegate_facts,
        _ => return None,
    })
}

/// A mapping of variables; `None` for null.
pub(super) fn vars(node: &Node) -> Result<Option<Layer>> {
    if node.is_null() {
        return Ok(None);
    }
    let entries = node.as_map().ok_or_else(|| {
        Diagnostic::new(format!("Vars must be specified as a dictionary, not {}", node.describe()))
            .at(&node.place)
    })?;
    for (key, _) in entries {
        if !key.as_str().is_some_and(is_variable_name) {
            return Err(invalid_name(&key.to_value()).at(&key.place));
        }
    }
    Ok(node.to_dict().filter(|vars| !vars.is_empty()).map(Arc::new))
}

/// A list of texts, such as the names of handlers.
pub(super) fn texts(field: &Field<'_>) -> Result<Vec<Setting>> {
    field
        .items()
        .into_iter()
        .map(|item| match item.as_scalar() {
            Some(Value::None) | None => {
                let problem = format!("an item of '{}' must be text, not {}", field.name, item.describe());
                Err(Diagnostic::new(problem).at(&item.place))
            }
            Some(Value::Template(_) | Value::Str(_) | Value::Vault(_)) => Ok(setting_of(item)),
            Some(other) => Ok(Setting::new(Value::str(other.to_string()), item.place.clone())),
        })
        .collect()
}

fn environment(field: &Field<'_>) -> Result<Vec<Setting>> {
    field
        .items()
        .into_iter()
        .map(|item| match item.to_value() {
            value @ (Value::Dict(_) | Value::Template(_) | Value::Vault(_)) => {
                Ok(Setting::new(value, item.place.clone()))
            }
            _ => Err(Diagnostic::new(format!(
                "environment must be a dictionary of variables, not {}",
                item.describe()
            ))
            .at(&item.place)),
        })
        .collect()
}

/// A piece of a text: a template again where it holds marks and the whole was one.
pub(super) fn piece(text: &str, whole: &Node) -> Value {
    match whole.as_scalar() {
        Some(Value::Template(_)) if Template::is_template(text) => {
            Value::Template(Arc::new(Template::new(text, Some(whole.place.clone()))))
        }
        _ => Value::str(text),
    }
}
