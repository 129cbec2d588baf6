//! `~/.ssh/config` and `/etc/ssh/ssh_config`, as OpenSSH reads them: the first value of an option counts.

mod file;
mod include;
mod keys;
mod line;
mod matching;
mod tokens;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) use self::file::option;
use self::file::{Directive, File, Setting, unknown};
pub(super) use self::keys::Use;
pub(super) use self::tokens::{Tokens, expand_env};
use super::pattern::{Match, matches_all, matches_list};
use super::readonce::ReadOnce;
use super::surroundings::Surroundings;

/// How deep files may include each other.
const DEPTH: usize = 16;

/// The files that were read in this run.
#[derive(Debug, Default)]
pub(super) struct ConfigFiles(ReadOnce<File>);

/// The options found so far, by lower-case name.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    values: HashMap<&'static str, Vec<String>>,
    /// Options that would matter but are not supported, with their place.
    pub unsupported: Vec<String>,
}

impl Values {
    /// Sets an option unless it has a value; adds to one that accumulates.
    pub(super) fn set(&mut self, key: &'static str, usage: Use, words: Vec<String>) {
        match usage {
            Use::Meaningless | Use::Unsupported => {}
            Use::Accumulated => {
                let all = self.values.entry(key).or_default();
                all.extend(words.into_iter().filter(|word| !all.contains(word)).collect::<Vec<_>>());
            }
            // The two name the same thing: whichever comes first counts.
            Use::Honoured | Use::Command
                if matches!(key, "proxyjump" | "proxycommand")
                    && (self.values.contains_key("proxyjump")
                        || self.values.contains_key("proxycommand")) => {}
            Use::Honoured | Use::Command => {
                self.values.entry(key).or_insert(words);
            }
        }
    }

    /// The option's first word.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.all(key).first().map(String::as_str)
    }

    pub(super) fn all(&self, key: &str) -> &[String] {
        self.values.get(key).map_or(&[], Vec::as_slice)
    }
}

/// Where to read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The user's file, then the system's.
    Standard,
    /// `-F`: this file alone.
    File(PathBuf),
    /// `-F none`.
    Nothing,
}

/// Adds to `values` what the files say about `host` (as the user names it). An error tells file and line.
pub(super) fn read(
    values: &mut Values,
    source: &Source,
    host: &str,
    surroundings: &Surroundings,
    files: &ConfigFiles,
) -> Result<(), String> {
    let mut reader = Reader {
        values,
        surroundings,
        files,
        original: host.to_owned(),
        host: host.to_owned(),
        last: false,
        wants_last: false,
    };
    reader.pass(source)?;
    if reader.wants_last {
        // `Match final` asks for a second reading, with the host's real name.
        reader.host = reader.hostname()?;
        reader.last = true;
        reader.pass(source)?;
    }
    Ok(())
}

struct Reader<'a> {
    values: &'a mut Values,
    surroundings: &'a Surroundings,
    files: &'a ConfigFiles,
    original: String,
    /// What `Host` lines are held against.
    host: String,
    /// Whether this is the second reading.
    last: bool,
    wants_last: bool,
}

