//! What `pip` is told, and how: no list of processes shows a password.
//!
//! An index with one goes into the environment, where `pip` looks for it too, and a package's URL into a file of
//! requirements that is there only while `pip` runs. Of a git URL `pip` starts `git`, which shows it again: there the
//! password goes the way it has in the `git` module.

use std::io::Cursor;

use crate::git::login::Login;
use crate::kit::{Command, Failure, Result, System, words};
use crate::pip::{Args, State};

pub(super) struct Told {
    words: Vec<String>,
    env: Vec<(String, String)>,
    /// Lines of a file of requirements.
    lines: Vec<String>,
}

/// Options that take a URL, their other names, the variable that holds the same, and whether it may hold several.
const URLS: [(&str, &[&str], &str, bool); 5] = [
    ("--index-url", &["-i", "--pypi-url"], "PIP_INDEX_URL", false),
    ("--extra-index-url", &[], "PIP_EXTRA_INDEX_URL", true),
    ("--find-links", &["-f"], "PIP_FIND_LINKS", true),
    ("--constraint", &["-c"], "PIP_CONSTRAINT", true),
    ("--proxy", &[], "PIP_PROXY", false),
];

impl Told {
    pub fn of(args: &Args, names: &[String], sys: &System<'_>) -> Result<Self> {
        let mut told = Self { words: Vec::new(), env: Vec::new(), lines: Vec::new() };
        let action: &[&str] = match args.state {
            State::Absent => &["uninstall", "-y"],
            State::Present => &["install"],
            State::Latest => &["install", "-U"],
            State::ForceReinstall => &["install", "-U", "--force-reinstall"],
        };
        told.words.extend(action.iter().copied().map(str::to_owned));
        let editable = args.editable && args.state != State::Absent && args.requirements.is_none();
        if let Some(extra) = &args.extra_args {
            // What is wrong with it is said without it: it may hold a password.
            let extra = words::split(extra).map_err(|why| Failure::new(format!("extra_args: {why}")))?;
            told.extra(extra, sys);
        }
        let mut logins = Vec::new();
        let mut editable = editable.then_some("-e");
        for name in names {
            let flag = editable.take();
            let (plain, login) = Login::split(name);
            match login {
                Some(login) if name.contains("git+") => {
                    logins.push(login);
                    told.words.extend(flag.map(str::to_owned));
                    told.words.push(plain);
                }
                Some(_) => {
                    told.lines.push(flag.map_or_else(|| name.clone(), |flag| format!("{flag} {name}")));
                }
                None => {
                    told.words.extend(flag.map(str::to_owned));
                    told.words.push(plain);
                }
            }
        }
        match &args.requirements {
            Some(file) if has_password(file) => told.lines.push(format!("-r {file}")),
            Some(file) => told.words.extend(["-r".to_owned(), file.clone()]),
            None => {}
        }
        if told.lines.iter().any(|line| line.contains('\n')) {
            return Err(Failure::new("name: a package's URL is one line"));
        }
        told.env.extend(Login::environment(&logins, sys));
        Ok(told)
    }

    /// The user's own options, with those that hold a password moved into the environment.
    fn extra(&mut self, extra: Vec<String>, sys: &System<'_>) {
        let mut rest = extra.into_iter().peekable();
        while let Some(word) = rest.next() {
            let (option, joint) = match word.split_once('=') {
                Some((option, value)) if option.starts_with("--") => (option, Some(value.to_owned())),
                _ => (word.as_str(), None),
            };
            let known = URLS.iter().find(|(name, others, ..)| *name == option || others.contains(&option));
            let Some((name, _, variable, several)) = known else {
                match Login::split(&word).1 {
                    // A package, or an option that has its value without a blank.
                    Some(_) => self.lines.push(word),
                    None => self.words.push(word),
                }
                continue;
            };
            let value = joint.clone().or_else(|| rest.peek().cloned()).unwrap_or_default();
            // A proxy may do without a scheme.
            let secret = has_password(&value) || *name == "--proxy" && value.contains('@');
            if !secret {
                self.words.push(word);
                continue;
            }
            if joint.is_none() {
                rest.next();
            }
            let known = self.env.iter_mut().find(|(known, _)| known == variable);
            match known {
                Some((_, all)) if *several => *all = format!("{all} {value}"),
                Some((_, one)) => *one = value,
                None => {
                    let before = sys.env(variable).filter(|_| *several);
                    let all = before.map_or_else(|| value.clone(), |before| format!("{before} {value}"));
                    self.env.push(((*variable).to_owned(), all));
                }
            }
        }
    }

    /// Without the file of requirements.
    pub fn command(&self, command: Command) -> Command {
        let mut command = command.args(&self.words);
        command.env.extend(self.env.iter().cloned());
        command
    }

    /// Runs it with the file of requirements, where one is needed.
    pub fn with_file<T>(
        &self,
        command: Command,
        sys: &mut System<'_>,
        run: impl FnOnce(Command, &mut System<'_>) -> Result<T>,
    ) -> Result<T> {
        if self.lines.is_empty() || sys.is_check() {
            return run(command, sys);
        }
        let path = sys.scratch(None);
        let text: String = self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        sys.spool(&path, 0o600, &mut Cursor::new(text))?;
        let done = run(command.arg("-r").arg(path.clone()), sys);
        sys.discard(&path)?;
        done
    }
}

fn has_password(text: &str) -> bool {
    Login::split(text).1.is_some()
}
