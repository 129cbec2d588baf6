use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::kit::configparser::{Ini, Reading, Section};
use crate::kit::{Failure, FileAttributes, FilePath, Result, Secret, System, WriteOptions};
use crate::lineinfile::State;

/// Manages repositories of dnf and yum.
///
/// A repository is a section of a file. A section whose settings differ is replaced as a whole; comments of a file that
/// is written are lost, as with Ansible. A file without any section left is removed.
///
/// # Examples
///
/// ```yaml
/// - name: EPEL
///   yum_repository:
///     name: epel
///     description: EPEL YUM repo
///     baseurl: https://download.fedoraproject.org/pub/epel/$releasever/$basearch/
///
/// - name: Two repositories in one file
///   yum_repository:
///     name: rpmforge
///     description: RPMforge YUM repo
///     file: external_repos
///     baseurl: http://apt.sw.be/redhat/el7/en/$basearch/rpmforge
///     mirrorlist: http://mirrorlist.repoforge.org/el7/mirrors-rpmforge
///     enabled: no
///
/// - name: No longer
///   yum_repository:
///     name: epel
///     state: absent
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [
    ["state", "present", ["baseurl", "mirrorlist", "metalink"], true],
    ["state", "present", ["description"]]
]))]
pub struct Args {
    /// The repository's id: the name of its section.
    pub name: String,
    /// The file's name without `.repo`; the repository's id when not given.
    pub file: Option<String>,
    /// The directory of the file.
    #[serde(default = "reposdir")]
    pub reposdir: FilePath,
    /// Whether there is such a repository.
    #[serde(default)]
    pub state: State,
    /// What the repository is called: `name` in the file.
    pub description: Option<String>,
    /// The password for the repository.
    pub password: Option<Secret>,
    /// The password for the proxy.
    pub proxy_password: Option<Secret>,
    #[serde(flatten)]
    pub settings: Settings,
    #[serde(flatten)]
    pub attributes: FileAttributes,
}

/// What is written as it is called.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// Downloads in the background. Of old versions of yum.
    pub r#async: Option<bool>,
    /// The bandwidth that counts for `throttle`.
    pub bandwidth: Option<String>,
    /// The URLs of the directory with `repodata`.
    pub baseurl: Option<Vec<String>>,
    /// What access costs, compared with others: 1000 where not said.
    pub cost: Option<String>,
    /// Whether the machine is counted by the repository's owner.
    pub countme: Option<bool>,
    /// The size of delta metadata, in percent of the whole, above which the whole is taken.
    pub deltarpm_metadata_percentage: Option<String>,
    /// The size of delta packages, in percent of the whole, above which the whole is taken.
    pub deltarpm_percentage: Option<String>,
    /// Whether the repository is used.
    pub enabled: Option<bool>,
    /// Whether its package groups are used.
    pub enablegroups: Option<bool>,
    /// Packages that are not taken from it, with wildcards.
    #[schemars(extend("aliases" = ["excludepkgs"]))]
    pub exclude: Option<Vec<String>>,
    /// How the next of several URLs is chosen.
    pub failovermethod: Option<Failover>,
    /// The URL of the CA's key. Of old versions of yum.
    pub gpgcakey: Option<String>,
    /// Whether signatures of packages are checked.
    pub gpgcheck: Option<bool>,
    /// The URLs of the keys.
    pub gpgkey: Option<Vec<String>>,
    /// What caches on the way may keep.
    pub http_caching: Option<Caching>,
    /// The URL of a file that is read in this place.
    pub include: Option<String>,
    /// The only packages that are taken from it, with wildcards.
    pub includepkgs: Option<Vec<String>>,
    /// The kind of addresses that names are resolved to.
    pub ip_resolve: Option<Addresses>,
    /// Whether connections are kept. Of old versions of yum.
    pub keepalive: Option<bool>,
    /// How long metadata is good: seconds, `6h`, `never`.
    pub metadata_expire: Option<String>,
    /// The commands that `metadata_expire` counts for. Of old versions of yum.
    pub metadata_expire_filter: Option<Filter>,
    /// The URL of a metalink file.
    pub metalink: Option<String>,
    /// The URL of a list of URLs.
    pub mirrorlist: Option<String>,
    /// How long that list is good.
    pub mirrorlist_expire: Option<String>,
    /// Whether its packages count besides modules' streams.
    pub module_hotfixes: Option<bool>,
    /// Its priority, from 1 (the first) to 99.
    pub priority: Option<String>,
    /// Whether its packages are protected. Of old versions of yum.
    pub protect: Option<bool>,
    /// The URL of the proxy, or `_none_`.
    pub proxy: Option<String>,
    /// The user for the proxy.
    pub proxy_username: Option<String>,
    /// Whether the signature of the metadata is checked.
    pub repo_gpgcheck: Option<bool>,
    /// How often a file is asked for.
    pub retries: Option<String>,
    /// Whether it is in S3.
    pub s3_enabled: Option<bool>,
    /// Whether others are used when it cannot be reached.
    pub skip_if_unavailable: Option<bool>,
    /// Whether the permissions of certificates are checked.
    pub ssl_check_cert_permissions: Option<bool>,
    /// The directory or file with the CAs to believe in.
    #[schemars(extend("aliases" = ["ca_cert"]))]
    pub sslcacert: Option<String>,
    /// The certificate to show.
    #[schemars(extend("aliases" = ["client_cert"]))]
    pub sslclientcert: Option<String>,
    /// The key of that certificate.
    #[schemars(extend("aliases" = ["client_key"]))]
    pub sslclientkey: Option<String>,
    /// Whether the server's certificate is checked.
    #[schemars(extend("aliases" = ["validate_certs"]))]
    pub sslverify: Option<bool>,
    /// The most to download in a second: bytes, or percent of `bandwidth`.
    pub throttle: Option<String>,
    /// Seconds to wait for a connection.
    pub timeout: Option<String>,
    /// Variables that are part of the id.
    pub ui_repoid_vars: Option<String>,
    /// The user for the repository.
    pub username: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Failover {
    /// By chance.
    Roundrobin,
    /// In their order.
    Priority,
}

