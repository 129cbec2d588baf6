//! The log file of `log_path`: what the run shows, without colours, each line with its time, as Ansible's log has it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anstream::adapter::strip_str;
use jiff::Zoned;

use super::page::Stream;

#[derive(Debug)]
pub struct Log {
    file: File,
    /// Who writes: `p=PID u=USER n=fanfare`.
    writer: String,
}

impl Log {
    /// Appends to a file, or makes it: for its owner alone, since results can hold what is nobody else's business.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        let user = std::env::var("LOGNAME")
            .or_else(|_| std::env::var("USER"))
            .unwrap_or_else(|_| rustix::process::geteuid().as_raw().to_string());
        Ok(Self { file, writer: format!("p={} u={user} n=fanfare", std::process::id()) })
    }

    pub fn write(&mut self, pieces: &[(Stream, String)]) -> io::Result<()> {
        self.file.write_all(records(pieces, &self.writer, &Zoned::now()).as_bytes())
    }
}

fn records(pieces: &[(Stream, String)], writer: &str, now: &Zoned) -> String {
    let time = format!("{},{:03}", now.strftime("%Y-%m-%d %H:%M:%S"), now.millisecond());
    let mut text = String::new();
    for (stream, piece) in pieces {
        let level = match stream {
            Stream::Out => "INFO",
            Stream::Err => "WARNING",
        };
        for line in strip_str(piece).to_string().lines().filter(|line| !line.trim().is_empty()) {
            text.extend([&time, " ", writer, " ", level, "| ", line, "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_their_time_and_no_colours() {
        let now: Zoned = "2026-11-21T16:47:34.801[UTC]".parse().expect("a time");
        let pieces = [
            (Stream::Out, "\nTASK [x] ***\n\u{1b}[32mok: [a] => {\u{1b}[0m\n    \"msg\": 1\n}\n".to_owned()),
            (Stream::Err, "[WARNING]: w\n".to_owned()),
        ];
        let lines = records(&pieces, "p=1 u=me n=fanfare", &now);
        let prefix = "2026-11-21 16:47:34,801 p=1 u=me n=fanfare";
        assert_eq!(
            lines,
            format!(
                "{prefix} INFO| TASK [x] ***\n{prefix} INFO| ok: [a] => {{\n{prefix} INFO|     \"msg\": 1\n\
                 {prefix} INFO| }}\n{prefix} WARNING| [WARNING]: w\n"
            )
        );
    }
}
