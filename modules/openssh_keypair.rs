use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::kit::{Command, Failure, FileAttributes, FilePath, Output, Result, Secret, System, WriteOptions};
use crate::lineinfile::State;
use crate::openssl_privatekey::Regenerate;

/// Makes pairs of keys for SSH, by the target's `ssh-keygen`.
///
/// A pair that is there stays as long as it is what is asked for; a public key that is missing is made from the
/// private one.
///
/// # Examples
///
/// ```yaml
/// - name: An RSA key of 4096 bits
///   openssh_keypair: {path: /tmp/id_ssh_rsa}
///
/// - name: A small and fast one
///   openssh_keypair: {path: /tmp/id_ed25519, type: ed25519, comment: deploy@example.com}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The file of the private key; the public one is beside it, with `.pub` behind its name.
    pub path: FilePath,
    /// Whether they are there.
    #[serde(default)]
    pub state: State,
    /// Which kind of key. `rsa1` is none any more.
    #[serde(default)]
    pub r#type: Type,
    /// The size in bits; 4096 for RSA, 256 for ECDSA and 1024 for DSA where none is given.
    pub size: Option<u64>,
    /// The comment behind the public key.
    pub comment: Option<String>,
    /// What locks the private key.
    pub passphrase: Option<Secret>,
    /// The form of the private key; `auto` is the one of ssh.
    #[serde(default)]
    pub private_key_format: Format,
    /// When a key that is there is replaced: `fail` ends the task where it does not fit, `partial_idempotence` leaves
    /// one that cannot be read.
    #[serde(default = "partial")]
    pub regenerate: Regenerate,
    /// Makes new keys, though those that are there are good.
    #[serde(default)]
    pub force: bool,
    /// Means nothing here: the target's `ssh-keygen` does the work.
    #[serde(default)]
    #[expect(dead_code, reason = "there is one way")]
    pub backend: Backend,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

fn partial() -> Regenerate {
    Regenerate::PartialIdempotence
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    #[default]
    Rsa,
    Dsa,
    Rsa1,
    Ecdsa,
    Ed25519,
    Mldsa44,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Dsa => "dsa",
            Self::Rsa1 => "rsa1",
            Self::Ecdsa => "ecdsa",
            Self::Ed25519 => "ed25519",
            Self::Mldsa44 => "mldsa44",
        }
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Auto,
    Pkcs1,
    Pkcs8,
    Ssh,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    #[default]
    Auto,
    Cryptography,
    Opensshbin,
}

#[derive(Serialize)]
pub struct Returns {
    filename: String,
    #[serde(flatten)]
    pair: Option<Pair>,
    size: u64,
    r#type: &'static str,
}

/// What there is to tell of a pair.
#[derive(Clone, Default, Serialize)]
struct Pair {
    fingerprint: String,
    public_key: String,
    comment: String,
    #[serde(skip)]
    size: u64,
    #[serde(skip)]
    kind: String,
}

/// Where the passphrase stands for the program that tells it.
const OPENS: &str = "FANFARE_PASSPHRASE";

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let size = match (args.r#type, args.size) {
        (Type::Rsa1, _) => {
            return Err(Failure::new("Protocol 1 keys are not supported: rsa1 is no type any more"));
        }
        (Type::Rsa | Type::Dsa | Type::Ecdsa, Some(size)) => size,
        (Type::Rsa, None) => 4096,
        (Type::Dsa, None) => 1024,
        (Type::Ecdsa | Type::Ed25519, _) => 256,
        (Type::Mldsa44, _) => return Err(Failure::new("type: mldsa44 is not supported")),
    };
    let mut returns =
        Returns { filename: args.path.text().into_owned(), pair: None, size, r#type: args.r#type.name() };
    let mut public = args.path.as_os_str().to_owned();
    public.push(".pub");
    let public = PathBuf::from(public);
    if args.state == State::Absent {
        return absent(&args, &public, returns, sys);
    }
    let program = sys.need("ssh-keygen")?;
    let keygen = Keygen { program, args: &args };
    let old = if sys.exists(&args.path)? { Some(keygen.known(&public, sys)?) } else { None };
    let pair = if is_to_be_made(&args, size, old.as_ref())? {
        let pair = keygen.make(size, &public, sys)?;
        let before = old.flatten().map_or_else(|| json!({}), |old| told(&old));
        sys.tell_states("", before, told(&pair));
        pair
    } else {
        let pair = old.flatten().unwrap_or_default();
        keygen.mend(&public, pair, sys)?
    };
    // What is asked for the file holds for the public key, too.
    for half in [&args.path.0, &public] {
        sys.set_attributes(half, &args.attributes, false)?;
    }
    returns.pair = Some(pair);
    Ok(returns)
}

