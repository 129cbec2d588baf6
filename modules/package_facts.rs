mod apt;
mod others;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::kit::{Command, Failure, Result, System};

/// Tells which packages are installed, as the fact `packages`.
///
/// # Examples
///
/// ```yaml
/// - name: The installed packages
///   package_facts:
///     manager: auto
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// Which package managers to ask. `auto` stands for all that are known.
    #[serde(default = "auto")]
    pub manager: Vec<Manager>,
    /// Whether the first manager that is there is asked alone, or all.
    #[serde(default)]
    pub strategy: Strategy,
}

fn auto() -> Vec<Manager> {
    vec![Manager::Auto]
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    #[default]
    First,
    All,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Manager {
    Auto,
    Apk,
    Apt,
    Dnf,
    Dnf5,
    OpenbsdPkg,
    Pacman,
    Pkg,
    Pkg5,
    PkgInfo,
    Pkgng,
    Portage,
    Rpm,
    Yum,
    Zypper,
}

#[derive(Serialize)]
pub struct Returns {
    ansible_facts: Facts,
}

#[derive(Default, Serialize)]
struct Facts {
    packages: Packages,
}

type Packages = Map<String, Json>;

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let mut asked: Vec<(Kind, Option<String>)> = Vec::new();
    let mut names = Vec::new();
    for manager in args.manager {
        let name = serde_json::to_value(manager).unwrap_or_default();
        let name = name.as_str().unwrap_or_default().to_owned();
        let kinds = match manager {
            Manager::Auto => {
                vec![Kind::Apk, Kind::Apt, Kind::Pacman, Kind::Pkg, Kind::PkgInfo, Kind::Portage, Kind::Rpm]
            }
            Manager::Apk => vec![Kind::Apk],
            Manager::Apt => vec![Kind::Apt],
            Manager::Pacman => vec![Kind::Pacman],
            Manager::Dnf | Manager::Dnf5 | Manager::Rpm | Manager::Yum | Manager::Zypper => vec![Kind::Rpm],
            Manager::Pkg | Manager::Pkg5 | Manager::Pkgng => vec![Kind::Pkg],
            Manager::PkgInfo | Manager::OpenbsdPkg => vec![Kind::PkgInfo],
            Manager::Portage => vec![Kind::Portage],
        };
        asked.extend(kinds.into_iter().map(|kind| (kind, (manager != Manager::Auto).then(|| name.clone()))));
        names.push(format!("'{name}'"));
    }
    let mut packages = Packages::new();
    for (kind, named) in asked {
        // What was asked for by name and cannot be told of is worth a warning.
        if !kind.is_here(sys)? {
            if let Some(name) = named {
                let why = format!("Failed to find required executable \"{}\"", kind.program());
                sys.warn(format!("Requested package manager {name} was not usable by this module: {why}"));
            }
            continue;
        }
        let program = kind.program();
        if let Err(failure) = kind.list(sys, &mut packages) {
            sys.warn(format!("Failed to retrieve packages with {program}: {}", failure.msg));
        }
        if packages.is_empty() {
            sys.warn(format!("Found \"{program}\" but no associated packages"));
        } else if args.strategy == Strategy::First {
            break;
        }
    }
    if packages.is_empty() {
        return Err(Failure::new(format!(
            "Could not detect a supported package manager from the following list: [{}], or the required Python \
             library is not installed. Check warnings for details.",
            names.join(", ")
        )));
    }
    Ok(Returns { ansible_facts: Facts { packages } })
}

/// What databases of packages there are.
#[derive(Clone, Copy)]
enum Kind {
    Apk,
    Apt,
    Pacman,
    /// FreeBSD's.
    Pkg,
    /// OpenBSD's.
    PkgInfo,
    /// Gentoo's.
    Portage,
    Rpm,
}

