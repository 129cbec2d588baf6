//! What of a result is shown, and how.

use std::fmt::Write as _;

use super::dump;
use crate::config::{DisplayOptions, ResultFormat};
use crate::run::event::{Status, TaskInfo, TaskResult};
use crate::value::{Dict, Value};

/// What stands in place of a result under `no_log`.
pub const CENSORED: &str =
    "the output has been hidden due to the fact that 'no_log: true' was specified for this result";

/// What stands in place of an item's label under `no_log`.
pub const CENSORED_LABEL: &str = "(censored due to no_log)";

/// Keys that speak to the display or are told elsewhere.
const NEVER: &[&str] = &["exception", "warnings", "deprecations", "invocation", "diff"];

/// Of debug's results only the message is of interest.
const NOT_OF_DEBUG: &[&str] = &["changed", "skip_reason", "ansible_loop_var"];

/// Which kind of event a result came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A task without a loop, or one item of a loop.
    Whole,
    /// A loop after all its items.
    Loop,
}

/// Whether the result is shown although nothing failed: `debug` and `assert` always, facts never, others with -v.
pub fn is_told(task: &TaskInfo, result: &TaskResult, scope: Scope, options: &DisplayOptions) -> bool {
    if result.fields.contains("_ansible_verbose_override") {
        return false;
    }
    let forced = options.verbosity > 0 || speaks_for_itself(task, result, scope);
    let quiet = matches!(task.action.as_str(), "setup" | "gather_facts") && options.verbosity < 2;
    forced && !quiet
}

/// Whether the action wants to be heard: it said so in the result, or it is one that exists to be heard.
pub fn speaks_for_itself(task: &TaskInfo, result: &TaskResult, scope: Scope) -> bool {
    if let Some(flag) = result.fields.get("_ansible_verbose_always") {
        return flag.is_truthy();
    }
    scope == Scope::Whole
        && !task.no_log
        && result.error.is_none()
        && result.status != Status::Skipped
        && matches!(task.action.as_str(), "debug" | "assert")
}

/// The fields as text, in the format the user chose.
pub fn dump(task: &TaskInfo, result: &TaskResult, scope: Scope, options: &DisplayOptions) -> String {
    let fields = fields(task, result, scope);
    if options.texts_apart {
        return with_texts_below(&fields, options);
    }
    let spread = options.verbosity > 2 || speaks_for_itself(task, result, scope);
    write(&fields, spread, options)
}

/// The fields, and below them, as they are, the texts that a person reads.
fn with_texts_below(fields: &Dict, options: &DisplayOptions) -> String {
    const TEXTS: [&str; 5] = ["stdout", "stderr", "msg", "module_stdout", "module_stderr"];
    const LINES: [&str; 2] = ["stdout_lines", "stderr_lines"];
    let mut text = write(&without(fields, |key| TEXTS.contains(&key) || LINES.contains(&key)), true, options);
    let there = TEXTS.into_iter().filter_map(|key| Some((key, fields.get(key)?)));
    for (key, value) in there.filter(|(_, value)| value.is_truthy()) {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n\n{}:\n\n{value}\n", key.to_uppercase());
    }
    // The page ends the line.
    text.truncate(text.trim_end_matches('\n').len());
    text
}

/// The whole result of a try that is to be repeated, where it is to be seen at all.
pub fn dump_try(task: &TaskInfo, result: &TaskResult, options: &DisplayOptions) -> Option<String> {
    let spread = options.verbosity > 2 || speaks_for_itself(task, result, Scope::Whole);
    let fields = if task.no_log { censored(&result.fields) } else { without(&result.fields, is_never_shown) };
    spread.then(|| write(&fields, true, options))
}

fn write(fields: &Dict, spread: bool, options: &DisplayOptions) -> String {
    match options.result_format {
        ResultFormat::Json => {
            let spread = options.pretty_results.unwrap_or(spread);
            dump::json_dict(fields, spread.then_some(options.result_indentation))
        }
        ResultFormat::Yaml => super::yaml_text::dump(fields, options),
    }
}

/// The fields a reader is meant to see. Under `no_log` nothing but the fact that they are hidden, even if somebody
/// upstream forgot to censor them.
pub fn fields(task: &TaskInfo, result: &TaskResult, scope: Scope) -> Dict {
    let debug = task.action == "debug";
    if task.no_log {
        return without(&censored(&result.fields), |key| debug && NOT_OF_DEBUG.contains(&key));
    }
    if debug && let Some(message) = result.fields.get("msg") {
        return [("msg", message.clone())].into_iter().collect();
    }
    let mut fields = without(&result.fields, |key| {
        is_never_shown(key)
            || (debug && NOT_OF_DEBUG.contains(&key))
            || (scope == Scope::Loop && key == "results" && result.status != Status::Unreachable)
    });
    tidy_results(&mut fields);
    fields
}

/// All fields but those that are never shown.
pub fn all_fields(task: &TaskInfo, result: &TaskResult) -> Dict {
    if task.no_log {
        return censored(&result.fields);
    }
    let mut fields = without(&result.fields, is_never_shown);
    tidy_results(&mut fields);
    fields
}

/// Whether an item failed or was skipped is nothing its result tells.
fn tidy_results(fields: &mut Dict) {
    let Some(items) = fields.get("results").and_then(Value::as_list) else { return };
    let tidy = |item: &Value| match item {
        Value::Dict(item) => {
            Value::from(without(item, |key| is_never_shown(key) || matches!(key, "failed" | "skipped")))
        }
        other => other.clone(),
    };
    let items = items.iter().map(tidy).collect();
    fields.insert("results", Value::list(items));
}

fn is_never_shown(key: &str) -> bool {
    NEVER.contains(&key) || key.starts_with("_ansible_")
}

fn without(fields: &Dict, hidden: impl Fn(&str) -> bool) -> Dict {
    let entries = fields.iter().filter(|(key, _)| !key.as_str().is_some_and(&hidden));
    entries.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn censored(fields: &Dict) -> Dict {
    const KEPT: &[&str] = &["changed", "unreachable", "attempts", "retries"];
    let kept = KEPT.iter().filter_map(|key| Some((Value::from(*key), fields.get(key)?.clone())));
    let censored = (Value::from("censored"), Value::from(CENSORED));
    std::iter::once(censored).chain(kept).collect()
}
