use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::crypto::certificate::{Certificate, LABELS};
use crate::crypto::file::{Backend, Options};
use crate::crypto::openssl::{Openssl, PrivateKey};
use crate::crypto::pem;
use crate::kit::encode::base64;
use crate::kit::{Command, Failure, FilePath, Mode, Output, Result, Secret, System};
use crate::lineinfile::State;

/// Puts a private key and its certificates into one PKCS#12 file, or takes them out, by the target's `openssl`.
///
/// # Examples
///
/// ```yaml
/// - name: A key and its certificate
///   openssl_pkcs12:
///     path: /opt/certs/example.p12
///     friendly_name: example
///     privatekey_path: /opt/certs/keys/key.pem
///     certificate_path: /opt/certs/cert.pem
///     other_certificates: [/opt/certs/ca.pem]
///     passphrase: "{{ passphrase }}"
///
/// - name: Out again
///   openssl_pkcs12: {action: parse, src: /opt/certs/example.p12, path: /opt/certs/example.pem}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [
        ["privatekey_path", "privatekey_content"],
        ["certificate_path", "certificate_content"],
        ["other_certificates", "other_certificates_content"],
    ],
    "required_if" = [["action", "parse", ["src"]]],
))]
pub struct Args {
    #[serde(flatten)]
    pub file: Options,
    /// Whether the file is made of keys and certificates, or these of the file.
    #[serde(default)]
    pub action: Action,
    /// With `parse`: the PKCS#12 file.
    pub src: Option<FilePath>,
    /// The name of key and certificate in the file.
    #[schemars(extend("aliases" = ["name"]))]
    pub friendly_name: Option<String>,
    /// The file of the private key.
    pub privatekey_path: Option<FilePath>,
    /// The private key itself.
    pub privatekey_content: Option<Secret>,
    /// What opens the private key.
    pub privatekey_passphrase: Option<Secret>,
    /// The file of the certificate.
    pub certificate_path: Option<FilePath>,
    /// The certificate itself.
    pub certificate_content: Option<String>,
    /// Files of other certificates.
    #[schemars(extend("aliases" = ["ca_certificates"]))]
    pub other_certificates: Option<Vec<FilePath>>,
    /// Other certificates themselves.
    pub other_certificates_content: Option<Vec<String>>,
    /// Whether all certificates of such a file count, or the first alone.
    #[serde(default)]
    pub other_certificates_parse_all: bool,
    /// What locks the file.
    pub passphrase: Option<Secret>,
    /// How often a passphrase is hashed; 20000 times, if not given.
    pub iter_size: Option<u64>,
    /// Means nothing, here as in Ansible, which gives up the option.
    #[expect(dead_code, reason = "it has no meaning any more")]
    pub maciter_size: Option<u64>,
    /// How it is locked: `compatibility2022` is what old programs read.
    #[serde(default)]
    pub encryption_level: Level,
    /// Means nothing here: the target's `openssl` does the work.
    #[serde(default)]
    #[expect(dead_code, reason = "there is one way")]
    pub select_crypto_backend: Backend,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    #[default]
    Export,
    Parse,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    #[default]
    Auto,
    Compatibility2022,
}

#[derive(Serialize)]
pub struct Returns {
    filename: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    privatekey_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pkcs12: Option<Json>,
}

/// Where the passphrase of the file stands.
const LOCK: &str = "FANFARE_PKCS12_PASSPHRASE";

/// What a PKCS#12 file holds.
#[derive(PartialEq, Eq)]
struct Held {
    name: Option<String>,
    key: Option<Vec<u8>>,
    certificate: Option<Vec<u8>>,
    others: Vec<Vec<u8>>,
}

pub(crate) fn run(mut args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let mut returns = Returns {
        filename: args.file.name(),
        privatekey_path: args.privatekey_path.as_ref().map(|path| path.text().into_owned()),
        mode: None,
        backup_file: None,
        pkcs12: args.file.return_content.then_some(Json::Null),
    };
    if args.file.state == State::Absent {
        returns.backup_file = args.file.remove(sys)?;
        return Ok(returns);
    }
    args.file.attributes.mode.get_or_insert(Mode::Bits(0o400));
    let openssl = Openssl::find(sys)?;
    let old = args.file.content(sys)?;
    let content = match args.action {
        Action::Parse => {
            let src = args.src.as_deref().map(|src| sys.read(src)).transpose()?.unwrap_or_default();
            let parsed = parsed(&src, &args, &openssl, sys)?.ok_or_else(|| {
                Failure::new("cannot read src: it is no PKCS#12 file, or its passphrase is another")
            })?;
            pem::blocks(&parsed).into_iter().map(|block| block.text).collect::<String>().into_bytes()
        }
        Action::Export => {
            let input = input(&args, &openssl, sys)?;
            let wanted = held(&input, args.friendly_name.clone(), &openssl, sys)?;
            let same = match old.as_deref() {
                Some(old) if !args.file.force => match parsed(old, &args, &openssl, sys)? {
                    Some(text) => held(&text, friendly_name(&text), &openssl, sys)? == wanted,
                    None => false,
                },
                _ => false,
            };
            match old.clone().filter(|_| same) {
                Some(old) => old,
                None => export(&args, &input, &wanted, &openssl, sys)?,
            }
        }
    };
    if args.file.force && old.as_ref() == Some(&content) {
        sys.count_as_change("openssl pkcs12".to_owned());
    }
    returns.backup_file = args.file.write(&content, sys)?;
    returns.mode = sys.file_facts(&args.file.path, true)?.mode;
    if args.file.return_content {
        returns.pkcs12 = Some(base64(&content).into());
    }
    Ok(returns)
}