#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Caching {
    /// Everything.
    All,
    /// Packages.
    Packages,
    /// Nothing.
    None,
}

#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum Addresses {
    /// IPv4.
    #[serde(rename = "4")]
    Four,
    /// IPv6.
    #[serde(rename = "6")]
    Six,
    /// IPv4.
    IPv4,
    /// IPv6.
    IPv6,
    /// Either.
    #[serde(rename = "whatever")]
    Whatever,
}

#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum Filter {
    /// None.
    #[serde(rename = "never")]
    Never,
    /// Those that look at what was.
    #[serde(rename = "read-only:past")]
    Past,
    /// Those that look at what is.
    #[serde(rename = "read-only:present")]
    Present,
    /// Those that look at what will be.
    #[serde(rename = "read-only:future")]
    Future,
}

fn reposdir() -> FilePath {
    FilePath::from("/etc/yum.repos.d")
}

#[derive(Serialize)]
pub struct Returns {
    repo: String,
    state: State,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let file = args.file.as_ref().unwrap_or(&args.name);
    if file.contains('/') {
        return Err(Failure::new(format!(
            "file: {file:?} is no name of a file: put the directory into reposdir"
        )));
    }
    if !sys.stat_followed(&args.reposdir)?.is_some_and(|meta| meta.is_dir()) {
        return Err(Failure::new(format!("Repo directory '{}' does not exist.", args.reposdir.text())));
    }
    let path = args.reposdir.join(format!("{file}.repo"));
    let mut sections = read(&path, sys)?;
    let at = sections.iter().position(|section| section.name == args.name);
    match args.state {
        State::Present => {
            let wanted = wanted(&args)?;
            let is_so = at.and_then(|at| sections.get(at)).is_some_and(|there| {
                let there: BTreeMap<_, _> =
                    there.options.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
                there == wanted.iter().map(|(key, value)| (key.as_str(), Some(value.as_str()))).collect()
            });
            if !is_so {
                at.map(|at| sections.remove(at));
                let options = wanted.into_iter().map(|(key, value)| (key, Some(value))).collect();
                sections.push(Section { name: args.name.clone(), options });
                let options = WriteOptions { attributes: Some(&args.attributes), ..WriteOptions::default() };
                sys.write_with(&path, written(&sections), &options)?;
            }
        }
        State::Absent => {
            if let Some(at) = at {
                sections.remove(at);
                if sections.is_empty() {
                    sys.remove(&path)?;
                } else {
                    sys.write(&path, written(&sections))?;
                }
            }
        }
    }
    if sys.exists(&path)? {
        sys.set_attributes(&path, &args.attributes, false)?;
    }
    Ok(Returns { repo: args.name, state: args.state })
}

