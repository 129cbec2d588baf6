use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::yes;
use crate::kit::{self, http};
use crate::kit::{Failure, FileFacts, FilePath, Result, System, User, WriteOptions};
use crate::lineinfile::State;

/// Lets people log in with their SSH keys, or no longer.
///
/// # Examples
///
/// ```yaml
/// - name: A key of charlie
///   authorized_key:
///     user: bin
///     key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJH0kJsmZq4K3mV0J charlie@home
///
/// - name: That key and no other
///   authorized_key:
///     user: root
///     key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJH0kJsmZq4K3mV0J charlie@home
///     key_options: no-port-forwarding,from="10.0.1.1"
///     exclusive: true
/// ```
#[derive(Deserialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of Ansible's")]
pub struct Args {
    /// Who may log in.
    pub user: String,
    /// The public keys, one a line, or the URL of a file that holds them.
    pub key: String,
    /// The file, where it is not `.ssh/authorized_keys` of the user's home.
    pub path: Option<FilePath>,
    /// Makes the file's directory, and gives it to the user.
    #[serde(default = "yes")]
    pub manage_dir: bool,
    /// Whether the keys are there.
    #[serde(default)]
    pub state: State,
    /// What stands before the key: `no-pty`, `from="…"` …
    pub key_options: Option<String>,
    /// Removes all other keys.
    #[serde(default)]
    pub exclusive: bool,
    /// The comment behind the key, instead of the one it has.
    pub comment: Option<String>,
    /// Whether the file a symbolic link points to is meant; else the link is replaced.
    #[serde(default)]
    pub follow: bool,
    /// Checks the certificate of the server a key comes from.
    #[serde(default = "yes")]
    pub validate_certs: bool,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of Ansible's")]
pub struct Returns {
    user: String,
    key: String,
    keyfile: String,
    path: Option<String>,
    #[serde(flatten)]
    facts: Told,
    exclusive: bool,
    manage_dir: bool,
    follow: bool,
    validate_certs: bool,
    comment: Option<String>,
    key_options: Option<String>,
}

/// What is told of the file: all of one that is named, as in Ansible, else the wish alone.
#[derive(Serialize)]
#[serde(untagged)]
enum Told {
    Facts(FileFacts),
    State { state: State },
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let text = if ["http", "file"].iter().any(|scheme| args.key.starts_with(scheme)) {
        let content = http::content(&args.key, args.validate_certs, sys)
            .map_err(|failure| failure.context(format!("Error getting key from: {}", args.key)))?;
        String::from_utf8(content).map_err(|_| Failure::new("what the key's URL gives is no text"))?
    } else {
        args.key.clone()
    };
    let mut wanted: Vec<Key> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut key =
            Key::parse(line).ok_or_else(|| Failure::new(format!("invalid key specified: {line}")))?;
        if let Some(options) = &args.key_options {
            key.options = split_options(options).join(",");
        }
        if let Some(comment) = &args.comment {
            key.comment.clone_from(comment);
        }
        wanted.push(key);
    }
    let user = sys.user(&args.user)?;
    let Some(user) = user else {
        return Err(Failure::new(format!(
            "Failed to lookup user {}: \"getpwnam(): name not found: '{0}'\"",
            args.user
        )));
    };
    let mut file = match &args.path {
        Some(path) => path.0.clone(),
        None => Path::new(&user.home).join(".ssh/authorized_keys"),
    };
    if args.follow && sys.exists(&file)? {
        file = sys.resolve(&file)?;
    }
    let old = sys.read_text_if_there(&file)?;
    let new = edited(old.as_deref().unwrap_or_default(), &wanted, &args);
    if new != old.as_deref().unwrap_or_default() {
        write(&file, &new, &user, &args, sys)?;
    }
    let facts = match &args.path {
        Some(path) if sys.exists(path)? => Told::Facts(sys.file_facts(path, false)?),
        _ => Told::State { state: args.state },
    };
    Ok(Returns {
        facts,
        keyfile: file.to_string_lossy().into_owned(),
        path: args.path.map(|path| path.text().into_owned()),
        user: args.user,
        key: args.key,
        exclusive: args.exclusive,
        manage_dir: args.manage_dir,
        follow: args.follow,
        validate_certs: args.validate_certs,
        comment: args.comment,
        key_options: args.key_options,
    })
}

