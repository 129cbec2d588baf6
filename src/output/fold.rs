//! Hosts that say the same say it once (`--fold`): `changed: [web[01-40]]`.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use similar::TextDiff;

use super::page::Page;
use super::style::Painter;
use super::{Callback, Look, Make, diff, hosts};
use crate::run::event::{Counts, Event, Stats, Status, TaskInfo, TaskResult};
use crate::value::{Dict, Value};

/// Stands for the hosts while what they say is compared.
const ANYONE: &str = "\u{1}";

/// What a command says of its times differs always.
const TIMES: [&str; 3] = ["start", "end", "delta"];

/// Holds back what the hosts have to say of a task until all have said it.
pub struct Fold {
    inner: Box<dyn Callback>,
    /// Makes more of the inner one: what they show says whether hosts have said the same.
    make: Make,
    look: Look,
    /// The hosts of the play, in their order.
    order: IndexSet<Arc<str>>,
    task: Option<Arc<TaskInfo>>,
    held: IndexMap<Arc<str>, Vec<Event>>,
}

/// Hosts that said the same.
struct Group {
    hosts: Vec<Arc<str>>,
    /// What they said, of [`ANYONE`].
    events: Vec<Event>,
}

/// A group as it is shown.
struct Entry {
    name: Arc<str>,
    events: Vec<Event>,
    text: String,
}

impl Fold {
    /// Around the callback that `make` makes.
    pub fn new(make: Make, mut look: Look) -> Self {
        // The fewer entries there are the more each may take; and lines can be compared.
        look.display.pretty_results.get_or_insert(true);
        Self {
            inner: make(look.clone()),
            make,
            look,
            order: IndexSet::new(),
            task: None,
            held: IndexMap::new(),
        }
    }
}

impl Callback for Fold {
    fn on(&mut self, event: &Event, page: &mut Page) {
        match event {
            Event::ItemDone { host, .. }
            | Event::HostDone { host, .. }
            | Event::Retrying { host, .. }
            | Event::Background { host, .. }
            | Event::Notified { host, .. } => {
                self.held.entry(Arc::clone(host)).or_default().push(event.clone());
            }
            // What is told of a host while it works is told at once.
            Event::HostStarted { .. }
            | Event::Heard { .. }
            | Event::Sending { .. }
            | Event::Note(_)
            | Event::Warning(_)
            | Event::Deprecation(_) => self.inner.on(event, page),
            other => {
                self.let_go(page);
                match other {
                    Event::PlayStarted { hosts, .. } => self.order = hosts.iter().cloned().collect(),
                    Event::TaskStarted(task) => self.task = Some(Arc::clone(task)),
                    _ => {}
                }
                self.inner.on(&of_all(other), page);
            }
        }
    }
}

impl Fold {
    /// Shows what was held back: what most hosts said first, then what others did.
    fn let_go(&mut self, page: &mut Page) {
        // By what they said.
        let mut groups: IndexMap<String, Group> = IndexMap::new();
        // Not in the order in which they were done, which is another each time.
        let mut held: Vec<_> = std::mem::take(&mut self.held).into_iter().collect();
        held.sort_by_key(|(host, _)| self.order.get_index_of(host));
        for (host, events) in held {
            let events: Vec<_> = events.into_iter().map(anyones).collect();
            let text = self.text(&events, page);
            groups.entry(text).or_insert_with(|| Group { hosts: Vec::new(), events }).hosts.push(host);
        }
        groups.sort_by(|_, a, _, b| b.hosts.len().cmp(&a.hosts.len()));
        let there_is_a_rule = groups.first().is_some_and(|(_, group)| group.hosts.len() > 1);
        let mut entries = groups.into_iter().map(Entry::new);
        let Some(most) = entries.next() else { return };
        self.show(&most, page);
        for odd in entries {
            match difference(&most, &odd).filter(|_| there_is_a_rule) {
                Some(difference) => diff::lines(&difference, page),
                None => self.show(&odd, page),
            }
        }
    }

    fn show(&mut self, entry: &Entry, page: &mut Page) {
        for event in &entry.events {
            self.inner.on(&named(event, &entry.name), page);
        }
    }

