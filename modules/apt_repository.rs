mod sources;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::sources::Source;
use crate::apt;
use crate::command::yes;
use crate::kit::{Failure, FileAttributes, Mode, Result, System, WriteOptions};
use crate::lineinfile::State;

/// Manages package archives of apt, as lines of `.list` files.
///
/// Ubuntu's `ppa:` names are not supported: give the archive's line.
///
/// # Examples
///
/// ```yaml
/// - name: An archive
///   apt_repository:
///     repo: deb http://archive.example.com/debian bookworm main
///     state: present
///     update_cache: false
///
/// - name: In a file of that name
///   apt_repository:
///     repo: deb [arch=amd64 signed-by=/etc/apt/keyrings/x.asc] https://dl.example.com/chrome stable main
///     filename: google-chrome
///     update_cache: false
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The archive's line.
    pub repo: String,
    /// Whether the archive is there.
    #[serde(default)]
    pub state: State,
    /// The file's permissions.
    pub mode: Option<Mode>,
    /// Fetches the lists of packages after a change.
    #[serde(default = "yes")]
    #[schemars(extend("aliases" = ["update-cache"]))]
    pub update_cache: bool,
    /// How often fetching the lists is tried.
    #[serde(default = "five")]
    pub update_cache_retries: u64,
    /// The longest wait between two tries, in seconds.
    #[serde(default = "twelve")]
    pub update_cache_retry_max_delay: u64,
    /// Checks the certificate of the server that tells of a `ppa:`.
    #[serde(default = "yes")]
    pub validate_certs: bool,
    /// The file's name without its ending; made from the address when not given.
    pub filename: Option<String>,
    /// The distribution's name in a `ppa:`.
    pub codename: Option<String>,
    /// Installs what Ansible's own module needs. fanfare needs nothing.
    #[serde(default = "yes")]
    pub install_python_apt: bool,
}

fn five() -> u64 {
    5
}

fn twelve() -> u64 {
    12
}

#[derive(Serialize)]
pub struct Returns {
    repo: String,
    state: State,
    sources_added: Vec<String>,
    sources_removed: Vec<String>,
}

const DIR: &str = "/etc/apt/sources.list.d";

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    sys.deprecate("apt_repository has been deprecated. Use deb822_repository instead.", "2.25");
    // Nothing to install, and no server that tells of a ppa.
    let _ = (args.install_python_apt, args.validate_certs);
    if args.repo.starts_with("ppa:") || args.codename.is_some() {
        let what = if args.codename.is_some() { "codename" } else { "repo: ppa:" };
        return Err(Failure::new(format!(
            "{what} is not supported yet: give the archive's line and its key"
        )));
    }
    if args.repo.trim().is_empty() {
        return Err(Failure::new("Please set argument 'repo' to a non-empty value"));
    }
    let wanted = Source::parse(&args.repo)
        .filter(|source| source.enabled)
        .ok_or_else(|| Failure::new(format!("Invalid repository string: {}", args.repo)))?;
    let mut returns = Returns {
        repo: args.repo.clone(),
        state: args.state,
        sources_added: Vec::new(),
        sources_removed: Vec::new(),
    };
    let since = sys.changes().len();
    let mut before: Vec<(PathBuf, Option<Vec<u8>>)> = Vec::new();
    let mut found = false;
    for path in files(sys)? {
        let old = sys.read_text_if_there(&path)?.unwrap_or_default();
        let is_it = |line: &&str| Source::parse(line).is_some_and(|known| known.same == wanted.same);
        if !old.lines().any(|line| is_it(&line)) {
            continue;
        }
        let mut new = String::new();
        for line in old.lines() {
            match (is_it(&line), args.state) {
                // What is commented out is a comment.
                (true, State::Absent) if Source::parse(line).is_some_and(|known| known.enabled) => continue,
                (true, State::Present) if Source::parse(line).is_some_and(|known| !known.enabled) => {
                    new.push_str(&wanted.line);
                }
                _ => new.push_str(line),
            }
            new.push('\n');
        }
        found = true;
        let list = path.starts_with(DIR);
        if new != old {
            sys.read_to_rewrite(&path)?;
            before.push((path.clone(), Some(old.clone().into_bytes())));
        }
        if new.trim().is_empty() && list {
            sys.remove(&path)?;
            returns.sources_removed.push(path.to_string_lossy().into_owned());
        } else if new != old {
            write(&path, new, &args, sys)?;
        }
    }
    if args.state == State::Present && !found {
        let name = args.filename.clone().unwrap_or_else(|| wanted.file_name());
        let path = Path::new(DIR).join(format!("{name}.list"));
        let old = sys.read_text_if_there(&path)?;
        before.push((path.clone(), old.clone().map(String::into_bytes)));
        if old.is_none() {
            returns.sources_added.push(path.to_string_lossy().into_owned());
            sys.make_dirs(Path::new(DIR), None)?;
        }
        let mut text = old.unwrap_or_default();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&wanted.line);
        text.push('\n');
        write(&path, text, &args, sys)?;
    }
    if args.update_cache && sys.changes().len() > since {
        let refresh = serde_json::from_value(serde_json::json!({
            "update_cache": true,
            "update_cache_retries": args.update_cache_retries,
            "update_cache_retry_max_delay": args.update_cache_retry_max_delay,
        }));
        let refresh = refresh.map_err(|error| Failure::new(format!("bad arguments: {error}")))?;
        if let Err(failure) = apt::refresh(&refresh, sys) {
            // A second run would find the archive there, and say that all is well.
            for (path, before) in before {
                sys.put_back(&path, before.as_deref())?;
            }
            return Err(failure);
        }
    }
    Ok(returns)
}

