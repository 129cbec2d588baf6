//! One call: arguments are rendered, then an action runs here or a module on the worker.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use fanfare_modules::kit::wire::Request;
use serde_json::{Map, Value as Json};

use super::actions::{self, Action};
use super::background::{self, Plan};
use super::content::Contents;
use super::custom::{self, Modes};
use super::meanwhile::watched;
use super::outcome::Raw;
use super::task::{Job, unmet, when_failed};
use super::{destination, keywords, manager, settings};
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::playbook::Setting;
use crate::target::{Destination, Transport};
use crate::template::{self, Context, Template};
use crate::value::{Dict, Value};
use crate::vars::Scope;

/// An action about to run on the control node.
pub struct Call<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) scope: &'a Scope,
    pub(super) delegated: Option<&'a Arc<str>>,
    /// Rendered, unless the action asked for them as they are.
    pub args: Dict,
    pub check: bool,
}

/// What a host may take beyond a task's `timeout` to say that it is over.
const GRACE: Duration = Duration::from_secs(2);

/// A module call about to be sent.
pub(super) struct Sending {
    pub to: Destination,
    pub request: Request,
    pub contents: Arc<Contents>,
}

/// Whether the action's work is done by the worker alone.
pub(super) fn is_remote(action: &str) -> bool {
    actions::find(action).is_none()
}

/// Runs a task's action once.
pub(super) async fn perform(job: &Job<'_>, scope: &Scope, delegated: Option<&Arc<str>>) -> Raw {
    match actions::find(&job.task.action.name) {
        Some(action) => match local(job, scope, delegated, action).await {
            Ok(raw) => raw,
            Err(error) => Raw::error(error),
        },
        None => match job.batch.reply_ahead(job.host, job.task).await {
            Some(Ok(reply)) => answered(Dict::from(reply.result)),
            Some(Err(error)) => Raw::from(error),
            None => now(job, scope, delegated).await,
        },
    }
}

/// Calls a task's module.
async fn now(job: &Job<'_>, scope: &Scope, delegated: Option<&Arc<str>>) -> Raw {
    match prepare(job, scope, delegated) {
        Ok((sending, plan)) => {
            let raw = send(job, vec![sending]).await.pop().unwrap_or_default();
            match plan {
                Some(plan) => attended(job, scope, delegated, &plan, raw).await,
                None => raw,
            }
        }
        Err(error) => Raw::error(error),
    }
}

/// Waits for a job in the background, as long as the task may take.
async fn attended(
    job: &Job<'_>,
    scope: &Scope,
    delegated: Option<&Arc<str>>,
    plan: &Plan,
    started: Raw,
) -> Raw {
    let attend = background::attend(job, scope, delegated, plan, started);
    match timeout(job, &Context::new(scope)) {
        Ok(Some(seconds)) => match tokio::time::timeout(Duration::from_secs(seconds), attend).await {
            Ok(raw) => raw,
            Err(_) => Raw::timed_out(seconds),
        },
        Ok(None) => attend.await,
        Err(error) => Raw::error(error),
    }
}

/// Calls a module on the task's host, with one more argument that is none of the user's.
pub(super) async fn module(
    job: &Job<'_>,
    scope: &Scope,
    delegated: Option<&Arc<str>>,
    module: &str,
    args: &Dict,
    (name, value): (&str, Json),
) -> Raw {
    match prepare_module(job, scope, delegated, module, args) {
        Ok(mut sending) => {
            sending.request.args.insert(name.to_owned(), value);
            send(job, vec![sending]).await.pop().unwrap_or_default()
        }
        Err(error) => Raw::error(error),
    }
}

