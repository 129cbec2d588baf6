//! The line at the bottom of a terminal: how many hosts are done with the task, and who is waited for.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, TermLike};
use unicode_width::UnicodeWidthChar;

use crate::run::event::Event;

/// Names shown before the rest becomes a number.
const NAMES: usize = 5;

/// What is done sooner needs no progress line.
const PATIENCE: Duration = Duration::from_millis(300);

const TICK: Duration = Duration::from_millis(120);

const SPINNER: &[char] = &['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// Columns left free: the terminal shows a Ctrl-C as `^C` where the cursor stands, and must not start a line for it.
const ECHO: usize = 2;

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
    /// Large files on their way: bytes that are sent, and all of them.
    sending: HashMap<Arc<str>, (u64, u64)>,
    task: Option<u64>,
    /// When the last thing happened.
    quiet_since: Option<Instant>,
}

impl Progress {
    /// A line on stderr when `visible`, as wide as `width` says.
    pub fn new(visible: bool, width: fn() -> usize) -> Self {
        let target = if visible {
            ProgressDrawTarget::term_like(Box::new(Bottom { width }))
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let state = Arc::new(Mutex::new(State::default()));
        if let Ok(style) = ProgressStyle::with_template("{line}") {
            let shown = Arc::clone(&state);
            let line = move |progress: &ProgressState, text: &mut dyn Write| {
                let state = shown.lock().unwrap_or_else(PoisonError::into_inner);
                let line = state.line(progress.elapsed());
                // The bar has no way to hear of an error.
                let _ = text.write_str(fitting(&line, width().saturating_sub(ECHO)));
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
        if let Event::Sending { host, sent, total } = event {
            // Nothing that anybody would see happened.
            self.sending.insert(Arc::clone(host), (*sent, *total));
            return;
        }
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
                self.sending.remove(host);
                self.done.insert(Arc::clone(host));
            }
            // A question follows: the line keeps out of its way until something happens.
            Event::Flush(_) => self.quiet_since = None,
            Event::RunEnded { .. } => self.waiting.clear(),
            _ => {}
        }
    }

    fn named(&self, host: &Arc<str>) -> String {
        match self.sending.get(host) {
            Some((sent, total)) => format!("{host} {}", bar(*sent, *total)),
            None => host.to_string(),
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
        let names: Vec<_> = self.waiting.iter().take(NAMES).map(|host| self.named(host)).collect();
        let more = self.waiting.len().saturating_sub(NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let done = self.done.len();
        format!("{spinner} {done}/{} hosts done, waiting for {}{more}", self.hosts, names.join(", "))
    }
}

/// How much of a large file is sent: `[████░░░░░░] 40 % of 50.0 MiB`.
fn bar(sent: u64, total: u64) -> String {
    const CELLS: u64 = 10;
    let (full, percent) = (sent * CELLS / total.max(1), sent * 100 / total.max(1));
    let cells: String = (0..CELLS).map(|cell| if cell < full { '█' } else { '░' }).collect();
    let tenths = total * 10 / (1 << 20);
    format!("[{cells}] {percent} % of {}.{} MiB", tenths / 10, tenths % 10)
}

/// As much of a line as fits into so many columns.
fn fitting(line: &str, columns: usize) -> &str {
    let mut left = columns;
    let end = line.char_indices().find(|(_, c)| match left.checked_sub(c.width().unwrap_or(0)) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    });
    end.and_then(|(end, _)| line.get(..end)).unwrap_or(line)
}

/// The bottom line of the terminal, on stderr. The cursor stays behind what is written.
#[derive(Debug)]
struct Bottom {
    width: fn() -> usize,
}

impl Bottom {
    fn write(text: &str) -> io::Result<()> {
        io::Write::write_all(&mut io::stderr(), text.as_bytes())
    }

    fn move_cursor(lines_or_columns: usize, direction: char) -> io::Result<()> {
        if lines_or_columns > 0 {
            Self::write(&format!("\x1b[{lines_or_columns}{direction}"))
        } else {
            Ok(())
        }
    }
}

impl TermLike for Bottom {
    fn width(&self) -> u16 {
        u16::try_from((self.width)()).unwrap_or(u16::MAX)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        Self::move_cursor(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        Self::move_cursor(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        Self::move_cursor(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        Self::move_cursor(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        Self::write(text)?;
        Self::write("\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        // The bar fills its line up, so that what is typed goes to the next one: there it would part what is shown.
        if text.trim_end_matches(' ').is_empty() { Ok(()) } else { Self::write(text) }
    }

    fn clear_line(&self) -> io::Result<()> {
        Self::write("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        io::Write::flush(&mut io::stderr())
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
            sending: HashMap::new(),
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

    #[test]
    fn tells_how_far_large_files_are() {
        let mut state = waiting(&["a", "b"], &[]);
        state.on(&Event::Sending { host: "b".into(), sent: 21 << 20, total: 50 << 20 });
        let expected = "⠋ 0/2 hosts done, waiting for a, b [████░░░░░░] 42 % of 50.0 MiB";
        assert_eq!(state.line(Duration::ZERO), expected);
    }

    #[test]
    fn long_lines_are_cut() {
        assert_eq!(fitting("waiting for web1", 7), "waiting");
        assert_eq!(fitting("waiting", 7), "waiting");
        assert_eq!(fitting("日本語", 5), "日本");
        assert_eq!(fitting("日本語", 0), "");
    }
}