    /// What the callback would show of a host if it were the only one.
    fn text(&self, events: &[Event], page: &Page) -> String {
        let mut callback = (self.make)(self.look.clone());
        let mut scratch = Page::new(Painter::default(), page.width);
        // Its banner is no part of what the host says.
        if let Some(task) = &self.task {
            callback.on(&Event::TaskStarted(Arc::clone(task)), &mut scratch);
            scratch.take();
        }
        for event in events {
            callback.on(event, &mut scratch);
        }
        scratch.take().into_iter().map(|(_, text)| text).collect()
    }
}

impl Entry {
    fn new((text, group): (String, Group)) -> Self {
        let hosts: Vec<&str> = group.hosts.iter().map(AsRef::as_ref).collect();
        Self { name: hosts::folded(&hosts).into(), events: group.events, text }
    }

    fn has_failed(&self) -> bool {
        self.events.iter().any(|event| match event {
            Event::ItemDone { result, .. } | Event::HostDone { result, .. } => {
                matches!(result.status, Status::Failed | Status::Unreachable)
            }
            _ => false,
        })
    }

    /// How the last word on the task is.
    fn status(&self) -> Option<Status> {
        self.events.iter().rev().find_map(|event| match event {
            Event::HostDone { result, .. } => Some(result.status),
            _ => None,
        })
    }
}

/// What an odd one says as a difference from what most say, where that is the shorter. Failures are told in full.
fn difference(most: &Entry, odd: &Entry) -> Option<String> {
    if most.has_failed() || odd.has_failed() || most.status() != odd.status() {
        return None;
    }
    let changes = TextDiff::from_lines(&most.text, &odd.text);
    let text = changes.unified_diff().context_radius(0).header(&most.name, &odd.name).to_string();
    (text.lines().count() < odd.text.lines().count()).then(|| text.replace(ANYONE, &odd.name))
}

/// An event of any host that said the same.
fn anyones(event: Event) -> Event {
    let timeless = |result: TaskResult| TaskResult { fields: timeless(&result.fields), ..result };
    let event = match event {
        Event::ItemDone { host, task, result } => Event::ItemDone { host, task, result: timeless(result) },
        Event::HostDone { host, task, result } => Event::HostDone { host, task, result: timeless(result) },
        Event::Retrying { host, task, left, result } => {
            Event::Retrying { host, task, left, result: timeless(result) }
        }
        other => other,
    };
    named(&event, &ANYONE.into())
}

/// A result without the times of commands, nor those of the items of a loop.
fn timeless(fields: &Dict) -> Dict {
    let is_command = fields.contains("cmd");
    let kept = fields
        .iter()
        .filter(|(key, _)| !(is_command && key.as_str().is_some_and(|key| TIMES.contains(&key))));
    let of_items = |value: &Value| match value {
        Value::Dict(item) => Value::from(timeless(item)),
        other => other.clone(),
    };
    kept.map(|(key, value)| match value.as_list() {
        Some(items) if key.as_str() == Some("results") => {
            (key.clone(), Value::list(items.iter().map(of_items).collect()))
        }
        _ => (key.clone(), value.clone()),
    })
    .collect()
}

/// The event with another name for its host.
fn named(event: &Event, name: &Arc<str>) -> Event {
    let mut event = event.clone();
    if let Event::ItemDone { host, .. }
    | Event::HostDone { host, .. }
    | Event::Retrying { host, .. }
    | Event::Background { host, .. }
    | Event::Notified { host, .. } = &mut event
    {
        host.clone_from(name);
    }
    event
}

/// An event of the whole run, with the hosts it names folded.
fn of_all(event: &Event) -> Event {
    let mut event = event.clone();
    match &mut event {
        Event::Included { hosts, .. } => {
            let names: Vec<&str> = hosts.iter().map(AsRef::as_ref).collect();
            *hosts = vec![hosts::folded(&names).into()];
        }
        Event::RunEnded { stats, .. } => *stats = counted(stats),
        _ => {}
    }
    event
}

/// Hosts with the same counts as one; by their names, as in every recap, for whoever was done first may be another next time.
fn counted(stats: &Stats) -> Stats {
    let mut groups: IndexMap<Counts, Vec<&str>> = IndexMap::new();
    let mut hosts: Vec<_> = stats.iter().collect();
    hosts.sort_by_key(|(host, _)| Arc::clone(host));
    for (host, counts) in hosts {
        groups.entry(*counts).or_default().push(host);
    }
    groups.into_iter().map(|(counts, hosts)| (hosts::folded(&hosts).into(), counts)).collect()
}
