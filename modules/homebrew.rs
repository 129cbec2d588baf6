pub(crate) mod brew;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::kit::{Command, Failure, Result, System};

/// Manages packages with Homebrew.
///
/// One question tells the state of all names. Homebrew refuses to work for root: use `become_user`.
///
/// # Examples
///
/// ```yaml
/// - name: Packages
///   homebrew: {name: [git, wget], state: present}
///
/// - name: The newest, after Homebrew itself
///   homebrew: {name: foo, state: latest, update_homebrew: true}
///
/// - name: All
///   homebrew: {update_homebrew: true, upgrade_all: true}
///
/// - name: Not by its cask
///   homebrew: {name: foo, force_formula: true, install_options: with-baz}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The packages.
    #[serde(default)]
    #[schemars(extend("aliases" = ["formula", "package", "pkg"]))]
    pub name: Vec<String>,
    /// The directories to look for `brew` in, with colons between them.
    #[serde(default = "usual")]
    pub path: String,
    /// Whether they are there. `head` installs what is not yet released; `linked` and `unlinked` are about the links to
    /// what is there.
    #[serde(default)]
    pub state: State,
    /// Brings Homebrew itself up to date first.
    #[serde(default)]
    pub update_homebrew: bool,
    /// Brings all packages up to date.
    #[serde(default)]
    #[schemars(extend("aliases" = ["upgrade"]))]
    pub upgrade_all: bool,
    /// Options for installing, upgrading and removing the packages.
    #[serde(default)]
    #[schemars(extend("aliases" = ["options"]))]
    pub install_options: Vec<String>,
    /// Options for `upgrade_all`.
    #[serde(default)]
    pub upgrade_options: Vec<String>,
    /// Takes the names for packages though there are casks of that name.
    #[serde(default)]
    pub force_formula: bool,
}

pub(crate) fn usual() -> String {
    "/usr/local/bin:/opt/homebrew/bin:/home/linuxbrew/.linuxbrew/bin".to_owned()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    Head,
    Installed,
    Latest,
    Linked,
    #[default]
    Present,
    Removed,
    Uninstalled,
    Unlinked,
    Upgraded,
}

impl State {
    fn participle(self) -> &'static str {
        match self {
            Self::Absent | Self::Removed | Self::Uninstalled => "uninstalled",
            Self::Head | Self::Installed | Self::Present => "installed",
            Self::Latest | Self::Upgraded => "upgraded",
            Self::Linked => "linked",
            Self::Unlinked => "unlinked",
        }
    }
}

#[derive(Default, Serialize)]
pub struct Returns {
    msg: String,
    changed_pkgs: Vec<String>,
    unchanged_pkgs: Vec<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let brew = brew::find(&args.path, sys)?;
    let lower: Vec<String> = args.name.iter().map(|name| name.to_lowercase()).collect();
    let names = brew::names(&lower, "package")?;
    let mut returns = Returns::default();
    if args.update_homebrew {
        let news = brew::update(&brew, sys)?;
        match (sys.is_check(), news) {
            (true, _) => "Homebrew would be updated.",
            (false, true) => "Homebrew updated successfully.",
            (false, false) => "Homebrew already up-to-date.",
        }
        .clone_into(&mut returns.msg);
    }
    if args.upgrade_all {
        upgrade_all(&brew, &args, &mut returns, sys)?;
    }
    // What is there depends on what a check does not do.
    if names.is_empty() || sys.is_check() && (args.update_homebrew || args.upgrade_all) {
        return Ok(returns);
    }
    let packages = ask(&brew, &names, args.force_formula, sys)?;
    ensure(&brew, &args, &packages, sys)
}

fn upgrade_all(brew: &Command, args: &Args, returns: &mut Returns, sys: &mut System<'_>) -> Result<()> {
    let command = brew.clone().arg("upgrade").args(brew::flags(&args.upgrade_options));
    let done = sys.exec_judged(command, |output| !output.stdout().trim().is_empty());
    match done.map_err(Failure::as_said)? {
        None => "Homebrew packages would be upgraded.",
        Some(output) if output.stdout().trim().is_empty() => "Homebrew packages already upgraded.",
        Some(_) => "Homebrew upgraded.",
    }
    .clone_into(&mut returns.msg);
    Ok(())
}

