//! Loops: `loop`, `with_…`, `loop_control`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::event::Delegate;
use super::outcome::{Raw, public};
use super::task::{Ended, Job, judge, one, unmet};
use super::{background, call, destination, include, register, report, settings};
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::keyword::{invalid_name, is_variable_name};
use crate::playbook::{Loop, LoopControl, Setting, Task};
use crate::template::{self, Context, lookups};
use crate::value::{Dict, Value};
use crate::vars::Scope;

/// The names and habits of one loop, rendered.
struct Control {
    var: String,
    index_var: Option<String>,
    extended: bool,
    all_items: bool,
    pause: Duration,
    /// Where the items stand in the user's own files: the name of an item, which may then be an expression.
    own: Option<Arc<str>>,
}

/// A finished item.
struct Item {
    value: Value,
    raw: Raw,
    label: Option<Value>,
    delegated: Option<Delegate>,
}

/// Runs a task over its items.
pub(super) async fn run(job: &Job<'_>, repeat: &Loop, scope: Scope) -> Ended {
    let (items, control) = match begin(job, repeat, &scope) {
        Ok(Ok(begun)) => begun,
        Ok(Err(skipped)) => return Ended::of(skipped),
        Err(error) => return Ended::of(Raw::error(error.context("Task failed"))),
    };
    if items.is_empty() {
        let mut raw = Raw::skipped("No items in the list", None);
        raw.set("skipped_reason", "No items in the list");
        raw.set("results", Value::list(Vec::new()));
        return Ended { is_loop: true, ..Ended::of(raw) };
    }
    let done = if travels_together(job) {
        together(job, &control, &items, &scope).await
    } else {
        one_by_one(job, &control, &items, &scope).await
    };
    sum_up(&control, done)
}

type Begun = (Vec<Value>, Control);

/// The items and how to go through them; or the skip, where `when` spares a list that cannot be had.
fn begin(job: &Job<'_>, repeat: &Loop, scope: &Scope) -> Result<Result<Begun, Raw>> {
    let context = Context::new(scope);
    let mut control = control(&job.task.loop_control, &context)?;
    control.own = is_own(repeat, scope).then(|| Arc::from(control.var.as_str()));
    match list(repeat, &context) {
        Ok(items) => Ok(Ok((items, control))),
        Err(error) => match unmet(&job.task.keywords.when, scope) {
            Ok(Some(condition)) => Ok(Err(Raw::skipped("Conditional result was False", Some(condition)))),
            _ => Err(error),
        },
    }
}

fn control(control: &LoopControl, context: &Context<'_>) -> Result<Control> {
    let pause = settings::number(control.pause.as_ref(), context)?.unwrap_or(0.0);
    Ok(Control {
        var: name("loop_var", control.loop_var.as_ref(), context)?.unwrap_or_else(|| "item".to_owned()),
        index_var: name("index_var", control.index_var.as_ref(), context)?,
        extended: settings::flag(control.extended.as_ref(), false, context)?,
        all_items: settings::flag(control.extended_allitems.as_ref(), true, context)?,
        pause: Duration::from_secs_f64(pause.clamp(0.0, 1e9)),
        own: None,
    })
}

/// The name of a variable.
fn name(keyword: &str, setting: Option<&Setting>, context: &Context<'_>) -> Result<Option<String>> {
    let Some(setting) = setting else { return Ok(None) };
    match settings::text(Some(setting), context)? {
        Some(name) if !is_variable_name(&name) => {
            Err(invalid_name(&name.into()).context(format!("Invalid '{keyword}'")).at(&setting.place))
        }
        name => Ok(name),
    }
}

/// Whether the items are what the user's own files say, with nothing rendered.
fn is_own(repeat: &Loop, scope: &Scope) -> bool {
    const REARRANGE: [&str; 7] =
        ["cartesian", "dict", "indexed_items", "items", "list", "nested", "together"];
    if repeat.lookup.as_deref().is_some_and(|lookup| !REARRANGE.contains(&lookup)) {
        return false;
    }
    match &repeat.items.value {
        Value::Template(template) => {
            template::written(template, &Context::new(scope)).is_some_and(|items| !items.holds_template())
        }
        items => !items.holds_template(),
    }
}