impl Kind {
    fn is_here(self, sys: &System<'_>) -> Result<bool> {
        match self {
            Self::Apk => Ok(sys.which("apk").is_some()),
            Self::Apt => sys.exists(Path::new(apt::STATUS)),
            Self::Pacman => Ok(sys.which("pacman").is_some()),
            Self::Pkg => Ok(sys.which("pkg").is_some()),
            Self::PkgInfo => Ok(sys.which("pkg_info").is_some()),
            Self::Portage => Ok(sys.which("qlist").is_some()),
            Self::Rpm => Ok(sys.which("rpm").is_some()),
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Apk => "apk",
            Self::Apt => "apt",
            Self::Pacman => "pacman",
            Self::Pkg => "pkg",
            Self::PkgInfo => "pkg_info",
            Self::Portage => "portage",
            Self::Rpm => "rpm",
        }
    }

    fn list(self, sys: &mut System<'_>, packages: &mut Packages) -> Result<()> {
        match self {
            Self::Apt => apt::list(sys, packages),
            Self::Apk => apk(&ask(sys, Command::new("apk").args(["info", "-v"]))?, packages),
            Self::Pacman => {
                pacman(&ask(sys, Command::new("pacman").arg("-Qi"))?, packages);
                Ok(())
            }
            Self::Pkg => {
                let fields = "%n\t%v\t%R\t%t\t%a\t%q\t%o\t%p\t%V";
                others::pkg(&ask(sys, Command::new("pkg").args(["query", fields]))?, packages)
            }
            Self::PkgInfo => {
                others::pkg_info(&ask(sys, Command::new("pkg_info").arg("-a"))?, packages);
                Ok(())
            }
            Self::Portage => {
                others::portage(&ask(sys, Command::new("qlist").arg("-Iv"))?, packages);
                Ok(())
            }
            Self::Rpm => {
                let format = "%{NAME}\t%{VERSION}\t%{RELEASE}\t%{EPOCH}\t%{ARCH}\n";
                rpm(&ask(sys, Command::new("rpm").args(["-qa", "--qf", format]))?, packages)
            }
        }
    }
}

fn ask(sys: &mut System<'_>, command: Command) -> Result<String> {
    let output = sys.query(command.env("LC_ALL", "C"))?;
    if !output.ok() {
        return Err(Failure::new(format!(
            "Unable to list packages rc={} : {}",
            output.code,
            output.stderr().trim()
        )));
    }
    Ok(output.stdout().into_owned())
}

/// Adds a package; several of one name stand side by side.
fn add(packages: &mut Packages, name: &str, package: Json) {
    match packages.get_mut(name).and_then(Json::as_array_mut) {
        Some(known) => known.push(package),
        None => {
            packages.insert(name.to_owned(), Json::Array(vec![package]));
        }
    }
}

fn rpm(text: &str, packages: &mut Packages) -> Result<()> {
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, version, release, epoch, arch] = fields.as_slice() else {
            return Err(Failure::new(format!("rpm said what is no package: {line:?}")));
        };
        let epoch = epoch.parse::<u64>().ok();
        let none = |text: &str| (text != "(none)").then(|| text.to_owned());
        let package = json!({
            "name": name, "version": version, "release": release, "epoch": epoch, "arch": none(arch),
            "source": "rpm",
        });
        add(packages, name, package);
    }
    Ok(())
}

fn apk(text: &str, packages: &mut Packages) -> Result<()> {
    for line in text.lines().filter(|line| !line.starts_with("WARNING")) {
        let mut parts = line.trim().rsplitn(3, '-');
        let (Some(release), Some(version), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Failure::new(format!("apk said what is no package: {line:?}")));
        };
        let package = json!({"name": name, "version": version, "release": release, "source": "apk"});
        add(packages, name, package);
    }
    Ok(())
}