fn write(path: &Path, text: String, args: &Args, sys: &mut System<'_>) -> Result<()> {
    let attributes = FileAttributes { mode: args.mode.clone(), ..FileAttributes::default() };
    let options =
        WriteOptions { attributes: Some(&attributes), new_mode: Some(0o644), ..WriteOptions::default() };
    sys.write_with(path, text, &options).map(drop)
}

fn files(sys: &System<'_>) -> Result<Vec<PathBuf>> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    let dir = Path::new(DIR);
    if sys.exists(dir)? {
        let names = sys.list(dir)?.into_iter().filter(|name| name.to_string_lossy().ends_with(".list"));
        files.extend(names.map(|name| dir.join(name)));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    const LIST: &str = "/etc/apt/sources.list.d/deb_example_org_debian.list";
    const LINE: &str = "deb http://deb.example.org/debian bookworm main\n";

    fn check(before: &str, args: Json, after: Option<&str>) -> Json {
        let trial = Trial::of("apt_repository");
        trial.host.dir("/etc/apt/sources.list.d");
        if !before.is_empty() {
            trial.host.file(LIST, before);
        }
        let mut args = args;
        args["update_cache"] = json!(false);
        let result = trial.lawful(&args);
        assert_eq!(trial.host.read(LIST).as_deref(), after, "{args} {result:#}");
        result
    }

    #[test]
    fn archives_come_and_go() {
        let repo = json!({"repo": LINE.trim()});
        assert_eq!(check("", repo.clone(), Some(LINE))["sources_added"], json!([LIST]));
        check(LINE, repo.clone(), Some(LINE));
        check(&format!("# {LINE}"), repo, Some(LINE));
        let spaced = json!({"repo": "deb   http://deb.example.org/debian  bookworm main  # x"});
        check(LINE, spaced, Some(LINE));
        let gone = json!({"repo": LINE.trim(), "state": "absent"});
        assert_eq!(check(LINE, gone.clone(), None)["sources_removed"], json!([LIST]));
        check(&format!("# x\n{LINE}"), gone.clone(), Some("# x\n"));
        // A line that is commented out stays.
        let off = format!("# {LINE}");
        check(&off, gone.clone(), Some(&off));
        check(&format!("{off}{LINE}"), gone, Some(&off));
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        for (repo, msg) in [
            ("foo", "Invalid repository string: foo"),
            ("ppa:a/b", "repo: ppa: is not supported yet: give the archive's line and its key"),
        ] {
            assert_eq!(Trial::of("apt_repository").run(&json!({"repo": repo}))["msg"], msg);
        }
    }
}
