use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::apt_key::{READ, clean};
use crate::command::yes;
use crate::kit::http;
use crate::kit::{Command, Failure, Result, System};
use crate::lineinfile::State;

/// Manages the keys rpm trusts.
///
/// # Examples
///
/// ```yaml
/// - name: A key by its URL
///   rpm_key: {key: "http://apt.sw.be/RPM-GPG-KEY.dag.txt"}
///
/// - name: A key of a file that must be the right one
///   rpm_key:
///     key: /path/to/RPM-GPG-KEY.dag.txt
///     fingerprint: EBC6 E12C 62B1 C734 026B  2122 A20E 5214 6B8D 79E6
///
/// - name: No such key
///   rpm_key: {key: DEADB33F, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// A file of the target, a URL, or the id or fingerprint of a key that is there already.
    pub key: String,
    /// Whether the key is there.
    #[serde(default)]
    pub state: State,
    /// The fingerprints one of which the key must have before it is taken.
    pub fingerprint: Option<Vec<String>>,
    /// Checks the certificate of the server the key comes from.
    #[serde(default = "yes")]
    pub validate_certs: bool,
}

#[derive(Serialize)]
pub struct Returns {}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let rpm = sys.need("rpm")?;
    if args.key.contains("://") {
        let failed = |failure: Failure| {
            failure.context(format!("failed to fetch key at {} , error was", http::shown(&args.key)))
        };
        let content = http::content(&args.key, args.validate_certs, sys).map_err(failed)?;
        if !String::from_utf8_lossy(&content).contains("-----BEGIN PGP PUBLIC KEY BLOCK-----") {
            return Err(Failure::new(format!("Not a public key: {}", http::shown(&args.key))));
        }
        let scratch = sys.scratch(None);
        sys.spool(&scratch, 0o600, &mut content.as_slice())?;
        let done = ensure(&args, &rpm, Some((&scratch, content)), sys);
        sys.discard(&scratch)?;
        return done;
    }
    let file = PathBuf::from(sys.expand(&args.key)?);
    let is_file = sys.stat_followed(&file)?.is_some_and(|meta| meta.is_file());
    let content = if is_file { Some((&*file, sys.read(&file)?)) } else { None };
    ensure(&args, &rpm, content, sys)
}

/// `file` is where rpm finds the key, and what it holds.
fn ensure(args: &Args, rpm: &Path, file: Option<(&Path, Vec<u8>)>, sys: &mut System<'_>) -> Result<Returns> {
    let (file, content) = file.unzip();
    let fingerprints = match content {
        Some(content) => fingerprints(content, &args.key, sys)?,
        None => vec![clean(&args.key).ok_or_else(|| Failure::new(format!("Not a valid key {}", args.key)))?],
    };
    let Some(key) = fingerprints.first() else {
        return Err(Failure::new(format!("Unexpected gpg output: no key in {}", args.key)));
    };
    let installed = installed(rpm, key, sys)?;
    match (args.state, file) {
        (State::Present, _) if !installed.is_empty() => {}
        (State::Present, None) => {
            return Err(Failure::new("When importing a key, a valid file must be given"));
        }
        (State::Present, Some(file)) => {
            verify(args, &fingerprints)?;
            sys.exec(Command::new(rpm).arg("--import").arg(file))?;
        }
        (State::Absent, _) => {
            for version in installed {
                let package = format!("gpg-pubkey-{version}");
                sys.exec(Command::new(rpm).args(["--erase", "--allmatches", &package]))?;
            }
        }
    }
    Ok(Returns {})
}

/// Refuses a key that is not the one that is meant.
fn verify(args: &Args, fingerprints: &[String]) -> Result<()> {
    let Some(wanted) = &args.fingerprint else { return Ok(()) };
    let plain = |text: &String| text.replace(' ', "").to_uppercase();
    if wanted.iter().map(plain).any(|wanted| fingerprints.contains(&wanted)) {
        return Ok(());
    }
    let (wanted, has) = (wanted.join("', '"), fingerprints.join("', '"));
    Err(Failure::new(format!(
        "The specified fingerprint, '{wanted}', does not match any key fingerprints in '{has}'"
    )))
}

/// The fingerprints of a key and its subkeys. gpg reads it from its input: what a check fetched is in no file.
fn fingerprints(key: Vec<u8>, from: &str, sys: &mut System<'_>) -> Result<Vec<String>> {
    let gpg = sys.which("gpg2").map_or_else(|| sys.need("gpg"), Ok)?;
    let command = Command::new(gpg).args(["--no-tty", "--batch"]).args(READ);
    let output = sys.query(command.stdin(key))?;
    if !output.ok() {
        return Err(Failure::new(format!(
            "Unable to parse the key {}: {}",
            http::shown(from),
            output.stderr().trim()
        )));
    }
    let text = output.stdout();
    let lines = text.lines().filter(|line| line.starts_with("fpr:"));
    Ok(lines.filter_map(|line| line.split(':').nth(9)).map(str::to_owned).collect())
}

