use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::homebrew::brew;
use crate::kit::{Command, Failure, Output, Result, Secret, System, quote};

/// Manages casks with Homebrew.
///
/// # Examples
///
/// ```yaml
/// - name: A cask
///   homebrew_cask: {name: alfred, state: present, install_options: 'appdir=/Applications'}
///
/// - name: The newest, though it looks after itself
///   homebrew_cask: {name: alfred, state: upgraded, greedy: true}
///
/// - name: Gone, where that takes a password
///   homebrew_cask: {name: wireshark, state: absent, sudo_password: "{{ ansible_become_password }}"}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_one_of" = [["name", "upgrade_all"]]))]
pub struct Args {
    /// The casks.
    #[serde(default)]
    #[schemars(extend("aliases" = ["cask", "package", "pkg"]))]
    pub name: Vec<String>,
    /// The directories to look for `brew` in, with colons between them.
    #[serde(default = "usual")]
    pub path: String,
    /// Whether they are there.
    #[serde(default)]
    pub state: State,
    /// The password that `sudo` asks for, where a cask uses it.
    pub sudo_password: Option<Secret>,
    /// Brings Homebrew itself up to date first.
    #[serde(default)]
    pub update_homebrew: bool,
    /// Options for installing, upgrading and removing the casks.
    #[serde(default)]
    #[schemars(extend("aliases" = ["options"]))]
    pub install_options: Vec<String>,
    /// Takes an application that was installed otherwise for the cask's.
    #[serde(default)]
    pub accept_external_apps: bool,
    /// Brings all casks up to date, and does nothing else.
    #[serde(default)]
    #[schemars(extend("aliases" = ["upgrade"]))]
    pub upgrade_all: bool,
    /// Also looks at casks that bring themselves up to date.
    #[serde(default)]
    pub greedy: bool,
}

fn usual() -> String {
    "/usr/local/bin:/opt/homebrew/bin".to_owned()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    Installed,
    Latest,
    #[default]
    Present,
    Removed,
    Uninstalled,
    Upgraded,
}

#[derive(Serialize)]
pub struct Returns {
    msg: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let mut brew = brew::find(&args.path, sys)?;
    let names = brew::names(&args.name, "cask")?;
    let answer =
        args.sudo_password.as_ref().filter(|_| !sys.is_check()).map(|password| answers(password, sys));
    let answer = answer.transpose()?;
    if let Some(path) = &answer {
        brew = brew.env("SUDO_ASKPASS", path.to_string_lossy());
    }
    let done = work(&brew, &args, &names, sys);
    if let Some(path) = &answer {
        sys.discard(path)?;
    }
    Ok(Returns { msg: done? })
}

/// A program of ours alone that says the password.
fn answers(password: &Secret, sys: &System<'_>) -> Result<PathBuf> {
    let path = sys.scratch(None);
    let script = format!("#!/bin/sh\nprintf '%s\\n' {}\n", quote(password.expose()));
    sys.spool(&path, 0o700, &mut script.as_bytes())?;
    Ok(path)
}

fn work(brew: &Command, args: &Args, names: &[String], sys: &mut System<'_>) -> Result<String> {
    if args.update_homebrew {
        brew::update(brew, sys)?;
    }
    if args.upgrade_all {
        return upgrade_all(brew, args, sys);
    }
    ensure(brew, args, names, sys)
}

fn upgrade_all(brew: &Command, args: &Args, sys: &mut System<'_>) -> Result<String> {
    let is_news = |output: &Output| {
        let said = output.stdout();
        !said.trim().is_empty() && !said.to_lowercase().contains("no casks to upgrade")
    };
    let command = brew.clone().args(["upgrade", "--cask"]).flag("--greedy", args.greedy);
    let msg = match sys.exec_judged(command, is_news).map_err(Failure::as_said)? {
        None => "Casks would be upgraded.",
        Some(output) if is_news(&output) => "Homebrew casks upgraded.",
        Some(_) => "Homebrew casks already upgraded.",
    };
    Ok(msg.to_owned())
}

/// What Homebrew lists, one name a line.
fn listed(brew: &Command, words: &[&str], sys: &mut System<'_>) -> Result<Vec<String>> {
    let output = sys.query(brew.clone().args(words.iter().copied()))?;
    // That there are any is told by the code, too, by some versions.
    if !output.ok() && output.stdout().trim().is_empty() && !output.stderr().trim().is_empty() {
        output.or_fail("brew cannot tell which casks there are")?;
    }
    Ok(output.stdout().split_whitespace().map(str::to_owned).collect())
}

