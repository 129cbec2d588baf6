use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::kit::encode::{base64, from_base64};
use crate::kit::{Failure, FileFacts, FilePath, Result, System};
use crate::lineinfile::State;

/// Ensures that a host's key is in a `known_hosts` file, or is not.
///
/// A host has one key of each type.
///
/// # Examples
///
/// ```yaml
/// - name: The servers that are spoken to
///   known_hosts:
///     path: /etc/ssh/ssh_known_hosts
///     name: host1.example.com
///     key: host1.example.com,10.9.8.77 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJH0kJsmZq4K3mV0J
///
/// - name: With a port of its own
///   known_hosts:
///     path: /etc/ssh/ssh_known_hosts
///     name: '[host1.example.com]:2222'
///     key: '[host1.example.com]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJH0kJsmZq4K3mV0J'
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The host, as it stands in `key`.
    #[schemars(extend("aliases" = ["host"]))]
    pub name: String,
    /// The line of the file: host names, type and key. With `absent` only that key is removed, else all the host's.
    pub key: Option<String>,
    /// The file.
    #[serde(default = "usual")]
    pub path: FilePath,
    /// Hides the host's name in the file.
    #[serde(default)]
    pub hash_host: bool,
    /// Whether the key is there.
    #[serde(default)]
    pub state: State,
}

fn usual() -> FilePath {
    "~/.ssh/known_hosts".into()
}

#[derive(Serialize)]
pub struct Returns {
    name: String,
    key: Option<String>,
    path: String,
    hash_host: bool,
    #[serde(flatten)]
    facts: FileFacts,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let path = &*PathBuf::from(sys.expand(&args.path.text())?);
    let host = args.name.to_lowercase();
    let key = args.key.as_deref().map(str::trim);
    let wanted = key.map(|key| entry(&host, key)).transpose()?;
    let text = sys.read_text_if_there(path)?;
    let lines: Vec<&str> = text.as_deref().unwrap_or_default().lines().collect();
    let of_host =
        |line: &&str| Line::parse(line).is_some_and(|line| line.marker.is_none() && line.names(&host));
    let new = match (args.state, &wanted) {
        (State::Present, None) => return Err(Failure::new("No key specified when adding a host")),
        (State::Present, Some(wanted)) => {
            let same_type = |line: &&str| {
                Line::parse(line).is_some_and(|line| line.kind == wanted.kind && line.names(&host))
            };
            let known = lines.iter().filter(|line| same_type(line)).filter_map(|line| Line::parse(line));
            let fits = |line: Line<'_>| {
                line.key == wanted.key && line.hosts.starts_with("|1|") == hashed(wanted, args.hash_host)
            };
            let known: Vec<bool> = known.map(fits).collect();
            if known == [true] {
                None
            } else {
                let line = if hashed(wanted, args.hash_host) && !wanted.hosts.starts_with("|1|") {
                    format!("{} {} {}", hash(&host, sys), wanted.kind, wanted.key)
                } else {
                    key.unwrap_or_default().to_owned()
                };
                let mut new: Vec<&str> = lines.iter().copied().filter(|line| !same_type(line)).collect();
                new.push(&line);
                Some(new.join("\n") + "\n")
            }
        }
        (State::Absent, wanted) => {
            let goes = |line: &&str| {
                of_host(line)
                    && wanted.as_ref().is_none_or(|wanted| {
                        Line::parse(line)
                            .is_some_and(|line| (line.kind, line.key) == (wanted.kind, wanted.key))
                    })
            };
            let kept: Vec<&str> = lines.iter().copied().filter(|line| !goes(line)).collect();
            (kept.len() < lines.len()).then(|| kept.iter().flat_map(|line| [*line, "\n"]).collect())
        }
    };
    if let Some(new) = new {
        sys.write(path, new)?;
    }
    Ok(Returns {
        name: args.name,
        path: path.to_string_lossy().into_owned(),
        facts: sys.file_facts(path, false)?,
        hash_host: args.hash_host,
        key: args.key,
    })
}

fn hashed(wanted: &Line<'_>, hash_host: bool) -> bool {
    hash_host || wanted.hosts.starts_with("|1|")
}

