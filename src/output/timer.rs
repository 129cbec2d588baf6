//! The callback `timer`: how long the run took, at its end.

use std::time::Duration;

use super::Callback;
use super::banner::banner;
use super::page::Page;
use super::style::Meaning;
use crate::run::event::Event;

pub struct Timer;

impl Callback for Timer {
    fn on(&mut self, event: &Event, page: &mut Page) {
        if let Event::RunEnded { elapsed, .. } = event {
            let title = banner("PLAYBOOK RECAP", page.width);
            page.out(Meaning::Heading, &format!("\n{title}"));
            page.out(Meaning::Plain, &format!("Playbook run took {}\n", words(*elapsed)));
        }
    }
}

fn words(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    format!("{days} days, {hours} hours, {minutes} minutes, {} seconds", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_units_are_told() {
        assert_eq!(words(Duration::from_secs(90_061)), "1 days, 1 hours, 1 minutes, 1 seconds");
    }
}
