use std::path::Path;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::apk;
use crate::apt;
use crate::dnf::State;
use crate::kit::{Command, Failure, Output, Result, System};
use crate::pacman;
use crate::zypper;

/// Manages packages with whatever package manager rules the host.
///
/// apt, dnf, yum, zypper, pacman and apk are known. Names differ between distributions; use variables for them.
/// The other options are those of apt, and some of dnf's: on a host that has another package manager they are
/// errors, save `update_cache`, which all know.
///
/// # Examples
///
/// ```yaml
/// - name: The web server is there
///   package:
///     name: nginx
///     state: present
///
/// - name: Several packages
///   package:
///     name: [git, rsync]
///     state: latest
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["deb", "name"]]))]
pub struct Args {
    /// Which package manager to use: `auto` finds out.
    #[serde(default = "auto")]
    pub r#use: String,
    /// Packages, as the host's package manager names them.
    #[serde(default)]
    #[schemars(extend("aliases" = ["package", "pkg"]))]
    name: Vec<String>,
    /// Whether they are there. Each package manager knows some of the words: `installed` and `removed` are dnf's,
    /// `build-dep` and `fixed` are apt's.
    #[serde(default)]
    state: AnyState,
    #[serde(flatten)]
    apt: apt::Options,
    #[serde(flatten)]
    dnf: Dnf,
}

/// All states that any package manager knows.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum AnyState {
    Absent,
    BuildDep,
    Fixed,
    Installed,
    Latest,
    #[default]
    Present,
    Removed,
}

impl AnyState {
    fn of_apt(self) -> Result<apt::State> {
        match self {
            Self::Absent => Ok(apt::State::Absent),
            Self::BuildDep => Ok(apt::State::BuildDep),
            Self::Fixed => Ok(apt::State::Fixed),
            Self::Latest => Ok(apt::State::Latest),
            Self::Present => Ok(apt::State::Present),
            Self::Installed => Err(unknown("absent, build-dep, fixed, latest, present", "installed")),
            Self::Removed => Err(unknown("absent, build-dep, fixed, latest, present", "removed")),
        }
    }

    fn of_others(self) -> Result<State> {
        match self {
            Self::Absent | Self::Removed => Ok(State::Absent),
            Self::Latest => Ok(State::Latest),
            Self::Present | Self::Installed => Ok(State::Present),
            Self::BuildDep => Err(unknown("absent, installed, latest, present, removed", "build-dep")),
            Self::Fixed => Err(unknown("absent, installed, latest, present, removed", "fixed")),
        }
    }
}

fn unknown(known: &str, got: &str) -> Failure {
    Failure::new(format!("value of state must be one of: {known}, got: {got}"))
}

/// What only dnf and yum know.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Dnf {
    /// For dnf: repositories to use though they are disabled.
    enablerepo: Option<Vec<String>>,
    /// For dnf: repositories not to use.
    disablerepo: Option<Vec<String>>,
    /// For dnf: packages to leave alone.
    exclude: Option<Vec<String>>,
    /// For dnf and zypper: accepts packages without a good signature.
    #[serde(default)]
    disable_gpg_check: bool,
    /// For dnf: removes what is in the way of an installation.
    #[serde(default)]
    allowerasing: bool,
    /// For dnf: leaves out packages that cannot be installed.
    #[serde(default)]
    skip_broken: bool,
    /// For dnf: the release of the distribution to install from.
    releasever: Option<String>,
}

impl Dnf {
    /// What was given, as dnf's own options.
    pub(crate) fn options(&self) -> Vec<(&'static str, String)> {
        let lists = [
            ("enablerepo", &self.enablerepo),
            ("disablerepo", &self.disablerepo),
            ("exclude", &self.exclude),
        ];
        let flags = [
            ("disable_gpg_check", "--nogpgcheck", self.disable_gpg_check),
            ("allowerasing", "--allowerasing", self.allowerasing),
            ("skip_broken", "--skip-broken", self.skip_broken),
        ];
        let lists = lists.into_iter().filter_map(|(name, list)| {
            let list = list.as_ref().filter(|list| !list.is_empty())?;
            Some((name, format!("--{name}={}", list.join(","))))
        });
        let flags =
            flags.into_iter().filter(|(_, _, given)| *given).map(|(name, flag, _)| (name, flag.to_owned()));
        let release = self.releasever.iter().map(|release| ("releasever", format!("--releasever={release}")));
        lists.chain(flags).chain(release).collect()
    }
}

