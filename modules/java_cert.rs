use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crypto::certificate::Certificate;
use crate::kit::{Command, Failure, FileAttributes, FilePath, Output, Result, Secret, System};
use crate::lineinfile::State;

/// Puts certificates into a Java keystore, with their keys from PKCS #12, and takes them out.
///
/// `keytool` does the work; it is given passwords by its input.
///
/// # Examples
///
/// ```yaml
/// - name: The certificate of a server
///   java_cert:
///     cert_url: example.com
///     keystore_path: /etc/ssl/certs/java/cacerts
///     keystore_pass: changeit
///
/// - name: An authority that is trusted, in a keystore that may be new
///   java_cert:
///     cert_path: /opt/certs/rootca.crt
///     cert_alias: LE_RootCA
///     trust_cacert: true
///     keystore_path: /srv/cacerts
///     keystore_pass: changeit
///     keystore_create: true
///
/// - name: A certificate and its key
///   java_cert:
///     pkcs12_path: /srv/import.p12
///     pkcs12_alias: default
///     pkcs12_password: somepass
///     cert_alias: default
///     keystore_path: /srv/keystore.jks
///     keystore_pass: changeit
///
/// - name: No such certificate
///   java_cert: {cert_alias: old, keystore_path: /srv/keystore.jks, keystore_pass: changeit, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["cert_url", "cert_path", "cert_content", "pkcs12_path"]],
    "required_together" = [["keystore_path", "keystore_pass"]],
    "required_if" = [
        ["state", "present", ["cert_path", "cert_url", "cert_content", "pkcs12_path"], true],
        ["state", "absent", ["cert_url", "cert_alias"], true]
    ]
))]
pub struct Args {
    /// The server whose certificate is meant. It is the alias, too, where none is given.
    pub cert_url: Option<String>,
    /// The server's port.
    #[serde(default = "https")]
    pub cert_port: u16,
    /// The file of the certificate: PEM or DER.
    pub cert_path: Option<FilePath>,
    /// The certificate itself.
    pub cert_content: Option<String>,
    /// The name of the certificate in the keystore.
    pub cert_alias: Option<String>,
    /// Whether `keytool` may prove the certificate by those of the Java installation.
    #[serde(default)]
    pub trust_cacert: bool,
    /// A PKCS #12 file with the certificate and its key.
    pub pkcs12_path: Option<FilePath>,
    /// The password of that file.
    pub pkcs12_password: Option<Secret>,
    /// What the certificate is called in that file.
    pub pkcs12_alias: Option<String>,
    /// The keystore.
    pub keystore_path: Option<FilePath>,
    /// Its password.
    pub keystore_pass: Secret,
    /// Makes the keystore if it is not there.
    #[serde(default)]
    pub keystore_create: bool,
    /// The kind of keystore: `JKS`, `JCEKS`, `PKCS12`.
    pub keystore_type: Option<String>,
    /// The program.
    #[serde(default = "keytool")]
    pub executable: String,
    /// Whether the certificate is in the keystore.
    #[serde(default)]
    pub state: State,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

fn https() -> u16 {
    443
}

fn keytool() -> String {
    "keytool".to_owned()
}

#[derive(Default, Serialize)]
pub struct Returns {
    #[serde(flatten)]
    ran: Option<Ran>,
}

#[derive(Serialize)]
struct Ran {
    msg: String,
    rc: i32,
    cmd: Vec<String>,
    stdout: String,
    error: String,
}

/// The keystore, and the entry it is about.
struct Keystore<'a> {
    args: &'a Args,
    path: PathBuf,
    alias: Option<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let Some(path) = args.keystore_path.as_ref().map(|path| path.0.clone()) else {
        return Err(Failure::new("missing required arguments: keystore_path"));
    };
    let alias = args.cert_alias.clone().or_else(|| args.cert_url.clone());
    if args.cert_path.is_some() && alias.is_none() {
        let path = path.display();
        return Err(Failure::new(format!("Using local path import from {path} requires alias argument.")));
    }
    if args.cert_content.is_some() && alias.is_none() {
        return Err(Failure::new("cert_content requires cert_alias"));
    }
    let store = Keystore { args: &args, path, alias };
    if !args.executable.contains('/') {
        sys.need(&args.executable)?;
    }
    let is_there = sys.stat_followed(&store.path)?.is_some_and(|meta| meta.is_file());
    if !is_there && !args.keystore_create {
        let path = store.path.display();
        return Err(Failure::new(format!("Module require existing keystore at keystore_path '{path}'")));
    }
    let old = if is_there { store.entry(sys)? } else { Entry::Missing };
    let ran = match args.state {
        State::Absent if matches!(old, Entry::Missing) => None,
        State::Absent => {
            let before = format!("{}\n", store.told());
            let ran = exec(store.delete(), &store.lines(&[]), sys)?;
            sys.tell_states("", before, serde_json::Value::Null);
            ran
        }
        State::Present => store.present(old, is_there, sys)?,
    };
    if sys.exists(&store.path)? {
        sys.set_attributes(&store.path, &args.attributes, false)?;
    }
    Ok(Returns { ran })
}

