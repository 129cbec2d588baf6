use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::kit::change::Shape;
use crate::kit::encode::{base64, from_base64};
use crate::kit::{Failure, FileFacts, FilePath, Result, System};
use crate::lineinfile::State;

/// Ensures that a host's key is in a `known_hosts` file, or is not.
///
/// A host has one key of each type. Lines with a marker (`@cert-authority`, `@revoked`) stand beside them: such a line
/// is only taken away by itself.
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
    /// The line of the file: host names, type and key; or several. With `absent` only the host's
    /// key of that type is removed, whichever it is, else all.
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

/// In check mode nothing is told of a file that would change.
#[derive(Serialize)]
pub struct Returns {
    #[serde(flatten)]
    told: Option<Told>,
}

#[derive(Serialize)]
struct Told {
    name: String,
    key: Option<String>,
    path: String,
    hash_host: bool,
    #[serde(flatten)]
    facts: FileFacts,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if args.name.contains(',') {
        let msg = "Comma separated list of names is not supported. Please pass a single name to lookup in the \
                   known_hosts file.";
        return Err(Failure::new(msg));
    }
    let path = &*PathBuf::from(sys.expand(&args.path.text())?);
    let host = args.name.to_lowercase();
    let key = args.key.as_deref().map(str::trim);
    let wanted = key.map(|key| entries(&host, key)).transpose()?.unwrap_or_default();
    let text = sys.read_text_if_there(path)?;
    let lines: Vec<&str> = text.as_deref().unwrap_or_default().lines().collect();
    let new = match args.state {
        State::Present if key.is_none() => return Err(Failure::new("No key specified when adding a host")),
        State::Present => {
            let fits = |wanted: &Line<'_>| {
                let known = known(&lines, &host, wanted);
                matches!(known.as_slice(), [line] if line.is(wanted, args.hash_host))
            };
            if wanted.iter().all(fits) {
                None
            } else {
                let stays = |line: &&str| {
                    !Line::parse(line).is_some_and(|line| {
                        let is_replaced = wanted.iter().any(|wanted| wanted.kind == line.kind);
                        line.marker.is_none() && line.names(&host) && is_replaced
                    })
                };
                let mut new: Vec<String> = lines.iter().copied().filter(stays).map(str::to_owned).collect();
                for line in key.unwrap_or_default().lines() {
                    let hides = Line::parse(line)
                        .filter(|line| args.hash_host && !line.is_hashed() && line.names(&host));
                    new.push(match hides {
                        Some(line) => {
                            let marker = line.marker.map(|marker| format!("{marker} ")).unwrap_or_default();
                            format!("{marker}{} {} {}", hash(&host, sys), line.kind, line.key)
                        }
                        None => line.to_owned(),
                    });
                }
                Some(new)
            }
        }
        State::Absent => {
            let goes = |line: &&str| {
                Line::parse(line).is_some_and(|line| {
                    let is_meant = key.is_none() || wanted.iter().any(|wanted| wanted.kind == line.kind);
                    match line.marker {
                        None => line.names(&host) && is_meant,
                        Some(_) => wanted
                            .iter()
                            .any(|wanted| line.kind == wanted.kind && line.is(wanted, args.hash_host)),
                    }
                })
            };
            let kept: Vec<String> =
                lines.iter().filter(|line| !goes(line)).map(|line| (*line).to_owned()).collect();
            (kept.len() < lines.len()).then_some(kept)
        }
    };
    let new = new.map(|new| new.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>());
    let after = new.clone().unwrap_or_else(|| text.clone().unwrap_or_default());
    sys.shape_diff(Shape::Whole { path: path.to_owned(), before: text, after });
    if let Some(new) = new {
        sys.write(path, new)?;
        if sys.is_check() {
            return Ok(Returns { told: None });
        }
    }
    let told = Told {
        name: args.name,
        path: path.to_string_lossy().into_owned(),
        facts: sys.file_facts(path, false)?,
        hash_host: args.hash_host,
        key: args.key,
    };
    Ok(Returns { told: Some(told) })
}

/// The host's lines with a key of that type. Of those with a marker, which stand beside all others, only the same.
fn known<'l>(lines: &[&'l str], host: &str, wanted: &Line<'_>) -> Vec<Line<'l>> {
    let is_it = |line: &Line<'_>| {
        let is_other = line.marker.is_some() && (line.marker != wanted.marker || line.key != wanted.key);
        line.kind == wanted.kind && line.names(host) && !is_other
    };
    lines.iter().filter_map(|line| Line::parse(line)).filter(is_it).collect()
}