/// The file's text with the keys in it, or without. A key that is there with other options or another comment moves to
/// the end, as in Ansible.
fn edited(old: &str, wanted: &[Key], args: &Args) -> String {
    let mut lines = Vec::new();
    let mut there = vec![false; wanted.len()];
    for line in old.lines() {
        let known = Key::parse(line.trim());
        let at = known.as_ref().and_then(|known| wanted.iter().position(|key| key.blob == known.blob));
        let now = at.and_then(|at| Some((wanted.get(at)?, there.get_mut(at)?)));
        match (now, args.state) {
            (None, State::Present) if args.exclusive => {}
            (None, _) => lines.push(line.to_owned()),
            (Some((key, seen)), State::Present) if !*seen && known.as_ref() == Some(key) => {
                *seen = true;
                lines.push(line.to_owned());
            }
            // It goes, comes anew below, or is there the second time.
            (Some(_), _) => {}
        }
    }
    if args.state == State::Present {
        for (key, _) in wanted.iter().zip(there).filter(|(_, there)| !there) {
            if !lines.contains(&key.line()) {
                lines.push(key.line());
            }
        }
    }
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// Writes the file. It is the user's then, and nobody else's to read; so is its directory, where that is managed.
fn write(file: &Path, text: &str, user: &User, args: &Args, sys: &mut System<'_>) -> Result<()> {
    let dir = file.parent().map(PathBuf::from).unwrap_or_default();
    // A home is for whoever makes the account; a check may not know of it yet.
    if args.path.is_none() && !sys.is_check() && !sys.exists(Path::new(&user.home))? {
        let msg =
            format!("Failed to create directory {}: the home of {} is not there", dir.display(), args.user);
        return Err(Failure::new(msg));
    }
    sys.make_dirs(&dir, args.manage_dir.then_some(0o700))?;
    let (uid, gid) = (Some(user.uid), Some(user.gid));
    if args.manage_dir {
        sys.set_owner(&dir, uid, gid, true)?;
        sys.set_mode(&dir, 0o700)?;
    }
    let options = WriteOptions { new_mode: Some(0o600), ..WriteOptions::default() };
    sys.write_with(file, text, &options)?;
    sys.set_owner(file, uid, gid, false)?;
    sys.set_mode(file, 0o600)?;
    Ok(())
}

/// `[options] type key [comment]`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    options: String,
    kind: String,
    blob: String,
    comment: String,
}

/// The types of keys sshd knows.
const KINDS: [&str; 16] = [
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "sk-ssh-ed25519-cert-v01@openssh.com",
    "sk-ssh-ed25519@openssh.com",
    "ssh-dss",
    "ssh-dss-cert-v01@openssh.com",
    "ssh-ed25519",
    "ssh-ed25519-cert-v01@openssh.com",
    "ssh-rsa",
    "ssh-rsa-cert-v01@openssh.com",
];

impl Key {
    fn parse(line: &str) -> Option<Self> {
        if line.starts_with('#') {
            return None;
        }
        let mut rest = line;
        let mut options = String::new();
        let mut kind = take(&mut rest)?;
        if !KINDS.contains(&kind) {
            options = split_options(kind).join(",");
            kind = take(&mut rest)?;
        }
        let blob = take(&mut rest)?;
        let good = KINDS.contains(&kind) && kit::encode::from_base64(blob).is_ok();
        let key =
            Self { options, kind: kind.to_owned(), blob: blob.to_owned(), comment: rest.trim().to_owned() };
        good.then_some(key)
    }

    /// A key without a comment has the blank before it all the same, as in Ansible.
    fn line(&self) -> String {
        let Self { options, kind, blob, comment } = self;
        let blank = if options.is_empty() { "" } else { " " };
        format!("{options}{blank}{kind} {blob} {comment}")
    }
}

