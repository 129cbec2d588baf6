use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::configparser::{Ini, Reading, Section};
use crate::kit::http;
use crate::kit::{Command, Failure, Output, Result, System};
use crate::lineinfile::State;
use crate::zypper::told;

/// Manages the repositories that zypper installs from.
///
/// # Examples
///
/// ```yaml
/// - name: A repository, with its key
///   zypper_repository: {name: nginx, repo: 'https://nginx.org/packages/sles/15', auto_import_keys: yes}
///
/// - name: One that a file describes
///   zypper_repository: {repo: 'https://download.opensuse.org/repositories/devel/devel.repo'}
///
/// - name: Gone
///   zypper_repository: {name: nginx, state: absent}
///
/// - name: Fresh lists of all
///   zypper_repository: {repo: '*', runrefresh: yes}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// What zypper calls it: its alias. A `.repo` file says that itself.
    pub name: Option<String>,
    /// Its URL, or the path or URL of a `.repo` file.
    pub repo: Option<String>,
    /// Whether it is there.
    #[serde(default)]
    pub state: State,
    /// What it is called in words.
    pub description: Option<String>,
    /// Does without signatures.
    pub disable_gpg_check: Option<bool>,
    /// Whether its lists are fetched anew by themselves; so it is when nobody says otherwise.
    #[schemars(extend("aliases" = ["refresh"]))]
    pub autorefresh: Option<bool>,
    /// Packages come from the repository with the smallest number.
    pub priority: Option<i64>,
    /// Takes the place of two, where one has its name and another its URL.
    #[serde(default)]
    pub overwrite_multiple: bool,
    /// Trusts the key of a repository that is new or changed, and fetches its lists.
    #[serde(default)]
    pub auto_import_keys: bool,
    /// Fetches its lists.
    #[serde(default)]
    pub runrefresh: bool,
    /// Whether it is used; so it is when nobody says otherwise.
    pub enabled: Option<bool>,
}

#[derive(Serialize)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    repodata: Option<Told>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    runrefresh: bool,
}

/// A repository as results tell it: with zypper's own words for yes and no.
#[derive(Serialize)]
struct Told {
    alias: Option<String>,
    name: Option<String>,
    url: Option<String>,
    priority: Option<i64>,
    enabled: &'static str,
    autorefresh: &'static str,
    gpgcheck: &'static str,
}

/// A repository as it is or is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Repository {
    alias: String,
    name: String,
    url: String,
    priority: Option<i64>,
    enabled: bool,
    autorefresh: bool,
    gpgcheck: bool,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if sys.which("zypper").is_none() {
        return Err(Failure::new("zypper is not here: this is no SUSE, nor one of its descendants"));
    }
    if args.repo.as_deref() == Some("*") || args.name.as_deref() == Some("*") {
        if !args.runrefresh {
            return Err(Failure::new("repo=* can only be used with the runrefresh option."));
        }
        refresh(None, args.auto_import_keys, sys)?;
        return Ok(Returns { repodata: None, state: None, runrefresh: true });
    }
    if args.state == State::Present && args.repo.is_none() {
        return Err(Failure::new("Module option state=present requires repo"));
    }
    if args.name.is_none() && args.repo.is_none() {
        return Err(Failure::new("Alias or repo parameter required when state=absent"));
    }
    let wanted = wanted(&args, sys)?;
    let known = known(sys)?;
    let same: Vec<&Repository> = known.iter().filter(|known| is_same(known, &wanted)).collect();
    match args.state {
        State::Absent => {
            for known in &same {
                sys.exec(zypper().args(["removerepo", known.alias.as_str()]))?;
            }
        }
        State::Present => ensure(&args, &wanted, &same, sys)?,
    }
    Ok(Returns { repodata: Some(told(&args, &wanted)), state: Some(args.state), runrefresh: false })
}

fn ensure(args: &Args, wanted: &Repository, same: &[&Repository], sys: &mut System<'_>) -> Result<()> {
    let fits = |known: &Repository| {
        let named = args.description.is_none() || known.name == wanted.name;
        known.alias == wanted.alias
            && plain(&known.url) == plain(&wanted.url)
            && named
            && (wanted.priority.is_none() || known.priority == wanted.priority)
            && (known.enabled, known.autorefresh, known.gpgcheck)
                == (wanted.enabled, wanted.autorefresh, wanted.gpgcheck)
    };
    match same {
        [one] if fits(one) => {
            return if args.runrefresh { refresh(Some(&wanted.alias), false, sys) } else { Ok(()) };
        }
        [_, _, ..] if !args.overwrite_multiple => {
            let names: Vec<&str> = same.iter().map(|known| known.alias.as_str()).collect();
            return Err(Failure::new(format!(
                "More than one repo matched {}: {}. Use overwrite_multiple to allow more than one repo to be overwritten",
                wanted.alias,
                names.join(", ")
            )));
        }
        _ => {}
    }
    for known in same {
        sys.exec(zypper().args(["removerepo", known.alias.as_str()]))?;
    }
    let mut add = zypper().args(["addrepo", "--check"]);
    if !wanted.name.is_empty() {
        add = add.args(["--name", wanted.name.as_str()]);
    }
    add = add.opt("--priority", wanted.priority).flag("--disable", !wanted.enabled);
    add = add.arg(if wanted.gpgcheck { "--gpgcheck" } else { "--no-gpgcheck" });
    add = add.flag("--refresh", wanted.autorefresh);
    sys.exec(add.args([wanted.url.as_str(), wanted.alias.as_str()]))?;
    if args.runrefresh || args.auto_import_keys {
        refresh(Some(&wanted.alias), args.auto_import_keys, sys)?;
    }
    Ok(())
}

