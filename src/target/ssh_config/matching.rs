//! `Match` lines.

use std::process::{Command, Stdio};

use super::tokens::Tokens;
use super::{Match, Reader, matches_list};

impl Reader<'_> {
    /// Whether a `Match` line holds. Commands run only where everything before them holds, and never when the
    /// line cannot count anyway (`live` is false).
    pub(super) fn match_line(&mut self, words: &[String], live: bool) -> Result<bool, String> {
        let mut words = split_equals(words).into_iter();
        let mut holds = live;
        let mut any = false;
        while let Some(word) = words.next() {
            any = true;
            let (negated, name) = match word.strip_prefix('!') {
                Some(name) => (true, name.to_ascii_lowercase()),
                None => (false, word.to_ascii_lowercase()),
            };
            let fits = match name.as_str() {
                "all" => {
                    if words.next().is_some() {
                        return Err("Match all cannot be combined with other criteria".to_owned());
                    }
                    true
                }
                "canonical" => self.last,
                "final" => {
                    self.wants_last = true;
                    self.last
                }
                "host" | "originalhost" | "user" | "localuser" | "exec" | "tagged" | "version"
                | "command" | "sessiontype" | "localnetwork" => {
                    let argument =
                        words.next().ok_or_else(|| format!("missing argument for Match {name}"))?;
                    self.criterion(&name, &argument, holds)?
                }
                _ => return Err(format!("unsupported Match attribute {name}")),
            };
            holds = holds && fits != negated;
        }
        if any { Ok(holds) } else { Err("Match needs a criterion".to_owned()) }
    }

    fn criterion(&self, name: &str, argument: &str, live: bool) -> Result<bool, String> {
        let list = |text: &str| Ok(matches_list(text, argument) == Match::Yes);
        let local = &self.surroundings.user;
        match name {
            "host" => list(&self.hostname()?),
            "originalhost" => list(&self.original),
            "user" => list(self.values.get("user").unwrap_or(local)),
            "localuser" => list(local),
            "sessiontype" => list("exec"),
            // Here there are none of these.
            "tagged" | "version" | "command" => list(""),
            "localnetwork" if live => Err("unsupported Match attribute localnetwork".to_owned()),
            // Not run in vain: it may be slow, or ask somebody something.
            _ if !live => Ok(false),
            _ => self.exec(argument),
        }
    }

    fn exec(&self, command: &str) -> Result<bool, String> {
        let host = self.hostname()?;
        let port = self.values.get("port").and_then(|port| port.parse().ok()).unwrap_or(22);
        let tokens = Tokens {
            surroundings: self.surroundings,
            host: &host,
            original: &self.original,
            port,
            user: self.values.get("user").unwrap_or(&self.surroundings.user),
            alias: self.values.get("hostkeyalias"),
            jump: self.values.get("proxyjump").unwrap_or_default(),
        };
        let command = tokens.expand(command)?;
        let status = Command::new("/bin/sh")
            .args(["-c", &command])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(|error| format!("Match exec `{command}`: {error}"))?;
        Ok(status.success())
    }
}

/// `user=bob` as `user bob`.
fn split_equals(words: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    let mut argument = false;
    for word in words {
        match word.split_once('=') {
            Some((name, value))
                if !argument && name.trim_start_matches('!').chars().all(char::is_alphabetic) =>
            {
                out.extend([name.to_owned(), value.to_owned()]);
            }
            _ => {
                let flag = matches!(word.trim_start_matches('!'), "all" | "canonical" | "final");
                argument = !argument && !flag;
                out.push(word.clone());
            }
        }
    }
    out
}