fn auto() -> String {
    "auto".to_owned()
}

/// A package manager as data.
pub(crate) struct Manager {
    name: &'static str,
    /// Its program, by which it is recognised.
    path: &'static str,
    /// Ends well when the package (added as last argument) is installed.
    installed: &'static [&'static str],
    /// Ends badly when the package could be upgraded.
    current: Option<&'static [&'static str]>,
    install: &'static [&'static str],
    upgrade: &'static [&'static str],
    remove: &'static [&'static str],
    /// Fetches the lists of packages.
    refresh: &'static [&'static str],
}

/// What was installed for the sake of a package stays when that goes, as in Ansible.
pub(crate) const KEEP_REQUIREMENTS: &str = "--setopt=clean_requirements_on_remove=False";

/// Those that have a module of their own, and the programs by which they are recognised. The first that is there rules,
/// after those below.
const OWN: [(&str, &str); 4] = [
    ("zypper", "/usr/bin/zypper"),
    ("pacman", "/usr/bin/pacman"),
    ("apk", "/sbin/apk"),
    ("apk", "/usr/bin/apk"),
];

/// The first that is there rules.
const MANAGERS: &[Manager] = &[
    Manager {
        name: "dnf",
        path: "/usr/bin/dnf",
        installed: &["rpm", "-q", "--whatprovides"],
        current: Some(&["dnf", "-q", "check-update"]),
        install: &["dnf", "-y", "install"],
        upgrade: &["dnf", "-y", "upgrade"],
        remove: &["dnf", "-y", "remove", KEEP_REQUIREMENTS],
        refresh: &["dnf", "-q", "makecache"],
    },
    Manager {
        name: "yum",
        path: "/usr/bin/yum",
        installed: &["rpm", "-q", "--whatprovides"],
        current: Some(&["yum", "-q", "check-update"]),
        install: &["yum", "-y", "install"],
        upgrade: &["yum", "-y", "update"],
        remove: &["yum", "-y", "remove", KEEP_REQUIREMENTS],
        refresh: &["yum", "-q", "makecache"],
    },
];

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Json> {
    let wanted = args.r#use.rsplit('.').next().unwrap_or_default().to_owned();
    let debian = sys.exists(Path::new("/usr/bin/apt-get"))?;
    if wanted == "apt" || (wanted == "auto" && debian) {
        if let Some((option, _)) = args.dnf.options().first() {
            return Err(not_with(option, "apt"));
        }
        let args = apt::Args { name: args.name, state: args.state.of_apt()?, options: args.apt };
        return told(apt::run(args, sys)?);
    }
    let mut found = None;
    for manager in MANAGERS {
        if manager.name == wanted || (wanted == "auto" && sys.exists(Path::new(manager.path))?) {
            found = Some(manager);
            break;
        }
    }
    let mut own = None;
    for (name, path) in OWN {
        if name == wanted || (wanted == "auto" && found.is_none() && sys.exists(Path::new(path))?) {
            own = Some(name);
            break;
        }
    }
    if let Some(name) = own {
        return args.by_own_module(name, sys);
    }
    let Some(manager) = found else {
        let others = MANAGERS.iter().map(|manager| manager.name);
        let known: Vec<&str> = ["apt"].into_iter().chain(others).chain(["zypper", "pacman", "apk"]).collect();
        return Err(Failure::new(if wanted == "auto" {
            format!("Could not detect which package manager to use; known are {}", known.join(", "))
        } else {
            format!("use: '{wanted}' is not supported yet; known are {}", known.join(", "))
        }));
    };
    let options = args.dnf.options();
    args.refuse_others(manager.name, if manager.is_dnf() { &[] } else { &options })?;
    let options: Vec<String> = options.into_iter().map(|(_, option)| option).collect();
    let wanted = Wanted {
        names: &args.name,
        state: args.state.of_others()?,
        update_cache: args.apt.update_cache == Some(true),
    };
    ensure(manager, &wanted, &options, sys)?;
    Ok(Json::Object(Map::new()))
}

