//! What goes to stderr whichever callback is in use: warnings and notes, each told once.

use super::failure::Told;
use super::page::{Page, Stream};
use super::style::Meaning;
use crate::config::DisplayOptions;
use crate::diagnostic::Diagnostic;
use crate::run::event::{Event, TaskResult};
use crate::value::Value;

#[derive(Debug, Default)]
pub struct Warnings {
    told: Told,
    deprecations: bool,
}

impl Warnings {
    pub fn new(options: &DisplayOptions) -> Self {
        Self { told: Told::default(), deprecations: options.deprecation_warnings }
    }

    pub fn on(&mut self, event: &Event, page: &mut Page) {
        match event {
            Event::Warning(warning) => self.warn(warning, page),
            Event::Note(note) => self.note(note, page),
            Event::Deprecation(warning) if self.deprecations => self.deprecate(warning.message(), page),
            Event::ItemDone { task, result, .. } | Event::HostDone { task, result, .. } if !task.no_log => {
                self.of_result(result, page);
            }
            _ => {}
        }
    }

    pub fn warn(&mut self, warning: &Diagnostic, page: &mut Page) {
        let has_more =
            warning.place().is_some() || !warning.notes().is_empty() || !warning.hints().is_empty();
        let text = if has_more {
            warning.report_warning(page.painter.colour)
        } else {
            page.painter.paint(Meaning::Warning, &format!("[WARNING]: {warning}"))
        };
        self.tell(&text, page);
    }

    pub fn note(&mut self, note: &str, page: &mut Page) {
        let text = page.painter.paint(Meaning::Verbose, note);
        self.tell(&text, page);
    }

    fn deprecate(&mut self, message: &str, page: &mut Page) {
        let text = page.painter.paint(Meaning::Deprecation, &format!("[DEPRECATION WARNING]: {message}"));
        self.tell(&text, page);
    }

    /// What a module warns about travels in its result.
    fn of_result(&mut self, result: &TaskResult, page: &mut Page) {
        for warning in result.fields.get("warnings").and_then(Value::as_list).unwrap_or_default() {
            self.warn(&Diagnostic::new(warning.to_string()), page);
        }
        if self.deprecations {
            for entry in result.fields.get("deprecations").and_then(Value::as_list).unwrap_or_default() {
                let message = entry.as_dict().and_then(|entry| entry.get("msg")).unwrap_or(entry);
                self.deprecate(&message.to_string(), page);
            }
        }
    }

    fn tell(&mut self, text: &str, page: &mut Page) {
        if self.told.is_new(text) {
            page.raw(Stream::Err, text);
            page.raw(Stream::Err, "\n");
        }
    }
}