fn ensure(brew: &Command, args: &Args, names: &[String], sys: &mut System<'_>) -> Result<String> {
    let newest = matches!(args.state, State::Latest | State::Upgraded);
    let goes = matches!(args.state, State::Absent | State::Removed | State::Uninstalled);
    let there = listed(brew, &["list", "--cask"], sys)?;
    let is_in = |list: &[String], name: &str| {
        // A cask of a tap is listed by the last of its names.
        list.iter().any(|known| Some(known.as_str()) == name.rsplit('/').next())
    };
    let old = match (newest, args.greedy) {
        (false, _) => Vec::new(),
        (true, false) => listed(brew, &["outdated", "--cask", "--quiet"], sys)?,
        (true, true) => listed(brew, &["outdated", "--cask", "--quiet", "--greedy"], sys)?,
    };
    let mut changed = Vec::new();
    for name in names {
        let verb = match is_in(&there, name) {
            true if goes => "uninstall",
            true if is_in(&old, name) => "upgrade",
            false if !goes => "install",
            _ => continue,
        };
        let command = brew.clone().args([verb, "--cask"]);
        let options = brew::flags(&args.install_options);
        let command = match verb {
            "upgrade" => command.args(options).arg(name),
            _ => command.arg(name).args(options),
        };
        match sys.exec(command).map_err(Failure::as_said) {
            Err(failure) if args.accept_external_apps && is_elsewhere(&failure) => {}
            done => {
                done?;
                changed.push(name.as_str());
            }
        }
    }
    let (participle, be) = match (goes, newest) {
        (true, _) => ("uninstalled", ""),
        (false, true) => ("upgraded", "is "),
        (false, false) => ("installed", ""),
    };
    let plural = if names.len() == 1 { "" } else { "s" };
    Ok(match (changed.as_slice(), names) {
        ([_, ..], _) if sys.is_check() => {
            format!("Cask{plural} would be {participle}: {}", changed.join(", "))
        }
        ([one], [_]) => format!("Cask {participle}: {one}"),
        ([], [one]) => format!("Cask {be}already {participle}: {one}"),
        _ => format!("Changed: {}, Unchanged: {}", changed.len(), names.len() - changed.len()),
    })
}

/// There is such an application, which is no cask's.
fn is_elsewhere(failure: &Failure) -> bool {
    failure.msg.contains("already an App at")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    const BREW: &str = "/usr/local/bin/brew";

    fn trial() -> Trial {
        let trial = Trial::of("homebrew_cask");
        trial.host.program(BREW).dir("/tmp").answer(BREW, 0, "done\n");
        trial.host.answer(&format!("{BREW} list --cask"), 0, "foo\nold\nauto\n");
        trial.host.answer(&format!("{BREW} outdated --cask"), 0, "old\n");
        trial.host.answer(&format!("{BREW} outdated --cask --quiet --greedy"), 1, "old\nauto\n");
        trial
    }

    /// The commands that were run besides questions.
    fn check(args: &Json, msg: &str, ran: &[&str]) {
        let trial = trial();
        let result = trial.foretold(args, !ran.is_empty());
        assert_eq!(result["msg"], msg, "{args}");
        let lines = trial.host.ran();
        let acts = lines.iter().filter_map(|line| line.strip_prefix(BREW)?.strip_prefix(' '));
        let acts = acts.filter(|line| !line.starts_with("list") && !line.starts_with("outdated"));
        assert_eq!(acts.collect::<Vec<_>>(), ran, "{args}");
        assert_eq!(trial.host.list_of("/tmp"), "");
    }

    #[test]
    fn casks_come_and_go() {
        check(&json!({"name": "me/tap/foo"}), "Cask already installed: me/tap/foo", &[]);
        check(
            &json!({"name": ["foo", "bar"], "install_options": "appdir=/x"}),
            "Changed: 1, Unchanged: 1",
            &["install --cask bar --appdir=/x"],
        );
        check(&json!({"name": "auto", "state": "latest"}), "Cask is already upgraded: auto", &[]);
        check(
            &json!({"name": "auto", "state": "latest", "greedy": true}),
            "Cask upgraded: auto",
            &["upgrade --cask auto"],
        );
        check(
            &json!({"name": "foo", "state": "absent", "sudo_password": "p"}),
            "Cask uninstalled: foo",
            &["uninstall --cask foo"],
        );
        check(
            &json!({"upgrade_all": true, "greedy": true}),
            "Homebrew casks upgraded.",
            &["upgrade --cask --greedy"],
        );
    }

    #[test]
    fn an_application_of_another_kind_may_stand_for_a_cask() {
        let trial = trial();
        let args = json!({"name": "x", "accept_external_apps": true});
        trial.host.answer(
            &format!("{BREW} install"),
            1,
            "Error: It seems there is already an App at '/Applications/X.app'.",
        );
        assert_eq!(trial.run(&args)["msg"], "Cask already installed: x");
        assert_eq!(trial.run(&json!({"name": "x"}))["failed"], true);
    }

    #[test]
    fn the_password_is_in_a_file_of_ours() {
        let trial = trial();
        trial.host.script(&format!("{BREW} uninstall"), |command, host| {
            let (_, path) = command.env.iter().find(|(name, _)| name == "SUDO_ASKPASS").unwrap();
            let meta = host.stat(std::path::Path::new(path), true).unwrap().unwrap();
            assert_eq!(meta.mode & 0o777, 0o700);
            crate::kit::Output::default()
        });
        let args = json!({"name": "foo", "state": "absent", "sudo_password": "it's"});
        assert_eq!(trial.run(&args)["changed"], true);
        assert_eq!(trial.host.list_of("/tmp"), "");
    }
}
