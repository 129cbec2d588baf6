use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::apt::{self, State};
use crate::kit::{Command, Failure, Result, System};

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
    #[serde(flatten)]
    apt: apt::Args,
    #[serde(flatten)]
    dnf: Dnf,
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
    /// For dnf: accepts packages without a good signature.
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
    fn options(&self) -> Vec<(&'static str, String)> {
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

/// The first that is there rules.
const MANAGERS: &[Manager] = &[
    Manager {
        name: "dnf",
        path: "/usr/bin/dnf",
        installed: &["rpm", "-q", "--whatprovides"],
        current: Some(&["dnf", "-q", "check-update"]),
        install: &["dnf", "-y", "install"],
        upgrade: &["dnf", "-y", "upgrade"],
        remove: &["dnf", "-y", "remove"],
        refresh: &["dnf", "-q", "makecache"],
    },
    Manager {
        name: "yum",
        path: "/usr/bin/yum",
        installed: &["rpm", "-q", "--whatprovides"],
        current: Some(&["yum", "-q", "check-update"]),
        install: &["yum", "-y", "install"],
        upgrade: &["yum", "-y", "update"],
        remove: &["yum", "-y", "remove"],
        refresh: &["yum", "-q", "makecache"],
    },
    Manager {
        name: "zypper",
        path: "/usr/bin/zypper",
        installed: &["rpm", "-q", "--whatprovides"],
        current: None,
        install: &["zypper", "--non-interactive", "install"],
        upgrade: &["zypper", "--non-interactive", "update"],
        remove: &["zypper", "--non-interactive", "remove"],
        refresh: &["zypper", "--non-interactive", "refresh"],
    },
    Manager {
        name: "pacman",
        path: "/usr/bin/pacman",
        installed: &["pacman", "-Q"],
        current: Some(&["sh", "-c", "! pacman -Qu \"$1\"", "sh"]),
        install: &["pacman", "--noconfirm", "-S", "--needed"],
        upgrade: &["pacman", "--noconfirm", "-S", "--needed"],
        remove: &["pacman", "--noconfirm", "-R"],
        refresh: &["pacman", "-Sy"],
    },
    Manager {
        name: "apk",
        path: "/sbin/apk",
        installed: &["apk", "info", "-e"],
        current: Some(&["sh", "-c", "test -z \"$(apk version -q -l '<' \"$1\")\"", "sh"]),
        install: &["apk", "add"],
        upgrade: &["apk", "add", "-u"],
        remove: &["apk", "del"],
        refresh: &["apk", "update"],
    },
];

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Json> {
    let wanted = args.r#use.rsplit('.').next().unwrap_or_default().to_owned();
    let debian = sys.exists(Path::new("/usr/bin/apt-get"))?;
    if wanted == "apt" || (wanted == "auto" && debian) {
        if let Some((option, _)) = args.dnf.options().first() {
            return Err(not_with(option, "apt"));
        }
        let returns = apt::run(args.apt, sys)?;
        return serde_json::to_value(returns).map_err(|error| Failure::new(error.to_string()));
    }
    let mut found = None;
    for manager in MANAGERS {
        if manager.name == wanted || (wanted == "auto" && sys.exists(Path::new(manager.path))?) {
            found = Some(manager);
            break;
        }
    }
    let Some(manager) = found else {
        let known: Vec<&str> =
            ["apt"].into_iter().chain(MANAGERS.iter().map(|manager| manager.name)).collect();
        return Err(Failure::new(if wanted == "auto" {
            format!("Could not detect which package manager to use; known are {}", known.join(", "))
        } else {
            format!("use: '{wanted}' is not supported yet; known are {}", known.join(", "))
        }));
    };
    if let Some(option) = args.apt.only_apt() {
        return Err(not_with(option, manager.name));
    }
    let options = args.dnf.options();
    if let Some((option, _)) = options.first().filter(|_| !matches!(manager.name, "dnf" | "yum")) {
        return Err(not_with(option, manager.name));
    }
    let options: Vec<String> = options.into_iter().map(|(_, option)| option).collect();
    let wanted = Wanted {
        names: &args.apt.name,
        state: args.apt.state,
        update_cache: args.apt.update_cache == Some(true),
    };
    ensure(manager, &wanted, &options, sys)?;
    Ok(Json::Object(Map::new()))
}

fn not_with(option: &str, manager: &str) -> Failure {
    Failure::new(format!("package: {option} means nothing to this host's package manager, {manager}"))
}

/// The package manager of that name.
pub(crate) fn manager(name: &str) -> Option<&'static Manager> {
    MANAGERS.iter().find(|manager| manager.name == name)
}

