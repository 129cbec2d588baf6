use std::path::Path;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::dnf::{self, State};
use crate::kit::{Failure, Result, System};
use crate::{apk, apt, homebrew, opkg, pacman, pkgng, zypper};

/// Manages packages with whatever package manager rules the host.
///
/// apt, dnf, yum, zypper, pacman, apk, opkg, FreeBSD's pkg and Homebrew are known. Names differ between distributions; use variables
/// for them. The other options are those of apt, and some of dnf's: on a host that has another package manager they are
/// errors, save `update_cache`, which all but pkg and Homebrew know.
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
    dnf: dnf::Options,
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

fn auto() -> String {
    "auto".to_owned()
}

/// The package managers, and the programs by which they are recognised: the first that is there rules.
const MANAGERS: [(&str, &str); 14] = [
    ("apt", "/usr/bin/apt-get"),
    ("dnf", "/usr/bin/dnf"),
    ("yum", "/usr/bin/yum"),
    ("zypper", "/usr/bin/zypper"),
    ("pacman", "/usr/bin/pacman"),
    ("apk", "/sbin/apk"),
    ("apk", "/usr/bin/apk"),
    ("opkg", "/bin/opkg"),
    ("opkg", "/usr/bin/opkg"),
    ("pkgng", "/usr/local/sbin/pkg"),
    ("pkgng", "/usr/sbin/pkg"),
    ("homebrew", "/usr/local/bin/brew"),
    ("homebrew", "/opt/homebrew/bin/brew"),
    ("homebrew", "/home/linuxbrew/.linuxbrew/bin/brew"),
];

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Json> {
    let manager = manager(args.r#use.rsplit('.').next().unwrap_or_default(), sys)?;
    if manager == "apt" {
        refuse(args.dnf.given().next(), manager)?;
        let args = apt::Args { name: args.name, state: args.state.of_apt()?, options: args.apt };
        return told(apt::run(args, sys)?);
    }
    let of_dnf = args.dnf.given().find(|option| match manager {
        "dnf" | "yum" => false,
        "zypper" => *option != "disable_gpg_check",
        _ => true,
    });
    refuse(args.apt.only_apt().or(of_dnf), manager)?;
    if matches!(manager, "homebrew" | "pkgng") {
        refuse(args.apt.update_cache.map(|_| "update_cache"), manager)?;
        let asked = json!({"name": args.name, "state": args.state.of_others()?});
        return match manager {
            "pkgng" => told(pkgng::run(understood(asked)?, sys)?),
            _ => told(homebrew::run(understood(asked)?, sys)?),
        };
    }
    let asked = json!({
        "name": args.name,
        "state": args.state.of_others()?,
        "update_cache": args.apt.update_cache.unwrap_or_default(),
    });
    match manager {
        "dnf" | "yum" => told(dnf::run(dnf::Args { shared: args.dnf, ..understood(asked)? }, sys)?),
        "zypper" => {
            let disable_gpg_check = args.dnf.disable_gpg_check;
            told(zypper::run(zypper::Args { disable_gpg_check, ..understood(asked)? }, sys)?)
        }
        "pacman" => told(pacman::run(understood(asked)?, sys)?),
        "opkg" if args.state == AnyState::Latest => {
            Err(unknown("absent, installed, present, removed", "latest"))
        }
        "opkg" => told(opkg::run(understood(asked)?, sys)?),
        _ => told(apk::run(understood(asked)?, sys)?),
    }
}

/// The name of the one that was asked for, or that the host has.
fn manager(wanted: &str, sys: &System<'_>) -> Result<&'static str> {
    for (name, path) in MANAGERS {
        if name == wanted || (wanted == "auto" && sys.exists(Path::new(path))?) {
            return Ok(name);
        }
    }
    let mut known: Vec<&str> = MANAGERS.iter().map(|(name, _)| *name).collect();
    known.dedup();
    let known = known.join(", ");
    Err(Failure::new(if wanted == "auto" {
        format!("Could not detect which package manager to use; known are {known}")
    } else {
        format!("use: '{wanted}' is not supported yet; known are {known}")
    }))
}

/// An option of another package manager's.
fn refuse(option: Option<&str>, manager: &str) -> Result<()> {
    option.map_or(Ok(()), |option| {
        Err(Failure::new(format!(
            "package: {option} means nothing to this host's package manager, {manager}"
        )))
    })
}

fn understood<A: DeserializeOwned>(asked: Json) -> Result<A> {
    serde_json::from_value(asked).map_err(|error| Failure::new(error.to_string()))
}

fn told(returns: impl Serialize) -> Result<Json> {
    serde_json::to_value(returns).map_err(|error| Failure::new(error.to_string()))
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
        assert_eq!(trial.host.ran(), ["/sbin/apk info --installed git vim", "/sbin/apk add vim"]);
        let result = trial.run(&json!({"name": "vim", "state": "absent"}));
        assert_eq!(result["changed"], false, "{result}");
    }

    #[test]
    fn opkg_and_homebrew() {
        let trial = Trial::of("package");
        trial.host.program("/bin/opkg").answer("/bin/opkg", 0, "").answer(
            "/bin/opkg list-installed",
            0,
            "git - 2.4\n",
        );
        assert_eq!(trial.run(&json!({"name": "git", "update_cache": true}))["changed"], false);
        let latest = trial.run(&json!({"name": "git", "state": "latest"}));
        assert_eq!(
            latest["msg"],
            "value of state must be one of: absent, installed, present, removed, got: latest"
        );
        let trial = Trial::of("package");
        let brew = "/home/linuxbrew/.linuxbrew/bin/brew";
        let told = json!({"formulae": [{"name": "git", "installed": []}]});
        trial.host.program(brew).answer(brew, 0, "").answer(&format!("{brew} info"), 0, &told.to_string());
        assert_eq!(trial.run(&json!({"name": "git"}))["msg"], "Package installed: git");
        let refused = trial.run(&json!({"name": "git", "update_cache": true}));
        assert_eq!(
            refused["msg"],
            "package: update_cache means nothing to this host's package manager, homebrew"
        );
    }

    #[test]
    fn pkgng() {
        let trial = Trial::of("package");
        trial.host.program("/usr/local/sbin/pkg").answer("/usr/local/sbin/pkg", 0, "");
        trial.host.answer("/usr/local/sbin/pkg query", 0, "git devel/git git-2.4\n");
        assert_eq!(trial.run(&json!({"name": "git"}))["msg"], "package(s) already present");
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
        trial.host.program("/usr/bin/dnf").answer("dnf", 0, "");
        trial.host.answer("rpm -q git", 1, "package git is not installed\n");
        trial.host.answer("rpm -q --whatprovides git", 1, "no package provides git\n");
        trial.run(&json!({"name": "git", "enablerepo": "epel,crb", "disable_gpg_check": true}));
        let install = "dnf -y install --setopt=epel.enabled=1 --setopt=crb.enabled=1 --nogpgcheck git";
        assert_eq!(trial.host.ran().last().map(String::as_str), Some(install));
    }

    #[test]
    fn an_unknown_system_is_an_error() {
        let result = Trial::of("package").run(&json!({"name": "git", "state": "present"}));
        assert_eq!(result["failed"], true);
    }
}
