//! Commands and what they answer.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::kit::outcome::{Failure, Result};

/// A command to run. Made with [`cmd!`](crate::cmd) or [`Command::new`]; no shell is involved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    pub argv: Vec<OsString>,
    /// Where to run it; absent: where the worker runs.
    pub dir: Option<PathBuf>,
    /// Added to the worker's environment.
    pub env: Vec<(String, String)>,
    /// Absent: an empty input.
    pub stdin: Option<Vec<u8>>,
    /// Its umask; absent: the worker's.
    pub umask: Option<u32>,
    /// When to kill it. Set by the System from the request.
    pub deadline: Option<Instant>,
    /// It is the user's own: what it says may be told while it runs.
    pub aloud: bool,
}

impl Command {
    pub fn new(program: impl Into<OsString>) -> Self {
        Self { argv: vec![program.into()], ..Self::default() }
    }

    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.argv.push(arg.into());
        self
    }

    #[must_use]
    pub fn args<T: Into<OsString>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.argv.extend(args.into_iter().map(Into::into));
        self
    }

    /// `--flag value`, when there is a value.
    #[must_use]
    pub fn opt(self, flag: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.arg(flag).arg(value.to_string()),
            None => self,
        }
    }

    /// `--flag`, when it is wanted.
    #[must_use]
    pub fn flag(self, flag: &str, wanted: bool) -> Self {
        if wanted { self.arg(flag) } else { self }
    }

    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    #[must_use]
    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(input.into());
        self
    }

    #[must_use]
    pub fn umask(mut self, umask: Option<u32>) -> Self {
        self.umask = umask;
        self
    }

    #[must_use]
    pub fn aloud(mut self) -> Self {
        self.aloud = true;
        self
    }

    /// Kills it after that long; the output then says so.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.deadline = Instant::now().checked_add(timeout);
        self
    }

    /// The program's name, for messages.
    pub fn program(&self) -> Cow<'_, str> {
        self.argv.first().map_or(Cow::Borrowed(""), |program| program.to_string_lossy())
    }

    /// As it would be typed, for messages.
    pub fn line(&self) -> String {
        let words: Vec<String> = self.argv.iter().map(|word| quote(&word.to_string_lossy())).collect();
        words.join(" ")
    }
}

/// `shlex.quote`.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}

/// What a command answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The exit code; minus the signal's number when one killed it.
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// It was killed at its deadline.
    pub timed_out: bool,
}

impl Output {
    pub fn ok(&self) -> bool {
        self.code == 0 && !self.timed_out
    }

    /// An error where it ended badly: `failed`, and why.
    pub fn or_fail(&self, failed: &str) -> Result<()> {
        if self.ok() {
            return Ok(());
        }
        let said = [self.stderr(), self.stdout()].map(|text| text.trim().to_owned());
        let said = said.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        Err(Failure::new(format!("{failed}: {said}")).with_output(self))
    }

    /// Bytes that are no UTF-8 become U+FFFD.
    pub fn stdout(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stdout)
    }

    pub fn stderr(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stderr)
    }
}

/// `cmd!["groupadd", "--system", name]`: a [`Command`](crate::kit::Command) of words.
#[macro_export]
macro_rules! cmd {
    [$program:expr $(, $arg:expr)* $(,)?] => {
        $crate::kit::Command::new($program)$(.arg($arg))*
    };
}