fn list(repeat: &Loop, context: &Context<'_>) -> Result<Vec<Value>> {
    let setting = &repeat.items;
    let Some(lookup) = &repeat.lookup else {
        return match settings::rendered(setting, context)? {
            Value::List(items) => Ok(items.to_vec()),
            other => {
                let message =
                    format!("The `loop` value must resolve to a 'list', not '{}'.", other.type_name());
                let error = Diagnostic::new(message).at(&setting.place);
                Err(match &other {
                    Value::Dict(_) => error.hint("`| dict2items` makes a list of a dictionary"),
                    _ => error,
                })
            }
        };
    };
    let entry = lookups::find(lookup).ok_or_else(|| {
        Diagnostic::new(format!("the lookup plugin '{lookup}' was not found")).at(&setting.place)
    })?;
    let terms = if entry.name == "first_found" {
        defined(&setting.value, context).map_err(|error| error.at(&setting.place))?
    } else {
        settings::rendered(setting, context)?
    };
    let terms = match terms {
        Value::List(terms) => terms.to_vec(),
        other => vec![other],
    };
    let named = Dict::new();
    let args = template::Args::bind(entry.name, entry.params, &[], &named)?;
    (entry.run)(&terms, &args, context).map_err(|error| error.at(&setting.place))
}

/// Renders what names files to look for: an entry that is undefined names none. That the whole is defined is asked for.
fn defined(value: &Value, context: &Context<'_>) -> Result<Value> {
    let part = |value: &Value| match defined(value, context) {
        Err(error) if error.is_undefined() => None,
        part => Some(part),
    };
    match template::resolve(value, context)? {
        Value::List(items) => Ok(Value::list(items.iter().filter_map(part).collect::<Result<Vec<_>>>()?)),
        Value::Dict(entries) => {
            let kept = entries
                .iter()
                .filter_map(|(key, value)| Some(part(value)?.map(|value| (key.clone(), value))));
            Ok(Value::dict(kept.collect::<Result<Dict>>()?))
        }
        other => template::render_all(&other, context),
    }
}

/// Whether nothing on the control node is needed between one item and the next.
fn travels_together(job: &Job<'_>) -> bool {
    let task = job.task;
    task.until.is_empty()
        && task.retries.is_none()
        && task.loop_control.pause.is_none()
        && task.loop_control.break_when.is_empty()
        && task.keywords.throttle.is_none()
        && background::is_unattended(job)
        && !task.register.iter().any(|projection| mentions(task, &projection.name))
        && !task.register.iter().any(|projection| projection.value.is_some())
        && !mentions(task, "_task")
        && task.action.dynamic.is_none()
        && call::is_remote(&task.action.name)
}

/// Whether what a task does may depend on a variable: on what the item before it registered.
fn mentions(task: &Task, name: &str) -> bool {
    let keywords = &task.keywords;
    let settings = keywords.when.iter().chain(&keywords.environment).chain(&keywords.delegate_to);
    settings.map(|setting| &setting.value).chain(task.action.args.values()).any(|value| holds(value, name))
}

fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::Str(own) => own.contains(text),
        Value::Template(template) => template.source().contains(text),
        Value::List(items) => items.iter().any(|item| holds(item, text)),
        Value::Dict(entries) => entries.values().any(|value| holds(value, text)),
        _ => false,
    }
}

async fn one_by_one(job: &Job<'_>, control: &Control, items: &[Value], scope: &Scope) -> Vec<Item> {
    let mut done: Vec<Item> = Vec::with_capacity(items.len());
    let mut base = scope.clone();
    register::begin_loop(job.task, &mut base);
    for (index, value) in items.iter().enumerate() {
        if index > 0 && !control.pause.is_zero() {
            tokio::time::sleep(control.pause).await;
        }
        let started = Instant::now();
        let scope = item_scope(control, items, index, &base);
        let (raw, delegate) = one(job, &scope).await;
        let delegated = delegate.map(|name| shown(job, &scope, name, &raw, index));
        if raw.fields.contains("ansible_facts") {
            // The next item sees what this one set.
            match job.batch.scope(job.host, Some(job.task), &job.place.inner) {
                Ok(mut fresh) => {
                    fresh.take_locals(&base);
                    base = fresh;
                }
                Err(error) => job.batch.run.break_off(error),
            }
        }
        let mut item = Item { value: value.clone(), label: None, raw, delegated };
        complete(job, control, &mut item, index, &scope);
        register::show_item(job.task, &item.raw, &mut base);
        let stop = breaks(job, &scope, &mut item);
        tell(job, &item, started);
        let unreachable = item.raw.unreachable;
        done.push(item);
        if stop || unreachable {
            break;
        }
    }
    done
}

