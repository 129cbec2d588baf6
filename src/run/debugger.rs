//! The task debugger: a prompt after a task on a host, to look at it, change it and run it again.

use std::sync::Arc;

use super::event::Status;
use super::outcome::HostOutcome;
use super::settings;
use super::task::Job;
use crate::config::Strategy;
use crate::diagnostic::{Diagnostic, Result};
use crate::playbook::Task;
use crate::template::{self, Context, Names, Template};
use crate::value::{Dict, Value};
use crate::vars::Scope;

const HELP: &str = "\
p, pprint EXPRESSION   show task, task.args, task_vars['name'], host, result, or any expression of them
task.args['name'] = EXPRESSION
                       change an option of the module
task_vars['name'] = EXPRESSION
                       change a variable of the task
u, update_task         take back what was changed of task.args
r, redo                run the task again on this host
c, continue            go on with this result
q, quit                end the run
";

/// What the operator wants.
pub(super) enum Answer {
    Continue,
    /// Run the task again, with what was changed.
    Redo,
    Quit,
}

/// What was changed of a task, by hand, on one host.
#[derive(Default)]
pub(super) struct Changes {
    args: Dict,
    vars: Dict,
}

impl Changes {
    /// The task with its options changed.
    pub fn task(&self, task: &Arc<Task>) -> Arc<Task> {
        if self.args.is_empty() {
            return task.clone();
        }
        let mut task = Task::clone(task);
        task.action.args.extend(self.args.iter().map(|(name, value)| (name.clone(), value.clone())));
        Arc::new(task)
    }

    /// Sets the variables that were changed.
    pub fn set(&self, scope: &mut Scope) {
        for (name, value) in &self.vars {
            scope.set_local(name.clone(), value.clone());
        }
    }
}

/// Asks what to do, where the task wants the debugger for such a result.
pub(super) async fn consult(
    job: &Job<'_>,
    scope: &Scope,
    outcome: &HostOutcome,
    changes: &mut Changes,
) -> Answer {
    match wanted(job, scope, outcome) {
        Ok(true) => {}
        Ok(false) => return Answer::Continue,
        Err(error) => {
            job.batch.run.break_off(error);
            return Answer::Continue;
        }
    }
    let run = &job.batch.run;
    // One host at a time.
    let _turn = run.debugging.lock().await;
    if run.is_broken() {
        return Answer::Continue;
    }
    let prompt = format!("[{}] TASK: {} (debug)> ", job.host, job.info.name);
    loop {
        let line = match run.ask_line(prompt.clone()).await {
            Ok(Some(line)) => line,
            Ok(None) => return Answer::Quit,
            Err(error) => {
                run.break_off(error);
                return Answer::Quit;
            }
        };
        let line = line.trim();
        let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let said = match command {
            "" => continue,
            "c" | "continue" => return Answer::Continue,
            "r" | "redo" => return Answer::Redo,
            "q" | "quit" => return Answer::Quit,
            "h" | "help" | "?" => Ok(HELP.to_owned()),
            "u" | "update_task" => {
                changes.args = Dict::new();
                continue;
            }
            "p" | "pprint" => printed(rest.trim(), &Seen::of(job, scope, outcome, changes)),
            _ => match assign(line, &Seen::of(job, scope, outcome, changes), changes) {
                Ok(()) => continue,
                Err(error) => Err(error),
            },
        };
        let said = said.unwrap_or_else(|error| format!("error: {}\n", error.message()));
        run.say(&said).await;
    }
}

/// Whether any result of the task could open it.
pub(super) fn may_open(job: &Job<'_>) -> bool {
    job.task.keywords.debugger.is_some() || is_everywhere(job)
}

/// Whether tasks that say nothing of it open it when they fail.
fn is_everywhere(job: &Job<'_>) -> bool {
    let options = &job.batch.run.options.run;
    options.debugger || job.batch.play.strategy.unwrap_or(options.strategy) == Strategy::Debug
}