fn read(path: &Path, sys: &System<'_>) -> Result<Vec<Section>> {
    let Some(text) = sys.read_text_if_there(path)? else { return Ok(Vec::new()) };
    let bad =
        |line: usize, why: &str| Failure::new(format!("cannot read {}, line {line}: {why}", path.display()));
    if let Some(line) = text.lines().position(|line| line.trim() == "[DEFAULT]") {
        return Err(bad(line + 1, "settings of [DEFAULT] would count for every repository"));
    }
    let ini = Ini::parse(&text, Reading::default()).map_err(|error| bad(error.line, error.what))?;
    Ok(ini.sections().collect())
}

/// The section's settings, by name.
fn wanted(args: &Args) -> Result<BTreeMap<String, String>> {
    let settings = serde_json::to_value(&args.settings)
        .map_err(|error| Failure::new(format!("the settings are no text: {error}")))?;
    let mut wanted = BTreeMap::new();
    for (key, value) in settings.as_object().into_iter().flatten() {
        let text = match value {
            Json::Null => continue,
            Json::Bool(yes) => u8::from(*yes).to_string(),
            Json::Array(items) => {
                let items: Vec<&str> = items.iter().filter_map(Json::as_str).collect();
                items.join(if key == "baseurl" || key == "gpgkey" { "\n" } else { " " })
            }
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        wanted.insert(key.clone(), text);
    }
    let secret = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
    for (key, value) in [
        ("name", args.description.clone()),
        ("password", secret(&args.password)),
        ("proxy_password", secret(&args.proxy_password)),
    ] {
        wanted.extend(value.map(|value| (key.to_owned(), value)));
    }
    Ok(wanted)
}

fn written(sections: &[Section]) -> String {
    let mut text = String::new();
    for section in sections {
        text.extend(["[", &section.name, "]\n"]);
        for (key, value) in &section.options {
            let value = value.as_deref().unwrap_or_default().replace('\n', "\n\t");
            text.extend([key, " = ", &value, "\n"]);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn with(more: &Json) -> Json {
        let mut args =
            json!({"name": "r", "description": "R", "baseurl": "u", "reposdir": "/etc/yum.repos.d"});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    }

    #[track_caller]
    fn check(before: &str, more: &Json, expected: Option<&str>) {
        let trial = Trial::of("yum_repository");
        trial.host.dir("/etc/yum.repos.d");
        if !before.is_empty() {
            trial.host.file("/etc/yum.repos.d/r.repo", before);
        }
        let result = trial.lawful(&with(more));
        assert_eq!(trial.host.read("/etc/yum.repos.d/r.repo").as_deref(), expected, "{result}");
        assert_eq!(result["changed"], json!(expected.unwrap_or_default() != before), "{result}");
        assert_eq!(result["repo"], "r");
    }

    #[test]
    fn a_repository_is_a_section() {
        let plain = "[r]\nbaseurl = u\nname = R\n\n";
        check("", &json!({}), Some(plain));
        check("[r]\nname=R\nbaseurl=u\n", &json!({}), Some("[r]\nname=R\nbaseurl=u\n"));
        check(
            "# c\n[r]\nbaseurl=old\ngpgcheck=1\n[b]\nA: x\n",
            &json!({}),
            Some(&format!("[b]\na = x\n\n{plain}")),
        );
        check(
            "",
            &json!({"baseurl": ["a", "b"], "exclude": "x,y", "enabled": false, "gpgcheck": true, "priority": 10,
                    "password": "p", "ip_resolve": "4", "async": true}),
            Some(
                "[r]\nasync = 1\nbaseurl = a\n\tb\nenabled = 0\nexclude = x y\ngpgcheck = 1\nip_resolve = 4\n\
                 name = R\npassword = p\npriority = 10\n\n",
            ),
        );
    }

    #[test]
    fn an_empty_file_is_removed() {
        check("", &json!({"state": "absent"}), None);
        check("[r]\na=b\n", &json!({"state": "absent"}), None);
        check("[r]\na=b\n[s]\nc=d\n", &json!({"state": "absent"}), Some("[s]\nc = d\n\n"));
    }

    #[test]
    fn failures_say_what() {
        for (args, message) in [
            (with(&json!({"reposdir": "/nope"})), "Repo directory '/nope' does not exist."),
            (
                json!({"name": "r", "description": "R"}),
                "state is present but any of the following are missing: baseurl, mirrorlist, metalink",
            ),
            (
                json!({"name": "r", "baseurl": "u"}),
                "state is present but all of the following are missing: description",
            ),
        ] {
            assert_eq!(Trial::of("yum_repository").run(&args)["msg"], message, "{args}");
        }
    }
}
