//! A host in memory, for tests: files with metadata, users, groups, and commands with scripted answers.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::kit::command::{Command, Output};
use crate::kit::host::{
    Answer, Connection, FileType, Host, HostError, Meta, Partner, Peer, Placement, Result, Time,
};
use crate::kit::overlay::Overlay;

/// A machine that exists in memory only. It is a [`Host`] through `Deref`: `serve(&*memory, …)`.
///
/// It starts with `/etc/passwd`, `/etc/group`, `/root`, `/tmp`, `/usr/bin` and the commands `true`, `false`,
/// `echo`, `cat` (also behind `sh -c`, without any shell syntax); everything else is added by the test.
pub struct Memory {
    disk: Overlay<'static>,
}

/// What is not files: commands, clock, environment.
pub(super) struct Machine {
    state: Mutex<State>,
    ticks: AtomicU64,
    names: AtomicU64,
}

struct State {
    identity: (u32, u32),
    env: BTreeMap<String, String>,
    scripts: Vec<(Vec<String>, Script)>,
    ports: BTreeMap<u16, Option<Talk>>,
    sockets: BTreeMap<PathBuf, Talk>,
    ran: Vec<String>,
}

/// What a scripted command does: it may look at the host and change it.
type Script = Arc<dyn Fn(&Command, &dyn Host) -> Output + Send + Sync>;

/// What a server says to all that was sent to it.
type Talk = Arc<dyn Fn(&str) -> Vec<u8> + Send + Sync>;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
                      nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
const GROUP: &str = "root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n";

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Memory {
    type Target = Overlay<'static>;

    fn deref(&self) -> &Self::Target {
        &self.disk
    }
}

impl Memory {
    pub fn new() -> Self {
        let env = [
            ("HOME", "/root"),
            ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            ("USER", "root"),
            ("LANG", "C.UTF-8"),
        ];
        let state = State {
            identity: (0, 0),
            env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            scripts: Vec::new(),
            ports: BTreeMap::new(),
            sockets: BTreeMap::new(),
            ran: Vec::new(),
        };
        let machine =
            Machine { state: Mutex::new(state), ticks: AtomicU64::new(0), names: AtomicU64::new(0) };
        let memory = Self { disk: Overlay::alone(machine) };
        for dir in ["/root", "/tmp", "/usr/bin", "/bin", "/usr/sbin", "/etc", "/var", "/home", "/opt", "/srv"]
        {
            memory.dir(dir);
        }
        memory.set_mode_of("/tmp", 0o1777);
        memory.file("/etc/passwd", PASSWD);
        memory.file("/etc/group", GROUP);
        memory.file("/etc/shadow", "root:*:19000:0:99999:7:::\n");
        memory.set_mode_of("/etc/shadow", 0o640);
        for program in ["true", "false", "echo", "cat", "sh"] {
            memory.program(&format!("/usr/bin/{program}"));
        }
        memory
    }