fn pacman(text: &str, packages: &mut Packages) {
    for paragraph in text.split("\n\n") {
        let field = |wanted: &str| {
            paragraph.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                (name.trim() == wanted).then(|| value.trim())
            })
        };
        let Some(name) = field("Name") else { continue };
        let package = json!({
            "name": name, "version": field("Version"), "arch": field("Architecture"), "source": "pacman",
        });
        add(packages, name, package);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn check(prepare: impl Fn(&Trial), args: &Json, expected: &Json) {
        let trial = Trial::of("package_facts");
        prepare(&trial);
        let result = trial.run(args);
        assert_eq!(&result["ansible_facts"]["packages"], expected, "{result:#}");
    }

    #[test]
    fn each_manager_tells() {
        check(
            |trial| {
                trial.host.program("/usr/bin/rpm").answer(
                    "rpm",
                    0,
                    "a\t1\t2\t(none)\tnoarch\na\t1\t3\t4\tx86_64\n",
                );
            },
            &json!({}),
            &json!({"a": [
                {"name": "a", "version": "1", "release": "2", "epoch": null, "arch": "noarch", "source": "rpm"},
                {"name": "a", "version": "1", "release": "3", "epoch": 4, "arch": "x86_64", "source": "rpm"},
            ]}),
        );
        check(
            |trial| {
                trial.host.program("/sbin/apk").answer("apk", 0, "alpine-keys-2.4-r1\n");
            },
            &json!({"manager": "apk"}),
            &json!({"alpine-keys": [{"name": "alpine-keys", "version": "2.4", "release": "r1", "source": "apk"}]}),
        );
    }

    #[test]
    fn apt_knows_where_a_version_is_from() {
        let status = "Package: a\nStatus: install ok installed\nSection: admin\nArchitecture: all\nVersion: 1\n\n\
                      Package: gone\nStatus: deinstall ok config-files\nVersion: 2\n\n";
        check(
            |trial| {
                trial.host.file("/var/lib/dpkg/status", status);
                trial.host.file(
                    "/var/lib/apt/lists/d_main_Packages",
                    "Package: a\nVersion: 1\nArchitecture: all\n",
                );
                trial.host.file("/var/lib/apt/lists/d_InRelease", "Origin: Debian\n");
            },
            &json!({"manager": "auto"}),
            &json!({"a": [{"name": "a", "version": "1", "arch": "all", "category": "admin", "origin": "Debian",
                           "source": "apt"}]}),
        );
    }

    #[test]
    fn lists_may_be_packed() {
        let trial = Trial::of("package_facts");
        let status = "Package: a\nStatus: install ok installed\nVersion: 1\n";
        trial
            .host
            .file("/var/lib/dpkg/status", status)
            .file("/var/lib/apt/lists/d_InRelease", "Origin: Debian\n");
        trial.host.file("/var/lib/apt/lists/d_main_Packages.lz4", "?");
        let unpack = "/usr/lib/apt/apt-helper cat-file /var/lib/apt/lists/d_main_Packages.lz4";
        trial.host.answer(unpack, 0, "Package: b\nVersion: 1\n\nPackage: a\nVersion: 1\n");
        let result = trial.run(&json!({}));
        assert_eq!(result["ansible_facts"]["packages"]["a"][0]["origin"], "Debian", "{result:#}");
        trial.host.answer(unpack, 100, "");
        assert_eq!(trial.run(&json!({}))["failed"], true);
    }

    #[test]
    fn nothing_known_is_an_error() {
        let result = Trial::of("package_facts").run(&json!({}));
        let msg = "Could not detect a supported package manager from the following list: ['auto'], or the required \
                   Python library is not installed. Check warnings for details.";
        assert_eq!(result["msg"], msg);
    }

    #[test]
    fn what_was_named_and_does_not_tell_is_warned_of() {
        let trial = Trial::of("package_facts");
        trial.host.program("/usr/bin/rpm").answer("rpm", 0, "");
        trial.host.program("/sbin/apk").answer("apk", 1, "").program("/usr/bin/pacman");
        trial.host.answer("pacman", 0, "Name            : a\nVersion         : 1-2\n");
        let result = trial.run(&json!({"manager": ["yum", "apk", "pacman"]}));
        assert_eq!(result["ansible_facts"]["packages"]["a"][0]["version"], "1-2", "{result:#}");
        let warnings = [
            "Found \"rpm\" but no associated packages",
            "Failed to retrieve packages with apk: Unable to list packages rc=1 : ",
            "Found \"apk\" but no associated packages",
        ];
        assert_eq!(result["warnings"], json!(warnings));
        let result = Trial::of("package_facts").run(&json!({"manager": "apk"}));
        let warning = "Requested package manager apk was not usable by this module: Failed to find required \
                       executable \"apk\"";
        assert_eq!(result["warnings"], json!([warning]));
    }
}