/// Under which versions rpm has the key: the end of its fingerprint, or all of it.
fn installed(rpm: &Path, key: &str, sys: &mut System<'_>) -> Result<Vec<String>> {
    // Without any key rpm ends with an error, and says that the package is not installed.
    let command = Command::new(rpm).env("LC_ALL", "C").args(["-q", "gpg-pubkey", "--qf", "%{VERSION}\\n"]);
    let output = sys.query(command)?;
    if !output.ok() {
        let said = [output.stdout(), output.stderr()].concat();
        if said.contains("is not installed") {
            return Ok(Vec::new());
        }
        return Err(
            Failure::new(format!("cannot list the keys of rpm: {}", said.trim())).with("rc", output.code)
        );
    }
    let text = output.stdout();
    let is_it = |version: &&str| {
        let version = version.to_uppercase();
        version.len() >= 8 && (key.ends_with(&version) || version.ends_with(key))
    };
    Ok(text.lines().map(str::trim).filter(is_it).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::Output;
    use crate::kit::trial::Trial;

    const FINGERPRINT: &str = "2799F84B1390846CEC310D4A9342E79DA5E8CE20";

    fn trial(has: &str) -> Trial {
        let trial = Trial::of("rpm_key");
        trial.host.program("/usr/bin/rpm").program("/usr/bin/gpg").file("/key", "-----BEGIN");
        let said = if has.is_empty() { "package gpg-pubkey is not installed\n" } else { has };
        trial.host.answer("/usr/bin/rpm", 0, "").answer("/usr/bin/rpm -q", i32::from(has.is_empty()), said);
        trial.host.script("/usr/bin/gpg", |command, _| {
            let is_key = command.stdin.as_deref().is_some_and(|key| key.starts_with(b"-----BEGIN"));
            let stdout = format!("pub:-:2048:1:9342E79DA5E8CE20:\nfpr:::::::::{FINGERPRINT}:\n");
            Output { code: i32::from(!is_key) * 2, stdout: stdout.into_bytes(), ..Output::default() }
        });
        trial
    }

    fn check(has: &str, args: &Json, expected: Option<&str>) {
        let trial = trial(has);
        trial.foretold(args, expected.is_some());
        let ran = trial.host.ran();
        let made = ran.iter().find(|line| line.contains("--import") || line.contains("--erase"));
        assert_eq!(made.map(String::as_str), expected, "{args}");
    }

    #[test]
    fn keys_come_and_go() {
        let (has, other) = ("a5e8ce20\n01234567\n", "01234567\n");
        check("", &json!({"key": "/key"}), Some("/usr/bin/rpm --import /key"));
        check(other, &json!({"key": "/key", "fingerprint": FINGERPRINT}), Some("/usr/bin/rpm --import /key"));
        check(has, &json!({"key": "/key", "fingerprint": "other"}), None);
        check(has, &json!({"key": "A5E8CE20"}), None);
        let gone = Some("/usr/bin/rpm --erase --allmatches gpg-pubkey-a5e8ce20");
        for key in ["/key", "0xa5e8ce20", "9342E79DA5E8CE20", FINGERPRINT] {
            check(has, &json!({"key": key, "state": "absent"}), gone);
            check(other, &json!({"key": key, "state": "absent"}), None);
        }
    }

    #[test]
    fn a_key_is_fetched_in_a_check_too() {
        let trial = trial("");
        let block = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
        let said = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{block}", block.len());
        trial.host.serve(80, move |_| said.clone().into_bytes());
        let got = trial.check(&json!({"key": "http://keys/k"}));
        assert_eq!((&got["failed"], &got["changed"]), (&json!(null), &json!(true)), "{got}");
    }

    #[test]
    fn what_rpm_cannot_tell_is_an_error() {
        let trial = trial("");
        trial.host.answer("/usr/bin/rpm -q", 1, "error: cannot open Packages database\n");
        for state in ["present", "absent"] {
            let got = trial.run(&json!({"key": "/key", "state": state}));
            let msg = "cannot list the keys of rpm: error: cannot open Packages database";
            assert_eq!(got["msg"], msg);
        }
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let none = "When importing a key, a valid file must be given";
        assert_eq!(trial("").run(&json!({"key": "A5E8CE20"}))["msg"], none);
        assert_eq!(trial("").run(&json!({"key": "zz"}))["msg"], "Not a valid key zz");
        let wrong = trial("").run(&json!({"key": "/key", "fingerprint": "AAAA"}));
        let msg = format!(
            "The specified fingerprint, 'AAAA', does not match any key fingerprints in '{FINGERPRINT}'"
        );
        assert_eq!(wrong["msg"], msg);
    }
}
