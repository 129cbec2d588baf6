use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::command::yes;
use crate::kit::http;
use crate::kit::{Command, Failure, FilePath, Result, System};
use crate::lineinfile::State;

/// Manages the keys apt trusts, with `apt-key`.
///
/// Debian has no `apt-key` any more: put the key below `/etc/apt/keyrings` with `get_url`, and name it in the
/// archive's `signed-by`.
///
/// # Examples
///
/// ```yaml
/// - name: A key by its URL
///   apt_key:
///     url: https://ftp-master.debian.org/keys/archive-key-6.0.asc
///     id: 9FED2BCBDCD29CDF762678CBAED4B06F473041FA
///     state: present
///
/// - name: No such key
///   apt_key: {id: "0x9FED2BCBDCD29CDF762678CBAED4B06F473041FA", state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["data", "file", "keyserver", "url"]]))]
pub struct Args {
    /// The key's id or fingerprint.
    pub id: Option<String>,
    /// The key itself.
    pub data: Option<String>,
    /// A file of the target with the key.
    pub file: Option<FilePath>,
    /// The file of keys.
    pub keyring: Option<FilePath>,
    /// Where the key is asked for.
    pub keyserver: Option<String>,
    /// Where the key is fetched from.
    pub url: Option<String>,
    /// Whether the key is there.
    #[serde(default)]
    pub state: State,
    /// Checks the certificate of the server the key comes from.
    #[serde(default = "yes")]
    pub validate_certs: bool,
}

#[derive(Serialize)]
pub struct Returns {
    id: Option<String>,
    key_id: Option<String>,
    short_id: Option<String>,
    fp: Option<String>,
    before: Vec<String>,
    /// Where something was to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Vec<String>>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let Some(program) = sys.which("apt-key") else {
        return Err(Failure::new(
            "Failed to find required executable \"apt-key\": put the key below /etc/apt/keyrings with get_url instead",
        ));
    };
    sys.deprecate("apt_key has been deprecated. Use deb822_repository instead.", "2.25");
    let tool = || tool(&program, &args);
    let given = match args.id.as_deref() {
        Some(id) => Some(clean(id).ok_or_else(|| Failure::new("Invalid key_id").with("id", id))?),
        None => None,
    };
    let before = keys(tool(), sys)?;
    let content = match (&args.data, &args.url) {
        _ if args.state == State::Absent => None,
        (Some(data), _) => Some(data.clone().into_bytes()),
        // What is there need not be fetched.
        (_, Some(_)) if given.as_ref().is_some_and(|id| has(&before, id)) => None,
        (_, Some(url)) => Some(http::content(url, args.validate_certs, sys).map_err(|failure| {
            failure
                .context(format!("Failed to download key at {}", http::shown(url)))
                .without("response")
                .without("status_code")
        })?),
        _ => None,
    };
    let id = match (given, &args.file) {
        (Some(id), _) => Some(id),
        (None, Some(file)) => {
            let unread =
                |failure: Failure| failure.context(format!("Unable to extract key from '{}'", file.text()));
            let content = sys.read(file).map_err(unread)?;
            id_of(content, &file.text(), sys)?
        }
        (None, None) => match &content {
            Some(content) => {
                let from = args.url.as_deref().map_or_else(|| "inline data".into(), http::shown);
                id_of(content.clone(), &from, sys)?
            }
            None => None,
        },
    };
    let Some(id) = id else {
        return Err(Failure::new("Invalid key_id").with("id", Json::Null));
    };
    // Told as long as the id is that was asked for.
    let length = if id.len() == 8 { 8 } else { 16 };
    let listed =
        |keys: &[String]| -> Vec<String> { keys.iter().map(|key| short(key, length).to_owned()).collect() };
    let there = has(&before, &id);
    match args.state {
        State::Present if !there => match (&args.file, &args.keyserver, content) {
            (Some(file), ..) => {
                sys.exec(tool().arg("add").arg(file.0.clone())).map_err(|failure| {
                    let msg = format!("Unable to add a key from file {}", file.text());
                    Failure { msg, ..failure }.with("keyfile", file.text())
                })?;
            }
            (None, Some(server), _) => {
                let command = tool().args(["adv", "--no-tty", "--keyserver", server, "--recv", &id]);
                sys.exec(command).map_err(|failure| Failure {
                    msg: format!("Error fetching key {id} from keyserver: {server}"),
                    ..failure
                })?;
            }
            (None, None, Some(content)) => {
                sys.exec(tool().args(["add", "-"]).stdin(content))?;
            }
            (None, None, None) => {
                return Err(Failure::new(
                    "state is present but none of data, file, keyserver or url is given",
                ));
            }
        },
        State::Absent if there => {
            sys.exec(tool().args(["del", short(&id, 16)]))?;
        }
        State::Present | State::Absent => {}
    }
    let settled = there == (args.state == State::Present);
    let after = if settled { None } else { Some(keys(tool(), sys)?) };
    let added = after.as_ref().is_none_or(|after| has(after, &id));
    if args.state == State::Present && !sys.is_check() && !added {
        return Err(Failure::new("apt-key did not return an error, but failed to add the key (check that the id is correct and *not* a subkey)")
            .with_all(told(args.id.as_deref(), &id, listed(&before), after.as_deref().map(listed))));
    }
    Ok(told(args.id.as_deref(), &id, listed(&before), after.as_deref().map(listed)))
}

fn told(given: Option<&str>, id: &str, before: Vec<String>, after: Option<Vec<String>>) -> Returns {
    Returns {
        short_id: Some(short(id, 8).to_owned()),
        fp: Some(short(id, 16).to_owned()),
        id: Some(given.unwrap_or(id).to_owned()),
        key_id: Some(id.to_owned()),
        before,
        after,
    }
}