/// Sends the items of a loop to the worker in one go.
async fn together(job: &Job<'_>, control: &Control, items: &[Value], scope: &Scope) -> Vec<Item> {
    /// So many that the round trip no longer shows, so few that memory stays small.
    const BATCH: usize = 200;
    let mut done: Vec<Item> = Vec::with_capacity(items.len());
    for start in (0..items.len()).step_by(BATCH) {
        let started = Instant::now();
        let end = (start + BATCH).min(items.len());
        let scopes: Vec<Scope> = (start..end).map(|index| item_scope(control, items, index, scope)).collect();
        let results = call::perform_all(job, &scopes).await;
        for ((index, mut scope), (raw, delegate)) in (start..end).zip(scopes).zip(results) {
            let raw = if raw.is("skipped") { raw } else { judge(job, &mut scope, raw, delegate.as_ref()) };
            let value = items.get(index).cloned().unwrap_or(Value::None);
            let delegated = delegate.map(|name| shown(job, &scope, name, &raw, index));
            let mut item = Item { value, label: None, raw, delegated };
            complete(job, control, &mut item, index, &scope);
            tell(job, &item, started);
            done.push(item);
        }
        if done.last().is_some_and(|item| item.raw.unreachable) {
            break;
        }
    }
    done
}

/// Where an item ran. As in Ansible, only the first one tells the address.
fn shown(job: &Job<'_>, scope: &Scope, name: Arc<str>, raw: &Raw, index: usize) -> Delegate {
    match index {
        0 => destination::shown(job, scope, name, raw),
        _ => Delegate { name, address: None },
    }
}

fn item_scope(control: &Control, items: &[Value], index: usize, scope: &Scope) -> Scope {
    let mut scope = scope.clone();
    let item = |index: Option<usize>| index.and_then(|index| items.get(index)).cloned();
    scope.set_local(control.var.as_str(), item(Some(index)).unwrap_or(Value::None));
    scope.set_local("ansible_loop_var", control.var.as_str());
    if let Some(own) = &control.own {
        scope.trust_local(own.clone());
    }
    if let Some(name) = &control.index_var {
        scope.set_local(name.as_str(), number(index));
        scope.set_local("ansible_index_var", name.as_str());
    }
    if control.extended {
        let mut extended = Dict::new();
        extended.insert("index", number(index + 1));
        extended.insert("index0", number(index));
        extended.insert("first", index == 0);
        extended.insert("last", index + 1 == items.len());
        extended.insert("length", number(items.len()));
        extended.insert("revindex", number(items.len() - index));
        extended.insert("revindex0", number(items.len() - index - 1));
        if control.all_items {
            extended.insert("allitems", Value::list(items.to_vec()));
        }
        if let Some(previous) = item(index.checked_sub(1)) {
            extended.insert("previtem", previous);
        }
        if let Some(next) = item(Some(index + 1)) {
            extended.insert("nextitem", next);
        }
        scope.set_local("ansible_loop", Value::dict(extended));
    }
    scope
}

fn number(index: usize) -> Value {
    Value::Int(i64::try_from(index).unwrap_or(i64::MAX))
}

