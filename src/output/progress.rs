//! The line at the bottom of a terminal: how many hosts are done with the task, and who is waited for.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::run::event::Event;

/// Names shown before the rest becomes a number.
const NAMES: usize = 5;

/// What is done sooner needs no progress line.
const PATIENCE: Duration = Duration::from_millis(300);

const TICK: Duration = Duration::from_millis(120);

const SPINNER: &[char] = &['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// Draws by itself while nothing else happens; silent where there is no terminal.
pub struct Progress {
    bar: ProgressBar,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    hosts: usize,
    waiting: BTreeSet<Arc<str>>,
    done: HashSet<Arc<str>>,
    task: Option<u64>,
    /// When the last thing happened.
    quiet_since: Option<Instant>,
}

impl Progress {
    /// A line on stderr when `visible`, as wide as `width` says.
    pub fn new(visible: bool, width: fn() -> usize) -> Self {
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let state = Arc::new(Mutex::new(State::default()));
        if let Ok(style) = ProgressStyle::with_template("{line}") {
            let shown = Arc::clone(&state);
            let line = move |progress: &ProgressState, text: &mut dyn Write| {
                let state = shown.lock().unwrap_or_else(PoisonError::into_inner);
                let line: String = state.line(progress.elapsed()).chars().take(width()).collect();
                // The bar has no way to hear of an error.
                let _ = text.write_str(&line);
            };
            bar.set_style(style.with_key("line", line));
        }
        if visible {
            bar.enable_steady_tick(TICK);
        }
        Self { bar, state }
    }

    /// Takes the line away while `write` writes.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    pub fn on(&mut self, event: &Event) {
        if self.bar.is_hidden() {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.on(event);
        drop(state);
        if matches!(event, Event::RunEnded { .. }) {
            self.bar.finish_and_clear();
        }
    }
}

impl State {
    fn on(&mut self, event: &Event) {
        self.quiet_since = Some(Instant::now());
        match event {
            Event::PlayStarted { hosts, .. } => {
                self.hosts = hosts.len();
                self.waiting.clear();
                self.done.clear();
            }
            Event::TaskStarted(task) if self.task != Some(task.id) => {
                self.task = Some(task.id);
                self.done.clear();
            }
            Event::HostStarted { host, .. } => {
                self.waiting.insert(Arc::clone(host));
            }
            Event::HostDone { host, .. } => {
                self.waiting.remove(host);
                self.done.insert(Arc::clone(host));
            }
            // A question follows: the line keeps out of its way until something happens.
            Event::Flush(_) => self.quiet_since = None,
            Event::RunEnded { .. } => self.waiting.clear(),
            _ => {}
        }
    }

    /// Nothing while things happen.
    fn line(&self, elapsed: Duration) -> String {
        let is_quiet = self.quiet_since.is_some_and(|since| since.elapsed() >= PATIENCE);
        if !is_quiet || self.waiting.is_empty() {
            return String::new();
        }
        let turn = elapsed.as_millis() / TICK.as_millis();
        let index = usize::try_from(turn).unwrap_or_default() % SPINNER.len();
        let spinner = SPINNER.get(index).copied().unwrap_or(' ');
        let names: Vec<&str> = self.waiting.iter().take(NAMES).map(|host| &**host).collect();
        let more = self.waiting.len().saturating_sub(NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let done = self.done.len();
        format!("{spinner} {done}/{} hosts done, waiting for {}{more}", self.hosts, names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state with these hosts running, quiet for as long as it takes.
    fn waiting(running: &[&str], done: &[&str]) -> State {
        State {
            hosts: running.len() + done.len(),
            waiting: running.iter().map(|host| Arc::from(*host)).collect(),
            done: done.iter().map(|host| Arc::from(*host)).collect(),
            task: None,
            quiet_since: Instant::now().checked_sub(PATIENCE),
        }
    }

    #[test]
    fn says_who_is_waited_for() {
        let line = |state: State| state.line(Duration::ZERO);
        assert_eq!(line(waiting(&["b", "a"], &["c"])), "⠋ 1/3 hosts done, waiting for a, b");
        let many = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(line(waiting(&many, &[])), "⠋ 0/7 hosts done, waiting for a, b, c, d, e and 2 more");
        assert_eq!(line(waiting(&[], &["c"])), "");
        let mut asked = waiting(&["a"], &[]);
        asked.on(&Event::Flush(std::sync::mpsc::channel().0));
        assert_eq!(line(asked), "");
    }
}