impl Args {
    /// What is asked for, in the words of that package manager's module.
    fn by_own_module(self, name: &str, sys: &mut System<'_>) -> Result<Json> {
        // One option zypper knows by the same name.
        let zypper = name == "zypper";
        let mut dnf = self.dnf.options();
        dnf.retain(|(option, _)| !(zypper && *option == "disable_gpg_check"));
        self.refuse_others(name, &dnf)?;
        let mut asked = json!({
            "name": self.name,
            "state": self.state.of_others()?,
            "update_cache": self.apt.update_cache.unwrap_or_default(),
        });
        if zypper && let Some(asked) = asked.as_object_mut() {
            asked.insert("disable_gpg_check".to_owned(), self.dnf.disable_gpg_check.into());
        }
        match name {
            "zypper" => told(zypper::run(understood(asked)?, sys)?),
            "pacman" => told(pacman::run(understood(asked)?, sys)?),
            _ => told(apk::run(understood(asked)?, sys)?),
        }
    }

    /// Options of apt's, and those given of dnf's, are errors where neither rules.
    fn refuse_others(&self, manager: &str, dnf: &[(&str, String)]) -> Result<()> {
        let dnf = dnf.first().map(|(option, _)| *option);
        self.apt.only_apt().or(dnf).map_or(Ok(()), |option| Err(not_with(option, manager)))
    }
}

fn understood<A: DeserializeOwned>(asked: Json) -> Result<A> {
    serde_json::from_value(asked).map_err(|error| Failure::new(error.to_string()))
}

fn told(returns: impl Serialize) -> Result<Json> {
    serde_json::to_value(returns).map_err(|error| Failure::new(error.to_string()))
}

fn not_with(option: &str, manager: &str) -> Failure {
    Failure::new(format!("package: {option} means nothing to this host's package manager, {manager}"))
}

/// The package manager of that name.
pub(crate) fn manager(name: &str) -> Option<&'static Manager> {
    MANAGERS.iter().find(|manager| manager.name == name)
}

/// What is asked of a package manager.
pub(crate) struct Wanted<'a> {
    pub names: &'a [String],
    pub state: State,
    pub update_cache: bool,
}

/// Brings everything up to date. Only dnf and yum have a word for what could be.
pub(crate) fn upgrade_all(
    manager: &Manager,
    update_cache: bool,
    options: &[String],
    sys: &mut System<'_>,
) -> Result<()> {
    if update_cache {
        refresh(manager, options, sys)?;
    }
    let current = match manager.current {
        Some(ask) => sys.query(words(ask).args(options.iter().cloned()))?.ok(),
        None => false,
    };
    if current { Ok(()) } else { change(manager.upgrade, options, &[], sys) }
}

/// `options` are the package manager's own, for what it installs.
pub(crate) fn ensure(
    manager: &Manager,
    args: &Wanted<'_>,
    options: &[String],
    sys: &mut System<'_>,
) -> Result<()> {
    if args.update_cache {
        refresh(manager, options, sys)?;
    }
    let mut missing = Vec::new();
    let mut there = Vec::new();
    for name in args.names {
        let list = if is_installed(manager, name, args.state, sys)? { &mut there } else { &mut missing };
        list.push(name.clone());
    }
    match args.state {
        State::Absent => change_some(manager.remove, options, &there, sys),
        State::Present => install(manager, options, &missing, sys),
        State::Latest => {
            install(manager, options, &missing, sys)?;
            let mut old = Vec::new();
            for name in there {
                // With the options: a repository that is not used else may have a newer one.
                let current = match manager.current {
                    Some([program, rest @ ..]) if manager.is_dnf() => {
                        let ask = Command::new(*program).args(rest.iter().copied()).env("LC_ALL", "C");
                        sys.query(ask.args(options.iter().chain([&name]).cloned()))?.ok()
                    }
                    Some(ask) => sys.query(words(ask).arg(&name))?.ok(),
                    None => false,
                };
                if !current {
                    old.push(name);
                }
            }
            change_some(manager.upgrade, options, &old, sys)
        }
    }
}