impl Reader<'_> {
    fn pass(&mut self, source: &Source) -> Result<(), String> {
        let user_dir = self.surroundings.home.join(".ssh");
        match source {
            Source::Nothing => Ok(()),
            Source::File(path) => {
                let file =
                    self.files.0.get(path, File::new).map_err(|error| {
                        format!("Can't open user config file {}: {error}", path.display())
                    })?;
                self.file(path, &file, &user_dir, 0, &mut true)
            }
            Source::Standard => {
                if let Some(path) = &self.surroundings.user_config
                    && let Some(file) = self.files.optional(path)?
                {
                    check_owner(path, self.surroundings.uid)?;
                    self.file(path, &file, &user_dir, 0, &mut true)?;
                }
                if let Some(path) = &self.surroundings.system_config
                    && let Some(file) = self.files.optional(path)?
                {
                    let dir = path.parent().unwrap_or(Path::new("/")).to_owned();
                    self.file(path, &file, &dir, 0, &mut true)?;
                }
                Ok(())
            }
        }
    }

    /// `active` says whether the lines count; it is left as the file's last `Host` or `Match` sets it.
    fn file(
        &mut self,
        path: &Path,
        file: &File,
        dir: &Path,
        depth: usize,
        active: &mut bool,
    ) -> Result<(), String> {
        let within = *active;
        for (number, directive) in &file.0 {
            let at = |message: String| format!("{}: line {number}: {message}", path.display());
            self.directive(directive, dir, depth, within, active).map_err(|error| match error {
                Trouble::Here(message) => at(message),
                Trouble::Within(message) => message,
            })?;
            if let Directive::Option(name, setting) = directive
                && *active
                && setting.usage == Use::Unsupported
                && !setting.is_off()
            {
                self.values.unsupported.push(at(format!("{name} is not supported and has no effect")));
            }
        }
        Ok(())
    }

    fn directive(
        &mut self,
        directive: &Directive,
        dir: &Path,
        depth: usize,
        within: bool,
        active: &mut bool,
    ) -> Result<(), Trouble> {
        match directive {
            Directive::Host(patterns) => {
                *active =
                    within && matches_all(&self.host, patterns.iter().map(String::as_str)) == Match::Yes;
            }
            Directive::Match(words) => {
                let holds = self.match_line(words, within)?;
                *active = within && holds;
            }
            Directive::Include(patterns) => {
                for pattern in patterns {
                    self.include(pattern, dir, depth, *active)?;
                }
            }
            Directive::Option(name, setting) if *active => {
                // Without it a key would be trusted that is not to be.
                if setting.key == "revokedhostkeys" && !setting.is_off() {
                    return Err(format!("{name} is not supported: use `connection: openssh` here").into());
                }
                self.values.set(setting.key, setting.usage, setting.words.clone());
            }
            Directive::Option(..) => {}
            Directive::Unknown(name) => {
                let ignored = self.values.get("ignoreunknown").map(str::to_ascii_lowercase);
                if ignored.is_none_or(|list| matches_list(name, &list) != Match::Yes) {
                    return Err(unknown(name).into());
                }
            }
            Directive::Wrong(error) => return Err(error.clone().into()),
        }
        Ok(())
    }

    fn include(&mut self, pattern: &str, dir: &Path, depth: usize, active: bool) -> Result<(), Trouble> {
        if depth >= DEPTH {
            return Err("Too many recursive configuration includes".to_owned().into());
        }
        let pattern = self.surroundings.expand_tilde(&expand_env(pattern)?);
        for path in include::glob(&dir.join(pattern)) {
            if let Some(file) = self.files.optional(&path).map_err(Trouble::Here)? {
                // What an included file leaves active ends with it.
                self.file(&path, &file, dir, depth + 1, &mut active.clone()).map_err(Trouble::Within)?;
            }
        }
        Ok(())
    }

    /// The host's real name as far as known: `HostName`, else as asked for.
    fn hostname(&self) -> Result<String, String> {
        match self.values.get("hostname") {
            Some(name) => hostname(name, &self.original),
            None => Ok(self.host.clone()),
        }
    }
}

/// `HostName` with its `%h`.
pub(super) fn hostname(name: &str, original: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        match (c, c == '%') {
            (_, true) => match chars.next() {
                Some('%') => out.push('%'),
                Some('h') => out.push_str(original),
                other => return Err(format!("unknown token %{} in HostName", other.unwrap_or(' '))),
            },
            (c, false) => out.push(c),
        }
    }
    Ok(out)
}

/// An error in a line, or in a file it includes: the latter has its place already.
enum Trouble {
    Here(String),
    Within(String),
}

impl From<String> for Trouble {
    fn from(message: String) -> Self {
        Self::Here(message)
    }
}

impl ConfigFiles {
    /// A file that need not be there.
    fn optional(&self, path: &Path) -> Result<Option<Arc<File>>, String> {
        use io::ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied};
        match self.0.get(path, File::new) {
            Ok(file) => Ok(Some(file)),
            Err(error) => match error.kind() {
                NotFound | NotADirectory | PermissionDenied | IsADirectory => Ok(None),
                _ => Err(format!("{}: {error}", path.display())),
            },
        }
    }
}

impl Setting {
    fn is_off(&self) -> bool {
        matches!(self.words.first().map(String::as_str), Some("no" | "none"))
    }
}

/// Somebody else's file must not decide where we connect.
fn check_owner(path: &Path, uid: u32) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(metadata) = path.metadata() else { return Ok(()) };
    if (metadata.uid() != 0 && metadata.uid() != uid) || metadata.mode() & 0o022 != 0 {
        return Err(format!("Bad owner or permissions on {}", path.display()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