/// Runs the items of a loop in one go; what is skipped or cannot be prepared is not sent.
pub(super) async fn perform_all(job: &Job<'_>, scopes: &[Scope]) -> Vec<(Raw, Option<Arc<str>>)> {
    let mut results: Vec<(Raw, Option<Arc<str>>)> = Vec::with_capacity(scopes.len());
    let mut waiting: Vec<(usize, Sending)> = Vec::new();
    for scope in scopes {
        let (raw, delegated, sending) = match prepare_item(job, scope) {
            Ok(Item::Skip(raw)) => (*raw, None, None),
            Ok(Item::Send(sending, delegated)) => (Raw::default(), delegated, Some(*sending)),
            Err(error) => (Raw::error(error), None, None),
        };
        waiting.extend(sending.map(|sending| (results.len(), sending)));
        results.push((raw, delegated));
    }
    while !waiting.is_empty() {
        // Those for one destination travel together, in order.
        let Some(to) = waiting.first().map(|(_, sending)| sending.to.clone()) else { break };
        let (now, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, sending)| sending.to == to);
        waiting = later;
        let (indices, sendings): (Vec<_>, Vec<_>) = now.into_iter().unzip();
        for (index, raw) in indices.into_iter().zip(send(job, sendings).await) {
            if let Some(result) = results.get_mut(index) {
                result.0 = raw;
            }
        }
    }
    results
}

enum Item {
    Skip(Box<Raw>),
    Send(Box<Sending>, Option<Arc<str>>),
}

fn prepare_item(job: &Job<'_>, scope: &Scope) -> Result<Item> {
    let condition = unmet(&job.task.keywords.when, scope).map_err(when_failed)?;
    if let Some(condition) = condition {
        let raw = Raw::skipped("Conditional result was False", Some(condition));
        return Ok(Item::Skip(Box::new(raw)));
    }
    keywords::check(job.task, &Context::new(scope))?;
    let delegated = destination::delegate(job, scope)?;
    let scope = destination::seen_from(job, scope, delegated.as_ref());
    let (sending, _) = prepare(job, &scope, delegated.as_ref())?;
    Ok(Item::Send(Box::new(sending), delegated))
}

async fn local(job: &Job<'_>, scope: &Scope, delegated: Option<&Arc<str>>, action: &Action) -> Result<Raw> {
    let context = Context::new(scope);
    // No action can: this is an error, or the task is not in the background.
    background::plan(job, &context)?;
    let args = if action.takes_templates {
        let mut args = defaults(job, &context, &job.task.action.name)?;
        args.extend(computed(job, &context)?);
        args.extend(job.task.action.args.clone());
        args
    } else {
        args(job, &context)?
    };
    if action.takes_templates
        && let Some(computed) = &job.task.action.computed
        && let Some(name) = ["that", "var"].into_iter().find(|name| {
            !job.task.action.args.contains(name)
                && args.get(name).is_some_and(|came| !is_own(computed, name, came, &context))
        })
    {
        let message = format!("Encountered untrusted template or expression: {name} holds expressions.");
        let error = Diagnostic::new(message).at(&job.task.action.place);
        return Err(error.hint(format!("give `{name}` in the task itself")));
    }
    // The loader could not where options are computed, and only warned where the task may fail.
    actions::check(action, &args).map_err(|misuse| Diagnostic::new(misuse).at(&job.task.action.place))?;
    let check =
        settings::flag(job.task.keywords.check_mode.as_ref(), job.batch.run.options.run.check, &context)?;
    let timeout = timeout(job, &context)?;
    let done = (action.run)(Call { job, scope, delegated, args, check });
    match timeout {
        Some(seconds) => tokio::time::timeout(Duration::from_secs(seconds), done)
            .await
            .unwrap_or_else(|_| Ok(Raw::timed_out(seconds))),
        None => done.await,
    }
}

/// Whether an option of a computed dictionary is what the user's own files say.
fn is_own(computed: &Setting, name: &str, came: &Value, context: &Context<'_>) -> bool {
    let Value::Template(template) = &computed.value else { return false };
    let written = template::written(template, context);
    written.is_some_and(|options| {
        options
            .as_dict()
            .and_then(|options| options.get(name))
            .is_some_and(|own| own == came && !own.holds_template())
    })
}

/// Renders a task's options: module defaults, then computed ones, then those written.
pub(super) fn args(job: &Job<'_>, context: &Context<'_>) -> Result<Dict> {
    let task = job.task;
    // Facts in a cache are plain.
    let seals = task.action.name == "set_fact" && !task.action.args.contains("cacheable");
    let render_value = if seals { template::render_sealed } else { template::render_all };
    let render = |name: &Value, value: &Value| {
        render_value(value, context).map_err(|error| {
            finalizing(job, error.context(format!("Error while resolving value for '{name}'")))
        })
    };
    let mut args = defaults(job, context, &job.task.action.name)?;
    args.extend(computed(job, context)?);
    for (name, value) in &task.action.args {
        let value = render(name, value)?;
        if value.is_omit() {
            args.remove_value(name);
        } else {
            args.insert(option_name(name, &task.action.place, context)?, value);
        }
    }
    Ok(args)
}

