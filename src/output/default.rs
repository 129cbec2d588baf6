//! The default callback: one banner a task, one line a host, as Ansible users know it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::banner::banner;
use super::failure::{self, Told};
use super::page::{Page, Stream};
use super::shown::{self, CENSORED_LABEL, Scope};
use super::style::Meaning;
use super::{Callback, Look, diff, dump, heard, recap};
use crate::run::event::{Delegate, Event, JobState, NoHosts, Stats, Status, TaskInfo, TaskKind, TaskResult};
use crate::value::Dict;

/// What is remembered between events.
pub struct Default {
    look: Look,
    /// Whether each host goes at its own pace, so that a banner belongs to results and not to the start.
    free: bool,
    check: bool,
    dry_run_told: bool,
    /// The task whose banner stands above what comes next.
    banner_of: Option<u64>,
    /// The task announced last, where its banner waits for something to show.
    announced: Option<Arc<TaskInfo>>,
    /// Hosts of which items of a loop have been shown, and no end of the loop yet.
    looping: HashSet<(Arc<str>, u64)>,
    told: Told,
    custom_stats: Vec<(Option<Arc<str>>, Dict)>,
}

impl Default {
    pub fn new(look: Look) -> Self {
        Self {
            look,
            free: false,
            check: false,
            dry_run_told: false,
            banner_of: None,
            announced: None,
            looping: HashSet::new(),
            told: Told::default(),
            custom_stats: Vec::new(),
        }
    }
}

impl Callback for Default {
    fn on(&mut self, event: &Event, page: &mut Page) {
        match event {
            Event::RunStarted { files, plays } => self.run_started(files, plays, page),
            Event::PlayStarted { name, check, free, .. } => self.play_started(name, *check, *free, page),
            Event::NoHosts { reason: NoHosts::NoneMatched } => {
                page.out(Meaning::Skipped, "skipping: no hosts matched");
            }
            Event::NoHosts { reason: NoHosts::NoneLeft } => title("NO MORE HOSTS LEFT", page),
            Event::TaskStarted(task) if self.banners_come_first() => self.task_banner(task, page),
            Event::TaskStarted(task) => self.announced = Some(Arc::clone(task)),
            Event::HostStarted { host, task } => self.host_started(host, task, page),
            Event::ItemDone { host, task, result } => {
                self.looping.insert((Arc::clone(host), task.id));
                self.item_done(host, task, result, page);
            }
            Event::HostDone { host, task, result } => {
                let looped = self.looping.remove(&(Arc::clone(host), task.id));
                let scope = if looped || is_empty_loop(result) { Scope::Loop } else { Scope::Whole };
                self.host_done(host, task, result, scope, page);
            }
            Event::Retrying { host, task, left, result } => self.retrying(host, task, *left, result, page),
            Event::Background { host, job, state } => background(host, job, *state, page),
            Event::Included { what, hosts, item } => self.included(what, hosts, item.as_deref(), page),
            Event::Notified { handler, host } if self.look.display.verbosity > 1 => {
                page.out(Meaning::Verbose, &format!("NOTIFIED HANDLER {handler} for {host}"));
            }
            Event::Meta { text } if self.look.display.verbosity > 1 => {
                page.out(Meaning::Verbose, &format!("META: {text}"));
            }
            Event::Heard { host, task, stream, text } => {
                self.ensure_banner(task, page);
                heard::show(host, *stream, text, page);
            }
            Event::Said { text } => page.out(Meaning::Plain, text),
            Event::CustomStats { host, data } => self.custom_stats.push((host.clone(), data.clone())),
            Event::RunEnded { stats, broken: false, .. } => self.run_ended(stats, page),
            _ => {}
        }
    }
}

impl Default {
    fn run_started(&self, files: &[String], plays: &[usize], page: &mut Page) {
        if self.look.display.verbosity > 1 {
            for (file, plays) in files.iter().zip(plays) {
                let name =
                    Path::new(file).file_name().map_or(file.as_str().into(), |name| name.to_string_lossy());
                title(&format!("PLAYBOOK: {name}"), page);
                page.out(Meaning::Verbose, &format!("{plays} plays in {file}"));
            }
        }
    }

    fn play_started(&mut self, name: &str, check: bool, free: bool, page: &mut Page) {
        self.free = free;
        self.check = check;
        self.banner_of = None;
        if check && self.look.display.check_mode_markers && !self.dry_run_told {
            self.dry_run_told = true;
            title("DRY RUN", page);
        }
        let name = if name.is_empty() { String::new() } else { format!(" [{name}]") };
        title(&format!("PLAY{name}{}", self.check_marker(check)), page);
    }

