mod fifth;
mod fourth;
mod listing;
mod lock;
mod options;
mod program;
mod rpm;
mod version;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

pub(crate) use self::options::Options;
use self::options::listed;
use self::program::Program;
use crate::command::yes;
use crate::kit::{Command, Failure, FilePath, Result, System};

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
#[schemars(extend("mutually_exclusive" = [["best", "nobest"]]))]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of Ansible's")]
pub struct Args {
    /// The packages: names, groups (`@web`), files or URLs; `*` with `latest` stands for all that are installed.
    #[serde(default)]
    #[schemars(extend("aliases" = ["pkg"]))]
    pub name: Vec<String>,
    /// Whether they are there: by default `present`, with `autoremove` `absent`.
    pub state: Option<State>,
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
    /// Installs nothing that is not there, and brings what is up to date.
    #[serde(default)]
    pub update_only: bool,
    /// Installs only what mends a hole.
    #[serde(default)]
    pub security: bool,
    /// Installs only what mends a defect.
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
    /// The root of another system, which they are installed into: it has a database of its own.
    #[serde(default = "root")]
    pub installroot: FilePath,
    /// Whether a package that is named with its version may become older.
    #[serde(default)]
    pub allow_downgrade: bool,
    /// Which program is used: by default the one that `dnf` is, else dnf5, else yum.
    #[serde(default)]
    pub use_backend: Backend,
    /// Tells of packages, and does nothing: `installed`, `updates`, `available`, `repos`, or a package's name.
    pub list: Option<String>,
    /// Means nothing here: nothing is installed for the module's own sake.
    #[serde(default = "yes")]
    #[expect(dead_code, reason = "the module needs nothing")]
    pub auto_install_module_deps: bool,
    /// Checks the certificates of repositories.
    #[serde(default = "yes")]
    pub sslverify: bool,
    /// Checks the certificate where a package is a URL.
    #[serde(default = "yes")]
    pub validate_certs: bool,
    #[serde(flatten)]
    pub shared: Options,
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

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("enum" = ["auto", "dnf", "dnf4", "dnf5", "yum", "yum4"]))]
pub enum Backend {
    #[default]
    #[serde(alias = "yum")]
    Auto,
    #[serde(alias = "dnf", alias = "yum4")]
    Dnf4,
    Dnf5,
}

