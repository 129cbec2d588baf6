use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::yes;
use crate::kit::{Command, Failure, FilePath, Output, Result, System};
use crate::package::{self, Dnf, Wanted};

/// Manages packages with dnf, or with yum where there is no dnf.
///
/// # Examples
///
/// ```yaml
/// - name: The web server
///   dnf: {name: httpd, state: latest}
///
/// - name: From a repository that is not used else
///   dnf: {name: [nginx, git], enablerepo: epel}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["best", "nobest"]], "required_by" = {"download_dir": ["download_only"]}))]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of Ansible's")]
pub struct Args {
    /// The packages: names, groups (`@web`), files or URLs; `*` with `latest` stands for all that are installed.
    #[serde(default)]
    #[schemars(extend("aliases" = ["pkg"]))]
    pub name: Vec<String>,
    /// Whether they are there.
    #[serde(default)]
    pub state: State,
    /// Fetches the lists of packages first.
    #[serde(default)]
    #[schemars(extend("aliases" = ["expire-cache"]))]
    pub update_cache: bool,
    /// Removes what nothing needs any more, too; without names, all of that.
    #[serde(default)]
    pub autoremove: bool,
    /// How many seconds to wait for another dnf to end.
    #[serde(default = "thirty")]
    pub lock_timeout: u64,
    /// With `latest`: installs nothing that is not there.
    #[serde(default)]
    pub update_only: bool,
    /// With `latest`: only what mends a hole.
    #[serde(default)]
    pub security: bool,
    /// With `latest`: only what mends a defect.
    #[serde(default)]
    pub bugfix: bool,
    /// Installs the best version or none.
    #[serde(default)]
    pub best: bool,
    /// Takes a lesser version where the best cannot be installed.
    #[serde(default)]
    pub nobest: bool,
    /// Whether packages that others merely recommend come with them.
    #[serde(default = "yes")]
    pub install_weak_deps: bool,
    /// Uses the lists that are there, however old.
    #[serde(default)]
    pub cacheonly: bool,
    /// Only downloads what would be installed.
    #[serde(default)]
    pub download_only: bool,
    /// Where to, with `download_only`.
    pub download_dir: Option<FilePath>,
    /// Plugins to use though they are off.
    #[serde(default)]
    pub enable_plugin: Vec<String>,
    /// Plugins not to use.
    #[serde(default)]
    pub disable_plugin: Vec<String>,
    /// Ignores what the configuration excludes: `all`, `main` or a repository.
    pub disable_excludes: Option<String>,
    /// The configuration to use.
    pub conf_file: Option<FilePath>,
    /// Checks the certificates of repositories.
    #[serde(default = "yes")]
    pub sslverify: bool,
    /// Checks the certificate where a package is a URL.
    #[serde(default = "yes")]
    pub validate_certs: bool,
    #[serde(flatten)]
    dnf: Dnf,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
// Two of them have two names.
#[schemars(extend("enum" = ["absent", "installed", "latest", "present", "removed"]))]
pub enum State {
    #[serde(alias = "removed")]
    Absent,
    Latest,
    #[default]
    #[serde(alias = "installed")]
    Present,
}

fn thirty() -> u64 {
    30
}

#[derive(Serialize)]
pub struct Returns {
    rc: u8,
    results: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<&'static str>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let name = if sys.which("dnf").is_some() { "dnf" } else { "yum" };
    let manager = package::manager(name).ok_or_else(|| Failure::new("neither dnf nor yum is known"))?;
    let mut names: Vec<String> =
        args.name.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    wait_for_lock(args.lock_timeout, sys)?;
    let options = options(&args);
    let all = matches!(names.as_slice(), [all] if all == "*");
    if args.autoremove && names.is_empty() {
        let judge = |output: &Output| !output.stdout().to_lowercase().contains("nothing to do");
        sys.exec_judged(
            Command::new(name).args(["-y", "autoremove"]).args(&options).env("LC_ALL", "C"),
            judge,
        )?;
    } else if args.autoremove && args.state != State::Absent {
        return Err(Failure::new("Autoremove should be used alone or with state=absent"));
    } else if all && args.state != State::Latest {
        return Err(Failure::new("name: * is known only with state=latest"));
    } else if all {
        package::upgrade_all(manager, args.update_cache, &options, sys)?;
    } else {
        if args.update_only && args.state == State::Latest {
            let mut there = Vec::new();
            for name in names {
                if sys.query(Command::new("rpm").args(["-q", "--whatprovides", name.as_str()]))?.ok() {
                    there.push(name);
                }
            }
            names = there;
        }
        let wanted = Wanted { names: &names, state: args.state, update_cache: args.update_cache };
        package::ensure(manager, &wanted, &options, sys)?;
    }
    let idle = sys.changes().is_empty();
    let msg = match (idle, args.update_cache && names.is_empty()) {
        (true, true) => Some("Cache updated"),
        (true, false) => Some("Nothing to do"),
        (false, _) => None,
    };
    Ok(Returns { rc: 0, results: Vec::new(), msg })
}

/// The program's own options.
fn options(args: &Args) -> Vec<String> {
    let latest = args.state == State::Latest;
    let flags = [
        ("--security", args.security && latest),
        ("--bugfix", args.bugfix && latest),
        ("--best", args.best),
        ("--nobest", args.nobest),
        ("--setopt=install_weak_deps=False", !args.install_weak_deps),
        ("--cacheonly", args.cacheonly),
        ("--downloadonly", args.download_only),
        ("--setopt=sslverify=False", !(args.sslverify && args.validate_certs)),
        // The last counts.
        ("--setopt=clean_requirements_on_remove=True", args.autoremove && args.state == State::Absent),
    ];
    let mut options: Vec<String> = args.dnf.options().into_iter().map(|(_, option)| option).collect();
    options.extend(flags.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag.to_owned()));
    for (option, list) in [("enableplugin", &args.enable_plugin), ("disableplugin", &args.disable_plugin)] {
        options.extend((!list.is_empty()).then(|| format!("--{option}={}", list.join(","))));
    }
    options.extend(args.disable_excludes.as_ref().map(|what| format!("--disableexcludes={what}")));
    options.extend(args.download_dir.as_ref().map(|dir| format!("--downloaddir={}", dir.text())));
    options.extend(args.conf_file.as_ref().map(|file| format!("--config={}", file.text())));
    options
}

