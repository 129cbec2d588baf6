//! Callbacks: what a run looks like, one file each.
//!
//! A callback hears events and writes text onto a [`Page`]; it knows nothing of terminals and does no IO. An
//! [`Output`] owns the streams: it hands each event to the callback, prints the page, and keeps the progress line
//! out of the way.

mod banner;
mod default;
mod diff;
mod dump;
mod failure;
mod fold;
mod heard;
mod host_logs;
mod hosts;
mod json;
mod log;
mod minimal;
mod oneline;
mod page;
mod profile_tasks;
mod progress;
mod recap;
mod shown;
mod style;
mod timer;
mod warnings;
mod yaml_text;

use std::io::{self, IsTerminal, Write};

pub use page::{Page, Stream};
pub use style::{Meaning, Painter};

use crate::config::{Colour, Config, DisplayOptions, LOG_PLAYS, ResultFormat, short_name};
use crate::diagnostic::{Diagnostic, Result};
use crate::run::event::Event;
use host_logs::HostLogs;
use log::Log;
use progress::Progress;
use warnings::Warnings;

/// Turns events into text.
pub trait Callback: Send {
    fn on(&mut self, event: &Event, page: &mut Page);
}

/// The settings a callback may look at.
#[derive(Clone, Debug)]
pub struct Look {
    pub display: DisplayOptions,
    pub diff_context: usize,
}

impl Look {
    pub fn of(config: &Config) -> Self {
        Self { display: config.display.clone(), diff_context: config.run.diff_context }
    }
}

type Make = fn(Look) -> Box<dyn Callback>;

/// The callbacks by name, sorted.
const CALLBACKS: &[(&str, Make)] = &[
    ("debug", |mut look| {
        look.display.texts_apart = true;
        Box::new(default::Default::new(look))
    }),
    ("default", |look| Box::new(default::Default::new(look))),
    ("json", |_| Box::new(json::Json::default())),
    ("minimal", |look| Box::new(minimal::Minimal::new(look))),
    ("oneline", |_| Box::new(oneline::Oneline)),
    ("skippy", |mut look| {
        look.display.skipped_hosts = false;
        Box::new(default::Default::new(look))
    }),
    ("yaml", |mut look| {
        look.display.result_format = ResultFormat::Yaml;
        Box::new(default::Default::new(look))
    }),
];

/// The callbacks that can be enabled beside the one on stdout.
const BESIDE: &[(&str, Make)] = &[
    ("profile_tasks", |look| Box::new(profile_tasks::ProfileTasks::new(look))),
    ("timer", |_| Box::new(timer::Timer)),
];

/// The callback of that name, with or without its collection's; around it what folds hosts, where that is wished for.
pub fn callback(name: &str, look: Look) -> Result<Box<dyn Callback>> {
    let short = short_name(name);
    let Some((_, make)) = CALLBACKS.iter().find(|(known, _)| *known == short) else {
        let names: Vec<_> = CALLBACKS.iter().map(|(name, _)| *name).collect();
        return Err(Diagnostic::new(format!("not supported yet: the callback {name:?}"))
            .hint(format!("stdout_callback is one of {}", names.join(", "))));
    };
    match look.display.fold {
        true if short == "json" => {
            Err(Diagnostic::new("--fold folds lines, and the callback json makes one document"))
        }
        true => Ok(Box::new(fold::Fold::new(*make, look))),
        false => Ok(make(look)),
    }
}

/// The end of the road for events: callbacks, two streams and a progress line.
pub struct Output<O: Write, E: Write> {
    /// The one that makes the output, and those that are enabled beside it.
    callbacks: Vec<Box<dyn Callback>>,
    warnings: Warnings,
    page: Page,
    progress: Progress,
    /// Whether what commands say while they run is shown.
    follow: bool,
    out: O,
    err: E,
    log: Option<Log>,
    host_logs: Option<HostLogs>,
    /// The first failure to write; nothing is written after it.
    broken: Option<io::Error>,
}

