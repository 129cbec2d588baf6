//! The callback `profile_tasks`: how long each task took, below its banner and at the end.

use std::time::{Duration, Instant};

use jiff::Zoned;

use super::banner::banner;
use super::page::Page;
use super::style::Meaning;
use super::{Callback, Look};
use crate::config::{ProfileOptions, ProfileOrder};
use crate::run::event::Event;

/// Columns of its lines.
const WIDTH: usize = 79;

pub struct ProfileTasks {
    options: ProfileOptions,
    began: Instant,
    /// When the clock was last read: at the start of the task that is running, or of the run.
    latest: Instant,
    /// The tasks so far, each with the time it took; the last one is still running.
    tasks: Vec<(String, Duration)>,
}

impl ProfileTasks {
    pub fn new(look: Look) -> Self {
        let now = Instant::now();
        Self { options: look.display.profile, began: now, latest: now, tasks: Vec::new() }
    }

    /// Ends the task that is running, and tells how long it and all took.
    fn lap(&mut self) -> String {
        let now = Instant::now();
        let took = now - self.latest;
        self.latest = now;
        if let Some((_, latest)) = self.tasks.last_mut() {
            *latest = took;
        }
        let date = Zoned::now().strftime(&self.options.datetime_format).to_string();
        format!("{date} ({})       {}", clock(took), clock(now - self.began))
    }

    fn summary(&self) -> Vec<String> {
        let mut tasks: Vec<_> = self.tasks.iter().collect();
        match self.options.order {
            ProfileOrder::Descending => tasks.sort_by_key(|(_, took)| std::cmp::Reverse(*took)),
            ProfileOrder::Ascending => tasks.sort_by_key(|(_, took)| *took),
            ProfileOrder::AsRun => {}
        }
        tasks.iter().take(self.options.limit).map(|(name, took)| row(name, *took)).collect()
    }
}

impl Callback for ProfileTasks {
    fn on(&mut self, event: &Event, page: &mut Page) {
        match event {
            Event::TaskStarted(task) => {
                let lap = self.lap();
                if !self.options.summary_only {
                    page.out(Meaning::Plain, &filled(&lap, '*'));
                }
                self.tasks.push((task.name.clone(), Duration::ZERO));
            }
            Event::RunEnded { .. } => {
                let lap = self.lap();
                let title = banner("TASKS RECAP", page.width);
                page.out(Meaning::Heading, &format!("\n{title}"));
                page.out(Meaning::Plain, &filled(&lap, '*'));
                page.out(Meaning::Plain, &filled("", '='));
                self.summary().iter().for_each(|row| page.out(Meaning::Plain, row));
            }
            _ => {}
        }
    }
}

/// A text with its line filled up.
fn filled(text: &str, with: char) -> String {
    let text = if text.is_empty() { String::new() } else { format!("{text} ") };
    let rest = WIDTH.saturating_sub(text.chars().count()).max(3);
    format!("{text}{} ", with.to_string().repeat(rest))
}

/// `name ------ 1.23s`
fn row(name: &str, took: Duration) -> String {
    let (name, took) = (format!("{name} "), format!(" {:.2}s", took.as_secs_f64()));
    format!("{name:-<0$}{took:->9}", WIDTH - 9)
}

/// `0:00:01.234`
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}:{:02}.{:03}", seconds / 3600, seconds / 60 % 60, seconds % 60, time.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_ansibles() {
        let line = filled("Saturday 21 November 2026  16:34:52 +0000 (0:00:01.606)       0:00:01.606", '*');
        assert_eq!(line, "Saturday 21 November 2026  16:34:52 +0000 (0:00:01.606)       0:00:01.606 ***** ");
        assert_eq!(filled("", '='), format!("{} ", "=".repeat(79)));
        assert_eq!(
            row("first one", Duration::from_millis(25_560)),
            "first one -------------------------------------------------------------- 25.56s"
        );
        let long =
            "a rather long name of a task that goes on and on and on until the line is more than full of it";
        assert_eq!(row(long, Duration::from_millis(6590)), format!("{long} --- 6.59s"));
        assert_eq!(clock(Duration::from_millis(3_661_005)), "1:01:01.005");
    }
}