fn tool(program: &Path, args: &Args) -> Command {
    let command = Command::new(program).env("LC_ALL", "C");
    match &args.keyring {
        Some(keyring) => command.arg("--keyring").arg(keyring.0.clone()),
        None => command,
    }
}

/// An id or fingerprint of a key in capitals; `None` for what is none.
pub(crate) fn clean(id: &str) -> Option<String> {
    let id = id.trim().to_uppercase().replace(' ', "");
    let id = id.strip_prefix("0X").unwrap_or(&id).to_owned();
    (id.len() >= 8 && id.chars().all(|c| c.is_ascii_hexdigit())).then_some(id)
}

fn short(id: &str, length: usize) -> &str {
    id.get(id.len().saturating_sub(length)..).unwrap_or(id)
}

fn has(keys: &[String], id: &str) -> bool {
    keys.iter().any(|key| key.ends_with(short(id, 16)))
}

/// The long ids of the keys that are there.
fn keys(tool: Command, sys: &mut System<'_>) -> Result<Vec<String>> {
    let output =
        sys.query(tool.args(["adv", "--list-public-keys", "--keyid-format=long", "--with-colons"]))?;
    if !output.ok() {
        return Err(
            Failure::new(format!("Unable to list public keys: {}", output.stderr())).with("rc", output.code)
        );
    }
    Ok(public(&output.stdout()))
}

fn public(text: &str) -> Vec<String> {
    let fields = text.lines().filter(|line| line.starts_with("pub:") || line.starts_with("sub:"));
    fields.filter_map(|line| line.split(':').nth(4)).map(str::to_owned).collect()
}

/// How gpg reads a key and makes no directory of its own, nor needs one.
pub(crate) const READ: [&str; 8] = [
    "--with-colons",
    "--homedir=/",
    "--no-options",
    "--no-keyring",
    "--trust-model=always",
    "--lock-never",
    "--show-keys",
    "-",
];

fn id_of(content: Vec<u8>, from: &str, sys: &mut System<'_>) -> Result<Option<String>> {
    let command = Command::new(sys.need("gpg")?).args(READ);
    let output = sys.query(command.stdin(content))?;
    if !output.ok() {
        let failure =
            Failure::new(format!("Unable to extract key from '{from}': {}", output.stderr().trim()));
        return Err(failure.with("stdout", output.stdout()).with("stderr", output.stderr()));
    }
    Ok(public(&output.stdout()).into_iter().next())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(args: &Json, changed: bool, ran: Option<&str>) {
        let trial = Trial::of("apt_key");
        trial.host.program("/usr/bin/gpg").program("/usr/bin/apt-key").answer("/usr/bin/apt-key", 0, "");
        let pubs = "pub:-:4096:1:AED4B06F473041FA:1:::\npub:-:1:1:0123456789ABCDEF:::\n";
        trial.host.answer("/usr/bin/apt-key adv --list-public-keys", 0, pubs).answer(
            "/usr/bin/gpg",
            0,
            "pub:-:1:1:0123456789ABCDEF::\n",
        );
        let result = trial.run(args);
        assert_eq!(result["failed"], Json::Null, "{result:#}");
        assert_eq!(result["changed"], changed);
        let made: Vec<String> = trial
            .host
            .ran()
            .into_iter()
            .filter(|line| !line.contains("--list") && !line.starts_with("/usr/bin/gpg"))
            .collect();
        assert_eq!(made.first().map(String::as_str), ran);
    }

    #[test]
    fn keys_come_and_go() {
        let id = "0x9FED2BCBDCD29CDF762678CBAED4B06F473041FA";
        check(&json!({"id": id, "url": "http://nowhere"}), false, None);
        check(&json!({"data": "-----BEGIN"}), false, None);
        check(&json!({"id": id, "state": "absent"}), true, Some("/usr/bin/apt-key del AED4B06F473041FA"));
        check(&json!({"id": "99999999", "state": "absent"}), false, None);
    }

    #[test]
    fn what_cannot_be_listed_is_an_error() {
        let trial = Trial::of("apt_key");
        trial.host.program("/usr/bin/apt-key").answer("/usr/bin/apt-key", 2, "");
        let got = trial.run(&json!({"id": "99999999", "state": "absent"}));
        assert_eq!((&got["failed"], &got["rc"]), (&json!(true), &json!(2)), "{got}");
    }

    #[test]
    fn a_file_is_added_by_its_path() {
        let trial = Trial::of("apt_key");
        trial.host.program("/usr/bin/gpg").program("/usr/bin/apt-key").file("/k.asc", "-----BEGIN");
        trial.host.answer("/usr/bin/gpg", 0, "pub:-:1:1:0123456789ABCDEF::\n");
        trial.host.answer("/usr/bin/apt-key", 2, "").answer(
            "/usr/bin/apt-key adv",
            0,
            "pub:-:1:1:AED4B06F473041FA::\n",
        );
        let got = trial.run(&json!({"file": "/k.asc"}));
        assert_eq!(got["msg"], "Unable to add a key from file /k.asc");
        assert_eq!((&got["cmd"], &got["keyfile"]), (&json!("/usr/bin/apt-key add /k.asc"), &json!("/k.asc")));
        let short = trial.run(&json!({"id": "473041FA"}));
        assert_eq!(short["before"], json!(["473041FA"]));
        let none = trial.run(&json!({"state": "absent"}));
        assert_eq!((&none["msg"], &none["id"]), (&json!("Invalid key_id"), &Json::Null));
    }

    #[test]
    fn without_apt_key_there_is_a_hint() {
        let result = Trial::of("apt_key").run(&json!({"id": "99999999"}));
        assert!(result["msg"].as_str().unwrap().contains("get_url"), "{result}");
    }
}