/// The next word; blanks between quotes do not end it.
fn take<'l>(rest: &mut &'l str) -> Option<&'l str> {
    let text = rest.trim_start();
    let mut quoted = false;
    let mut escaped = false;
    let end = text.find(|c: char| {
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
        c.is_whitespace() && !quoted
    });
    let (word, after) = text.split_at(end.unwrap_or(text.len()));
    *rest = after;
    (!word.is_empty()).then_some(word)
}

/// Options at the commas that are not quoted, each once.
fn split_options(text: &str) -> Vec<String> {
    let mut options: Vec<String> = Vec::new();
    let mut quoted = false;
    let parts = text.split(|c: char| {
        if c == '"' {
            quoted = !quoted;
        }
        c == ',' && !quoted
    });
    for option in parts.map(str::trim).filter(|option| !option.is_empty()) {
        if !options.iter().any(|known| known == option) {
            options.push(option.to_owned());
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    const A: &str = "ssh-ed25519 AAAA a@b c";
    const B: &str = "ssh-rsa BBBB";

    fn check(before: &str, mut args: Json, after: &str) {
        let trial = Trial::of("authorized_key");
        trial.host.user("ann", 1000).file("/home/ann/.ssh/authorized_keys", before);
        args["user"] = json!("ann");
        let result = trial.lawful(&args);
        assert_eq!(trial.host.read("/home/ann/.ssh/authorized_keys").unwrap(), after, "{args} {result:#}");
    }

    #[test]
    fn keys_come_and_go() {
        check("", json!({"key": A}), &format!("{A}\n"));
        check(&format!("{A}\n"), json!({"key": A}), &format!("{A}\n"));
        check(&format!("# x\n{B}\n"), json!({"key": A}), &format!("# x\n{B}\n{A}\n"));
        check(&format!("# x\n{B}\n"), json!({"key": A, "exclusive": true}), &format!("{A}\n"));
        check(&format!("{A}\n{B}\n"), json!({"key": A, "state": "absent"}), &format!("{B}\n"));
        check(
            &format!("{A}\n{B}\n"),
            json!({"key": "ssh-ed25519 AAAA", "key_options": "no-pty,from=\"a b,c\"", "comment": "new"}),
            &format!("{B}\nno-pty,from=\"a b,c\" ssh-ed25519 AAAA new\n"),
        );
        let moved = format!("{A}\nno-pty {B} \n");
        check(&format!("{B}\n{A}\n"), json!({"key": format!("no-pty {B}")}), &moved);
        check(&format!("no-pty {B}\n"), json!({"key": format!("no-pty {B}")}), &format!("no-pty {B}\n"));
    }

    #[test]
    fn what_is_made_is_the_users() {
        let trial = Trial::of("authorized_key");
        trial.host.user("ann", 1000);
        trial.lawful(&json!({"user": "ann", "key": format!("{A}\n{B}\n")}));
        for (path, mode) in [("/home/ann/.ssh", 0o700), ("/home/ann/.ssh/authorized_keys", 0o600)] {
            let meta = trial.host.meta(path).unwrap();
            assert_eq!((meta.mode, meta.uid, meta.gid), (mode, 1000, 1000), "{path}");
        }
        // Also what was there before, when it is changed.
        trial.host.dir("/k").file("/k/f", "");
        trial.lawful(&json!({"user": "ann", "path": "/k/f", "key": A}));
        for (path, mode) in [("/k", 0o700), ("/k/f", 0o600)] {
            let meta = trial.host.meta(path).unwrap();
            assert_eq!((meta.mode, meta.uid, meta.gid), (mode, 1000, 1000), "{path}");
        }
        let unknown = trial.run(&json!({"user": "ann", "key": "ssh-foo AAAA"}));
        assert_eq!(unknown["msg"], "invalid key specified: ssh-foo AAAA");
        assert_eq!(trial.run(&json!({"user": "ann", "key": "junk"}))["msg"], "invalid key specified: junk");
        assert_eq!(trial.run(&json!({"user": "nobodyhere", "key": A}))["failed"], true);
    }
}
