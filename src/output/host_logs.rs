//! A file a host: what became of its tasks, and what its commands say while they run (`--host-logs`, and the callback
//! `log_plays`, whose lines these are).

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use fanfare_modules::kit::host::Stream;
use jiff::Zoned;

use super::{dump, heard, shown};
use crate::diagnostic::{Diagnostic, Result};
use crate::run::event::{Event, Status, TaskInfo};

#[derive(Debug)]
pub struct HostLogs {
    directory: PathBuf,
    /// The files of the run, as the user typed them.
    playbook: String,
}

impl HostLogs {
    pub fn new(directory: PathBuf) -> Self {
        Self { directory, playbook: String::new() }
    }

    /// Keeps what an event says of a host.
    pub fn on(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::RunStarted { files, .. } => self.playbook = files.join(", "),
            Event::HostDone { host, task, result } => {
                let word = match result.status {
                    Status::Ok | Status::Changed => "OK",
                    Status::Skipped => "SKIPPED",
                    Status::Failed => "FAILED",
                    Status::Unreachable => "UNREACHABLE",
                };
                let fields = dump::json_dict(&shown::all_fields(task, result), None);
                return self.keep(host, task, word, &[&fields, ""]);
            }
            Event::Heard { host, task, stream, text } => {
                let word = match stream {
                    Stream::Out => "STDOUT",
                    Stream::Err => "STDERR",
                };
                let lines: Vec<String> = text.lines().map(heard::harmless).collect();
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                return self.keep(host, task, word, &lines);
            }
            _ => {}
        }
        Ok(())
    }

    /// Adds lines to the host's file, each but an empty one with what it belongs to.
    fn keep(&self, host: &str, task: &TaskInfo, word: &str, lines: &[&str]) -> Result<()> {
        let time = Zoned::now().strftime("%b %d %Y %H:%M:%S").to_string();
        let start = format!("{time} - {} - {} - {} - {word} - ", self.playbook, task.name, task.action);
        let lines = lines
            .iter()
            .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{start}{line}\n") });
        let path = self.directory.join(file_name(host));
        self.append(&path, &lines.collect::<String>()).map_err(|error| {
            Diagnostic::new(format!("there will be no more logs of hosts: {}: {error}", path.display()))
        })
    }

    /// Files are closed again: there may be more hosts than files that can be open. They are for their owner alone, since
    /// results can hold what is nobody else's business.
    fn append(&self, path: &PathBuf, text: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600);
        let mut file = match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
                options.open(path)?
            }
            opened => opened?,
        };
        file.write_all(text.as_bytes())
    }
}

/// The host's name, where it can be a file's.
fn file_name(host: &str) -> String {
    let name = host.replace(['/', '\0'], "_");
    if name.starts_with('.') { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn no_host_has_its_log_elsewhere() {
        assert_eq!(file_name("web1.example.org"), "web1.example.org");
        assert_eq!(file_name("../../etc/passwd"), "_.._.._etc_passwd");
        assert_eq!(file_name("."), "_.");
    }
}