    fn check_marker(&self, check: bool) -> &'static str {
        if check && self.look.display.check_mode_markers { " [CHECK MODE]" } else { "" }
    }

    /// Whether a banner is due when the task starts: where results may be left out, or hosts go at their own
    /// pace, it comes with the first result.
    fn banners_come_first(&self) -> bool {
        !self.free && self.look.display.skipped_hosts && self.look.display.ok_hosts
    }

    /// The banner, unless it stands there already.
    fn ensure_banner(&mut self, task: &TaskInfo, page: &mut Page) {
        if self.banner_of != Some(task.id) {
            self.task_banner(task, page);
        }
    }

    fn task_banner(&mut self, task: &TaskInfo, page: &mut Page) {
        self.banner_of = Some(task.id);
        let kind = match task.kind {
            TaskKind::Task | TaskKind::Gathering => "TASK",
            TaskKind::Handler => "RUNNING HANDLER",
        };
        title(&format!("{kind} [{}]{}", task.name, self.check_marker(task.check)), page);
        if self.look.display.verbosity > 1 {
            task_path(task, Stream::Out, page);
        }
    }

    fn host_started(&self, host: &str, task: &TaskInfo, page: &mut Page) {
        if self.look.display.per_host_start {
            let kind = if task.kind == TaskKind::Handler { "HANDLER" } else { "TASK" };
            page.out(Meaning::Plain, &format!(" [started {kind}: {} on {host}]", task.name));
        }
    }

    fn item_done(&mut self, host: &str, task: &TaskInfo, result: &TaskResult, page: &mut Page) {
        let told_by_include = is_include(task) && is_success(result.status);
        if told_by_include || !self.is_displayed(result.status) {
            return;
        }
        self.ensure_banner(task, page);
        let host = whom(host, result);
        let label = label(task, result);
        match result.status {
            Status::Ok | Status::Changed => {
                self.show_diffs(task, result, page);
                let (word, meaning) = success(result.status);
                let tail = self.tail(task, result, Scope::Whole);
                page.out(meaning, &format!("{word}: [{host}] => (item={label}){tail}"));
            }
            Status::Skipped => {
                let tail = self.tail(task, result, Scope::Whole);
                page.out(Meaning::Skipped, &format!("skipping: [{host}] => (item={label}) {tail}"));
            }
            Status::Failed | Status::Unreachable => {
                let stream = self.failure_stream();
                self.show_diffs(task, result, page);
                failure::show(task, result, &mut self.told, stream, page);
                let dump = shown::dump(task, result, Scope::Whole, &self.look.display);
                page.line(stream, Meaning::Failed, &format!("failed: [{host}] (item={label}) => {dump}"));
            }
        }
    }

    fn host_done(&mut self, host: &str, task: &TaskInfo, result: &TaskResult, scope: Scope, page: &mut Page) {
        if !self.is_displayed(result.status) {
            return;
        }
        let told_already = scope == Scope::Loop || is_include(task);
        if told_already && is_success(result.status) {
            return;
        }
        self.ensure_banner(task, page);
        let host = whom(host, result);
        match result.status {
            Status::Ok | Status::Changed => {
                self.show_diffs(task, result, page);
                let (word, meaning) = success(result.status);
                page.out(meaning, &format!("{word}: [{host}]{}", self.tail(task, result, scope)));
            }
            Status::Skipped => {
                page.out(Meaning::Skipped, &format!("skipping: [{host}]{}", self.tail(task, result, scope)));
            }
            Status::Failed => {
                // Of a loop the items have told it all, except, in Ansible, with debug.
                if scope == Scope::Whole || task.action == "debug" {
                    self.fatal(&host, "FAILED!", task, result, scope, page);
                }
            }
            Status::Unreachable => self.fatal(&host, "UNREACHABLE!", task, result, scope, page),
        }
        if result.ignored {
            page.out(Meaning::Skipped, "...ignoring");
        }
    }

    fn fatal(
        &mut self,
        host: &str,
        word: &str,
        task: &TaskInfo,
        result: &TaskResult,
        scope: Scope,
        page: &mut Page,
    ) {
        let stream = self.failure_stream();
        self.show_diffs(task, result, page);
        if scope == Scope::Whole {
            failure::show(task, result, &mut self.told, stream, page);
        }
        if self.look.display.task_path_on_failure && self.look.display.verbosity < 2 {
            task_path(task, Stream::Out, page);
        }
        let meaning =
            if result.status == Status::Unreachable { Meaning::Unreachable } else { Meaning::Failed };
        let dump = shown::dump(task, result, scope, &self.look.display);
        page.line(stream, meaning, &format!("fatal: [{host}]: {word} => {dump}"));
    }

    fn retrying(&self, host: &str, task: &TaskInfo, left: u32, result: &TaskResult, page: &mut Page) {
        let host = whom(host, result);
        // As in Ansible, the try that comes now no longer counts.
        let left = left.saturating_sub(1);
        let mut line = format!("FAILED - RETRYING: [{host}]: {} ({left} retries left).", task.name);
        if let Some(dump) = shown::dump_try(task, result, &self.look.display) {
            line.push_str("Result was: ");
            line.push_str(&dump);
        }
        page.out(Meaning::Retrying, &line);
    }

    fn included(&mut self, what: &str, hosts: &[Arc<str>], item: Option<&str>, page: &mut Page) {
        if self.look.display.included_hosts {
            if let Some(task) = self.announced.take() {
                self.ensure_banner(&task, page);
            }
            let item = item.map(|item| format!(" => (item={item})")).unwrap_or_default();
            page.out(Meaning::Included, &format!("included: {what} for {}{item}", hosts.join(", ")));
        }
    }

    fn run_ended(&mut self, stats: &Stats, page: &mut Page) {
        recap::show(stats, page);
        if self.look.display.custom_stats && !self.custom_stats.is_empty() {
            self.show_custom_stats(page);
        }
        if self.check && self.look.display.check_mode_markers {
            title("DRY RUN", page);
        }
    }

    fn show_custom_stats(&mut self, page: &mut Page) {
        let compact = |data: &Dict| dump::json_dict(data, Some(1)).replace('\n', "");
        title("CUSTOM STATS: ", page);
        self.custom_stats.sort_by(|a, b| a.0.cmp(&b.0));
        for (host, data) in &self.custom_stats {
            if let Some(host) = host {
                page.out(Meaning::Plain, &format!("\t{host}: {}", compact(data)));
            }
        }
        if let Some((_, data)) = self.custom_stats.iter().find(|(host, _)| host.is_none()) {
            page.out(Meaning::Plain, &format!("\n\tRUN: {}", compact(data)));
        }
        page.raw(Stream::Out, "\n");
    }

    fn show_diffs(&self, task: &TaskInfo, result: &TaskResult, page: &mut Page) {
        if !task.no_log {
            diff::show(&result.diffs, self.look.diff_context, page);
        }
    }

    fn is_displayed(&self, status: Status) -> bool {
        match status {
            Status::Ok => self.look.display.ok_hosts,
            Status::Skipped => self.look.display.skipped_hosts,
            Status::Changed | Status::Failed | Status::Unreachable => true,
        }
    }

    fn tail(&self, task: &TaskInfo, result: &TaskResult, scope: Scope) -> String {
        if shown::is_told(task, result, scope, &self.look.display) {
            format!(" => {}", shown::dump(task, result, scope, &self.look.display))
        } else {
            String::new()
        }
    }

    fn failure_stream(&self) -> Stream {
        if self.look.display.failed_to_stderr { Stream::Err } else { Stream::Out }
    }
}