/// The line the user gave.
fn entry<'k>(host: &str, key: &'k str) -> Result<Line<'k>> {
    let bad =
        || Failure::new("Host parameter does not match hashed host field in supplied key").with("rc", 1);
    if key.contains('\n') {
        return Err(Failure::new("key: one line is expected"));
    }
    let line = Line::parse(key).ok_or_else(bad)?;
    if from_base64(line.key).is_err() || !line.names(host) { Err(bad()) } else { Ok(line) }
}

/// `[@marker] hosts type key [comment]`.
struct Line<'l> {
    marker: Option<&'l str>,
    hosts: &'l str,
    kind: &'l str,
    key: &'l str,
}

impl<'l> Line<'l> {
    fn parse(line: &'l str) -> Option<Self> {
        let mut words = line.split_whitespace().peekable();
        let marker = words.next_if(|word| word.starts_with('@'));
        let line = Self { marker, hosts: words.next()?, kind: words.next()?, key: words.next()? };
        (!line.hosts.starts_with('#')).then_some(line)
    }

    fn names(&self, host: &str) -> bool {
        if let Some(hidden) = self.hosts.strip_prefix("|1|") {
            let Some((salt, hash)) = hidden.split_once('|') else { return false };
            return from_base64(salt).is_ok_and(|salt| base64(&hmac(&salt, host.as_bytes())) == hash);
        }
        self.hosts.split(',').any(|name| name.to_lowercase() == host)
    }
}

/// The name as nobody can read it.
fn hash(host: &str, sys: &System<'_>) -> String {
    let seed = format!("{}{:?}{host}", sys.unique(), sys.now());
    let salt = Sha1::digest(seed.as_bytes());
    format!("|1|{}|{}", base64(&salt), base64(&hmac(&salt, host.as_bytes())))
}

/// HMAC-SHA1; keys are never longer than a block here.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 20] {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(key).for_each(|(at, key)| *at ^= key);
        block
    };
    let inner = Sha1::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha1::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    const A: &str = "foo ssh-ed25519 AAAA";
    const B: &str = "foo ssh-ed25519 BBBB";

    fn check(before: &str, mut args: Json, after: &str, changed: bool) {
        let trial = Trial::of("known_hosts");
        trial.host.file("/k", before);
        args["path"] = json!("/k");
        let result = trial.run(&args);
        assert_eq!(
            (result["changed"].clone(), trial.host.read("/k").unwrap().as_str()),
            (changed.into(), after)
        );
    }

    #[test]
    fn keys_are_there_or_not() {
        let other = "bar ssh-rsa CCCC\n";
        check("", json!({"name": "foo", "key": A}), &format!("{A}\n"), true);
        check(&format!("{A}\n"), json!({"name": "foo", "key": A}), &format!("{A}\n"), false);
        check(&format!("{A}\n{other}"), json!({"name": "foo", "key": B}), &format!("{other}{B}\n"), true);
        check(&format!("{A}\n{other}"), json!({"name": "foo", "state": "absent"}), other, true);
        check(
            &format!("{A}\n"),
            json!({"name": "foo", "key": B, "state": "absent"}),
            &format!("{A}\n"),
            false,
        );
        // As ssh-keygen -H writes it.
        let hidden = "|1|3Ds5m7eil+gHJ0R8/B0Esdb0VnQ=|4FEu0+iE8cz3pZuZ/5BR4tCzl2s= ssh-ed25519 AAAA\n";
        check(hidden, json!({"name": "foo", "key": A, "hash_host": true}), hidden, false);
        check(hidden, json!({"name": "foo", "key": A}), &format!("{A}\n"), true);
        check(hidden, json!({"name": "foo", "state": "absent"}), "", true);
    }

    #[test]
    fn bad_keys_are_errors() {
        for (args, msg) in [
            (json!({"name": "foo"}), "No key specified when adding a host"),
            (
                json!({"name": "bar", "key": A}),
                "Host parameter does not match hashed host field in supplied key",
            ),
        ] {
            assert_eq!(Trial::of("known_hosts").run(&args)["msg"], msg);
        }
    }

    #[test]
    fn hashed_names_are_found_again() {
        let trial = Trial::of("known_hosts");
        trial.host.dir("/root/.ssh");
        let args = json!({"name": "Foo", "key": A, "hash_host": true});
        assert_eq!(trial.run(&args)["changed"], true);
        assert!(trial.host.read("/root/.ssh/known_hosts").unwrap().starts_with("|1|"));
        assert_eq!(trial.run(&args)["changed"], false);
    }
}
