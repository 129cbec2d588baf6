//! The test language of the engine: hosts that live in memory, a playbook, and what came of it.
//!
//! The hosts run the real worker loop over an in-process pipe and everything on this side is what `fanfare run`
//! uses, so the engine, the protocol and the output under test are the shipped ones. No sshd, no root, no network.
//!
//! ```ignore
//! let lab = Lab::new("web1 web2").file("web1", "/etc/motd", "old\n").playbook("- hosts: all …");
//! let run = lab.run(&["--check"]);
//! assert_eq!(run.recap(), "web1 ok=1 changed=1, web2 ok=1");
//! assert_eq!(lab.read("web1", "/etc/motd"), "old\n");
//! ```

mod host;
mod outcome;
mod recorder;
mod trouble;
mod wire;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use clap::Parser;
use fanfare::cli::Cli;
use fanfare::commands::{Exit, Stage, execute};
use fanfare::config::Surroundings;
use fanfare::output::{Look, Output, callback};
use fanfare_modules::kit::memory::Memory;
use tempfile::TempDir;

pub use outcome::Outcome;
use recorder::{Recorder, Written};
use trouble::Trouble;
pub use wire::{Kind, Wire};

/// Hosts in memory and a directory with what a user has written.
pub struct Lab {
    dir: TempDir,
    hosts: Hosts,
    troubles: Vec<Trouble>,
    settings: BTreeMap<String, String>,
}

/// Every name that is asked for is a host, `localhost` as well.
type Hosts = Arc<Mutex<BTreeMap<String, Arc<Memory>>>>;

impl Lab {
    /// Hosts by name, or a whole INI inventory when there are several lines. Facts are gathered only by plays
    /// that ask for them, and five hosts work at a time unless a run is told otherwise.
    #[must_use]
    pub fn new(inventory: &str) -> Self {
        let settings =
            [("ANSIBLE_CONFIG", "/dev/null"), ("ANSIBLE_GATHERING", "explicit"), ("ANSIBLE_FORKS", "5")];
        let lab = Self {
            dir: TempDir::new().expect("a directory"),
            hosts: Hosts::default(),
            troubles: Vec::new(),
            settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        };
        let lines =
            if inventory.contains('\n') { inventory.to_owned() } else { inventory.replace(' ', "\n") };
        lab.here("hosts.ini", &lines)
    }

    /// The playbook that runs: `site.yml`.
    #[must_use]
    pub fn playbook(self, text: &str) -> Self {
        self.here("site.yml", text)
    }

    /// A file on the control node, relative to the playbook's directory.
    #[must_use]
    pub fn here(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, content).expect("written");
        self
    }

    /// A file on a host.
    #[must_use]
    pub fn file(self, host: &str, path: &str, content: &str) -> Self {
        self.host(host).file(path, content);
        self
    }

    /// Commands on a host that start with these words answer that.
    #[must_use]
    pub fn command(self, host: &str, words: &str, code: i32, stdout: &str) -> Self {
        self.host(host).answer(words, code, stdout);
        self
    }

    /// A setting, by the name of its environment variable.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The host's link breaks when a request comes that has `text` in it.
    #[must_use]
    pub fn cut(self, host: &str, text: &str) -> Self {
        self.with(Trouble::cut(host, text))
    }

    /// The host cannot be reached at all.
    #[must_use]
    pub fn unreachable(self, host: &str) -> Self {
        self.with(Trouble::unreachable(host))
    }

    /// The host never answers a request that has `text` in it.
    #[must_use]
    pub fn hang(self, host: &str, text: &str) -> Self {
        self.with(Trouble::hang(host, text))
    }

    /// Every host takes so many milliseconds for every request.
    #[must_use]
    pub fn slow(self, milliseconds: u64) -> Self {
        self.with(Trouble::slow(milliseconds))
    }

    /// The host leaves a request that has `text` in it alone until `other` was sent one with `event` in it. When
    /// that never comes, the link breaks.
    #[must_use]
    pub fn hold(self, host: &str, text: &str, other: &str, event: &str) -> Self {
        self.with(Trouble::hold(host, text, other, event))
    }

    fn with(mut self, trouble: Trouble) -> Self {
        self.troubles.push(trouble);
        self
    }

    /// Runs the playbook with more arguments of `fanfare run`. What it leaves on the hosts stays for the next run.
    pub fn run(&self, args: &[&str]) -> Outcome {
        let path = |name: &str| self.path(name).to_string_lossy().into_owned();
        let (inventory, playbook) = (path("hosts.ini"), path("site.yml"));
        let mut words = vec!["fanfare", "run", "-i", &*inventory, &*playbook];
        words.extend(args);
        self.execute(&words)
    }

    /// Runs a whole command line.
    pub fn execute(&self, words: &[&str]) -> Outcome {
        let cli = Cli::try_parse_from(words).expect("a command line");
        let wire = Wire::default();
        let (out, err) = (Written::default(), Written::default());
        let events = Arc::default();
        let stage = Stage {
            surroundings: Surroundings {
                variables: self.settings.clone(),
                directory: self.dir.path().to_owned(),
            },
            lab: Some(host::lab(&self.hosts, &self.troubles, &wire)),
            output: {
                let (out, err, events) = (out.clone(), err.clone(), Arc::clone(&events));
                Box::new(move |config| {
                    let inner = callback(&config.display.callback, Look::of(config))?;
                    let recorder = Box::new(Recorder { inner, events });
                    Ok(Output::plain(recorder, &config.display, Box::new(out), Box::new(err)))
                })
            },
        };
        let (exit, error) = match execute(cli, stage) {
            Ok(exit) => (exit as u8, None),
            Err(error) => (Exit::of_error(&error) as u8, Some(error)),
        };
        let events = Arc::try_unwrap(events)
            .map_or_else(|shared| shared.lock().unwrap().clone(), |own| own.into_inner().unwrap());
        Outcome { exit, error, stdout: out.text(), stderr: err.text(), events, wire }
    }

    /// The content of a host's file.
    pub fn read(&self, host: &str, path: &str) -> String {
        self.host(host).read(path).unwrap_or_else(|| panic!("{host} has no {path}"))
    }

    /// The command lines that ran on a host, in order.
    pub fn ran(&self, host: &str) -> Vec<String> {
        self.host(host).ran()
    }

    /// Everything on a host, one line a path.
    pub fn snapshot(&self, host: &str) -> String {
        self.host(host).snapshot()
    }

    /// A host, to set its stage or look at it in ways that have no words here.
    pub fn host(&self, name: &str) -> Arc<Memory> {
        host::named(&self.hosts, name)
    }

    /// A path in the playbook's directory.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }
}