/// The lines the user gave that are keys of the host's: one usually, several of `ssh-keyscan`.
fn entries<'k>(host: &str, key: &'k str) -> Result<Vec<Line<'k>>> {
    let bad =
        || Failure::new("Host parameter does not match hashed host field in supplied key").with("rc", 1);
    let mut entries = Vec::new();
    for line in key.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let line = Line::parse(line).ok_or_else(bad)?;
        if line.names(host) {
            from_base64(line.key).map_err(|_| bad())?;
            entries.push(line);
        }
    }
    if entries.is_empty() { Err(bad()) } else { Ok(entries) }
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

    fn is_hashed(&self) -> bool {
        self.hosts.starts_with("|1|")
    }

    /// Whether this line of the file says what the user's says: the same key, for the same names, or hidden ones.
    fn is(&self, wanted: &Line<'_>, hidden: bool) -> bool {
        let names = if hidden { self.is_hashed() } else { self.hosts == wanted.hosts };
        names && self.key == wanted.key && self.marker == wanted.marker
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
            json!({"name": "foo", "key": "foo ssh-rsa BBBB", "state": "absent"}),
            &format!("{A}\n"),
            false,
        );
        check(&format!("{A}\n"), json!({"name": "foo", "key": B, "state": "absent"}), "", true);
        let named = "foo,1.2.3.4 ssh-ed25519 AAAA\n";
        check(&format!("{A} x\n"), json!({"name": "foo", "key": A}), &format!("{A} x\n"), false);
        check(&format!("{A}\n"), json!({"name": "foo", "key": named}), named, true);
        check(named, json!({"name": "1.2.3.4", "key": named}), named, false);
        // As ssh-keyscan says it.
        let several = format!("# foo:22 SSH-2.0\n{A}\n# foo:22 SSH-2.0\nfoo ssh-rsa CCCC\n");
        check("", json!({"name": "foo", "key": several}), &several, true);
        check(&several, json!({"name": "foo", "key": several}), &several, false);
        check(&format!("{A}\n"), json!({"name": "foo", "key": several}), &several, true);
        // As ssh-keygen -H writes it.
        let hidden = "|1|3Ds5m7eil+gHJ0R8/B0Esdb0VnQ=|4FEu0+iE8cz3pZuZ/5BR4tCzl2s= ssh-ed25519 AAAA\n";
        check(hidden, json!({"name": "foo", "key": A, "hash_host": true}), hidden, false);
        check(hidden, json!({"name": "foo", "key": A}), &format!("{A}\n"), true);
        check(hidden, json!({"name": "foo", "state": "absent"}), "", true);
    }

    #[test]
    fn marked_lines_stand_for_themselves() {
        let ca = |key: &str| format!("@cert-authority foo ssh-ed25519 {key}\n");
        let both = format!("{}{}", ca("AAAA"), ca("BBBB"));
        check(&ca("AAAA"), json!({"name": "foo", "key": ca("BBBB")}), &both, true);
        check(&both, json!({"name": "foo", "key": ca("BBBB")}), &both, false);
        check(&both, json!({"name": "foo", "key": ca("BBBB"), "state": "absent"}), &ca("AAAA"), true);
        check(&both, json!({"name": "foo", "state": "absent"}), &both, false);
        check(&ca("AAAA"), json!({"name": "foo", "key": A}), &format!("{}{A}\n", ca("AAAA")), true);
        check(&format!("{A}\n"), json!({"name": "foo", "key": ca("AAAA")}), &ca("AAAA"), true);
    }

    #[test]
    fn the_diff_is_always_told() {
        let trial = Trial::of("known_hosts");
        trial.host.file("/k", "");
        let args = json!({"name": "foo", "key": A, "path": "/k"});
        assert_eq!(
            trial.check(&args),
            json!({"changed": true, "diff": {"before_header": "/k", "before": "",
                   "after_header": "/k", "after": format!("{A}\n")}})
        );
        trial.run(&args);
        let again = trial.run(&args);
        assert_eq!(again["diff"]["after"], format!("{A}\n"));
        assert_eq!(again["diff"]["before"], again["diff"]["after"]);
    }

    #[test]
    fn bad_keys_are_errors() {
        for (args, msg) in [
            (json!({"name": "foo"}), "No key specified when adding a host"),
            (
                json!({"name": "foo,bar", "key": A}),
                "Comma separated list of names is not supported. Please pass a single name to lookup in the \
                 known_hosts file.",
            ),
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