/// A package by the name that was given, and what Homebrew knows of it.
struct Package {
    name: String,
    installed: bool,
    outdated: bool,
    linked: bool,
}

fn ask(brew: &Command, names: &[String], formula: bool, sys: &mut System<'_>) -> Result<Vec<Package>> {
    let command = brew.clone().args(["info", "--json=v2"]).args(names.iter().cloned());
    let output = sys.ask(command.flag("--formula", formula)).map_err(Failure::as_said)?;
    let told: Json = serde_json::from_slice(&output.stdout)
        .map_err(|e| Failure::new(format!("brew info is no JSON: {e}")).with_output(&output))?;
    let known: Vec<&Json> =
        ["formulae", "casks"].iter().filter_map(|kind| told.get(kind)?.as_array()).flatten().collect();
    let mut packages: Vec<Package> = Vec::new();
    for name in names {
        let Some(one) = known.iter().find(|one| is_called(one, name)) else {
            return Err(Failure::new(format!("brew info tells nothing of {name}")).with_output(&output));
        };
        packages.push(Package {
            name: name.clone(),
            // Of a package all its versions, of a cask the one.
            installed: one["installed"]
                .as_array()
                .map_or(one["installed"].is_string(), |all| !all.is_empty()),
            outdated: one["outdated"] == true,
            linked: one["linked_keg"].is_string(),
        });
    }
    Ok(packages)
}

fn is_called(one: &Json, name: &str) -> bool {
    let single = ["name", "full_name", "token", "full_token"].iter().filter_map(|key| one[key].as_str());
    let many = ["aliases", "oldnames", "old_tokens"].iter().filter_map(|key| one[key].as_array()).flatten();
    let mut names = single.chain(many.filter_map(Json::as_str));
    let tap = one["tap"].as_str().unwrap_or_default();
    names.any(|known| {
        let known = known.to_lowercase();
        known == name || name.strip_prefix(tap).and_then(|rest| rest.strip_prefix('/')) == Some(&known)
    })
}

fn ensure(brew: &Command, args: &Args, packages: &[Package], sys: &mut System<'_>) -> Result<Returns> {
    let state = args.state;
    if matches!(state, State::Linked | State::Unlinked)
        && let Some(missing) = packages.iter().find(|package| !package.installed)
    {
        return Err(Failure::new(format!("Package not installed: {}.", missing.name)));
    }
    let differs = |package: &Package| match state {
        State::Absent | State::Removed | State::Uninstalled => package.installed,
        State::Head | State::Installed | State::Present => !package.installed,
        State::Latest | State::Upgraded => !package.installed || package.outdated,
        State::Linked => !package.linked,
        State::Unlinked => package.linked,
    };
    let (changing, settled): (Vec<&Package>, Vec<&Package>) =
        packages.iter().partition(|package| differs(package));
    let (newer, other): (Vec<&Package>, Vec<&Package>) =
        changing.iter().partition(|package| state.participle() == "upgraded" && package.installed);
    let options = || brew::flags(&args.install_options);
    for (verb, group) in [(verb(state), other), ("upgrade", newer)] {
        if group.is_empty() {
            continue;
        }
        let names = group.iter().map(|package| package.name.clone());
        let command = brew.clone().arg(verb);
        let command = match verb {
            "uninstall" => command.arg("--force").args(options()),
            "link" | "unlink" => command,
            _ => command.args(options()),
        };
        let command = command.args(names).flag("--HEAD", state == State::Head);
        if verb == "install" {
            sys.foretell_packages();
        }
        sys.exec(command.flag("--formula", verb == "install" && args.force_formula))
            .map_err(Failure::as_said)?;
    }
    Ok(told(state.participle(), &changing, &settled, sys.is_check()))
}

fn verb(state: State) -> &'static str {
    match state {
        State::Absent | State::Removed | State::Uninstalled => "uninstall",
        State::Linked => "link",
        State::Unlinked => "unlink",
        _ => "install",
    }
}