/// An option's name; that of `set_fact` may be a template.
fn option_name(name: &Value, place: &Place, context: &Context<'_>) -> Result<Value> {
    match name {
        Value::Str(text) if Template::is_template(text) => {
            template::render(&Template::new(text.clone(), Some(place.clone())), context)
        }
        other => Ok(other.clone()),
    }
}

/// What `args: "{{ … }}"` or `module: "{{ … }}"` gives.
fn computed(job: &Job<'_>, context: &Context<'_>) -> Result<Dict> {
    let Some(computed) = &job.task.action.computed else { return Ok(Dict::new()) };
    match settings::rendered(computed, context).map_err(|error| finalizing(job, error))? {
        Value::Dict(options) => {
            Ok(options.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        Value::Omit => Ok(Dict::new()),
        other => {
            let message = format!("Task args must resolve to a 'dict' not '{}'.", other.type_name());
            Err(finalizing(job, Diagnostic::new(message).at(&computed.place)))
        }
    }
}

fn finalizing(job: &Job<'_>, error: Diagnostic) -> Diagnostic {
    error.context(format!("Finalization of task args for '{}' failed", qualified(job))).context("Task failed")
}

/// What `module_defaults` gives an action, the innermost winning.
pub(super) fn defaults(job: &Job<'_>, context: &Context<'_>, action: &str) -> Result<Dict> {
    let mut args = Dict::new();
    // What a group is given yields to what the module itself is given, wherever each stands.
    for by_group in [true, false] {
        for defaults in &job.task.keywords.module_defaults {
            let Value::Dict(modules) = template::resolve(&defaults.value, context)? else { continue };
            for (module, options) in modules.iter() {
                let named = module.to_string();
                let is_meant = match named.strip_prefix("group/") {
                    Some(group) => by_group && fanfare_modules::is_in_group(action, group),
                    None => !by_group && named_as(&named) == action,
                };
                if is_meant {
                    args.extend(settings::dict_entries(&template::render_all(options, context)?));
                }
            }
        }
    }
    Ok(args)
}

/// The action's name with its collection, as messages show it.
pub(super) fn qualified(job: &Job<'_>) -> String {
    let name = &job.task.action.name;
    if name.contains('.') { name.clone() } else { format!("ansible.builtin.{name}") }
}

/// The module's own name, whichever of its names that is.
fn named_as(module: &str) -> &str {
    fanfare_modules::find(module).map_or_else(|| fanfare_modules::short(module), |module| module.name)
}

/// Makes a task's call ready, and tells how it runs in the background, if it does.
pub(super) fn prepare(
    job: &Job<'_>,
    scope: &Scope,
    delegated: Option<&Arc<str>>,
) -> Result<(Sending, Option<Plan>)> {
    let context = Context::new(scope);
    let plan = background::plan(job, &context)?;
    let mut args = args(job, &context)?;
    let module = manager::module(job, &context, &mut args)?;
    let mut sending = prepare_module(job, scope, delegated, &module, &args)?;
    if let Some(plan) = &plan {
        background::detach(plan, &mut sending.request, job, &context)?;
    }
    Ok((sending, plan))
}

/// Makes a module call ready to be sent.
fn prepare_module(
    job: &Job<'_>,
    scope: &Scope,
    delegated: Option<&Arc<str>>,
    module: &str,
    args: &Dict,
) -> Result<Sending> {
    let context = Context::new(scope);
    let keywords = &job.task.keywords;
    let options = &job.batch.run.options;
    let check = settings::flag(keywords.check_mode.as_ref(), options.run.check, &context)?;
    let diff = settings::flag(keywords.diff.as_ref(), options.run.diff, &context)?;
    let (module, args, contents) = match &job.task.action.custom {
        // A task may call a module of fanfare's besides (`async_status`).
        Some(custom) if job.task.action.name == module => {
            let custom = custom.as_ref().map_err(|error| error.clone().context("Task failed"))?;
            custom::call(job, custom, args, Modes { check, diff }, &context)?
        }
        _ => native(job, scope, module, args)?,
    };
    let mut request = Request {
        module,
        args,
        check,
        diff,
        environment: keywords::environment(keywords, &context)?,
        timeout: timeout(job, &context)?,
        background: None,
        follow: options.run.hear && !job.info.no_log,
        chained: false,
        siblings: Vec::new(),
        // `check_mode: yes` on one task of a real run does not see what another such task foretold.
        alone: !options.run.check,
    };
    background::direct(&mut request, job, &context)?;
    Ok(Sending { to: destination::of(job, scope, delegated)?, request, contents: Arc::new(contents) })
}

/// A module of fanfare's, its arguments as it takes them, and the contents they name.
fn native(
    job: &Job<'_>,
    scope: &Scope,
    module: &str,
    args: &Dict,
) -> Result<(String, Map<String, Json>, Contents)> {
    let spec = fanfare_modules::find(module)
        .ok_or_else(|| {
            Diagnostic::new(format!("the module '{module}' is not supported yet")).at(&job.task.action.place)
        })?
        .spec();
    let mut exact = spec.normalise(&args.to_json()).map_err(|error| {
        let diagnostic = Diagnostic::new(error.message).at(&job.task.action.place);
        match error.hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        }
    })?;
    if spec.name == "shell"
        && !exact.contains_key("executable")
        && let Some(shell) = settings::variable_text(&["ansible_shell_executable"], &Context::new(scope))?
            .or_else(|| job.batch.run.options.run.executable.clone())
    {
        exact.insert("executable".to_owned(), shell.into());
    }
    let contents = Contents::prepare(spec, &mut exact, scope)?;
    Ok((spec.name.to_owned(), exact, contents))
}

/// Seconds that the task may take; `None` for as long as it likes.
fn timeout(job: &Job<'_>, context: &Context<'_>) -> Result<Option<u64>> {
    const LONGEST: f64 = 100_000_000.0;
    let setting = job.task.keywords.timeout.as_ref();
    let Some(seconds) = settings::number(setting, context)? else {
        return Ok(job.batch.run.options.run.task_timeout);
    };
    if !(0.0..=LONGEST).contains(&seconds) {
        let message = format!("Timeout {seconds} is invalid, it must be between 0 and {LONGEST}.");
        let place = setting.map_or(&job.task.action.place, |setting| &setting.place);
        return Err(Diagnostic::new(message).at(place).context("Task failed"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in the range just checked")]
    Ok(Some(seconds as u64).filter(|seconds| *seconds > 0))
}

/// Sends calls that share a destination, and turns replies into results, one for each call.
async fn send(job: &Job<'_>, sendings: Vec<Sending>) -> Vec<Raw> {
    let Some(to) = sendings.first().map(|sending| sending.to.clone()) else { return Vec::new() };
    let count = sendings.len();
    let mut requests = Vec::with_capacity(count);
    let mut contents = Vec::with_capacity(count);
    for sending in sendings {
        requests.push(sending.request);
        contents.push(sending.contents);
    }
    introduce(&mut requests);
    let follow = requests.iter().any(|request| request.follow);
    let contents = Contents::merge(contents);
    let contents = watched(contents, follow, &job.batch.run, job.host, job.info);
    // The worker keeps to the time by itself; a host that is frozen does not.
    let periods = requests.iter().map(|request| request.timeout);
    let granted = periods.sum::<Option<u64>>().map(|seconds| Duration::from_secs(seconds) + GRACE);
    let period = requests.first().and_then(|request| request.timeout).unwrap_or_default();
    let call = job.batch.run.links.call(&to, requests, contents);
    let answer = match granted {
        Some(granted) => tokio::time::timeout(granted, call).await,
        None => Ok(call.await),
    };
    let Ok(answer) = answer else { return vec![Raw::timed_out(period); count] };
    match answer {
        Ok(replies) => {
            let mut raws: Vec<Raw> =
                replies.into_iter().map(|reply| answered(Dict::from(reply.result))).collect();
            raws.resize_with(count, || Raw::failed("the worker gave no reply"));
            raws
        }
        Err(error) => vec![Raw::from(error); count],
    }
}

/// Tells the services of a loop of each other: their states are asked for at once.
fn introduce(requests: &mut [Request]) {
    // More names than that, each told of all others, cost more than they save.
    const MOST: usize = 32;
    let name = |request: &Request| match (request.module.as_str(), request.args.get("name")) {
        ("service" | "systemd", Some(Json::String(name))) => Some(name.clone()),
        _ => None,
    };
    let Some(names) = requests.iter().map(name).collect::<Option<Vec<_>>>() else { return };
    if (2..=MOST).contains(&names.len()) {
        for request in requests {
            request.siblings.clone_from(&names);
        }
    }
}

/// What the worker says; of what took longer than its `timeout` no more than that.
fn answered(fields: Dict) -> Raw {
    let period = fields.get("timedout").and_then(Value::as_dict).and_then(|timedout| timedout.get("period"));
    match period {
        Some(Value::Int(seconds)) => Raw::timed_out(seconds.unsigned_abs()),
        _ => Raw::ok(fields),
    }
}

impl Call<'_> {
    pub(super) fn context(&self) -> Context<'_> {
        Context::new(self.scope)
    }

    /// Calls a module on the task's host.
    pub(super) async fn module(&self, module: &str, args: &Dict) -> Raw {
        match prepare_module(self.job, self.scope, self.delegated, module, args) {
            Ok(sending) => send(self.job, vec![sending]).await.pop().unwrap_or_default(),
            Err(error) => Raw::error(error),
        }
    }

    /// Calls a module on the control node, or on the delegate, without `become`: for what talks with the task's host
    /// from there.
    pub(super) async fn module_beside(&self, module: &str, args: &Dict) -> Raw {
        match prepare_module(self.job, self.scope, self.delegated, module, args) {
            Ok(mut sending) => {
                sending.to.hop = None;
                if self.delegated.is_none() {
                    sending.to.transport = Transport::Local;
                }
                send(self.job, vec![sending]).await.pop().unwrap_or_default()
            }
            Err(error) => Raw::error(error),
        }
    }

    /// Calls a module on the task's host; what the worker sends is written to `file`. Also says whether a whole
    /// file came.
    pub(super) async fn module_receiving(
        &self,
        module: &str,
        args: &Dict,
        have: Option<String>,
        file: File,
    ) -> (Raw, bool) {
        match prepare_module(self.job, self.scope, self.delegated, module, args) {
            Ok(mut sending) => {
                sending.request.args.extend(have.map(|sha1| ("have".to_owned(), Json::String(sha1))));
                let contents = Arc::new(Contents::receiving(file));
                sending.contents = contents.clone();
                let raw = send(self.job, vec![sending]).await.pop().unwrap_or_default();
                (raw, contents.is_complete())
            }
            Err(error) => (Raw::error(error), false),
        }
    }

    /// An option as text; `None` when it is absent or null.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.args.get(name).filter(|value| !value.is_none()).map(ToString::to_string)
    }

    /// An option that is a number of seconds, none of them negative.
    pub(super) fn seconds(&self, name: &str, default: u64) -> Result<Duration> {
        let Some(text) = self.text(name) else { return Ok(Duration::from_secs(default)) };
        let seconds = text.trim().parse::<i64>();
        let seconds = seconds.map_err(|_| self.misuse(format!("{name}: '{text}' is no whole number")))?;
        // A century is for ever, and more than a clock could be asked for.
        Ok(Duration::from_secs(seconds.clamp(0, i64::from(u32::MAX)).unsigned_abs()))
    }

    /// An option that is a truth value.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool> {
        match self.args.get(name) {
            None | Some(Value::None) => Ok(default),
            Some(value) => settings::truth(value).ok_or_else(|| {
                Diagnostic::new(format!("{name}: {} is not a valid boolean", value.repr())).at(&self
                    .job
                    .task
                    .action
                    .place)
            }),
        }
    }

    /// A failure of this action's arguments.
    pub(super) fn misuse(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(message).at(&self.job.task.action.place)
    }
}