fn install(manager: &Manager, options: &[String], names: &[String], sys: &mut System<'_>) -> Result<()> {
    if !names.is_empty() {
        sys.foretell_packages();
    }
    change_some(manager.install, options, names, sys)
}

impl Manager {
    fn is_dnf(&self) -> bool {
        matches!(self.name, "dnf" | "yum")
    }
}

/// Whether a package is installed. What is no package's name (a group, a pattern, a version) is to go when it may be
/// there, and is to come when it may not: the package manager knows.
fn is_installed(manager: &Manager, name: &str, state: State, sys: &mut System<'_>) -> Result<bool> {
    if manager.installed.first() == Some(&"rpm") {
        if name.contains(['*', '?', '[']) {
            let found = sys.query(words(&["rpm", "-qa"]).arg(name))?;
            return Ok(state == State::Absent && !found.stdout.is_empty());
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || "._+-:~^".contains(c);
        if !name.chars().all(is_name) {
            return Ok(state == State::Absent);
        }
        // By its name, also with version and architecture; else by what it provides.
        if sys.query(words(&["rpm", "-q"]).arg(name))?.ok() {
            return Ok(true);
        }
    }
    Ok(sys.query(words(manager.installed).arg(name))?.ok())
}

fn refresh(manager: &Manager, options: &[String], sys: &mut System<'_>) -> Result<()> {
    match sys.housekeep(words(manager.refresh).args(options.iter().cloned()))? {
        Some(output) if !output.ok() => {
            let said = [output.stderr(), output.stdout()].map(|text| text.trim().to_owned());
            let said = said.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
            Err(Failure::new(format!("Failed to update the lists of packages: {said}"))
                .with("rc", output.code))
        }
        _ => Ok(()),
    }
}

fn change_some(verb: &[&str], options: &[String], names: &[String], sys: &mut System<'_>) -> Result<()> {
    if names.is_empty() { Ok(()) } else { change(verb, options, names, sys) }
}

/// Package managers say so when they had nothing to do.
fn change(verb: &[&str], options: &[String], names: &[String], sys: &mut System<'_>) -> Result<()> {
    let judge = |output: &Output| {
        let said = format!("{}{}", output.stdout(), output.stderr()).to_lowercase();
        !["nothing to do", "no packages marked"].iter().any(|nothing| said.contains(nothing))
    };
    sys.exec_judged(words(verb).args(options.iter().chain(names).cloned()), judge).map(drop)
}

fn words(words: &[&str]) -> Command {
    let mut words = words.iter();
    let command = Command::new(words.next().copied().unwrap_or_default());
    command.args(words.copied()).env("LC_ALL", "C")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kit::trial::Trial;

    #[test]
    fn apk() {
        let trial = Trial::of("package");
        trial.host.program("/sbin/apk").answer("/sbin/apk", 0, "").file("/etc/apk/world", "git\n");
        trial.host.answer("/sbin/apk info --installed vim", 1, "");
        let result = trial.run(&json!({"name": ["git", "vim"], "state": "present"}));
        assert_eq!(result["changed"], true, "{result}");
        assert_eq!(trial.host.ran(), ["/sbin/apk info --installed git", "/sbin/apk add vim"]);
        let result = trial.run(&json!({"name": "vim", "state": "absent"}));
        assert_eq!(result["changed"], false, "{result}");
    }

    #[test]
    fn zypper() {
        let trial = Trial::of("package");
        let told = "<to-install><solvable name=\"vim\" edition=\"9\"></solvable></to-install>";
        trial.host.program("/usr/bin/zypper").answer("/usr/bin/zypper", 0, told).answer("rpm", 1, "git\n");
        let result = trial.run(&json!({"name": ["git", "vim"], "state": "installed", "update_cache": true}));
        assert_eq!((&result["changed"], &result["state"]), (&json!(true), &json!("present")), "{result}");
        assert!(trial.host.ran().last().unwrap().ends_with(" -- +vim"), "{:?}", trial.host.ran());
        assert_eq!(trial.run(&json!({"name": "git"}))["changed"], false);
    }

    #[test]
    fn pacman() {
        let trial = Trial::of("package");
        trial.host.program("/usr/bin/pacman").answer("/usr/bin/pacman", 0, "");
        trial.host.answer("/usr/bin/pacman --query", 0, "git 2.4-1\n");
        trial.host.answer("/usr/bin/pacman --sync --groups", 1, "");
        let result = trial.run(&json!({"name": ["git", "vim"], "state": "installed"}));
        assert_eq!(result["msg"], "Installed 1 package(s)", "{result}");
        let install = "/usr/bin/pacman --sync --noconfirm --noprogressbar --needed vim";
        assert_eq!(trial.host.ran().last().map(String::as_str), Some(install));
        let result = trial.run(&json!({"name": "git", "enablerepo": "extra"}));
        assert_eq!(result["msg"], "package: enablerepo means nothing to this host's package manager, pacman");
    }

    #[test]
    fn options_of_apt_go_to_apt_and_nowhere_else() {
        let args = json!({"pkg": "git", "update_cache": true, "purge": true});
        let trial = Trial::of("package");
        trial.host.program("/sbin/apk").answer("/sbin/apk", 0, "").file("/etc/apk/world", "git\n");
        assert_eq!(trial.run(&json!({"name": "git", "state": "installed"}))["changed"], false);
        let result = trial.run(&args);
        assert_eq!(result["msg"], "package: purge means nothing to this host's package manager, apk");
        let trial = Trial::of("package");
        trial.host.file("/var/lib/dpkg/status", "").program("/usr/bin/apt-get");
        trial.host.answer("apt-get", 0, "0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.\n");
        assert_eq!(trial.run(&args)["changed"], true);
        let ran = trial.host.ran().join("; ");
        assert!(ran.contains("update") && ran.contains("--purge install git"), "{ran}");
        let result = trial.run(&json!({"name": "git", "enablerepo": "epel"}));
        assert_eq!(result["msg"], "package: enablerepo means nothing to this host's package manager, apt");
    }

    #[test]
    fn options_of_dnf_go_to_dnf() {
        let trial = Trial::of("package");
        trial.host.program("/usr/bin/dnf").answer("dnf", 0, "").answer("rpm", 1, "");
        trial.run(&json!({"name": "git", "enablerepo": "epel,crb", "disable_gpg_check": true}));
        let install = "dnf -y install --enablerepo=epel,crb --nogpgcheck git";
        assert_eq!(trial.host.ran().last().map(String::as_str), Some(install));
    }

    #[test]
    fn what_rpm_cannot_tell_the_package_manager_does() {
        let ran = |name: &str, state: &str, said: &str| {
            let trial = Trial::of("package");
            trial.host.program("/usr/bin/dnf").answer("rpm", 1, "").answer("rpm -qa php*", 0, "php-8\n");
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
        let trial = Trial::of("package");
        trial.host.program("/usr/bin/dnf").answer("rpm", 0, "").answer("dnf", 1, "no network");
        let result = trial.run(&json!({"name": "git", "state": "present", "update_cache": true}));
        assert_eq!(result["msg"], "Failed to update the lists of packages: no network");
    }

    #[test]
    fn an_unknown_system_is_an_error() {
        let result = Trial::of("package").run(&json!({"name": "git", "state": "present"}));
        assert_eq!(result["failed"], true);
    }
}
