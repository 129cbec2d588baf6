//! The only handle a module has on the machine.
//!
//! Reads always happen. Changes are *ensuring*: a no-op when already so; else recorded with before and after; else
//! made. In check mode they are made on an [`Overlay`](crate::kit::overlay::Overlay), so that later reads see them.

mod aside;
mod backup;
mod commands;
mod content;
mod files;
mod foretelling;
mod likeness;
mod people;
mod reading;
mod scratch;
mod undoing;
mod validating;

use std::collections::HashMap;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};

pub use self::content::Content;
pub use self::files::{FileFacts, WantedFile, WriteOptions, Written};
pub use self::people::{Group, User};
use crate::kit::change::{Change, Shape, diff};
use crate::kit::host::{Filesystem, Host, Stream, Time};
use crate::kit::netlink::Network;
use crate::kit::outcome::{Failure, Result, result_map};

/// The way to the control node, while a request runs.
pub trait Channel {
    /// Asks for content; the answer comes in order of the questions.
    fn need(&mut self, key: &str) -> io::Result<()>;

    /// The next piece of content asked for, from the cursor on; `true` with the last one. `Err` when it is not to be had.
    fn receive(&mut self, key: &str) -> io::Result<(Cursor<Vec<u8>>, bool)>;

    /// Sends content.
    fn send(&mut self, key: &str, piece: &[u8], last: bool) -> io::Result<()>;

    /// Sends the replies that are ready. Called before anything that may take long, and where a command does.
    fn flush(&mut self) -> io::Result<()>;

    /// Tells at once what a command says.
    fn tell(&mut self, _: Stream, _: &[u8]) {}

    /// What a look for one item of a loop found out about the others, by name, until something changes.
    fn memory(&mut self) -> Option<&mut HashMap<String, String>> {
        None
    }
}

/// What the caller wants of a call, besides the arguments.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    pub check: bool,
    pub diff: bool,
    /// Added to the environment of every process.
    pub environment: Vec<(String, String)>,
    /// When what the module started is killed.
    pub deadline: Option<Deadline>,
    /// What the user's own commands say is told while they run.
    pub follow: bool,
    /// The `name`s of a loop's items.
    pub siblings: Vec<String>,
}

/// The end of the time a caller grants.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    pub at: Instant,
    /// How long that was.
    pub seconds: u64,
}

impl Deadline {
    /// That the time is over.
    pub(super) fn overdue(self) -> Failure {
        Failure::new(format!("Timed out after {} second(s).", self.seconds))
            .with("timedout", serde_json::json!({"period": self.seconds}))
    }

    pub fn after(seconds: u64) -> Option<Self> {
        let at = Instant::now().checked_add(Duration::from_secs(seconds))?;
        Some(Self { at, seconds })
    }
}

/// A machine, as a module sees it.
pub struct System<'a> {
    /// In check mode an overlay.
    host: &'a dyn Host,
    channel: &'a mut dyn Channel,
    wishes: Wishes,
    changes: Vec<Change>,
    shape: Shape,
    warnings: Vec<String>,
    deprecations: Vec<Json>,
    adopted: Option<Map<String, Json>>,
    /// Those of files that came without it, by their keys, in lower-case hex.
    sha1s: HashMap<String, String>,
}

impl<'a> System<'a> {
    /// In check mode `host` must be an overlay.
    pub fn new(host: &'a dyn Host, channel: &'a mut dyn Channel, wishes: Wishes) -> Self {
        Self {
            host,
            channel,
            wishes,
            changes: Vec::new(),
            shape: Shape::default(),
            warnings: Vec::new(),
            deprecations: Vec::new(),
            adopted: None,
            sha1s: HashMap::new(),
        }
    }

    /// The result of another call is this one's, `changed` and `failed` as they were.
    pub fn adopt(&mut self, result: Map<String, Json>) {
        self.adopted = Some(result);
    }

    /// Tells the user something that is no error.
    pub fn warn(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    /// Tells the user that something will go away.
    pub fn deprecate(&mut self, text: impl Into<String>, version: &str) {
        self.deprecations.push(json!({"msg": text.into(), "version": version}));
    }

    /// For wording only (`would` or `did`), and for what check mode cannot foretell. What a module does must not
    /// depend on it.
    pub fn is_check(&self) -> bool {
        self.wishes.check
    }

    /// An environment variable as commands see it.
    pub fn env(&self, name: &str) -> Option<String> {
        let mine = self.wishes.environment.iter().find(|(known, _)| known == name);
        mine.map(|(_, value)| value.clone()).or_else(|| self.host.env(name))
    }

    /// Every environment variable of processes started here.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut environment = self.host.environment();
        for (name, value) in &self.wishes.environment {
            environment.retain(|(known, _)| known != name);
            environment.push((name.clone(), value.clone()));
        }
        environment
    }

    /// The size and use of the file system that holds the path.
    pub fn filesystem(&self, path: &Path) -> Result<Option<Filesystem>> {
        Ok(self.host.filesystem(path)?)
    }

    /// Interfaces, addresses and routes.
    pub fn network(&self) -> Result<Option<Network>> {
        Ok(self.host.network()?)
    }

    /// The effective user and group.
    pub fn identity(&self) -> (u32, u32) {
        self.host.identity()
    }

    pub fn now(&self) -> Time {
        self.host.now()
    }

    pub fn umask(&self) -> u32 {
        self.host.umask()
    }

    /// A name nobody has used: letters and digits.
    pub fn unique(&self) -> String {
        self.host.unique()
    }