/// What the keystore has by the alias.
enum Entry {
    Missing,
    /// `None`: something else than a certificate.
    Has(Option<Vec<u8>>),
}

impl Keystore<'_> {
    fn command(&self) -> Command {
        Command::new(&self.args.executable)
    }

    fn told(&self) -> &str {
        self.alias.as_deref().unwrap_or("None")
    }

    /// Passwords as `keytool` asks for them: that of the keystore, then others.
    fn lines(&self, more: &[&str]) -> String {
        let first = self.args.keystore_pass.expose();
        std::iter::once(first).chain(more.iter().copied()).flat_map(|line| [line, "\n"]).collect()
    }

    fn entry(&self, sys: &mut System<'_>) -> Result<Entry> {
        let Some(alias) = &self.alias else { return Ok(Entry::Missing) };
        let list =
            self.command().arg("-list").arg("-keystore").arg(&self.path).arg("-alias").arg(alias).arg("-rfc");
        let said = sys.query(self.typed(list).stdin(self.lines(&[])))?;
        if !said.ok() {
            let stdout = said.stdout();
            // Anything else than that there is no such entry leaves open what is there.
            if stdout.contains("does not exist") {
                return Ok(Entry::Missing);
            }
            return Err(failed(&stdout, &said));
        }
        Ok(Entry::Has(Certificate::parse(&said.stdout).map(|certificate| certificate.der)))
    }

    fn typed(&self, command: Command) -> Command {
        match &self.args.keystore_type {
            Some(kind) => command.arg("-storetype").arg(kind),
            None => command,
        }
    }

    fn delete(&self) -> Command {
        let command = self.command().args(["-delete", "-noprompt", "-keystore"]).arg(&self.path);
        self.typed(command.arg("-alias").arg(self.told()))
    }

    fn present(&self, old: Entry, is_there: bool, sys: &mut System<'_>) -> Result<Option<Ran>> {
        let wanted = self.wanted(sys)?;
        if matches!(&old, Entry::Has(Some(der)) if *der == wanted.der) {
            return Ok(None);
        }
        if matches!(old, Entry::Has(_)) {
            let before = sys.read(&self.path)?;
            exec(self.delete(), &self.lines(&[]), sys)?;
            let replaced = self.bring_in(&wanted, is_there, sys);
            if replaced.is_err() && !sys.is_check() {
                // The old certificate is better than none.
                sys.put_back(&self.path, Some(&before))?;
            }
            return replaced;
        }
        self.bring_in(&wanted, is_there, sys)
    }

    fn bring_in(&self, wanted: &Wanted, is_there: bool, sys: &mut System<'_>) -> Result<Option<Ran>> {
        let pass = self.args.keystore_pass.expose();
        let ran = if let Some(path) = &self.args.pkcs12_path {
            let secret = self.args.pkcs12_password.as_ref().map_or("", Secret::expose);
            let asked = if is_there { self.lines(&[secret]) } else { self.lines(&[pass, secret]) };
            exec(self.import_pkcs12(path), &asked, sys)?
        } else {
            let scratch = match &self.args.cert_path {
                Some(_) => None,
                None => Some(sys.scratch(None)),
            };
            let file = scratch.as_ref().or(self.args.cert_path.as_ref().map(|path| &path.0));
            let file = file.cloned().unwrap_or_default();
            if scratch.is_some() && !sys.is_check() {
                sys.spool(&file, 0o600, &mut wanted.text.as_bytes())?;
            }
            let ran = exec(self.import(&file), &self.lines(&[pass]), sys);
            if scratch.is_some() {
                sys.discard(&file)?;
            }
            ran?
        };
        sys.tell_states("", "\n", format!("{}\n", self.told()));
        if let Some(ran) = &ran
            && !sys.exists(&self.path)?
        {
            // `keytool` ends well though it was not content with the password.
            return Err(Failure::new(ran.error.trim()).with("rc", ran.rc).with("cmd", &ran.cmd));
        }
        Ok(ran)
    }

    fn import(&self, file: &Path) -> Command {
        let command = self.command().args(["-importcert", "-noprompt", "-keystore"]).arg(&self.path);
        let command = command.arg("-file").arg(file).arg("-alias").arg(self.told());
        self.typed(command.flag("-trustcacerts", self.args.trust_cacert))
    }

    fn import_pkcs12(&self, file: &FilePath) -> Command {
        let command = self.command().args(["-importkeystore", "-noprompt", "-srcstoretype", "pkcs12"]);
        let mut command = command.arg("-srckeystore").arg(&file.0).arg("-destkeystore").arg(&self.path);
        if let Some(alias) = &self.alias {
            command = command.arg("-destalias").arg(alias);
        }
        if let Some(alias) = &self.args.pkcs12_alias {
            command = command.arg("-srcalias").arg(alias);
        }
        self.typed(command)
    }

    /// The certificate that should be there.
    fn wanted(&self, sys: &mut System<'_>) -> Result<Wanted> {
        let args = self.args;
        let bytes = if let Some(path) = &args.pkcs12_path {
            let mut command = self.command().arg("-list").arg("-keystore").arg(&path.0).args([
                "-storetype",
                "pkcs12",
                "-rfc",
            ]);
            if let Some(alias) = &args.pkcs12_alias {
                command = command.arg("-alias").arg(alias);
            }
            let secret = args.pkcs12_password.as_ref().map_or("", Secret::expose);
            let said = sys.query(command.stdin(format!("{secret}\n")))?;
            let lead = "Internal module failure, cannot extract public certificate from PKCS12, message: ";
            said.ok().then_some(()).ok_or_else(|| failed(&format!("{lead}{}", said.stdout()), &said))?;
            said.stdout
        } else if let Some(host) = &args.cert_url {
            let command = self.command().args(["-printcert", "-rfc", "-sslserver"]).args(proxy(sys));
            let said = sys.query(command.arg(format!("{host}:{}", args.cert_port)))?;
            let lead = "Internal module failure, cannot download certificate, error: ";
            let no_answer = !said.ok() || Certificate::parse(&said.stdout).is_none();
            if no_answer {
                return Err(failed(&format!("{lead}{}{}", said.stdout(), said.stderr()), &said));
            }
            said.stdout
        } else if let Some(path) = &args.cert_path {
            let lead = "Internal module failure, cannot extract certificate, error: ";
            sys.read(path).map_err(|failure| Failure { msg: format!("{lead}{}", failure.msg), ..failure })?
        } else {
            args.cert_content.clone().unwrap_or_default().into_bytes()
        };
        let certificate = Certificate::parse(&bytes).ok_or_else(|| {
            let lead = "Internal module failure, cannot extract certificate, error";
            Failure::new(format!("{lead}: it is no certificate, neither as PEM nor as DER"))
        })?;
        Ok(Wanted { der: certificate.der, text: String::from_utf8_lossy(&bytes).into_owned() })
    }
}