/// Whether the task's `debugger`, or the run's, is for such a result.
fn wanted(job: &Job<'_>, scope: &Scope, outcome: &HostOutcome) -> Result<bool> {
    let options = &job.batch.run.options.run;
    let failed = outcome.status == Status::Failed && !(outcome.ignored && options.debugger_ignores_errors);
    let unreachable = outcome.status == Status::Unreachable;
    let Some(setting) = &job.task.keywords.debugger else {
        return Ok(is_everywhere(job) && (failed || unreachable));
    };
    let when = settings::text(Some(setting), &Context::new(scope))?.unwrap_or_default();
    match when.as_str() {
        "always" => Ok(true),
        "never" | "" => Ok(false),
        "on_failed" => Ok(failed),
        "on_unreachable" => Ok(unreachable),
        "on_skipped" => Ok(outcome.status == Status::Skipped),
        _ => Err(crate::playbook::keyword::no_debugger(&when).at(&setting.place)),
    }
}

/// The names an expression of the debugger may use: four of its own, then the task's variables.
struct Seen<'a> {
    scope: Scope,
    host: &'a str,
    task: Value,
    result: Value,
}

impl<'a> Seen<'a> {
    fn of(job: &'a Job<'_>, scope: &Scope, outcome: &HostOutcome, changes: &Changes) -> Self {
        let mut scope = scope.clone();
        changes.set(&mut scope);
        let context = Context::new(&scope);
        let mut args = job.task.action.args.clone();
        args.extend(changes.args.iter().map(|(name, value)| (name.clone(), value.clone())));
        let shown = |value: &Value| template::render_all(value, &context).unwrap_or_else(|_| value.clone());
        let args: Dict = args.iter().map(|(name, value)| (name.clone(), shown(value))).collect();
        let mut task = Dict::new();
        task.insert("name", job.info.name.as_str());
        task.insert("action", job.task.action.name.as_str());
        task.insert("args", Value::dict(args));
        let (task, result) = (Value::dict(task), Value::dict(outcome.fields.clone()));
        Self { scope, host: job.host, task, result }
    }

    fn value(&self, expression: &str) -> Result<Value> {
        let template = Template::new(format!("{{{{ {expression} }}}}"), None);
        template::render(&template, &Context::new(self))
    }
}

impl Names for Seen<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        match name {
            "task" => Some(self.task.clone()),
            "host" => Some(self.host.into()),
            "result" => Some(self.result.clone()),
            "task_vars" => self.scope.get("vars"),
            _ => self.scope.get(name),
        }
    }

    fn names(&self) -> Vec<Arc<str>> {
        ["task", "host", "result", "task_vars"].into_iter().map(Arc::from).chain(self.scope.names()).collect()
    }

    fn files_dir(&self) -> &'static str {
        self.scope.files_dir()
    }
}

fn printed(expression: &str, seen: &Seen<'_>) -> Result<String> {
    let line = match expression {
        "task" => format!("TASK: {}", seen.value("task.name")?),
        "host" => seen.host.to_owned(),
        _ => seen.value(&format!("({expression}) | pprint"))?.to_string(),
    };
    Ok(line + "\n")
}

/// `task.args['x'] = 1`, `task_vars.x = 1`.
fn assign(line: &str, seen: &Seen<'_>, changes: &mut Changes) -> Result<()> {
    let unknown = || Diagnostic::new(format!("there is no command {line:?}: h (help) shows them"));
    let (target, expression) = line.split_once('=').ok_or_else(unknown)?;
    let target = target.trim();
    let (base, into) = [("task.args", &mut changes.args), ("task_vars", &mut changes.vars)]
        .into_iter()
        .find(|(base, _)| target.starts_with(base))
        .ok_or_else(unknown)?;
    let part = target.strip_prefix(base).unwrap_or_default().trim();
    let key = match part.strip_prefix('[').and_then(|part| part.strip_suffix(']')) {
        Some(key) => seen.value(key)?,
        None => Value::from(part.strip_prefix('.').ok_or_else(unknown)?),
    };
    into.insert(key, seen.value(expression.trim())?);
    Ok(())
}