/// Removes a pair. What is known of it is told.
fn absent(args: &Args, public: &Path, mut returns: Returns, sys: &mut System<'_>) -> Result<Returns> {
    let known = match sys.which("ssh-keygen") {
        Some(program) if sys.exists(&args.path)? => Keygen { program, args }.known(public, sys)?,
        _ => None,
    };
    let removed = [sys.remove_file(&args.path)?, sys.remove_file(public)?];
    if removed.contains(&true) {
        sys.tell_states("", known.as_ref().map_or_else(|| json!({}), told), json!({}));
    }
    returns.pair = Some(known.unwrap_or_default());
    Ok(returns)
}

/// Whether the pair is made anew. `old` is what is known of the key that is there: nothing, where it cannot be read.
fn is_to_be_made(args: &Args, size: u64, old: Option<&Option<Pair>>) -> Result<bool> {
    let Some(old) = old else { return Ok(true) };
    if args.force || args.regenerate == Regenerate::Always {
        return Ok(true);
    }
    let Some(old) = old else {
        if args.regenerate == Regenerate::FullIdempotence {
            return Ok(true);
        }
        return Err(Failure::new(
            "Unable to read the key. The key is protected with a passphrase or broken. Will not proceed. \
             To force regeneration, call the module with `generate` set to `full_idempotence` or `always`, or with \
             `force=true`.",
        ));
    };
    if old.size == size && old.kind == args.r#type.name() {
        return Ok(false);
    }
    match args.regenerate {
        Regenerate::Never => Ok(false),
        Regenerate::Fail => Err(Failure::new(
            "Key has wrong type and/or size. Will not proceed. To force regeneration, call the module with \
             `generate` set to `partial_idempotence`, `full_idempotence` or `always`, or with `force=true`.",
        )),
        _ => Ok(true),
    }
}

fn told(pair: &Pair) -> Json {
    json!({
        "size": pair.size,
        "type": pair.kind,
        "fingerprint": pair.fingerprint,
        "public_key": pair.public_key.split(' ').nth(1),
        "comment": pair.comment,
    })
}

/// The program, which asks for passphrases: a script tells it what its environment holds, so that they are in nobody's
/// arguments.
struct Keygen<'a> {
    program: PathBuf,
    args: &'a Args,
}