    /// Puts a file there, with its directories.
    pub fn file(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> &Self {
        let path = path.as_ref();
        if let Some(parent) = path.parent() {
            self.dir(parent);
        }
        // A test that cannot set its stage sees it at once: the file is not there.
        let _ = self.disk.place(path, &mut content.as_ref(), &Placement::default());
        self
    }

    /// Puts an executable file there.
    pub fn program(&self, path: &str) -> &Self {
        self.file(path, "#!/bin/sh\n").set_mode_of(path, 0o755)
    }

    /// Makes a directory, with its parents.
    pub fn dir(&self, path: impl AsRef<Path>) -> &Self {
        let path = path.as_ref();
        for ancestor in path.ancestors().collect::<Vec<_>>().into_iter().rev() {
            if matches!(self.disk.stat(ancestor, true), Ok(None)) {
                let _ = self.disk.make_dir(ancestor, 0o755);
            }
        }
        self
    }

    pub fn link(&self, path: &str, target: &str) -> &Self {
        let _ = self.disk.symlink(Path::new(target), Path::new(path));
        self
    }

    pub fn set_mode_of(&self, path: &str, mode: u32) -> &Self {
        let _ = self.disk.set_mode(Path::new(path), mode);
        self
    }

    /// Adds a user and a group of the same name.
    pub fn user(&self, name: &str, id: u32) -> &Self {
        let add = |path: &str, line: String| {
            let old = self.read(path).unwrap_or_default();
            self.file(path, format!("{old}{line}\n"));
        };
        add("/etc/passwd", format!("{name}:x:{id}:{id}::/home/{name}:/bin/sh"));
        add("/etc/group", format!("{name}:x:{id}:"));
        self.dir(format!("/home/{name}"))
    }

    /// Runs everything as that user from now on.
    pub fn become_user(&self, uid: u32, gid: u32) -> &Self {
        self.machine(|state| state.identity = (uid, gid));
        self
    }

    pub fn set_env(&self, name: &str, value: &str) -> &Self {
        self.machine(|state| state.env.insert(name.to_owned(), value.to_owned()));
        self
    }

    pub fn open_port(&self, port: u16) -> &Self {
        self.machine(|state| state.ports.insert(port, None));
        self
    }

    /// A port where a server hears what is sent until an answer is read, says that, and hangs up.
    pub fn serve(&self, port: u16, says: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> &Self {
        self.machine(|state| state.ports.insert(port, Some(Arc::new(says))));
        self
    }

    /// As [`Memory::serve`], on a Unix socket.
    pub fn serve_socket(&self, path: &str, says: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> &Self {
        self.machine(|state| state.sockets.insert(path.into(), Arc::new(says)));
        self
    }

    /// Commands that start with these words answer that. The latest script that fits counts.
    pub fn answer(&self, words: &str, code: i32, stdout: &str) -> &Self {
        let stdout = stdout.as_bytes().to_vec();
        self.script(words, move |_, _| Output { code, stdout: stdout.clone(), ..Output::default() })
    }

    /// Commands that start with these words do that.
    pub fn script(
        &self,
        words: &str,
        does: impl Fn(&Command, &dyn Host) -> Output + Send + Sync + 'static,
    ) -> &Self {
        let words = words.split_whitespace().map(str::to_owned).collect();
        self.machine(|state| state.scripts.push((words, Arc::new(does))));
        self
    }

    /// A file's content as text; `None` when there is no file.
    pub fn read(&self, path: &str) -> Option<String> {
        let mut bytes = Vec::new();
        self.disk.open(Path::new(path)).ok()?.read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The names in a directory, one after the other.
    pub fn list_of(&self, path: &str) -> String {
        let names = self.disk.list(Path::new(path)).unwrap_or_default();
        names.iter().map(|name| name.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    pub fn meta(&self, path: &str) -> Option<Meta> {
        self.disk.stat(Path::new(path), false).ok().flatten()
    }

    /// The command lines that ran, in order.
    pub fn ran(&self) -> Vec<String> {
        self.disk.machine().map(|machine| machine.state().ran.clone()).unwrap_or_default()
    }

    /// Everything on it, one line a path: what two states are compared by.
    pub fn snapshot(&self) -> String {
        let mut lines = Vec::new();
        self.describe(Path::new("/"), &mut lines);
        lines.join("\n")
    }

    fn describe(&self, path: &Path, lines: &mut Vec<String>) {
        let Ok(Some(meta)) = self.disk.stat(path, false) else { return };
        let name = path.display();
        let what = match meta.kind {
            FileType::Dir => "/".to_owned(),
            FileType::Link => {
                format!(" -> {}", self.disk.read_link(path).unwrap_or_default().display())
            }
            _ => format!(" {:?}", self.read(&name.to_string()).unwrap_or_default()),
        };
        lines.push(format!("{:04o} {}:{} {name}{what}", meta.mode, meta.uid, meta.gid));
        if meta.is_dir() {
            for entry in self.disk.list(path).unwrap_or_default() {
                self.describe(&path.join(entry), lines);
            }
        }
    }

    fn machine<T>(&self, change: impl FnOnce(&mut State) -> T) {
        if let Some(machine) = self.disk.machine() {
            change(&mut machine.state());
        }
    }
}

impl Machine {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn run(&self, command: &Command, host: &dyn Host) -> Result<Output> {
        let words: Vec<String> =
            command.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let mut state = self.state();
        state.ran.push(words.join(" "));
        let known = |name: &str| words.first().is_some_and(|word| word.rsplit('/').next() == Some(name));
        let script = state.scripts.iter().rev().find(|(start, _)| {
            words.len() >= start.len() && start.iter().zip(&words).all(|(want, word)| want == word)
        });
        let script = script.map(|(_, script)| Arc::clone(script));
        drop(state);
        if let Some(script) = script {
            return Ok(script(command, host));
        }
        let rest = words.get(1..).unwrap_or_default();
        let answer = |code, stdout: &str| Output { code, stdout: stdout.into(), ..Output::default() };
        let shell_line = match words.as_slice() {
            [shell, flag, line, ..] if shell.ends_with("sh") && flag == "-c" => Some(line),
            _ => None,
        };
        if let Some(line) = shell_line {
            let words: Vec<&str> = line.split_whitespace().collect();
            return self.run(&Command::default().args(words), host);
        }
        Ok(if known("true") {
            answer(0, "")
        } else if known("false") {
            answer(1, "")
        } else if known("echo") {
            answer(0, &format!("{}\n", rest.join(" ")))
        } else if known("cat") && rest.is_empty() {
            Output { stdout: command.stdin.clone().unwrap_or_default(), ..Output::default() }
        } else if known("cat") {
            let mut stdout = Vec::new();
            for path in rest {
                let read = host.open(Path::new(path)).and_then(|mut file| {
                    file.read_to_end(&mut stdout).map_err(|e| HostError::new("read", path, e))
                });
                if let Err(e) = read {
                    let stderr = format!("cat: {path}: {}\n", e.source).into_bytes();
                    return Ok(Output { code: 1, stderr, ..Output::default() });
                }
            }
            Output { stdout, ..Output::default() }
        } else {
            let why = io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error());
            return Err(HostError::new("run", words.first().cloned().unwrap_or_default(), why));
        })
    }

    /// The command writes all that its script says at once; what is said to it is kept with what ran.
    pub(super) fn converse(
        &self,
        command: &Command,
        partner: &mut Partner<'_>,
        host: &dyn Host,
    ) -> Result<Output> {
        let output = self.run(command, host)?;
        let text = output.stdout().into_owned();
        let mut rest = text.as_str();
        loop {
            match partner(rest) {
                Answer::Wait => return Ok(output),
                Answer::HangUp => return Ok(Output { code: -1, ..output }),
                Answer::Say { heard, text } => {
                    rest = rest.get(heard..).unwrap_or_default();
                    self.state().ran.push(format!("> {}", text.trim_end()));
                }
            }
        }
    }

    pub(super) fn env(&self, name: &str) -> Option<String> {
        self.state().env.get(name).cloned()
    }

    pub(super) fn identity(&self) -> (u32, u32) {
        self.state().identity
    }

    /// A millisecond later each time it is asked.
    pub(super) fn now(&self) -> Time {
        let ticks = self.ticks.fetch_add(1, Ordering::Relaxed);
        let secs = 1_700_000_000 + i64::try_from(ticks / 1000).unwrap_or(0);
        Time { secs, nanos: u32::try_from(ticks % 1000).unwrap_or(0) * 1_000_000 }
    }

    pub(super) fn unique(&self) -> String {
        format!("m{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn sleep(&self, duration: Duration) {
        let ticks = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.ticks.fetch_add(ticks, Ordering::Relaxed);
    }

    /// What was sent stands among the commands that ran.
    pub(super) fn broadcast(&self, to: &str, port: u16, datagram: &[u8]) {
        let hex = crate::kit::digest::hex(datagram);
        self.state().ran.push(format!("broadcast {to}:{port} {hex}"));
    }

    /// The server hears what it would hear inside. The command stands among those that ran.
    pub(super) fn encrypt(&self, stream: Box<dyn Connection>, command: &Command) -> Box<dyn Connection> {
        self.state().ran.push(command.line());
        stream
    }

    pub(super) fn connect(&self, to: &Peer<'_>) -> Result<Box<dyn Connection>> {
        match to {
            Peer::Tcp { host, port } => match self.state().ports.get(port) {
                Some(Some(talk)) => Ok(Box::new(Talking::to(talk))),
                Some(None) => Ok(Box::new(Silent)),
                None => Err(HostError::new(
                    "connect to",
                    format!("{host}:{port}"),
                    io::ErrorKind::ConnectionRefused.into(),
                )),
            },
            Peer::Unix(path) => match self.state().sockets.get(*path) {
                Some(talk) => Ok(Box::new(Talking::to(talk))),
                None => Err(HostError::new("connect to", *path, io::ErrorKind::ConnectionRefused.into())),
            },
        }
    }
}

/// A connection on which nobody says anything.
struct Silent;

impl Read for Silent {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::TimedOut.into())
    }
}

impl Write for Silent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Connection for Silent {
    fn set_read_timeout(&self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn end_of_writing(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection to a scripted server.
struct Talking {
    talk: Talk,
    heard: Vec<u8>,
    says: Option<io::Cursor<Vec<u8>>>,
}

impl Talking {
    fn to(talk: &Talk) -> Self {
        Self { talk: Arc::clone(talk), heard: Vec::new(), says: None }
    }
}

impl Read for Talking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (talk, heard) = (&self.talk, &self.heard);
        let says = self.says.get_or_insert_with(|| io::Cursor::new(talk(&String::from_utf8_lossy(heard))));
        says.read(buffer)
    }
}

impl Write for Talking {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.heard.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Connection for Talking {
    fn set_read_timeout(&self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn end_of_writing(&self) -> io::Result<()> {
        Ok(())
    }
}