/// What dnf and yum are asked for by their own module.
pub(crate) fn ensure_with(
    manager: &Manager,
    wanted: &Wanted<'_>,
    dnf: &Dnf,
    sys: &mut System<'_>,
) -> Result<()> {
    let options: Vec<String> = dnf.options().into_iter().map(|(_, option)| option).collect();
    if !matches!(wanted.names, [all] if all == "*") {
        return ensure(manager, wanted, &options, sys);
    }
    if wanted.state != State::Latest {
        return Err(Failure::new("name: * is known only with state=latest"));
    }
    if wanted.update_cache {
        sys.housekeep(words(manager.refresh).args(options.iter().cloned()))?;
    }
    let current = match manager.current {
        Some(ask) => sys.query(words(ask).args(options.iter().cloned()))?.ok(),
        None => false,
    };
    if !current {
        sys.exec(words(manager.upgrade).args(options))?;
    }
    Ok(())
}

/// What is asked of a package manager.
pub(crate) struct Wanted<'a> {
    pub names: &'a [String],
    pub state: State,
    pub update_cache: bool,
}

/// `options` are the package manager's own, for what it installs.
fn ensure(manager: &Manager, args: &Wanted<'_>, options: &[String], sys: &mut System<'_>) -> Result<()> {
    if args.update_cache {
        sys.housekeep(words(manager.refresh).args(options.iter().cloned()))?;
    }
    let mut missing = Vec::new();
    let mut there = Vec::new();
    for name in args.names {
        if sys.query(words(manager.installed).arg(name))?.ok() {
            there.push(name.clone());
        } else {
            missing.push(name.clone());
        }
    }
    let change = |sys: &mut System<'_>, verb: &[&str], names: &[String]| -> Result<()> {
        if names.is_empty() {
            Ok(())
        } else {
            sys.exec(words(verb).args(options.iter().chain(names).cloned())).map(drop)
        }
    };
    match args.state {
        State::Absent => change(sys, manager.remove, &there),
        State::BuildDep | State::Fixed => Err(Failure::new("package: that state is known only with apt")),
        State::Present => change(sys, manager.install, &missing),
        State::Latest => {
            change(sys, manager.install, &missing)?;
            let mut old = Vec::new();
            for name in there {
                let current = match manager.current {
                    Some(ask) => sys.query(words(ask).arg(&name))?.ok(),
                    None => false,
                };
                if !current {
                    old.push(name);
                }
            }
            change(sys, manager.upgrade, &old)
        }
    }
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
        trial.host.program("/sbin/apk").answer("apk", 0, "").answer("apk info -e vim", 1, "");
        let result = trial.run(&json!({"name": ["git", "vim"], "state": "present"}));
        assert_eq!(result["changed"], true, "{result}");
        assert_eq!(trial.host.ran(), ["apk info -e git", "apk info -e vim", "apk add vim"]);
        let result = trial.run(&json!({"name": "vim", "state": "absent"}));
        assert_eq!(result["changed"], false, "{result}");
    }

    #[test]
    fn options_of_apt_go_to_apt_and_nowhere_else() {
        let args = json!({"pkg": "git", "update_cache": true, "purge": true});
        let trial = Trial::of("package");
        trial.host.program("/sbin/apk").answer("apk", 0, "");
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
    fn an_unknown_system_is_an_error() {
        let result = Trial::of("package").run(&json!({"name": "git", "state": "present"}));
        assert_eq!(result["failed"], true);
    }
}