impl Output<Box<dyn Write + Send>, Box<dyn Write + Send>> {
    /// The user's callback on the streams of this process, with the colours and the width they can show.
    pub fn of_process(config: &Config) -> Result<Self> {
        let display = &config.display;
        let callback = callback(&display.callback, Look::of(config))?;
        let (out, err) = (io::stdout(), io::stderr());
        let terminal = out.is_terminal();
        let painter = Painter { colour: wants_colour(display.colour, &out) };
        let quiet =
            std::env::var_os("CI").is_some() || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let progress = Progress::new(terminal && err.is_terminal() && !quiet, terminal_width);
        let width = if terminal { terminal_width() } else { banner::DEFAULT_WIDTH };
        let (out, err) = (Box::new(out), Box::new(err));
        let mut output = Self::new(callback, display, Page::new(painter, width), progress, out, err);
        output.enable(config);
        Ok(output)
    }
}

impl<O: Write, E: Write> Output<O, E> {
    /// On any streams, without a progress line.
    pub fn plain(callback: Box<dyn Callback>, display: &DisplayOptions, out: O, err: E) -> Self {
        let page = Page::new(Painter::default(), banner::DEFAULT_WIDTH);
        Self::new(callback, display, page, Progress::new(false, terminal_width), out, err)
    }

    fn new(
        callback: Box<dyn Callback>,
        display: &DisplayOptions,
        page: Page,
        progress: Progress,
        out: O,
        err: E,
    ) -> Self {
        let warnings = Warnings::new(display);
        let follow = display.follow;
        let host_logs = display.host_logs.clone().map(HostLogs::new);
        Self {
            callbacks: vec![callback],
            warnings,
            page,
            progress,
            follow,
            out,
            err,
            log: None,
            host_logs,
            broken: None,
        }
    }

    /// Adds what is enabled beside the callback on stdout: more callbacks, a log file.
    fn enable(&mut self, config: &Config) {
        if let Some(path) = &config.display.log_path {
            match Log::open(path) {
                Ok(log) => self.log = Some(log),
                Err(error) => {
                    let path = path.display();
                    self.warn(&Diagnostic::new(format!("there will be no log: {path}: {error}")));
                }
            }
        }
        for name in &config.display.callbacks_enabled {
            match BESIDE.iter().find(|(known, _)| *known == short_name(name)) {
                Some((_, make)) => self.callbacks.push(make(Look::of(config))),
                None if short_name(name) == LOG_PLAYS => {}
                None => self.warn(&Diagnostic::new(format!("not supported yet: the callback {name:?}"))),
            }
        }
    }

    /// Shows an event.
    pub fn on(&mut self, event: &Event) {
        self.warnings.on(event, &mut self.page);
        if let Some(Err(error)) = self.host_logs.as_mut().map(|logs| logs.on(event)) {
            self.host_logs = None;
            self.warnings.warn(&error, &mut self.page);
        }
        // What is heard is told on the screen only to those who follow.
        if self.follow || !matches!(event, Event::Heard { .. }) {
            for callback in &mut self.callbacks {
                callback.on(event, &mut self.page);
            }
        }
        self.print();
        self.progress.on(event);
    }

    /// Shows a warning that belongs to no run.
    pub fn warn(&mut self, warning: &Diagnostic) {
        self.warnings.warn(warning, &mut self.page);
        self.print();
    }

    /// Shows lines of text: listings, answers of commands that run nothing.
    pub fn say(&mut self, meaning: Meaning, text: &str) {
        self.page.out(meaning, text);
        self.print();
    }

    /// Tells what the settings had to say: warnings, and with -v which file was read and what has no meaning here.
    pub fn announce(&mut self, config: &Config) {
        if config.display.verbosity > 0 {
            let file = match &config.file {
                Some(file) => format!("Using {} as config file", file.display()),
                None => "No config file found; using defaults".to_owned(),
            };
            self.page.out(Meaning::Verbose, &file);
            for note in &config.notes {
                self.page.line(Stream::Err, Meaning::Verbose, note);
            }
        }
        for warning in &config.warnings {
            self.warnings.warn(warning, &mut self.page);
        }
        self.print();
    }