impl Keygen<'_> {
    fn run(&self, words: &[&str], path: &Path, sys: &mut System<'_>) -> Result<Output> {
        let passphrase = self.args.passphrase.as_ref().map_or("", Secret::expose);
        let command = Command::new(&self.program).args(words.iter().copied()).arg(path);
        let command = command.env("SSH_ASKPASS_REQUIRE", "force").env("DISPLAY", ":0").env("LC_ALL", "C");
        if sys.is_check() {
            // A check writes no script. `printenv` is given the question, and tells what stands below that name.
            let asked =
                ["Enter passphrase: ".to_owned(), format!("Enter passphrase for \"{}\": ", path.display())];
            let asked = asked.into_iter().filter(|name| !name.contains('='));
            let command = asked.fold(command, |command, name| command.env(name, passphrase));
            return sys.query(command.env("SSH_ASKPASS", sys.need("printenv")?.to_string_lossy()));
        }
        let teller = sys.scratch(None);
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"${OPENS}\"\n");
        sys.spool(&teller, 0o700, &mut script.as_bytes())?;
        let command = command.env(OPENS, passphrase).env("SSH_ASKPASS", teller.to_string_lossy());
        let output = sys.query(command);
        sys.discard(&teller)?;
        output
    }

    /// What is known of the pair that is there; `None` where the private key cannot be read.
    fn known(&self, public: &Path, sys: &mut System<'_>) -> Result<Option<Pair>> {
        // What a check made up says itself what it is.
        let private = sys.read_text_if_there(&self.args.path)?.unwrap_or_default();
        if let Some(line) = private.strip_prefix(MADE_UP) {
            return Ok(Some(made_up(line)));
        }
        let output = self.run(&["-y", "-f"], &self.args.path, sys)?;
        // One that anybody can read is not the one that is asked for.
        if !output.ok() || (self.locks() && self.is_open(&self.args.path, sys)?) {
            return Ok(None);
        }
        let line = output.stdout().into_owned();
        let beside = sys.read_text_if_there(public)?.unwrap_or_default();
        let comment = |line: &str| line.trim().splitn(3, ' ').nth(2).unwrap_or_default().to_owned();
        let mut pair = self.pair(&line, sys)?;
        pair.comment = if beside.trim().is_empty() { comment(&line) } else { comment(&beside) };
        Ok(Some(pair))
    }

    fn locks(&self) -> bool {
        self.args.passphrase.as_ref().is_some_and(|passphrase| !passphrase.expose().is_empty())
    }

    /// Whether a private key opens without a passphrase.
    fn is_open(&self, private: &Path, sys: &mut System<'_>) -> Result<bool> {
        let command = Command::new(&self.program).args(["-y", "-P", "", "-f"]).arg(private);
        Ok(sys.query(command)?.ok())
    }

    /// What a line of a public key tells.
    fn pair(&self, line: &str, sys: &mut System<'_>) -> Result<Pair> {
        let mut words = line.split_whitespace();
        let (kind, blob) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let name = match kind {
            "ssh-rsa" => "rsa",
            "ssh-dss" => "dsa",
            "ssh-ed25519" => "ed25519",
            kind if kind.starts_with("ecdsa-sha2-") => "ecdsa",
            other => other,
        };
        let command = Command::new(&self.program).args(["-l", "-f", "/dev/stdin"]);
        let output = sys.ask(command.stdin(format!("{kind} {blob}\n")))?;
        let text = output.stdout().into_owned();
        let mut said = text.split_whitespace();
        let no_size = || Failure::new(format!("ssh-keygen tells no size of the key: {:?}", text.trim()));
        let size = said.next().and_then(|size| size.parse().ok()).ok_or_else(no_size)?;
        Ok(Pair {
            fingerprint: said.next().unwrap_or_default().to_owned(),
            public_key: format!("{kind} {blob}"),
            comment: String::new(),
            size,
            kind: name.to_owned(),
        })
    }

    /// A new pair. A check makes none up that anybody could use.
    fn make(&self, size: u64, public: &Path, sys: &mut System<'_>) -> Result<Pair> {
        let comment = self.args.comment.clone().unwrap_or_default();
        let (private, line) = if sys.is_check() {
            let line = format!("ssh-{} {size} {comment}\n", self.args.r#type.name());
            (format!("{MADE_UP}{line}"), line)
        } else {
            let draft = sys.scratch(None);
            let beside = PathBuf::from(format!("{}.pub", draft.display()));
            let size = size.to_string();
            let form = match self.args.private_key_format {
                Format::Pkcs1 => &["-m", "PEM"][..],
                Format::Pkcs8 => &["-m", "PKCS8"],
                Format::Auto | Format::Ssh => &[],
            };
            let mut words = vec!["-q", "-t", self.args.r#type.name(), "-b", &size, "-C", &comment];
            words.extend(form);
            words.push("-f");
            let output = self.run(&words, &draft, sys)?;
            let read = |sys: &System<'_>| {
                let text = |path: &Path| sys.read_text_if_there(path).map(Option::unwrap_or_default);
                Ok::<_, Failure>((text(&draft)?, text(&beside)?))
            };
            let made = read(sys);
            let is_open = self.locks() && output.ok() && self.is_open(&draft, sys)?;
            sys.discard(&draft)?;
            sys.discard(&beside)?;
            if !output.ok() {
                let said = format!("{}{}", output.stderr(), output.stdout());
                return Err(
                    Failure::new(format!("ssh-keygen failed: {}", said.trim())).with("rc", output.code)
                );
            }
            if is_open {
                return Err(Failure::new(format!(
                    "ssh-keygen made a key that the passphrase does not lock, and it was thrown away: the script that \
                     tells it the passphrase could not run in {}, which may be mounted noexec; set TMPDIR",
                    draft.parent().unwrap_or(&draft).display()
                )));
            }
            made?
        };
        let options = |mode| WriteOptions { new_mode: Some(mode), hidden: true, ..WriteOptions::default() };
        sys.write_with(&self.args.path, private, &options(0o600))?;
        sys.write_with(public, line.as_str(), &options(0o644))?;
        if sys.is_check() {
            return Ok(made_up(&line));
        }
        let mut pair = self.pair(&line, sys)?;
        pair.comment = comment;
        Ok(pair)
    }

    /// Ensures the public half of a good private key, and its comment.
    fn mend(&self, public: &Path, mut pair: Pair, sys: &mut System<'_>) -> Result<Pair> {
        if let Some(comment) = &self.args.comment {
            pair.comment.clone_from(comment);
        }
        // One that a check made up has none.
        if pair.public_key.is_empty() {
            return Ok(pair);
        }
        let beside = sys.read_text_if_there(public)?.unwrap_or_default();
        let line = format!("{} {}", pair.public_key, pair.comment);
        if beside.trim() != line.trim() {
            let options = WriteOptions { new_mode: Some(0o644), ..WriteOptions::default() };
            sys.write_with(public, format!("{}\n", line.trim()), &options)?;
        }
        Ok(pair)
    }
}