/// Runs what changes the keystore. `None` in check mode.
fn exec(command: Command, input: &str, sys: &mut System<'_>) -> Result<Option<Ran>> {
    let cmd = command.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let Some(said) = sys.attempt(command.stdin(input))? else { return Ok(None) };
    let ran = Ran {
        msg: said.stdout().into_owned(),
        rc: said.code,
        cmd,
        stdout: said.stdout().into_owned(),
        error: said.stderr().into_owned(),
    };
    if said.ok() {
        return Ok(Some(ran));
    }
    Err(Failure::new(ran.msg).with("rc", ran.rc).with("cmd", ran.cmd).with("error", ran.error))
}

struct Wanted {
    der: Vec<u8>,
    /// As it was given.
    text: String,
}

fn failed(msg: &str, said: &Output) -> Failure {
    Failure::new(msg.trim()).with("rc", said.code).with("stderr", said.stderr())
}

/// What the environment says of a proxy, for Java.
fn proxy(sys: &System<'_>) -> Vec<String> {
    let named = |name: &str| {
        sys.env(name).or_else(|| sys.env(&name.to_uppercase())).filter(|value| !value.is_empty())
    };
    let Some(url) = named("https_proxy") else { return Vec::new() };
    let place = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let place = place.rsplit_once('@').map_or(place, |(_, rest)| rest).trim_end_matches('/');
    let (host, port) = place.rsplit_once(':').unwrap_or((place, ""));
    let mut words = vec![format!("-J-Dhttps.proxyHost={host}")];
    if !port.is_empty() {
        words.push(format!("-J-Dhttps.proxyPort={port}"));
    }
    if let Some(spared) = named("no_proxy") {
        let spared: Vec<&str> = spared.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        words.push(format!("-J-Dhttp.nonProxyHosts={}", spared.join("|")));
    }
    words
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value as Json, json};

    use crate::kit::Output;
    use crate::kit::host::{Host, Placement};
    use crate::kit::trial::Trial;

    const ONE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBdDCCARmgAwIBAgIUEY9dJoidYrj5uK9Iw6TBwLX5V0MwCgYIKoZIzj0EAwIw
