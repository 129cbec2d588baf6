use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::http;
use crate::kit::{Failure, FileAttributes, FileFacts, Mode, Result, System, WriteOptions};
use crate::lineinfile::State;

/// Manages a package archive of apt, in the deb822 format.
///
/// The lists of packages are not fetched: `apt: update_cache=yes` does.
///
/// # Examples
///
/// ```yaml
/// - name: Debian's archive
///   deb822_repository:
///     name: debian
///     types: deb
///     uris: https://deb.debian.org/debian
///     suites: stable
///     components: [main, contrib]
///
/// - name: An archive with its key
///   deb822_repository:
///     name: example
///     uris: https://download.example.com/linux/ubuntu
///     suites: '{{ ansible_distribution_release }}'
///     components: stable
///     architectures: amd64
///     signed_by: /etc/apt/keyrings/example.asc
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["include", "exclude"]]))]
pub struct Args {
    /// The archive's name, which makes the file's.
    pub name: String,
    /// Whether the archive is there.
    #[serde(default)]
    pub state: State,
    /// Lets an archive become insecure that was not.
    pub allow_downgrade_to_insecure: Option<bool>,
    /// Takes an archive without a good signature.
    pub allow_insecure: Option<bool>,
    /// Takes signatures with weak keys.
    pub allow_weak: Option<bool>,
    /// The architectures.
    pub architectures: Option<Vec<String>>,
    /// Whether files are fetched by their hash.
    pub by_hash: Option<bool>,
    /// Whether dates in the future are refused.
    pub check_date: Option<bool>,
    /// Whether the date of expiry counts.
    pub check_valid_until: Option<bool>,
    /// The components.
    pub components: Option<Vec<String>>,
    /// How many seconds a date may be in the future.
    pub date_max_future: Option<i64>,
    /// Whether the archive is used.
    pub enabled: Option<bool>,
    /// Packages that are not taken from it.
    pub exclude: Option<Vec<String>>,
    /// The only packages taken from it.
    pub include: Option<Vec<String>>,
    /// Where the archive's `InRelease` is, relative to it.
    pub inrelease_path: Option<String>,
    /// Installs what Ansible's own module needs. fanfare needs nothing.
    pub install_python_debian: Option<bool>,
    /// The languages.
    pub languages: Option<Vec<String>>,
    /// The file's permissions.
    #[serde(default = "usual_mode")]
    pub mode: Mode,
    /// Whether lists are brought up to date piece by piece.
    pub pdiffs: Option<bool>,
    /// The key: its path, its fingerprint, its text, or its URL.
    pub signed_by: Option<String>,
    /// The suites.
    pub suites: Option<Vec<String>>,
    /// What to fetch.
    pub targets: Option<Vec<String>>,
    /// Takes the archive without any check.
    pub trusted: Option<bool>,
    /// What kinds of packages it has: `deb`, `deb-src`.
    #[serde(default = "deb")]
    pub types: Vec<Type>,
    /// The archive's addresses.
    pub uris: Option<Vec<String>>,
}

fn usual_mode() -> Mode {
    Mode::Bits(0o644)
}