fn zypper() -> Command {
    Command::new("zypper").args(["--quiet", "--non-interactive"]).env("LC_ALL", "C")
}

/// Fetches lists. No change by itself.
fn refresh(alias: Option<&str>, keys: bool, sys: &mut System<'_>) -> Result<()> {
    let command = zypper().flag("--gpg-auto-import-keys", keys).args(["refresh", "--force"]);
    let command = command.opt("-r", alias);
    let line = command.line();
    match sys.housekeep(command)? {
        Some(output) if !output.ok() => {
            let said = [output.stderr(), output.stdout()].map(|text| text.trim().to_owned());
            let said = said.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
            Err(Failure::new(said).with("cmd", line).with_output(&output))
        }
        _ => Ok(()),
    }
}

/// There is no repository.
const NONE: i32 = 6;

/// The repositories there are.
fn known(sys: &mut System<'_>) -> Result<Vec<Repository>> {
    let output = sys.query(zypper().args(["--xmlout", "repos"]))?;
    if !output.ok() && output.code != NONE {
        return Err(Failure::new(format!("zypper cannot list its repositories: {}", said(&output)))
            .with("rc", output.code));
    }
    let text = output.stdout();
    let mut known: Vec<Repository> = Vec::new();
    for tag in told::tags(&text) {
        match (tag.name, known.last_mut()) {
            ("repo", _) => {
                let is = |key: &str| tag.attribute(key).is_some_and(|value| value == "1");
                known.push(Repository {
                    alias: tag.attribute("alias").unwrap_or_default(),
                    name: tag.attribute("name").unwrap_or_default(),
                    url: String::new(),
                    priority: tag.attribute("priority").and_then(|priority| priority.parse().ok()),
                    enabled: is("enabled"),
                    autorefresh: is("autorefresh"),
                    gpgcheck: is("gpgcheck"),
                });
            }
            ("url", Some(last)) => last.url = told::plain(tag.text.trim()),
            _ => {}
        }
    }
    Ok(known)
}

fn said(output: &Output) -> String {
    let messages = told::messages(output);
    if messages.is_empty() { output.stderr().trim().to_owned() } else { messages.join("\n") }
}

/// The repository that is asked for: what its file says, and the options that say otherwise.
fn wanted(args: &Args, sys: &mut System<'_>) -> Result<Repository> {
    let repo = args.repo.clone().unwrap_or_default();
    let mut wanted = Repository {
        alias: args.name.clone().unwrap_or_default(),
        url: repo.clone(),
        enabled: true,
        autorefresh: true,
        gpgcheck: true,
        ..Repository::default()
    };
    if Path::new(&repo).extension().is_some_and(|end| end == "repo") {
        let section = described(&repo, sys)?;
        let get = |key: &str| section.get(key).flatten().map(str::to_owned);
        let is = |key: &str, default: bool| get(key).map_or(default, |value| is_yes(&value));
        wanted.alias = args.name.clone().unwrap_or_else(|| section.name.clone());
        wanted.name = get("name").unwrap_or_default();
        wanted.url = get("baseurl").ok_or_else(|| Failure::new(format!("{repo} names no baseurl")))?;
        wanted.priority = get("priority").and_then(|priority| priority.parse().ok());
        wanted.enabled = is("enabled", true);
        wanted.autorefresh = is("autorefresh", true);
        wanted.gpgcheck = is("gpgcheck", true);
    } else if args.state == State::Present && args.name.is_none() {
        return Err(Failure::new("Name required when adding non-repo files."));
    }
    if let Some(description) = &args.description {
        wanted.name.clone_from(description);
    }
    wanted.priority = args.priority.or(wanted.priority);
    wanted.enabled = args.enabled.unwrap_or(wanted.enabled);
    wanted.autorefresh = args.autorefresh.unwrap_or(wanted.autorefresh);
    wanted.gpgcheck = args.disable_gpg_check.map_or(wanted.gpgcheck, |without| !without);
    Ok(wanted)
}

/// The first section of a `.repo` file.
fn described(repo: &str, sys: &mut System<'_>) -> Result<Section> {
    let text = if repo.contains("://") {
        String::from_utf8_lossy(&http::content(repo, true, sys)?).into_owned()
    } else {
        sys.read_text_if_there(Path::new(repo))?
            .ok_or_else(|| Failure::new(format!("Error opening .repo file {repo}: there is none")))?
    };
    let ini = Ini::parse(&text, Reading::default()).map_err(|error| {
        let (what, line) = (error.what, error.line);
        Failure::new(format!("Invalid format, .repo file could not be parsed: {repo}, line {line}: {what}"))
    })?;
    ini.sections().next().ok_or_else(|| Failure::new(format!("{repo} describes no repository")))
}

