//! `ansible_failed_task`: the task that failed, as its file and what is around it have it.

use super::batch::Batch;
use crate::playbook::{LoopControl, Setting, Task};
use crate::template::{Context, Names, resolve_deep};
use crate::value::{Dict, Value};

/// What a rescue may ask of the task. What cannot be rendered any more (a loop is over) stays as it is written.
pub(super) fn describe(batch: &Batch, task: &Task, host: &std::sync::Arc<str>) -> Dict {
    let scope = batch.scope(host, Some(task), &[]).ok();
    let context = scope.as_ref().map(|scope| Context::new(scope as &dyn Names));
    let shown = |value: &Value| rendered(value, context.as_ref());
    let one =
        |setting: Option<&Setting>, default: Value| setting.map_or(default, |setting| shown(&setting.value));
    let all = |settings: &[Setting]| -> Value {
        settings.iter().map(|setting| shown(&setting.value)).collect::<Vec<_>>().into()
    };
    // Conditions are expressions, and stay what they are.
    let conditions = |settings: &[Setting]| -> Value {
        settings.iter().map(|setting| written(&setting.value)).collect::<Vec<_>>().into()
    };
    let keywords = &task.keywords;
    let no = || Value::Bool(false);
    let vars: Dict = keywords.vars.iter().flat_map(|layer| layer.iter()).map(entry(&shown)).collect();
    let args: Dict = task.action.args.iter().map(entry(&shown)).collect();
    let registered = || -> Dict {
        let value =
            |value: &Option<Value>| value.clone().unwrap_or_else(|| "_task.polymorphic_result".into());
        task.register.iter().map(|set| (set.name.as_str(), value(&set.value))).collect()
    };
    let lookup = task.repeat.as_ref().and_then(|repeat| repeat.lookup.as_deref());
    Dict::from_iter([
        ("delegate_to", one(keywords.delegate_to.as_ref(), Value::None)),
        ("delegate_facts", one(keywords.delegate_facts.as_ref(), Value::None)),
        ("notify", if keywords.notify.is_empty() { Value::None } else { all(&keywords.notify) }),
        ("collections", Value::list(Vec::new())),
        ("tags", all(&keywords.tags)),
        ("when", conditions(&keywords.when)),
        ("name", one(task.name.as_ref(), "".into())),
        ("connection", one(keywords.connection.as_ref(), "ssh".into())),
        ("port", one(keywords.port.as_ref(), Value::None)),
        ("remote_user", one(keywords.remote_user.as_ref(), Value::None)),
        ("vars", Value::dict(vars)),
        ("module_defaults", all(&keywords.module_defaults)),
        ("environment", all(&keywords.environment)),
        ("no_log", one(keywords.no_log.as_ref(), no())),
        ("run_once", one(keywords.run_once.as_ref(), Value::None)),
        ("ignore_errors", one(keywords.ignore_errors.as_ref(), no())),
        ("ignore_unreachable", one(keywords.ignore_unreachable.as_ref(), no())),
        ("check_mode", one(keywords.check_mode.as_ref(), batch.run.options.run.check.into())),
        ("diff", one(keywords.diff.as_ref(), batch.run.options.run.diff.into())),
        ("any_errors_fatal", one(keywords.any_errors_fatal.as_ref(), no())),
        ("throttle", one(keywords.throttle.as_ref(), 0.into())),
        ("timeout", one(keywords.timeout.as_ref(), 0.into())),
        ("debugger", one(keywords.debugger.as_ref(), Value::None)),
        ("become", one(keywords.r#become.as_ref(), no())),
        ("become_method", one(keywords.become_method.as_ref(), "sudo".into())),
        ("become_user", one(keywords.become_user.as_ref(), Value::None)),
        ("become_flags", one(keywords.become_flags.as_ref(), Value::None)),
        ("become_exe", one(keywords.become_exe.as_ref(), Value::None)),
        ("args", Value::dict(args)),
        ("action", task.action.written.as_str().into()),
        ("async_val", one(task.background.as_ref(), 0.into())),
        ("async", one(task.background.as_ref(), 0.into())),
        ("changed_when", conditions(&task.changed_when)),
        ("delay", one(task.delay.as_ref(), 5.into())),
        ("failed_when", conditions(&task.failed_when)),
        ("loop", one(task.repeat.as_ref().map(|repeat| &repeat.items), Value::None)),
        ("loop_control", loop_control(&task.loop_control, &shown)),
        ("loop_with", lookup.map_or(Value::None, Value::from)),
        ("poll", one(task.poll.as_ref(), 15.into())),
        ("register", if task.register.is_empty() { Value::None } else { Value::dict(registered()) }),
        ("retries", one(task.retries.as_ref(), Value::None)),
        ("until", conditions(&task.until)),
        ("_resolved_action", format!("ansible.builtin.{}", task.action.name).into()),
    ])
}

fn loop_control(control: &LoopControl, shown: &impl Fn(&Value) -> Value) -> Value {
    let one =
        |setting: Option<&Setting>, default: Value| setting.map_or(default, |setting| shown(&setting.value));
    let breaks: Vec<Value> = control.break_when.iter().map(|setting| written(&setting.value)).collect();
    Value::dict(Dict::from_iter([
        ("loop_var", one(control.loop_var.as_ref(), "item".into())),
        ("index_var", one(control.index_var.as_ref(), Value::None)),
        ("label", one(control.label.as_ref(), Value::None)),
        ("pause", one(control.pause.as_ref(), Value::Float(0.0))),
        ("extended", one(control.extended.as_ref(), Value::None)),
        ("extended_allitems", one(control.extended_allitems.as_ref(), Value::Bool(true))),
        ("break_when", breaks.into()),
    ]))
}

fn entry(shown: &impl Fn(&Value) -> Value) -> impl Fn((&Value, &Value)) -> (Value, Value) {
    move |(key, value)| (key.clone(), shown(value))
}

fn rendered(value: &Value, context: Option<&Context<'_>>) -> Value {
    let value =
        context.and_then(|context| resolve_deep(value, context).ok()).unwrap_or_else(|| written(value));
    if matches!(value, Value::Omit) { Value::None } else { value }
}

/// A template as its text.
fn written(value: &Value) -> Value {
    match value {
        Value::Template(template) => Value::Str(template.source().clone()),
        Value::List(items) => items.iter().map(written).collect::<Vec<_>>().into(),
        Value::Dict(entries) => {
            Value::dict(entries.iter().map(|(key, value)| (key.clone(), written(value))).collect())
        }
        other => other.clone(),
    }
}