fn deb() -> Vec<Type> {
    vec![Type::Deb]
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Type {
    Deb,
    DebSrc,
}

#[derive(Serialize)]
pub struct Returns {
    repo: Option<String>,
    dest: String,
    key_filename: Option<String>,
    #[serde(flatten)]
    facts: Option<FileFacts>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    // Nothing to install.
    let _ = args.install_python_debian;
    let slug = slug(&args.name);
    if slug.contains('/') {
        return Err(Failure::new(format!("name: it names a file, and must hold no slash: {}", args.name)));
    }
    let dest = Path::new("/etc/apt/sources.list.d").join(format!("{slug}.sources"));
    let shown = dest.to_string_lossy().into_owned();
    let keyring = |ending: &str| Path::new("/etc/apt/keyrings").join(format!("{slug}.{ending}"));
    let was = if sys.is_check() && sys.exists(&dest)? { Some(sys.file_facts(&dest, false)?) } else { None };
    if args.state == State::Absent {
        sys.remove(&dest)?;
        let mut key = keyring("gpg");
        if sys.exists(&keyring("asc"))? {
            key = keyring("asc");
        }
        sys.remove(&key)?;
        let key_filename = Some(key.to_string_lossy().into_owned());
        return Ok(Returns { repo: None, dest: shown, key_filename, facts: was });
    }
    for (option, given) in [("uris", &args.uris), ("suites", &args.suites)] {
        if given.as_ref().is_none_or(Vec::is_empty) {
            return Err(Failure::new(format!(
                "state is present but all of the following are missing: {option}"
            )));
        }
    }
    let signed_by = match &args.signed_by {
        Some(url) if ["http://", "https://", "file://"].iter().any(|scheme| url.starts_with(scheme)) => {
            Some(key(url, keyring, sys)?.to_string_lossy().into_owned())
        }
        other => other.clone(),
    };
    // A key may be named by its fingerprint, or be there as it is.
    let key_filename = signed_by.clone().filter(|key| key.starts_with('/'));
    let repo = stanza(&args, signed_by.as_deref());
    let attributes = FileAttributes { mode: Some(args.mode), ..FileAttributes::default() };
    let options = WriteOptions { attributes: Some(&attributes), hidden: true, ..WriteOptions::default() };
    sys.write_with(&dest, repo.as_str(), &options)?;
    let facts = if sys.is_check() { was } else { Some(sys.file_facts(&dest, false)?) };
    Ok(Returns { repo: Some(repo), dest: shown, key_filename, facts })
}

/// Fetches the key into the keyring's place.
fn key(url: &str, keyring: impl Fn(&str) -> PathBuf, sys: &mut System<'_>) -> Result<PathBuf> {
    let content =
        http::content(url, true, sys).map_err(|failure| failure.context("Could not fetch signed_by key"))?;
    let armoured = content.starts_with(b"-----BEGIN PGP");
    let path = keyring(if armoured { "asc" } else { "gpg" });
    sys.make_dirs(Path::new("/etc/apt/keyrings"), Some(0o755))?;
    let options = WriteOptions { new_mode: Some(0o644), hidden: true, ..WriteOptions::default() };
    sys.write_with(&path, content, &options)?;
    Ok(path)
}

fn stanza(args: &Args, signed_by: Option<&str>) -> String {
    let truth = |value: Option<bool>| value.map(|on| if on { "yes" } else { "no" }.to_owned());
    let list = |value: &Option<Vec<String>>| value.as_ref().map(|items| items.join(" "));
    let types = args.types.iter().map(|kind| if *kind == Type::Deb { "deb" } else { "deb-src" });
    let signed_by = signed_by.map(|key| {
        let lines: Vec<&str> = key.trim_end().lines().map(str::trim_end).collect();
        if lines.len() < 2 {
            return key.trim().to_owned();
        }
        let block = lines
            .iter()
            .map(|line| if line.is_empty() { "\n    .".to_owned() } else { format!("\n    {line}") });
        block.collect()
    });
    let fields = [
        ("Allow-Downgrade-To-Insecure", truth(args.allow_downgrade_to_insecure)),
        ("Allow-Insecure", truth(args.allow_insecure)),
        ("Allow-Weak", truth(args.allow_weak)),
        ("Architectures", list(&args.architectures)),
        ("By-Hash", truth(args.by_hash)),
        ("Check-Date", truth(args.check_date)),
        ("Check-Valid-Until", truth(args.check_valid_until)),
        ("Components", list(&args.components)),
        ("Date-Max-Future", args.date_max_future.map(|seconds| seconds.to_string())),
        ("Enabled", truth(args.enabled)),
        ("Exclude", list(&args.exclude)),
        ("Include", list(&args.include)),
        ("Inrelease-Path", args.inrelease_path.clone()),
        ("Languages", list(&args.languages)),
        ("X-Repolib-Name", Some(args.name.clone())),
        ("Pdiffs", truth(args.pdiffs)),
        ("Signed-By", signed_by),
        ("Suites", list(&args.suites)),
        ("Targets", list(&args.targets)),
        ("Trusted", truth(args.trusted)),
        ("Types", Some(types.collect::<Vec<_>>().join(" "))),
        ("URIs", list(&args.uris)),
    ];
    let given = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let lines: Vec<String> = given
        .map(|(name, value)| {
            let blank = if value.starts_with('\n') { "" } else { " " };
            format!("{name}:{blank}{value}")
        })
        .collect();
    lines.join("\n") + "\n"
}

/// The name as a file's.
fn slug(name: &str) -> String {
    name.replace(char::is_whitespace, "-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    #[test]
    fn archives_come_and_go() {
        let trial = Trial::of("deb822_repository");
        trial.host.dir("/etc/apt/sources.list.d");
        let args = json!({"name": "Foo bar", "uris": "http://x/y", "suites": "stable", "components": ["main", "extra"],
                          "signed_by": "-----BEGIN\n\nabc\n", "enabled": false});
        let result = trial.lawful(&args);
        assert_eq!(
            trial.host.read("/etc/apt/sources.list.d/Foo-bar.sources").unwrap(),
            "Components: main extra\nEnabled: no\nX-Repolib-Name: Foo bar\nSigned-By:\n    -----BEGIN\n    .\n    abc\n\
             Suites: stable\nTypes: deb\nURIs: http://x/y\n"
        );
        assert_eq!(result["mode"], "0644");
        trial.lawful(&json!({"name": "Foo bar", "state": "absent"}));
        assert_eq!(trial.host.list_of("/etc/apt/sources.list.d"), "");
    }

    #[test]
    fn a_key_is_fetched() {
        let trial = Trial::of("deb822_repository");
        trial.host.dir("/etc/apt/sources.list.d");
        trial.host.serve(80, |_| b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n-----BEGIN PGP ".to_vec());
        let args = json!({"name": "x", "uris": "http://x", "suites": "s", "signed_by": "http://k/key"});
        let result = trial.lawful(&args);
        assert_eq!(result["key_filename"], "/etc/apt/keyrings/x.asc");
        assert_eq!(trial.host.read("/etc/apt/keyrings/x.asc").unwrap(), "-----BEGIN PGP ");
    }
}