fn background(host: &str, job: &str, state: JobState, page: &mut Page) {
    let (word, more) = match state {
        JobState::Waiting => ("POLL", " started=True finished=False"),
        JobState::Done => ("OK", ""),
        JobState::Failed => ("FAILED", ""),
    };
    page.out(Meaning::Retrying, &format!("ASYNC {word} on {host}: jid={job}{more}"));
}

fn title(text: &str, page: &mut Page) {
    let line = banner(text, page.width);
    page.raw(Stream::Out, "\n");
    page.out(Meaning::Heading, &line);
}

fn task_path(task: &TaskInfo, stream: Stream, page: &mut Page) {
    if let Some(place) = &task.place {
        let path = format!("task path: {}:{}", place.source.path.display(), place.line);
        page.line(stream, Meaning::Retrying, &path);
    }
}

fn is_success(status: Status) -> bool {
    matches!(status, Status::Ok | Status::Changed)
}

fn success(status: Status) -> (&'static str, Meaning) {
    if status == Status::Changed { ("changed", Meaning::Changed) } else { ("ok", Meaning::Ok) }
}

/// `host`, or `host -> other` when the task was delegated.
fn whom(host: &str, result: &TaskResult) -> String {
    match &result.delegated_to {
        Some(Delegate { name, address: None }) => format!("{host} -> {name}"),
        Some(Delegate { name, address: Some(address) }) => format!("{host} -> {name}({address})"),
        None => host.to_owned(),
    }
}

fn label<'a>(task: &TaskInfo, result: &'a TaskResult) -> &'a str {
    if task.no_log { CENSORED_LABEL } else { result.label.as_deref().unwrap_or_default() }
}

/// A loop over nothing has no items that could have told it.
fn is_empty_loop(result: &TaskResult) -> bool {
    result.status == Status::Skipped && result.fields.contains("results")
}

/// Includes are told by what they brought in.
fn is_include(task: &TaskInfo) -> bool {
    matches!(task.action.as_str(), "include_tasks" | "include_role")
}
