//! `~/.ssh/config` and `/etc/ssh/ssh_config`, as OpenSSH reads them: the first value of an option counts.

mod include;
mod keys;
mod line;
mod matching;
mod tokens;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub(super) use self::keys::Use;
use self::keys::{find, nearest};
pub(super) use self::tokens::{Tokens, expand_env};
use super::pattern::{Match, matches_all, matches_list};
use super::surroundings::Surroundings;

/// How deep files may include each other.
const DEPTH: usize = 16;

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
) -> Result<(), String> {
    let mut reader = Reader {
        values,
        surroundings,
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

/// An option with its value.
#[derive(Debug)]
pub(super) struct Setting {
    pub key: &'static str,
    pub usage: Use,
    pub words: Vec<String>,
}

/// Reads `Key=Value` or `Key Value`, as after `-o`; gives the name as written, too.
pub(super) fn option(text: &str) -> Result<(String, Setting), String> {
    let (name, rest) = line::keyword(text).ok_or("empty option")?;
    let written = text.trim().get(..name.len()).unwrap_or(&name).to_owned();
    Ok((written, setting(&name, rest)?))
}

/// `name` in lower case.
fn setting(name: &str, rest: &str) -> Result<Setting, String> {
    let Some((key, usage)) = find(name) else {
        let hint = nearest(name).map(|key| format!(" (did you mean {key}?)")).unwrap_or_default();
        return Err(format!("Bad configuration option: {name}{hint}"));
    };
    let words = if usage == Use::Command { vec![rest.to_owned()] } else { line::words(rest)? };
    if words.first().is_none_or(String::is_empty) {
        return Err(format!("missing argument to {name}"));
    }
    let several = matches!(key, "userknownhostsfile" | "globalknownhostsfile");
    if words.len() > 1 && !several && !matches!(usage, Use::Meaningless | Use::Unsupported) {
        return Err(format!("extra arguments to {name}"));
    }
    Ok(Setting { key, usage, words })
}

struct Reader<'a> {
    values: &'a mut Values,
    surroundings: &'a Surroundings,
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
                let text = std::fs::read_to_string(path)
                    .map_err(|error| format!("Can't open user config file {}: {error}", path.display()))?;
                self.file(path, &text, &user_dir, 0, &mut true)
            }
            Source::Standard => {
                if let Some(path) = &self.surroundings.user_config.clone()
                    && let Some(text) = optional(path)?
                {
                    check_owner(path, self.surroundings.uid)?;
                    self.file(path, &text, &user_dir, 0, &mut true)?;
                }
                if let Some(path) = &self.surroundings.system_config.clone()
                    && let Some(text) = optional(path)?
                {
                    let dir = path.parent().unwrap_or(Path::new("/")).to_owned();
                    self.file(path, &text, &dir, 0, &mut true)?;
                }
                Ok(())
            }
        }
    }

    /// `active` says whether the lines count; it is left as the file's last `Host` or `Match` sets it.
    fn file(
        &mut self,
        path: &Path,
        text: &str,
        dir: &Path,
        depth: usize,
        active: &mut bool,
    ) -> Result<(), String> {
        let within = *active;
        for (index, text) in text.lines().enumerate() {
            let at = |message: String| format!("{}: line {}: {message}", path.display(), index + 1);
            self.line(text, dir, depth, within, active).map_err(|error| match error {
                Trouble::Here(message) => at(message),
                Trouble::Within(message) => message,
            })?;
            if let Some(note) = self.values.unsupported.last_mut()
                && let Some(key) = note.strip_prefix('\0')
            {
                *note = at(format!("{key} is not supported and has no effect"));
            }
        }
        Ok(())
    }

    fn line(
        &mut self,
        text: &str,
        dir: &Path,
        depth: usize,
        within: bool,
        active: &mut bool,
    ) -> Result<(), Trouble> {
        let Some((name, rest)) = line::keyword(text) else { return Ok(()) };
        match name.as_str() {
            "host" => {
                let patterns = line::words(rest)?;
                if patterns.is_empty() {
                    return Err("Host needs a pattern".to_owned().into());
                }
                let host = matches_all(&self.host, patterns.iter().map(String::as_str));
                *active = within && host == Match::Yes;
            }
            "match" => {
                let holds = self.match_line(&line::words(rest)?, within)?;
                *active = within && holds;
            }
            "include" => {
                for pattern in line::words(rest)? {
                    self.include(&pattern, dir, depth, *active)?;
                }
            }
            _ => self.option(&name, rest, *active)?,
        }
        Ok(())
    }

    fn include(&mut self, pattern: &str, dir: &Path, depth: usize, active: bool) -> Result<(), Trouble> {
        if depth >= DEPTH {
            return Err("Too many recursive configuration includes".to_owned().into());
        }
        let pattern = self.surroundings.expand_tilde(&expand_env(pattern)?);
        for path in include::glob(&dir.join(pattern)) {
            if let Some(text) = optional(&path).map_err(Trouble::Here)? {
                // What an included file leaves active ends with it.
                self.file(&path, &text, dir, depth + 1, &mut active.clone()).map_err(Trouble::Within)?;
            }
        }
        Ok(())
    }

    fn option(&mut self, name: &str, rest: &str, active: bool) -> Result<(), Trouble> {
        let ignored = self.values.get("ignoreunknown").map(str::to_ascii_lowercase);
        if find(name).is_none() && ignored.is_some_and(|list| matches_list(name, &list) == Match::Yes) {
            return Ok(());
        }
        let Setting { key, usage, words } = setting(name, rest)?;
        if active {
            let is_off = matches!(words.first().map(String::as_str), Some("no" | "none"));
            // Without it a key would be trusted that is not to be.
            if key == "revokedhostkeys" && !is_off {
                return Err(format!("{name} is not supported: use `connection: openssh` here").into());
            }
            if usage == Use::Unsupported && !is_off {
                self.values.unsupported.push(format!("\0{name}"));
            }
            self.values.set(key, usage, words);
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

/// The text of a file that need not be there.
fn optional(path: &Path) -> Result<Option<String>, String> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound
                    | std::io::ErrorKind::NotADirectory
                    | std::io::ErrorKind::PermissionDenied
                    | std::io::ErrorKind::IsADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(format!("{}: {error}", path.display())),
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
