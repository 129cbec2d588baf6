//! Diagnostics the way Ansible writes them, for callers that look for its words.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Diagnostic, Place};

/// Whether this process was called by one of Ansible's names: then nobody reads what it says but programs.
static CALLED: AtomicBool = AtomicBool::new(false);

/// From here on, diagnostics are written as Ansible's.
pub fn write_as_ansible() {
    CALLED.store(true, Ordering::Relaxed);
}

/// Whether they are.
pub fn is_written_as_ansible() -> bool {
    CALLED.load(Ordering::Relaxed)
}

impl Diagnostic {
    /// `level` is `ERROR` or `WARNING`.
    pub(super) fn as_ansible(&self, level: &str) -> String {
        let mut text = format!("[{level}]: {}", self.message());
        if let Some(place) = self.place() {
            origin(place, &mut text);
        }
        for (note, place) in self.notes() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n\n{note}");
            if let Some(place) = place {
                origin(place, &mut text);
            }
        }
        for hint in self.hints() {
            let _ = write!(text, "\n\n{hint}");
        }
        text
    }
}

/// Where, with up to three lines and a mark below the last.
fn origin(place: &Place, text: &mut String) {
    let path = std::path::absolute(&place.source.path).unwrap_or_else(|_| place.source.path.clone());
    let _ = write!(text, "\nOrigin: {}:{}:{}", path.display(), place.line, place.column);
    if place.source.secret {
        return;
    }
    let last = place.line as usize;
    let from = last.saturating_sub(3);
    let lines = place.source.text.lines().enumerate().skip(from).take(last - from);
    let _ = writeln!(text);
    for (index, line) in lines {
        let _ = write!(text, "\n{}", format!("{} {line}", index + 1).trim_end());
    }
    let before = place.line.to_string().len() + place.column.max(1) as usize;
    let _ = write!(text, "\n{:before$}^ column {}", "", place.column);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use insta::assert_snapshot;

    use super::super::Source;
    use super::*;

    #[test]
    fn says_where_as_ansible_does() {
        let text = "- hosts: all\n\n  tasks:\n    - fail: {msg: x}\n";
        let source = |secret| Arc::new(Source { path: "/p/site.yml".into(), text: text.into(), secret });
        let place = |secret| Place { source: source(secret), line: 4, column: 7, length: 4 };
        let error = Diagnostic::new("it failed").at(&place(false)).hint("look again");
        assert_snapshot!(error.as_ansible("ERROR"), @r"
        [ERROR]: it failed
        Origin: /p/site.yml:4:7

        2
        3   tasks:
        4     - fail: {msg: x}
                ^ column 7

        look again
        ");
        let error = Diagnostic::new("it failed").at(&place(true));
        assert_snapshot!(error.as_ansible("WARNING"), @r"
        [WARNING]: it failed
        Origin: /p/site.yml:4:7
        ");
    }
}