/// Key and certificates, one after the other.
fn input(args: &Args, openssl: &Openssl, sys: &mut System<'_>) -> Result<String> {
    let mut text = String::new();
    let content = args.privatekey_content.as_ref().map(Secret::expose);
    let passphrase = args.privatekey_passphrase.as_ref().map(Secret::expose);
    if let Some(key) = PrivateKey::read(args.privatekey_path.as_deref(), content, passphrase, sys)? {
        text.push_str(&openssl.convert(&key, false, None, sys)?);
    }
    let mut certificates = |file: &str, all: bool, what: &str| {
        let blocks = pem::blocks(file).into_iter().filter(|block| LABELS.contains(&block.label.as_str()));
        let found: Vec<String> = blocks
            .take(if all { usize::MAX } else { 1 })
            .map(|block| pem::encode("CERTIFICATE", &block.content))
            .collect();
        if found.is_empty() {
            return Err(Failure::new(format!("there is no certificate in {what}")));
        }
        text.extend(found);
        Ok(())
    };
    let read = |path: &FilePath, sys: &System<'_>| {
        Ok::<_, Failure>(String::from_utf8_lossy(&sys.read(path)?).into_owned())
    };
    match (&args.certificate_content, &args.certificate_path) {
        (Some(content), _) => certificates(content, false, "certificate_content")?,
        (None, Some(path)) => certificates(&read(path, sys)?, false, &path.text())?,
        (None, None) => {}
    }
    for path in args.other_certificates.iter().flatten() {
        certificates(&read(path, sys)?, args.other_certificates_parse_all, &path.text())?;
    }
    for content in args.other_certificates_content.iter().flatten() {
        certificates(content, args.other_certificates_parse_all, "other_certificates_content")?;
    }
    Ok(text)
}

/// What a text of PEM holds: the certificate is the one of the key, or the first where there is no key.
fn held(text: &str, name: Option<String>, openssl: &Openssl, sys: &mut System<'_>) -> Result<Held> {
    let mut key = None;
    let mut certificates = Vec::new();
    for block in pem::blocks(text) {
        if block.label.ends_with("PRIVATE KEY") {
            let private = PrivateKey { content: block.text.into_bytes(), passphrase: None };
            key = openssl.public_key(&private, sys)?.map(|public| public.der);
        } else if LABELS.contains(&block.label.as_str()) {
            certificates.push(block.content);
        }
    }
    let is_its = |der: &Vec<u8>| {
        key.is_none() || Certificate::read(der).is_some_and(|found| Some(found.key.der) == key)
    };
    let at = certificates.iter().position(is_its);
    let certificate = at.map(|at| certificates.remove(at));
    certificates.sort();
    Ok(Held { name, key, certificate, others: certificates })
}

/// The content of a PKCS#12 file as PEM; `None` where it cannot be opened.
fn parsed(file: &[u8], args: &Args, openssl: &Openssl, sys: &mut System<'_>) -> Result<Option<String>> {
    let locked = |command| opening(command, args);
    let command = locked(openssl.command("pkcs12").args(["-nodes", "-passin", &format!("env:{LOCK}")]));
    let output = sys.query(command.stdin(file))?;
    if output.ok() {
        return Ok(Some(output.stdout().into_owned()));
    }
    // What old programs made, newer ones open with their old algorithms alone.
    let command =
        locked(openssl.command("pkcs12").args(["-legacy", "-nodes", "-passin", &format!("env:{LOCK}")]));
    let output = sys.query(command.stdin(file))?;
    Ok(Some(output).filter(Output::ok).map(|output| output.stdout().into_owned()))
}

fn opening(command: Command, args: &Args) -> Command {
    command.env(LOCK, args.passphrase.as_ref().map_or("", Secret::expose))
}

fn friendly_name(text: &str) -> Option<String> {
    text.lines().find_map(|line| Some(line.trim().strip_prefix("friendlyName: ")?.to_owned()))
}

/// How often a passphrase is hashed that nobody says more of: as Ansible does, where openssl would do it 2048 times.
const ITERATIONS: u64 = 20_000;

fn export(
    args: &Args,
    input: &str,
    wanted: &Held,
    openssl: &Openssl,
    sys: &mut System<'_>,
) -> Result<Vec<u8>> {
    if wanted.key.is_none() && wanted.certificate.is_none() {
        return Err(Failure::new("one of the following is required: privatekey_path, certificate_path"));
    }
    let mut command = openssl.command("pkcs12").args(["-export", "-passout", &format!("env:{LOCK}")]);
    command = command.flag("-nokeys", wanted.key.is_none()).opt("-name", args.friendly_name.as_ref());
    command = command.args(["-iter", &args.iter_size.unwrap_or(ITERATIONS).to_string()]);
    if args.encryption_level == Level::Compatibility2022 {
        let algorithm = "PBE-SHA1-3DES";
        command = command.args(["-certpbe", algorithm, "-keypbe", algorithm, "-macalg", "sha1"]);
    }
    Ok(Openssl::must(opening(command, args).stdin(input), sys)?.stdout)
}
