//! `%h` and its like, and `${VARIABLES}`.

use std::fmt::Write as _;

use sha1::{Digest as _, Sha1};

use crate::target::surroundings::Surroundings;

/// What the tokens stand for.
#[derive(Clone, Debug)]
pub(in crate::target) struct Tokens<'a> {
    pub surroundings: &'a Surroundings,
    /// `%h`.
    pub host: &'a str,
    /// `%n`: the host as it was asked for.
    pub original: &'a str,
    /// `%p`.
    pub port: u16,
    /// `%r`.
    pub user: &'a str,
    /// `%k`: the host key's alias, else the host as asked for.
    pub alias: Option<&'a str>,
    /// `%j`.
    pub jump: &'a str,
}

impl Tokens<'_> {
    /// Replaces tokens. An unknown one is an error, as in OpenSSH.
    pub(in crate::target) fn expand(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let short = || self.surroundings.hostname.split('.').next().unwrap_or_default();
            match chars.next() {
                Some('%') => out.push('%'),
                Some('h') => out.push_str(self.host),
                Some('n') => out.push_str(self.original),
                Some('p') => out.push_str(&self.port.to_string()),
                Some('r') => out.push_str(self.user),
                Some('k') => out.push_str(self.alias.unwrap_or(self.original)),
                Some('j') => out.push_str(self.jump),
                Some('u') => out.push_str(&self.surroundings.user),
                Some('i') => out.push_str(&self.surroundings.uid.to_string()),
                Some('d') => out.push_str(&self.surroundings.home.to_string_lossy()),
                Some('l') => out.push_str(&self.surroundings.hostname),
                Some('L') => out.push_str(short()),
                Some('C') => out.push_str(&self.connection_hash()),
                Some(other) => return Err(format!("unknown token %{other} in `{text}`")),
                None => return Err(format!("lone % at the end of `{text}`")),
            }
        }
        Ok(out)
    }

    fn connection_hash(&self) -> String {
        let mut hash = Sha1::new();
        for part in [&self.surroundings.hostname, self.host, &self.port.to_string(), self.user, self.jump] {
            hash.update(part);
        }
        hash.finalize().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// Replaces `${NAME}`; a variable that is not set is an error, as in OpenSSH.
pub(in crate::target) fn expand_env(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').ok_or_else(|| format!("no closing brace in `{text}`"))?;
        let value = std::env::var(name).map_err(|_| format!("variable {name} in `{text}` is not set"))?;
        out.push_str(before);
        out.push_str(&value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
