//! The `openssl` program: what is done with private keys. They reach it through its input and passphrases through its
//! environment, never through its arguments.

use std::path::Path;
use std::path::PathBuf;

use super::key::PublicKey;
use crate::kit::{Command, Failure, Output, Result, System};

/// A private key as a file holds it, and what opens it.
#[derive(Clone)]
pub struct PrivateKey {
    pub content: Vec<u8>,
    pub passphrase: Option<String>,
}

/// Where the passphrase stands that opens a key, and the one that is to lock it.
const OPENS: &str = "FANFARE_PASSPHRASE";
const LOCKS: &str = "FANFARE_NEW_PASSPHRASE";

pub struct Openssl(PathBuf);

impl Openssl {
    pub fn find(sys: &System<'_>) -> Result<Self> {
        sys.need("openssl").map(Self)
    }

    pub fn command(&self, verb: &str) -> Command {
        Command::new(&self.0).arg(verb)
    }

    /// The public half of a key. `None` where the key cannot be read: it is none, or the passphrase is another.
    pub fn public_key(&self, key: &PrivateKey, sys: &mut System<'_>) -> Result<Option<PublicKey>> {
        let command = self.command("pkey").args(["-pubout", "-outform", "DER"]);
        let output = sys.query(opening(command, key))?;
        Ok(Some(output).filter(Output::ok).and_then(|output| PublicKey::parse(&output.stdout)))
    }

    /// As [`Openssl::public_key`], of a key that must be good; `what` names it.
    pub fn must_open(&self, key: &PrivateKey, what: &str, sys: &mut System<'_>) -> Result<PublicKey> {
        self.public_key(key, sys)?.ok_or_else(|| {
            Failure::new(format!(
                "cannot read the private key {what}: it is none, or its passphrase is another"
            ))
        })
    }

    /// The key in another form: `traditional` is PKCS#1 and its like, else PKCS#8; locked where a passphrase is given.
    pub fn convert(
        &self,
        key: &PrivateKey,
        traditional: bool,
        lock: Option<&str>,
        sys: &mut System<'_>,
    ) -> Result<String> {
        let mut command = self.command("pkey").flag("-traditional", traditional);
        if let Some(lock) = lock {
            command = command.args(["-aes256", "-passout", &format!("env:{LOCKS}")]).env(LOCKS, lock);
        }
        let output = Self::must(opening(command, key), sys)?;
        String::from_utf8(output.stdout).map_err(|_| Failure::new("openssl gave a key that is no text"))
    }

    /// The signature of `data`. `digest` is openssl's name of the hash; keys that need none pass over it.
    pub fn sign(
        &self,
        key: &PrivateKey,
        public: &PublicKey,
        digest: &str,
        data: &[u8],
        sys: &mut System<'_>,
    ) -> Result<Vec<u8>> {
        let file = sys.scratch(None);
        sys.spool(&file, 0o600, &mut &*data)?;
        let command = if public.kind.signs_by_itself() {
            let command = self.command("pkeyutl").args(["-sign", "-rawin", "-inkey", "/dev/stdin", "-in"]);
            command.arg(&file)
        } else {
            self.command("dgst").arg(format!("-{digest}")).args(["-sign", "/dev/stdin"])
        };
        let command = opening(command, key);
        let command = if public.kind.signs_by_itself() { command } else { command.arg(&file) };
        let signed = Self::must(command, sys);
        sys.discard(&file)?;
        Ok(signed?.stdout)
    }

    /// Runs it, and fails when it fails.
    pub fn must(command: Command, sys: &mut System<'_>) -> Result<Output> {
        let verb = command.argv.get(1).map(|verb| verb.to_string_lossy().into_owned()).unwrap_or_default();
        let output = sys.query(command)?;
        if output.ok() {
            return Ok(output);
        }
        let said = output.stderr();
        let said = said.trim();
        Err(Failure::new(format!("openssl {verb} failed: {said}"))
            .with("rc", output.code)
            .with("stderr", said))
    }
}

/// With the key as its input, and what opens it. A key that nothing was given for is not asked about.
fn opening(command: Command, key: &PrivateKey) -> Command {
    let command = command.stdin(key.content.clone()).arg("-passin");
    match &key.passphrase {
        Some(passphrase) => command.arg(format!("env:{OPENS}")).env(OPENS, passphrase),
        None => command.arg("pass:"),
    }
}

impl PrivateKey {
    /// The key of that file, or that text.
    pub fn read(
        path: Option<&Path>,
        content: Option<&str>,
        passphrase: Option<&str>,
        sys: &System<'_>,
    ) -> Result<Option<Self>> {
        let content = match (path, content) {
            (_, Some(content)) => content.as_bytes().to_vec(),
            (Some(path), None) if !sys.exists(path)? => {
                return Err(Failure::new(format!("The private key {} does not exist", path.display())));
            }
            (Some(path), None) => sys.read(path)?,
            (None, None) => return Ok(None),
        };
        Ok(Some(Self { content, passphrase: passphrase.map(str::to_owned) }))
    }
}