impl Backend {
    /// Where `dnf` is the fifth, the fourth goes by another name.
    fn program(self, sys: &System<'_>) -> Result<&'static str> {
        let (names, what): (&[_], _) = match self {
            // The fifth need not have the name of all.
            Self::Auto => {
                let found = ["dnf", "dnf5"].into_iter().find(|name| sys.which(name).is_some());
                return Ok(found.unwrap_or("yum"));
            }
            Self::Dnf4 => (&["dnf4", "dnf-3", "dnf"], "dnf"),
            Self::Dnf5 => (&["dnf5"], "dnf5"),
        };
        let found = names.iter().find(|name| sys.which(name).is_some());
        found.copied().ok_or_else(|| Failure::new(format!("use_backend: there is no program {what}")))
    }
}

fn root() -> FilePath {
    FilePath("/".into())
}

fn thirty() -> u64 {
    30
}

#[derive(Serialize)]
pub struct Returns {
    rc: u8,
    results: Vec<Json>,
    msg: &'static str,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let mut names: Vec<String> =
        args.name.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    let state = args.state.unwrap_or(if args.autoremove { State::Absent } else { State::default() });
    if args.autoremove && state != State::Absent {
        let failure = Failure::new("Autoremove should be used alone or with state=absent");
        return Err(failure.with("results", [(); 0]));
    }
    let program = program(&args, state, sys)?;
    lock::wait(args.lock_timeout, program.rpm.root.as_deref(), sys)?;
    if let Some(what) = &args.list {
        return Ok(Returns { rc: 0, results: program.list(what, sys)?, msg: "" });
    }
    let all = matches!(names.as_slice(), [all] if all == "*");
    let only_cache = args.update_cache && names.is_empty();
    let done = if args.autoremove && names.is_empty() {
        program.autoremove(sys)?
    } else if all && state != State::Latest {
        return Err(Failure::new("name: * is known only with state=latest"));
    } else {
        if args.update_cache {
            program.refresh(sys)?;
        }
        let updates = args.update_only && state != State::Absent;
        if updates && !all {
            let mut installed = program.rpm.installed(&names, state, sys)?.into_iter();
            names.retain(|_| installed.next() == Some(true));
        }
        // What is there and only updated becomes the latest, whatever the state.
        let state = if updates { State::Latest } else { state };
        if all { program.upgrade_all(sys)? } else { program.ensure(names, state, sys)? }
    };
    let msg = match (sys.changes().is_empty(), only_cache) {
        (true, true) => "Cache updated",
        (true, false) => "Nothing to do",
        (false, _) if sys.is_check() => "Check mode: No changes made, but would have if not in check mode",
        (false, _) => "",
    };
    Ok(Returns { rc: 0, results: done.into_iter().map(Json::from).collect(), msg })
}

/// The program that is there, with its own words for the options.
fn program(args: &Args, state: State, sys: &mut System<'_>) -> Result<Program> {
    let name = args.use_backend.program(sys)?;
    let is_fifth = fifth::is_it(name, sys);
    let comes = state != State::Absent;
    if is_fifth && args.download_only && !comes {
        let msg = "download_only goes with packages that come, not with those that are to be absent";
        return Err(Failure::new(msg).with("results", [(); 0]));
    }
    if let Some(file) = &args.conf_file
        && !sys.exists(file)?
    {
        let msg = format!("cannot read configuration file: {}", file.display());
        return Err(Failure::new(msg).with("rc", 1).with("results", [(); 0]));
    }
    if is_fifth {
        fifth::check_root(&args.installroot, sys)?;
    }
    // Addresses of packages have no option of their own: `sslverify=False` holds for repositories, too.
    let unsure =
        !args.sslverify || (!args.validate_certs && args.name.iter().any(|name| name.contains("://")));
    let some = |flags: &[(&str, bool)]| -> Vec<String> {
        flags.iter().filter(|(_, given)| *given).map(|(flag, _)| (*flag).to_owned()).collect()
    };
    let root = (args.installroot.as_os_str() != "/").then(|| args.installroot.text().into_owned());
    let mut places: Vec<String> =
        args.conf_file.iter().map(|file| format!("--config={}", file.text())).collect();
    places.extend(root.as_ref().map(|root| format!("--installroot={root}")));
    let base = || Command::new(name).args(&places).env("LC_ALL", "C");
    let mut knows = |wanted: &[String]| {
        if is_fifth && !wanted.is_empty() { fifth::known(base(), wanted, sys) } else { Ok(wanted.to_vec()) }
    };
    let mut sources = args.shared.sources(name, &mut knows)?;
    sources.extend(some(&[
        ("--security", args.security && comes),
        ("--bugfix", args.bugfix && comes),
        ("--cacheonly", args.cacheonly),
        ("--setopt=sslverify=False", unsure),
    ]));
    let plugins: Vec<String> = [
        listed("enableplugin", Some(&args.enable_plugin)),
        listed("disableplugin", Some(&args.disable_plugin)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if is_fifth && !plugins.is_empty() {
        fifth::check_plugins(base(), &plugins, sys)?;
    }
    sources.extend(plugins);
    sources.extend(args.disable_excludes.as_deref().map(|what| match what {
        "all" if is_fifth => "--setopt=disable_excludes=*".to_owned(),
        what if is_fifth => format!("--setopt=disable_excludes={what}"),
        what => format!("--disableexcludes={what}"),
    }));
    sources.extend(places);
    let mut manners = args.shared.manners();
    manners.extend(some(&[
        ("--best", args.best),
        ("--nobest", args.nobest),
        ("--setopt=install_weak_deps=False", !args.install_weak_deps),
        ("--downloadonly", args.download_only),
        // The last counts.
        ("--setopt=clean_requirements_on_remove=True", args.autoremove && !args.name.is_empty()),
    ]));
    let dir = args.download_dir.as_ref().filter(|_| args.download_only);
    let into = if is_fifth { "--setopt=destdir" } else { "--downloaddir" };
    manners.extend(dir.map(|dir| format!("{into}={}", dir.text())));
    let rpm = rpm::Database { root };
    Ok(Program { name, is_fifth, sources, manners, rpm, may_go_back: args.allow_downgrade })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::Output;
    use crate::kit::trial::Trial;

    /// rpm knows these packages, and no others.
    fn rpm_has(trial: &Trial, names: &[&str]) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        trial.host.script("rpm", move |command, _| {
            let words: Vec<String> =
                command.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
            let asked = words.iter().filter(|word| !word.starts_with('-')).skip(1);
            let missing: Vec<&String> = asked.filter(|name| !names.contains(name)).collect();
            let provides = words.iter().any(|word| word == "--whatprovides");
            let line = |name: &&String| {
                if provides {
                    format!("no package provides {name}\n")
                } else {
                    format!("package {name} is not installed\n")
                }
            };
            let stdout: String = missing.iter().map(line).collect();
            let code = i32::try_from(missing.len()).unwrap();
            Output { code, stdout: stdout.into_bytes(), ..Output::default() }
        });
    }

    #[test]
    fn packages_are_installed_where_they_are_not() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").answer("dnf", 0, "");
        rpm_has(&trial, &["bash"]);
        let result = trial.run(&json!({"name": "bash,git,vim", "enablerepo": "epel", "state": "installed"}));
        assert_eq!(result["changed"], true, "{result}");
        // Two reads of the database for any number of names.
        let ran = ["rpm -q bash git vim", "rpm -q --whatprovides git vim"];
        assert_eq!(trial.host.ran()[..2], ran);
        assert_eq!(trial.host.ran()[2..], ["dnf -y install --setopt=epel.enabled=1 git vim"]);
    }

    #[test]
    fn what_rpm_cannot_tell_is_an_error() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").answer("dnf", 0, "").script("rpm", |_, _| Output {
            code: 1,
            stdout: b"package git is not installed\n".to_vec(),
            stderr: b"error: cannot open Packages database in /var/lib/rpm\n".to_vec(),
            ..Output::default()
        });
        let result = trial.run(&json!({"name": "git"}));
        let said = result["msg"].as_str().unwrap();
        assert!(said.starts_with("rpm does not tell what is installed: error: cannot open"), "{result}");
    }

    #[test]
    fn what_the_repositories_cannot_tell_is_an_error() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").answer("dnf", 1, "no network");
        rpm_has(&trial, &["git"]);
        let result = trial.check(&json!({"name": "git", "state": "latest"}));
        assert_eq!(result["msg"], "dnf does not tell what is newer: no network", "{result}");
    }

    #[test]
    fn everything_is_brought_up_to_date() {
        let trial = Trial::of("yum");
        trial.host.program("/usr/bin/yum").answer("yum", 0, "").answer("yum -q check-update", 100, "");
        assert_eq!(trial.run(&json!({"name": "*", "state": "latest"}))["changed"], true);
        assert_eq!(trial.host.ran(), ["yum -q check-update", "yum -y update"]);
    }

    #[test]
    fn the_fifth_is_used_by_its_own_name_where_there_is_no_other() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf5").answer("dnf5", 0, "");
        rpm_has(&trial, &[]);
        assert_eq!(trial.run(&json!({"name": "git"}))["changed"], true);
        assert_eq!(trial.host.ran().last().unwrap(), "dnf5 -y install git");
    }

    #[test]
    fn options_are_the_programs() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").answer("dnf", 0, "");
        rpm_has(&trial, &[]);
        let args = json!({"name": "git", "nobest": true, "install_weak_deps": false, "disable_plugin": "a,b",
                          "sslverify": false, "download_only": true, "download_dir": "/d"});
        trial.run(&args);
        assert_eq!(
            trial.host.ran().last().unwrap(),
            "dnf -y install --setopt=sslverify=False --disableplugin=a,b --nobest \
             --setopt=install_weak_deps=False --downloadonly --downloaddir=/d git"
        );
    }

    #[test]
    fn sources_are_asked_and_used_and_manners_only_used() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").answer("dnf", 0, "").answer("dnf -q check-update", 100, "");
        trial.host.file("/etc/other.conf", "");
        rpm_has(&trial, &["git"]);
        let args = json!({
            "name": "git", "state": "latest", "enablerepo": "a", "disablerepo": ["b", "c"], "exclude": "kernel*",
            "releasever": "40", "security": true, "bugfix": true, "cacheonly": true, "sslverify": false,
            "enable_plugin": "p", "disable_excludes": "all", "conf_file": "/etc/other.conf",
            "disable_gpg_check": true, "allowerasing": true, "skip_broken": true, "best": true,
        });
        assert_eq!(trial.run(&args)["changed"], true);
        let sources = "--setopt=b.enabled=0 --setopt=c.enabled=0 --setopt=a.enabled=1 --exclude=kernel* --releasever=40 --security --bugfix \
                       --cacheonly --setopt=sslverify=False --enableplugin=p --disableexcludes=all \
                       --config=/etc/other.conf";
        let manners = "--nogpgcheck --allowerasing --skip-broken --best";
        let ran = [
            "rpm -q git".to_owned(),
            format!("dnf -q check-update {sources} git"),
            format!("dnf -y upgrade {sources} {manners} git"),
        ];
        assert_eq!(trial.host.ran(), ran);
    }

    #[test]
    fn what_nothing_needs_goes() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").answer("dnf", 0, "Nothing to do.");
        rpm_has(&trial, &["git"]);
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
        trial.host.program("/usr/bin/dnf").answer("dnf", 100, "");
        rpm_has(&trial, &[]);
        let result = trial.run(&json!({"name": "git", "state": "latest", "update_only": true}));
        assert_eq!(result["changed"], false, "{result}");
    }

    #[test]
    fn another_root_is_told_to_both_programs() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").program("/usr/bin/dnf-3").answer("dnf-3", 0, "");
        rpm_has(&trial, &[]);
        trial.run(&json!({"name": "git", "installroot": "/mnt", "use_backend": "dnf4"}));
        let ran = [
            "rpm --root=/mnt -q git",
            "rpm --root=/mnt -q --whatprovides git",
            "dnf-3 -y install --installroot=/mnt git",
        ];
        assert_eq!(trial.host.ran(), ran);
        let none = trial.run(&json!({"name": "git", "use_backend": "dnf5"}));
        assert_eq!(none["msg"], "use_backend: there is no program dnf5");
    }

    #[test]
    fn a_package_becomes_older_only_where_it_may() {
        let ran = |args: Json| {
            let trial = Trial::of("dnf");
            trial.host.program("/usr/bin/dnf").answer("dnf", 0, "");
            rpm_has(&trial, &["git"]);
            trial.host.answer("rpm -q --qf", 0, "git (none) 2.4 3.el9\n");
            let result = trial.run(&args);
            assert_eq!(result["failed"], Json::Null, "{result}");
            let ran = trial.host.ran().into_iter().find(|line| line.starts_with("dnf")).unwrap_or_default();
            (result["changed"] == true, ran)
        };
        assert_eq!(ran(json!({"name": "git-2.3"})), (false, String::new()));
        assert_eq!(ran(json!({"name": "git-2.4-2.el9.x86_64"})), (false, String::new()));
        assert_eq!(ran(json!({"name": "git-2.10"})), (true, "dnf -y install git-2.10".to_owned()));
        let may = json!({"name": "git-2.3", "allow_downgrade": true});
        assert_eq!(ran(may), (true, "dnf -y install git-2.3".to_owned()));
    }

    #[test]
    fn packages_are_told() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").answer("dnf", 0, "");
        trial.host.answer("dnf -q repoquery --queryformat %{name}\\t%{epoch}\\t%{version}\\t%{release}\\t%{arch}\\t%{reponame}\\n --installed", 0, "git\t0\t2.4\t3\tx86_64\t@System\n");
        trial.host.answer("dnf -q repolist", 0, "repo id          repo name\nbase     Base\n");
        let told = trial.run(&json!({"list": "git"}));
        let git = json!({"name": "git", "epoch": "0", "version": "2.4", "release": "3", "arch": "x86_64",
            "repo": "@System", "nevra": "0:git-2.4-3.x86_64", "envra": "0:git-2.4-3.x86_64", "yumstate": "installed"});
        assert_eq!((&told["changed"], &told["results"]), (&json!(false), &json!([git])));
        let repos = trial.run(&json!({"list": "repos"}));
        assert_eq!(repos["results"], json!([{"repoid": "base", "state": "enabled"}]));
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

    #[test]
    fn what_rpm_cannot_tell_the_package_manager_does() {
        let ran = |name: &str, state: &str, said: &str| {
            let trial = Trial::of("dnf");
            trial.host.program("/usr/bin/dnf");
            rpm_has(&trial, &[]);
            trial.host.answer("rpm -qa php*", 0, "php-8\n").answer("rpm -qa nginx*", 0, "");
            trial.host.answer("dnf", 0, said);
            let result = trial.run(&json!({"name": name, "state": state}));
            let ran = trial.host.ran().into_iter().find(|line| line.starts_with("dnf")).unwrap_or_default();
            (result["changed"].as_bool().unwrap(), ran)
        };
        let remove = |name: &str| format!("dnf -y remove --setopt=clean_requirements_on_remove=False {name}");
        assert_eq!(ran("@web", "absent", "Removed"), (true, remove("@web")));
        assert_eq!(ran("@web", "absent", "No packages marked for removal."), (false, remove("@web")));
        assert_eq!(ran("php*", "absent", "Removed"), (true, remove("php*")));
        assert_eq!(ran("nginx*", "absent", ""), (false, String::new()));
        assert_eq!(ran("git", "absent", ""), (false, String::new()));
        assert_eq!(ran("@web", "present", "Nothing to do."), (false, "dnf -y install @web".to_owned()));
    }

    #[test]
    fn lists_that_cannot_be_fetched_are_an_error() {
        let trial = Trial::of("dnf");
        trial.host.program("/usr/bin/dnf").answer("dnf", 1, "no network");
        let result = trial.run(&json!({"name": "git", "state": "present", "update_cache": true}));
        assert_eq!(result["msg"], "Failed to update the lists of packages: no network");
    }
}