    /// Waits; no longer than the caller grants, which is then an error.
    pub fn sleep(&mut self, duration: Duration) -> Result<()> {
        self.flush()?;
        let granted = self.wishes.deadline;
        let left = granted.map_or(duration, |granted| granted.at.saturating_duration_since(Instant::now()));
        self.host.sleep(duration.min(left))?;
        match granted.filter(|_| left < duration) {
            Some(granted) => Err(granted.overdue()),
            None => Ok(()),
        }
    }

    /// The program's path: looked for in `PATH` and in the system's directories.
    pub fn which(&self, program: &str) -> Option<PathBuf> {
        let usable = |path: &Path| matches!(self.host.stat(path, true), Ok(Some(meta)) if meta.is_file() && meta.mode & 0o111 != 0);
        if program.contains('/') {
            return Some(PathBuf::from(program)).filter(|path| usable(path));
        }
        let path = self.env("PATH").unwrap_or_default();
        let usual = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"];
        path.split(':')
            .filter(|dir| !dir.is_empty())
            .chain(usual)
            .map(|dir| Path::new(dir).join(program))
            .find(|path| usable(path))
    }

    /// The path of a program without which nothing goes.
    pub fn need(&self, program: &str) -> Result<PathBuf> {
        self.which(program).ok_or_else(|| {
            Failure::new(format!("Failed to find required executable \"{program}\": install it first"))
        })
    }

    /// Expands `~`, `~user`, `$VAR` and `${VAR}` as Ansible does in paths. Unknown names stay as they are.
    pub fn expand(&self, text: &str) -> Result<String> {
        let mut out = String::new();
        let mut rest = text;
        if let Some(tail) = text.strip_prefix('~') {
            let end = tail.find('/').unwrap_or(tail.len());
            let (name, after) = tail.split_at_checked(end).unwrap_or((tail, ""));
            let home = if name.is_empty() {
                match self.env("HOME") {
                    Some(home) => Some(home),
                    None => self.user_by_id(self.identity().0)?.map(|user| user.home),
                }
            } else {
                self.user(name)?.map(|user| user.home)
            };
            if let Some(home) = home {
                out.push_str(home.trim_end_matches('/'));
                rest = after;
            }
        }
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let (name, tail, written) = if let Some((name, tail)) = braced {
                (name, tail, format!("${{{name}}}"))
            } else {
                let end = after.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(after.len());
                let (name, tail) = after.split_at_checked(end).unwrap_or((after, ""));
                (name, tail, format!("${name}"))
            };
            match self.env(name).filter(|_| !name.is_empty()) {
                Some(value) => out.push_str(&value),
                None => out.push_str(&written),
            }
            rest = tail;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// What the call comes to: the module's own keys, and what the kit knows.
    pub fn finish(self, outcome: Result<Json>) -> Map<String, Json> {
        let outcome = outcome.map_err(|failure| self.with_facts(failure));
        let diff = match (&outcome, &self.shape) {
            // What was not done has no diff.
            (Err(_), Shape::Copied(_)) => Some(json!([])),
            (Err(_), Shape::Managed(_) | Shape::Edited { .. } | Shape::Whole { .. }) => None,
            (_, shape) => diff(&self.changes, shape, self.wishes.diff),
        };
        let mut map = result_map(outcome);
        map.insert("changed".to_owned(), Json::Bool(!self.changes.is_empty()));
        map.extend(self.adopted.into_iter().flatten());
        if let Some(diff) = diff {
            map.insert("diff".to_owned(), diff);
        }
        if !self.warnings.is_empty() {
            map.insert("warnings".to_owned(), json!(self.warnings));
        }
        if !self.deprecations.is_empty() {
            map.insert("deprecations".to_owned(), json!(self.deprecations));
        }
        map
    }

    /// A failure that names a path tells what is there, as Ansible's do.
    fn with_facts(&self, failure: Failure) -> Failure {
        let named = ["path", "dest"].iter().find_map(|key| failure.fields.get(*key)).and_then(Json::as_str);
        let Some(path) = named.map(PathBuf::from) else { return failure };
        match self.file_facts_if_there(&path) {
            Ok(Some(facts)) => {
                let own = failure.fields.clone();
                own.into_iter().fold(failure.with_all(facts), |all, (key, value)| all.with(&key, value))
            }
            // What failed is what to tell.
            Ok(None) | Err(_) => failure,
        }
    }

    /// Gives the diff the shape that Ansible's module gives it. Where attributes are told apart from content, those
    /// of a new file show that it would not have by itself.
    pub fn shape_diff(&mut self, shape: Shape) {
        self.shape = shape;
    }

    /// Whether the caller wants to see what changes.
    pub fn is_diff_wanted(&self) -> bool {
        self.wishes.diff
    }

    /// What was changed so far.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// For network modules: the raw host, past the records. Reads only.
    pub fn connect(
        &mut self,
        to: &crate::kit::host::Peer<'_>,
        timeout: Duration,
    ) -> Result<Box<dyn crate::kit::host::Connection>> {
        self.flush()?;
        Ok(self.host.connect(to, timeout)?)
    }

    /// The same connection, encrypted by that command.
    pub fn encrypt(
        &mut self,
        stream: Box<dyn crate::kit::host::Connection>,
        command: &crate::kit::Command,
    ) -> Result<Box<dyn crate::kit::host::Connection>> {
        self.flush()?;
        Ok(self.host.encrypt(stream, command)?)
    }

    fn flush(&mut self) -> Result<()> {
        self.channel.flush().map_err(|e| Failure::new(format!("the control node is gone: {e}")))
    }
}