/// Waits until no other dnf or yum works.
fn wait_for_lock(seconds: u64, sys: &mut System<'_>) -> Result<()> {
    for waited in 0.. {
        let Some(lock) = held_lock(sys)? else { break };
        if waited >= seconds {
            return Err(Failure::new(format!("{} lockfile is held by another process", lock.display())));
        }
        sys.sleep(Duration::from_secs(1))?;
    }
    Ok(())
}

/// A lock whose process lives.
fn held_lock(sys: &System<'_>) -> Result<Option<PathBuf>> {
    let mut locks = vec![PathBuf::from("/var/run/yum.pid")];
    // The lists' locks, and that of the packages, which dnf itself would wait for without end.
    for dir in ["/var/cache/dnf", "/var/lib/dnf"].map(Path::new) {
        if sys.exists(dir)? {
            let names = sys.list(dir)?;
            let held = names.iter().filter(|name| name.to_string_lossy().ends_with("_lock.pid"));
            locks.extend(held.map(|name| dir.join(name)));
        }
    }
    for lock in locks {
        let pid = sys.read_text_if_there(&lock)?.unwrap_or_default();
        let pid = pid.trim();
        if !pid.is_empty() && sys.exists(&Path::new("/proc").join(pid))? {
            return Ok(Some(lock));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    #[test]
    fn packages_are_installed_where_they_are_not() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").answer("dnf", 0, "").answer("rpm", 1, "");
        let result = trial.run(&json!({"name": "git,vim", "enablerepo": "epel", "state": "installed"}));
        assert_eq!(result["changed"], true, "{result}");
        assert_eq!(trial.host.ran().last().unwrap(), "dnf -y install --enablerepo=epel git vim");
    }

    #[test]
    fn everything_is_brought_up_to_date() {
        let trial = Trial::of("yum");
        trial.host.program("/usr/bin/yum").answer("yum", 0, "").answer("yum -q check-update", 100, "");
        assert_eq!(trial.run(&json!({"name": "*", "state": "latest"}))["changed"], true);
        assert_eq!(trial.host.ran(), ["yum -q check-update", "yum -y update"]);
    }

    #[test]
    fn options_are_the_programs() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").answer("dnf", 0, "").answer("rpm", 1, "");
        let args = json!({"name": "git", "nobest": true, "install_weak_deps": false, "disable_plugin": "a,b",
                          "validate_certs": false, "download_only": true, "download_dir": "/d"});
        trial.run(&args);
        assert_eq!(
            trial.host.ran().last().unwrap(),
            "dnf -y install --nobest --setopt=install_weak_deps=False --downloadonly --setopt=sslverify=False \
             --disableplugin=a,b --downloaddir=/d git"
        );
    }

    #[test]
    fn what_nothing_needs_goes() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").answer("dnf", 0, "Nothing to do.").answer("rpm", 0, "");
        let result = trial.run(&json!({"autoremove": true}));
        assert_eq!((&result["changed"], &result["msg"]), (&json!(false), &json!("Nothing to do")));
        assert_eq!(trial.host.ran(), ["dnf -y autoremove"]);
        trial.run(&json!({"name": "git", "state": "absent", "autoremove": true}));
        let keep = "--setopt=clean_requirements_on_remove";
        assert_eq!(trial.host.ran().last().unwrap(), &format!("dnf -y remove {keep}=False {keep}=True git"));
    }

    #[test]
    fn only_what_is_there_is_updated() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").answer("dnf", 100, "").answer("rpm", 1, "");
        let result = trial.run(&json!({"name": "git", "state": "latest", "update_only": true}));
        assert_eq!(result["changed"], false, "{result}");
    }

    #[test]
    fn another_that_works_is_waited_for() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").file("/var/cache/dnf/rpmdb_lock.pid", "42").dir("/proc/42");
        let result = trial.run(&json!({"name": "git", "lock_timeout": 1}));
        assert_eq!(result["msg"], "/var/cache/dnf/rpmdb_lock.pid lockfile is held by another process");
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").file("/var/lib/dnf/rpmdb_lock.pid", "42").dir("/proc/42");
        let result = trial.run(&json!({"name": "git", "lock_timeout": 1}));
        assert_eq!(result["msg"], "/var/lib/dnf/rpmdb_lock.pid lockfile is held by another process");
    }
}