fn is_yes(value: &str) -> bool {
    matches!(value.to_lowercase().as_str(), "1" | "yes" | "true" | "on")
}

/// It has the name, or the URL.
fn is_same(known: &Repository, wanted: &Repository) -> bool {
    (!wanted.alias.is_empty() && known.alias == wanted.alias)
        || (!wanted.url.is_empty() && plain(&known.url) == plain(&wanted.url))
}

/// zypper writes `dir:/x` for `dir:///x`, and knows no slash at the end.
fn plain(url: &str) -> String {
    let url = url.trim_end_matches('/');
    match url.split_once(":///") {
        Some((scheme, path)) => format!("{scheme}:/{path}"),
        None => url.to_owned(),
    }
}

fn told(args: &Args, wanted: &Repository) -> Told {
    let digit = |is: bool| if is { "1" } else { "0" };
    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
    let Repository { alias, name, url, priority, enabled, autorefresh, gpgcheck } = wanted;
    Told {
        alias: some(alias),
        name: some(name).or_else(|| args.description.clone()),
        url: some(url),
        priority: *priority,
        enabled: digit(*enabled),
        autorefresh: digit(*autorefresh),
        gpgcheck: digit(*gpgcheck),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("zypper_repository");
        trial.host.program("/usr/bin/zypper").answer("zypper", 0, "");
        let listed = "<repo-list>\n<repo alias=\"a\" name=\"A\" priority=\"99\" enabled=\"1\" autorefresh=\"1\" gpgcheck=\"1\">\n\
             <url>http://x/a?b&amp;c</url>\n</repo>\n<repo alias=\"d\" name=\"d\" priority=\"50\" enabled=\"0\" autorefresh=\"0\" gpgcheck=\"0\">\n\
             <url>dir:/srv/d</url>\n</repo>\n</repo-list>\n";
        trial.host.answer("zypper --quiet --non-interactive --xmlout repos", 0, listed);
        trial.host.file("/f.repo", "[f]\nname=From file\nbaseurl=http://x/f\nenabled=0\ngpgcheck=0\n");
        trial
    }

    fn check(args: &Json, expected: &[&str]) {
        let trial = trial();
        let told = trial.check(args);
        let result = trial.run(args);
        assert_eq!(
            (&result["changed"], &told["changed"]),
            (&json!(!expected.is_empty()), &result["changed"]),
            "{result:#}"
        );
        let ran = trial.host.ran();
        let ran: Vec<&str> =
            ran.iter().filter_map(|line| line.strip_prefix("zypper --quiet --non-interactive ")).collect();
        let ran: Vec<&str> = ran.into_iter().filter(|line| *line != "--xmlout repos").collect();
        assert_eq!(ran, expected);
    }

    #[test]
    fn repositories_come_change_and_go() {
        let add = "addrepo --check --gpgcheck --refresh";
        check(&json!({"name": "a", "repo": "http://x/a?b&c"}), &[]);
        check(&json!({"name": "b", "repo": "http://x/b"}), &[&format!("{add} http://x/b b")]);
        check(&json!({"name": "a", "repo": "http://x/n"}), &["removerepo a", &format!("{add} http://x/n a")]);
        let off = json!({"name": "d", "repo": "dir:///srv/d/", "enabled": false, "autorefresh": false, "disable_gpg_check": true, "priority": 50});
        check(&off, &[]);
        check(
            &json!({"name": "d", "repo": "dir:///srv/d", "description": "D d"}),
            &["removerepo d", "addrepo --check --name D d --gpgcheck --refresh dir:///srv/d d"],
        );
        check(
            &json!({"repo": "/f.repo"}),
            &["addrepo --check --name From file --disable --no-gpgcheck --refresh http://x/f f"],
        );
        check(&json!({"name": "a", "state": "absent"}), &["removerepo a"]);
        check(&json!({"name": "z", "state": "absent"}), &[]);
    }

    #[test]
    fn lists_are_fetched() {
        let trial = trial();
        let result = trial.run(&json!({"repo": "*", "runrefresh": true}));
        assert_eq!((&result["changed"], &result["runrefresh"]), (&json!(false), &json!(true)));
        trial.run(&json!({"name": "n", "repo": "http://x/n", "auto_import_keys": true}));
        let last = "zypper --quiet --non-interactive --gpg-auto-import-keys refresh --force -r n";
        assert_eq!(trial.host.ran().last().unwrap(), last);
    }

    #[test]
    fn what_is_not_clear_is_an_error() {
        let said = |args: Json| trial().run(&args)["msg"].as_str().unwrap_or_default().to_owned();
        assert!(said(json!({"name": "a", "repo": "dir:/srv/d"})).contains("More than one repo matched"));
        assert!(said(json!({"repo": "http://x/y"})).contains("Name required"));
        assert!(said(json!({"name": "y"})).contains("requires repo"));
        assert!(said(json!({"repo": "/none.repo"})).contains("/none.repo"));
    }
}