/// How the file of a key begins that a check made up; its public line follows.
const MADE_UP: &str = "-----made up by a check-----\n";

/// What its public line tells: `ssh-TYPE SIZE COMMENT`.
fn made_up(line: &str) -> Pair {
    let mut words = line.trim().splitn(3, ' ').map(str::to_owned);
    let mut next = || words.next().unwrap_or_default();
    let (kind, size, comment) = (next(), next(), next());
    Pair {
        kind: kind.trim_start_matches("ssh-").to_owned(),
        size: size.parse().unwrap_or_default(),
        comment,
        ..Pair::default()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use crate::kit::Output;
    use crate::kit::host::Placement;
    use crate::kit::trial::Trial;

    /// An `ssh-keygen` whose keys hold what they are locked with: nothing where its teller cannot run.
    fn trial(tells: bool) -> Trial {
        let trial = Trial::of("openssh_keypair");
        let program = "/usr/bin/ssh-keygen";
        trial.host.program("/usr/bin/printenv").program(program).script(program, move |command, host| {
            let words: Vec<String> =
                command.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
            // What tells is the script, or printenv.
            let env = |name: &str| command.env.iter().find(|(known, _)| known == name);
            let has_teller = env("SSH_ASKPASS").is_some_and(|(_, teller)| {
                matches!(host.stat(Path::new(teller), true), Ok(Some(meta)) if meta.mode & 0o111 != 0)
            });
            let told = env(super::OPENS).or_else(|| env("Enter passphrase: "));
            let told = told.filter(|_| tells && has_teller);
            let told = told.map_or("", |(_, told)| told).to_owned();
            let path = words.last().unwrap().clone();
            let (mut code, mut stdout) = (0, "4096 SHA256:x no comment (RSA)\n".to_owned());
            if words.contains(&"-t".to_owned()) {
                let how = Placement::default();
                host.place(Path::new(&path), &mut told.as_bytes(), &how).unwrap();
                host.place(Path::new(&format!("{path}.pub")), &mut &b"ssh-rsa AAAA\n"[..], &how).unwrap();
            } else if words.contains(&"-y".to_owned()) {
                let mut lock = String::new();
                host.open(Path::new(&path)).unwrap().read_to_string(&mut lock).unwrap();
                let given = if words.contains(&"-P".to_owned()) { "" } else { &told };
                code = i32::from(!lock.is_empty() && lock != given);
                "ssh-rsa AAAA\n".clone_into(&mut stdout);
            }
            Output { code, stdout: stdout.into_bytes(), ..Output::default() }
        });
        trial
    }

    #[test]
    fn locked_keys_are_locked() {
        let args = json!({"path": "/root/k", "passphrase": "pw"});
        let good = trial(true);
        assert_eq!(good.run(&args)["changed"], json!(true));
        assert_eq!(good.run(&args)["changed"], json!(false));
        assert_eq!(good.check(&args)["changed"], json!(false));
        assert_eq!(good.check(&json!({"path": "/root/k", "passphrase": "other"}))["failed"], json!(true));
        let got = trial(false);
        let msg = got.run(&args)["msg"].as_str().unwrap().to_owned();
        assert!(msg.starts_with("ssh-keygen made a key that the passphrase does not lock"), "{msg}");
        assert_eq!((got.host.read("/root/k"), got.host.list_of("/tmp").as_str()), (None, ""));
        // An open key is not the one that is asked for.
        good.host.file("/root/k", "");
        assert!(good.run(&args)["msg"].as_str().unwrap().starts_with("Unable to read the key"));
    }

    #[test]
    fn both_halves_have_the_mode() {
        let trial = trial(true);
        trial.run(&json!({"path": "/root/k", "mode": "0400"}));
        let mode = |path| trial.host.meta(path).unwrap().mode;
        assert_eq!((mode("/root/k"), mode("/root/k.pub")), (0o400, 0o400));
    }

    #[test]
    fn a_key_that_cannot_be_measured_stays() {
        let trial = trial(true);
        let args = json!({"path": "/root/k"});
        trial.run(&args);
        trial.host.answer("/usr/bin/ssh-keygen -l", 1, "");
        let before = trial.host.snapshot();
        assert_eq!(trial.run(&args)["failed"], json!(true));
        assert_eq!(trial.host.snapshot(), before);
    }

    #[test]
    fn what_a_check_makes_up_is_nothing_to_measure() {
        let trial = trial(true);
        trial.host.answer("/usr/bin/ssh-keygen -l", 255, "/dev/stdin is not a public key file.");
        let got = trial.check(&json!({"path": "/root/k", "comment": "mine"}));
        assert_eq!((&got["changed"], &got["comment"]), (&json!(true), &json!("mine")), "{got}");
        let calls = [
            ("openssh_keypair", json!({"path": "/root/k"})),
            ("openssh_keypair", json!({"path": "/root/k"})),
        ];
        let told = Trial::foretell(&trial.host, &calls);
        assert_eq!((&told[0]["changed"], &told[1]["changed"]), (&json!(true), &json!(false)), "{told:?}");
    }

    #[test]
    fn directories_stay() {
        let trial = trial(true);
        trial.host.file("/root/k/x", "x");
        let got = trial.run(&json!({"path": "/root/k", "state": "absent"}));
        assert_eq!(
            (got["failed"].clone(), trial.host.read("/root/k/x")),
            (json!(true), Some("x".to_owned()))
        );
    }
}