fn told(participle: &str, changing: &[&Package], settled: &[&Package], check: bool) -> Returns {
    let names = |packages: &[&Package]| -> Vec<String> {
        packages.iter().map(|package| package.name.clone()).collect()
    };
    let (changed, unchanged) = (names(changing), names(settled));
    if check && !changed.is_empty() {
        let plural = if changed.len() == 1 { "" } else { "s" };
        let msg = format!("Package{plural} would be {participle}: {}", changed.join(", "));
        return Returns { msg, ..Returns::default() };
    }
    let msg = match (changed.as_slice(), unchanged.as_slice()) {
        ([one], []) => format!("Package {participle}: {one}"),
        ([], [one]) => format!("Package already {participle}: {one}"),
        _ => format!("Changed: {}, Unchanged: {}", changed.len(), unchanged.len()),
    };
    Returns { msg, changed_pkgs: changed, unchanged_pkgs: unchanged }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    const BREW: &str = "/home/linuxbrew/.linuxbrew/bin/brew";

    fn trial() -> Trial {
        let trial = Trial::of("homebrew");
        trial.host.program(BREW).answer(BREW, 0, "done\n");
        let told = json!({
            "formulae": [
                {"name": "foo", "full_name": "foo", "tap": "homebrew/core", "aliases": ["f"], "installed": [{"version": "1"}],
                 "linked_keg": "1", "outdated": true},
                {"name": "bar", "full_name": "me/x/bar", "tap": "me/x", "installed": [], "linked_keg": null},
            ],
            "casks": [{"token": "c", "installed": "1.0", "outdated": false}],
        });
        trial.host.answer(&format!("{BREW} info"), 0, &told.to_string());
        trial
    }

    /// The commands that were run besides the question.
    fn check(args: &Json, msg: &str, ran: &[&str]) {
        let trial = trial();
        let result = trial.foretold(args, !ran.is_empty());
        assert_eq!(result["msg"], msg, "{args}");
        let lines = trial.host.ran();
        let acts = lines.iter().filter_map(|line| line.strip_prefix(BREW)?.strip_prefix(' '));
        assert_eq!(acts.filter(|line| !line.starts_with("info")).collect::<Vec<_>>(), ran, "{args}");
    }

    #[test]
    fn packages_come_and_go() {
        check(&json!({"name": ["f", "c"]}), "Changed: 0, Unchanged: 2", &[]);
        check(&json!({"name": "Foo"}), "Package already installed: foo", &[]);
        check(
            &json!({"name": "homebrew/core/foo", "state": "latest"}),
            "Package upgraded: homebrew/core/foo",
            &["upgrade homebrew/core/foo"],
        );
        check(
            &json!({"name": "me/x/bar,foo", "state": "latest", "install_options": "with-x"}),
            "Changed: 2, Unchanged: 0",
            &["install --with-x me/x/bar", "upgrade --with-x foo"],
        );
        check(&json!({"name": "bar", "state": "head"}), "Package installed: bar", &["install bar --HEAD"]);
        check(
            &json!({"name": ["foo", "bar"], "state": "absent"}),
            "Changed: 1, Unchanged: 1",
            &["uninstall --force foo"],
        );
        check(&json!({"name": "foo", "state": "linked"}), "Package already linked: foo", &[]);
        check(&json!({"name": "foo", "state": "unlinked"}), "Package unlinked: foo", &["unlink foo"]);
        check(
            &json!({"upgrade_all": true, "upgrade_options": ["q"]}),
            "Homebrew upgraded.",
            &["upgrade --q"],
        );
        check(&json!({"update_homebrew": true}), "Homebrew updated successfully.", &["update"]);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = trial();
        assert_eq!(trial.run(&json!({"name": "a;b"}))["msg"], "Invalid package: a;b.");
        assert_eq!(
            trial.run(&json!({"name": "bar", "state": "linked"}))["msg"],
            "Package not installed: bar."
        );
        let none = trial.run(&json!({"name": "none"}));
        assert_eq!(none["msg"], "brew info tells nothing of none");
        trial.host.answer(&format!("{BREW} info"), 1, "Error: No available formula");
        assert_eq!(trial.check(&json!({"name": "bar"}))["msg"], "Error: No available formula");
    }
}