    /// Flushes the streams; says what went wrong with them.
    pub fn finish(mut self) -> Result<(O, E)> {
        self.print();
        match self.broken {
            // Whoever closed the pipe has seen enough.
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok((self.out, self.err)),
            Some(error) => Err(Diagnostic::new(format!("cannot write the output: {error}"))),
            None => Ok((self.out, self.err)),
        }
    }

    fn print(&mut self) {
        let pieces = self.page.take();
        if pieces.is_empty() || self.broken.is_some() {
            return;
        }
        if let Some(Err(error)) = self.log.as_mut().map(|log| log.write(&pieces)) {
            self.log = None;
            self.warn(&Diagnostic::new(format!("the log ends here: {error}")));
        }
        let (out, err) = (&mut self.out, &mut self.err);
        let written = self.progress.aside(|| {
            for (stream, text) in &pieces {
                match stream {
                    Stream::Out => out.write_all(text.as_bytes())?,
                    Stream::Err => err.write_all(text.as_bytes())?,
                }
            }
            out.flush()?;
            err.flush()
        });
        self.broken = written.err();
    }
}

fn wants_colour(wish: Colour, stream: &io::Stdout) -> bool {
    match wish {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never,
    }
}

/// One less than there are, as Ansible has it: some terminals wrap in the last column.
fn terminal_width() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let columns = size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 1);
    columns.map_or(banner::DEFAULT_WIDTH, |columns| columns - 1)
}

/// Writes a text to stdout. Whoever closed the pipe has seen enough.
pub fn print(text: &str) -> Result<()> {
    print_bytes(text.as_bytes())
}

/// The same for what need not be text.
pub fn print_bytes(bytes: &[u8]) -> Result<()> {
    write(io::stdout(), bytes)
}

/// Tells stderr something besides the results.
pub fn note(text: &str) -> Result<()> {
    write(io::stderr(), format!("{text}\n").as_bytes())
}

/// The same where results are for people: on a terminal.
pub fn note_on_terminal(text: &str) -> Result<()> {
    if io::stdout().is_terminal() { note(text) } else { Ok(()) }
}

/// Puts a question on stderr; the answer is typed behind it.
pub fn ask(question: &str) -> Result<()> {
    write(io::stderr(), question.as_bytes())
}

fn write(mut stream: impl Write, bytes: &[u8]) -> Result<()> {
    match stream.write_all(bytes).and_then(|()| stream.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Diagnostic::new(format!("cannot write the output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Tells stderr what the settings had to say, for commands that run nothing.
pub fn announce(config: &Config) {
    let mut err = io::stderr();
    let colour = anstream::AutoStream::choice(&err) != anstream::ColorChoice::Never;
    let mut page = Page::new(Painter { colour }, banner::DEFAULT_WIDTH);
    let mut warnings = Warnings::new(&config.display);
    config.warnings.iter().for_each(|warning| warnings.warn(warning, &mut page));
    if config.display.verbosity > 0 {
        config.notes.iter().for_each(|note| page.line(Stream::Err, Meaning::Verbose, note));
    }
    for (_, text) in page.take() {
        // Nobody is left to tell when stderr is gone.
        let _ = err.write_all(text.as_bytes());
    }
}

/// Tells stderr about an error that ends the program.
pub fn report_error(error: &Diagnostic) {
    let mut stderr = io::stderr();
    let colour = anstream::AutoStream::choice(&stderr) != anstream::ColorChoice::Never;
    // Nobody is left to tell when stderr is gone.
    let _ = writeln!(stderr, "{}", error.report(colour));
}

#[cfg(test)]
mod tests;