DjEMMAoGA1UEAwwDb25lMCAXDTI2MTEyMjEyMDIwNVoYDzIxMjYxMDI5MTIwMjA1
WjAOMQwwCgYDVQQDDANvbmUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQVZdUz
SLU5KUsDzCbUVfuY79JnJcwqZspV3McIni4f1C9Bzp7IwDOwamcxMHxaddAALqQG
UZS4vdGZzTHHLUqZo1MwUTAdBgNVHQ4EFgQUBb+iYXK0RpaSRgF7uNN/9Zh6Ybow
HwYDVR0jBBgwFoAUBb+iYXK0RpaSRgF7uNN/9Zh6YbowDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNJADBGAiEAhjVXTIGYy1kBxc3zKXX5ERMQ7+lo94fpwMdp
8tZLm1gCIQC6OCcDBJT7KlSiN9AiWKM4sJIkmUUOgjkx0kd9RqADpg==
-----END CERTIFICATE-----
";
    const TWO: &str = "\
-----BEGIN CERTIFICATE-----
MIIBczCCARmgAwIBAgIUI3nD9aHGWIC1Pjpx0S3vtSkZBXkwCgYIKoZIzj0EAwIw
DjEMMAoGA1UEAwwDdHdvMCAXDTI2MTEyMjEyMDIwNVoYDzIxMjYxMDI5MTIwMjA1
WjAOMQwwCgYDVQQDDAN0d28wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATPaHqX
8f6k/i+CVqXD+WIDcKIKSzwZeNPJbniNBccRn7wgJTW5aYIIFvoDRthuUSpxgF8s
2N04xFerNe2noY0yo1MwUTAdBgNVHQ4EFgQUAYJLsZh70z7HxOVaFAXGgB8OfFAw
HwYDVR0jBBgwFoAUAYJLsZh70z7HxOVaFAXGgB8OfFAwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNIADBFAiEAweoOfjDb1XNVd0nIYuClp4smsZ0Z9kSsShjE
S0BivTcCID22e/j0alNn23Eh+VDo116i/vfw2tbIzyph3/wRuaCX
-----END CERTIFICATE-----
";

    fn put(host: &dyn Host, path: &str, text: &str) {
        host.place(Path::new(path), &mut text.as_bytes(), &Placement::default()).unwrap();
    }

    fn read(host: &dyn Host, path: &str) -> Option<String> {
        let mut text = String::new();
        host.open(Path::new(path)).ok()?.read_to_string(&mut text).unwrap();
        Some(text)
    }

    /// A `keytool` that keeps entries as `/ks.ALIAS` beside the keystore, and PKCS #12 files as the certificate alone.
    fn trial() -> Trial {
        let trial = Trial::of("java_cert");
        trial.host.file("/one.pem", ONE).file("/two.pem", TWO).file("/p.p12", ONE);
        trial.host.program("/usr/bin/keytool").script("keytool", |command, host| {
            let words: Vec<String> =
                command.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
            let after = |flag: &str| {
                let at = words.iter().position(|word| word == flag)?;
                words.get(at + 1).cloned()
            };
            let input = String::from_utf8(command.stdin.clone().unwrap_or_default()).unwrap();
            let say = |code: i32, text: &str| Output { code, stdout: text.into(), ..Output::default() };
            let entry = |alias: Option<String>| format!("/ks.{}", alias.unwrap_or_default());
            let secret = if words.iter().any(|word| word == "/p.p12") && words[1] == "-list" {
                "p12\n"
            } else {
                "pw\n"
            };
            if words[1] != "-printcert" && !input.starts_with(secret) {
                return say(1, "keytool error: java.io.IOException: keystore password was incorrect\n");
            }
            match words[1].as_str() {
                "-printcert" => say(0, TWO),
                "-list" if secret == "p12\n" => say(0, ONE),
                "-list" => match read(host, &entry(after("-alias"))) {
                    Some(text) if !text.is_empty() => say(0, &text),
                    _ => say(1, "keytool error: java.lang.Exception: Alias <a> does not exist\n"),
                },
                "-delete" => {
                    put(host, "/ks", "fewer keys");
                    put(host, &entry(after("-alias")), "");
                    say(0, "")
                }
                "-importcert" if read(host, "/broken").is_some() => say(1, "keytool error: broken\n"),
                "-importcert" => {
                    let text = read(host, &after("-file").unwrap()).unwrap();
                    put(host, "/ks", "keys");
                    put(host, &entry(after("-alias")), &text);
                    say(0, "")
                }
                "-importkeystore" => {
                    put(host, "/ks", "keys");
                    put(host, &entry(after("-destalias")), ONE);
                    say(0, "")
                }
                other => say(1, other),
            }
        });
        trial
    }

    fn with(mut args: Json) -> Json {
        args["keystore_path"] = json!("/ks");
        if args["keystore_pass"].is_null() {
            args["keystore_pass"] = json!("pw");
        }
        args
    }

    /// The commands that change something, one a line, without `keytool`.
    fn acts(trial: &Trial) -> Vec<String> {
        let lines = trial.host.ran();
        let acts = lines.iter().filter_map(|line| line.strip_prefix("keytool "));
        acts.filter(|line| !line.starts_with("-list") && !line.starts_with("-print"))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn certificates_come_change_and_go() {
        let trial = trial();
        let add = |path: &str| with(json!({"cert_path": path, "cert_alias": "a", "keystore_create": true}));
        let result = trial.lawful(&add("/one.pem"));
        assert_eq!(result["diff"], json!({"before": "\n", "after": "a\n"}));
        assert_eq!(acts(&trial), ["-importcert -noprompt -keystore /ks -file /one.pem -alias a"]);
        let told = trial.check(&add("/two.pem"));
        assert_eq!(told["changed"], true);
        assert_eq!(trial.host.read("/ks.a").unwrap(), ONE);
        trial.lawful(&add("/two.pem"));
        assert_eq!(trial.host.read("/ks.a").unwrap(), TWO);
        assert_eq!(
            acts(&trial)[1..],
            [
                "-delete -noprompt -keystore /ks -alias a",
                "-importcert -noprompt -keystore /ks -file /two.pem -alias a",
            ]
        );
        let mut gone = with(json!({"cert_alias": "a", "state": "absent"}));
        assert_eq!(trial.lawful(&gone)["diff"]["before"], "a\n");
        gone["mode"] = json!("0600");
        trial.lawful(&gone);
        assert_eq!(trial.host.meta("/ks").unwrap().mode, 0o600);
    }

    #[test]
    fn from_servers_texts_and_keys() {
        let url = trial();
        url.lawful(&with(json!({"cert_url": "h", "cert_port": 8443, "keystore_create": true})));
        assert_eq!(url.host.read("/ks.h").unwrap(), TWO);
        assert!(url.host.ran().contains(&"keytool -printcert -rfc -sslserver h:8443".to_owned()));
        let text = trial();
        let content =
            json!({"cert_content": ONE, "cert_alias": "a", "keystore_create": true, "trust_cacert": true});
        text.lawful(&with(content));
        assert!(acts(&text)[0].ends_with(" -alias a -trustcacerts"));
        let keys = trial();
        let pkcs12 = json!({"pkcs12_path": "/p.p12", "pkcs12_password": "p12", "pkcs12_alias": "k", "cert_alias": "z",
            "keystore_create": true, "keystore_type": "JCEKS"});
        let result = keys.lawful(&with(pkcs12));
        let line = "-importkeystore -noprompt -srcstoretype pkcs12 -srckeystore /p.p12 -destkeystore /ks -destalias z \
                    -srcalias k -storetype JCEKS";
        assert_eq!(acts(&keys), [line]);
        assert!(!result.to_string().contains("p12\\n"));
    }

    #[test]
    fn what_cannot_be_replaced_stays() {
        let trial = trial();
        trial.host.file("/ks", "keys").file("/ks.a", ONE).file("/broken", "");
        let result = trial.run(&with(json!({"cert_path": "/two.pem", "cert_alias": "a"})));
        assert_eq!((&result["failed"], &result["msg"]), (&json!(true), &json!("keytool error: broken\n")));
        assert_eq!(trial.host.read("/ks").unwrap(), "keys");
    }

    #[test]
    fn what_is_wrong() {
        let msg = |args: Json| {
            let trial = trial();
            trial.host.file("/ks", "keys").file("/ks.a", ONE).file("/junk", "x");
            let result = trial.run(&with(args));
            assert_eq!(acts(&trial), [""; 0], "{result}");
            result["msg"].as_str().unwrap().to_owned()
        };
        let none = trial().run(&with(json!({"cert_path": "/one.pem", "cert_alias": "a"})));
        assert_eq!(none["msg"], "Module require existing keystore at keystore_path '/ks'");
        let said = msg(json!({"cert_path": "/two.pem", "cert_alias": "a", "keystore_pass": "no"}));
        assert_eq!(said, "keytool error: java.io.IOException: keystore password was incorrect");
        let said = msg(json!({"cert_path": "/one.pem"}));
        assert_eq!(said, "Using local path import from /ks requires alias argument.");
        let said = msg(json!({"cert_path": "/junk", "cert_alias": "b"}));
        assert!(said.starts_with("Internal module failure, cannot extract certificate, error"), "{said}");
        let said = msg(json!({"pkcs12_path": "/p.p12", "pkcs12_password": "no", "cert_alias": "b"}));
        assert!(said.starts_with("Internal module failure, cannot extract public certificate"), "{said}");
        assert!(
            msg(json!({"cert_alias": "b"}))
                .starts_with("state is present but any of the following are missing")
        );
    }
}