/// Completes an item's result.
fn complete(job: &Job<'_>, control: &Control, item: &mut Item, index: usize, scope: &Scope) {
    let label = match &job.task.loop_control.label {
        None => item.value.clone(),
        Some(setting) => {
            match template::render_all(&setting.value, &Context::new(&with_result(job, scope, item))) {
                Ok(Value::Omit) => item.value.clone(),
                Ok(label) => label,
                Err(error) => {
                    let error = error.at(&setting.place).context("Failed to template loop_control label");
                    let before = item.raw.fields.get("warnings").and_then(Value::as_list).unwrap_or_default();
                    let warnings = [before, &[error.message().into()]].concat();
                    item.raw.set("warnings", Value::list(warnings));
                    job.batch.run.warn(error);
                    item.value.clone()
                }
            }
        }
    };
    item.raw.set(&control.var, item.value.clone());
    item.raw.set("ansible_loop_var", control.var.as_str());
    if let Some(name) = &control.index_var {
        item.raw.set(name, number(index));
        item.raw.set("ansible_index_var", name.as_str());
    }
    if let Some(extended) = scope.local("ansible_loop") {
        item.raw.set("ansible_loop", extended.clone());
    }
    item.label = Some(label);
}

fn tell(job: &Job<'_>, item: &Item, started: Instant) {
    let label = item.label.as_ref().map(ToString::to_string).unwrap_or_default();
    report::item_done(job, &item.raw, &label, item.delegated.clone(), started);
}

/// Whether the loop ends with this item. A condition that cannot be evaluated is the item's failure.
fn breaks(job: &Job<'_>, scope: &Scope, item: &mut Item) -> bool {
    let conditions = &job.task.loop_control.break_when;
    if conditions.is_empty() {
        return false;
    }
    match unmet(conditions, &with_result(job, scope, item)) {
        Ok(unmet) => {
            item.raw.set("break_when_result", unmet.is_none());
            unmet.is_none()
        }
        Err(error) => {
            item.raw.set("break_when_result", error.message());
            item.raw.fail();
            item.raw.error = Some(error.context("A 'break_when' expression failed"));
            true
        }
    }
}

/// The scope of an item that is done: what it registers is there.
fn with_result(job: &Job<'_>, scope: &Scope, item: &Item) -> Scope {
    let mut scope = scope.clone();
    register::show(job.task, &item.raw, &mut scope);
    scope
}

/// The result of the whole loop.
fn sum_up(control: &Control, items: Vec<Item>) -> Ended {
    let any = |key: &str| items.iter().any(|item| item.raw.is(key));
    let skipped = items.iter().all(|item| item.raw.is("skipped"));
    let mut raw = Raw::default();
    raw.set("changed", any("changed"));
    let message = if skipped {
        raw.set("skipped", true);
        "All items skipped"
    } else if any("failed") {
        raw.set("failed", true);
        "One or more items failed"
    } else {
        "All items completed"
    };
    raw.set("msg", message);
    raw.secret = items.iter().any(|item| item.raw.secret);
    raw.unreachable = items.iter().any(|item| item.raw.unreachable);
    if raw.unreachable {
        raw.set("unreachable", true);
    }
    // What the items warn of, the whole loop does.
    for key in ["warnings", "deprecations"] {
        let told = items.iter().filter_map(|item| item.raw.fields.get(key)?.as_list());
        let told: Vec<Value> = told.flatten().cloned().collect();
        if !told.is_empty() {
            raw.set(key, Value::list(told));
        }
    }
    let delegated_to = items.iter().rev().find_map(|item| item.delegated.clone());
    let mut inclusions = Vec::new();
    for item in &items {
        let vars = [(control.var.as_str(), item.value.clone())];
        let index = control.index_var.as_deref().and_then(|name| Some((name, item.raw.fields.get(name)?)));
        let extended = item.raw.fields.get("ansible_loop").map(|value| ("ansible_loop", value));
        let more = index.into_iter().chain(extended).map(|(name, value)| (name, value.clone()));
        let named = control.index_var.as_deref().map(|name| ("ansible_index_var", Value::from(name)));
        let vars: Vec<(&str, Value)> = vars.into_iter().chain(more).chain(named).collect();
        // As in Ansible, nothing is told of an item that says nothing, and an empty label is none.
        let label = item.label.as_ref().filter(|label| label.as_str() != Some("")).unwrap_or(&item.value);
        let label = label.is_truthy().then(|| label.to_string());
        inclusions.extend(include::of(&item.raw, &vars, label));
    }
    raw.notify = items.iter().flat_map(|item| item.raw.notify.clone()).collect();
    let results = items.into_iter().map(|item| Value::dict(public(item.raw.fields))).collect();
    raw.set("results", Value::list(results));
    Ended { raw, inclusions, delegated_to, is_loop: true }
}
