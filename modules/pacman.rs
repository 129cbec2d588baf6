use std::collections::BTreeMap;
use std::ffi::OsString;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dnf::State;
use crate::kit::{Command, Failure, FilePath, Result, System};

/// Manages packages with pacman.
///
/// # Examples
///
/// ```yaml
/// - name: Two packages
///   pacman: {name: [foo, bar], state: present}
///
/// - name: Everything up to date
///   pacman: {update_cache: yes, upgrade: yes}
///
/// - name: Gone, with what only it needed
///   pacman: {name: foo, state: absent, extra_args: --recursive}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "required_one_of" = [["name", "update_cache", "upgrade"]],
    "mutually_exclusive" = [["name", "upgrade"]],
))]
pub struct Args {
    /// The packages: names, groups, files or URLs.
    #[serde(default)]
    #[schemars(extend("aliases" = ["package", "pkg"]))]
    pub name: Vec<String>,
    /// Whether they are there.
    #[serde(default)]
    pub state: State,
    /// Does it though others need what goes, or the lists are fresh.
    #[serde(default)]
    pub force: bool,
    /// Removes the packages' own copies of configuration files, too.
    #[serde(default)]
    pub remove_nosave: bool,
    /// The program.
    #[serde(default = "pacman")]
    pub executable: String,
    /// More options for installing and removing.
    #[serde(default, rename = "extra_args")]
    pub more: String,
    /// Fetches the lists of packages first.
    pub update_cache: Option<bool>,
    /// More options for that.
    #[serde(default, rename = "update_cache_extra_args")]
    pub update_cache_more: String,
    /// Brings all packages up to date.
    #[serde(default)]
    pub upgrade: bool,
    /// More options for that.
    #[serde(default, rename = "upgrade_extra_args")]
    pub upgrade_more: String,
    /// Another configuration of pacman's.
    pub config: Option<FilePath>,
    /// Another root, for a system that is being made; it has a database of its own.
    pub root: Option<FilePath>,
    /// Where downloaded packages are kept, with `root`; else the option does nothing, as in Ansible.
    pub cachedir: Option<FilePath>,
    /// Why packages are installed, as pacman keeps it.
    pub reason: Option<Reason>,
    /// Whose reason is set: that of new packages, or of all.
    #[serde(default)]
    pub reason_for: ReasonFor,
}

fn pacman() -> String {
    "pacman".to_owned()
}

impl Args {
    /// The program and what all its commands are told.
    fn program(&self, program: impl Into<OsString>) -> Command {
        let cache = self.cachedir.as_ref().filter(|_| self.root.is_some());
        let given =
            [("--config", self.config.as_ref()), ("--root", self.root.as_ref()), ("--cachedir", cache)];
        given.into_iter().fold(Command::new(program), |command, (option, path)| match path {
            Some(path) => command.arg(option).arg(path.as_os_str()),
            None => command,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Dependency,
    Explicit,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonFor {
    All,
    #[default]
    New,
}

#[derive(Serialize)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_updated: Option<bool>,
    packages: Vec<String>,
    stdout: String,
    stderr: String,
    msg: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let program = sys
        .which(&args.executable)
        .ok_or_else(|| Failure::new(format!("Failed to find required executable \"{}\"", args.executable)))?;
    let pacman = Pacman { program: args.program(program), args: &args };
    let mut returns = Returns {
        cache_updated: None,
        packages: Vec::new(),
        stdout: String::new(),
        stderr: String::new(),
        msg: String::new(),
    };
    if args.update_cache == Some(true) {
        pacman.refresh(&mut returns, sys)?;
    }
    if args.upgrade {
        pacman.upgrade(&mut returns, sys)?;
    } else if !args.name.is_empty() {
        pacman.ensure(&mut returns, sys)?;
    }
    Ok(returns)
}

struct Pacman<'a> {
    program: Command,
    args: &'a Args,
}

impl Pacman<'_> {
    fn command(&self, words: &[&str], more: &str) -> Command {
        let command = self.program.clone().args(words.iter().copied()).env("LC_ALL", "C");
        command.args(more.split_whitespace())
    }

    /// What a command that only looks said; it may fail for there being nothing.
    fn ask(&self, words: &[&str], sys: &mut System<'_>) -> Result<String> {
        Ok(sys.query(self.command(words, ""))?.stdout().into_owned())
    }

    fn act(command: Command, failed: &str, returns: &mut Returns, sys: &mut System<'_>) -> Result<()> {
        let Some(output) = sys.attempt(command)? else { return Ok(()) };
        returns.stdout.push_str(&output.stdout());
        returns.stderr.push_str(&output.stderr());
        output.or_fail(failed)
    }

    /// Fresh lists are a change where they were others before.
    fn refresh(&self, returns: &mut Returns, sys: &mut System<'_>) -> Result<()> {
        let before = self.ask(&["--sync", "--list"], sys)?;
        let words: &[&str] =
            if self.args.force { &["--sync", "--refresh", "--refresh"] } else { &["--sync", "--refresh"] };
        let command = self.command(words, &self.args.update_cache_more);
        returns.cache_updated = Some(true);
        "Updated package db".clone_into(&mut returns.msg);
        if sys.is_check() {
            sys.count_as_change(command.line());
            return Ok(());
        }
        let line = command.line();
        let output = sys.query(command)?;
        if !output.ok() {
            return Err(Failure::new("could not update package db").with_output(&output));
        }
        if self.ask(&["--sync", "--list"], sys)? == before {
            returns.cache_updated = Some(false);
        } else {
            sys.count_as_change(line);
        }
        Ok(())
    }

    /// The packages that could be newer.
    fn upgradable(&self, sys: &mut System<'_>) -> Result<Vec<String>> {
        let said = self.ask(&["--query", "--upgrades"], sys)?;
        let names = said.lines().filter(|line| !line.contains("[ignored]"));
        Ok(names.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect())
    }

    fn upgrade(&self, returns: &mut Returns, sys: &mut System<'_>) -> Result<()> {
        returns.packages = self.upgradable(sys)?;
        if returns.packages.is_empty() {
            "Nothing to upgrade".clone_into(&mut returns.msg);
            return Ok(());
        }
        let words = ["--sync", "--sysupgrade", "--quiet", "--noconfirm"];
        let command = self.command(&words, &self.args.upgrade_more);
        Self::act(command, "Could not upgrade", returns, sys)?;
        "System upgraded".clone_into(&mut returns.msg);
        Ok(())
    }

    /// The installed packages and their versions.
    fn installed(&self, sys: &mut System<'_>) -> Result<BTreeMap<String, String>> {
        let output = sys.query(self.command(&["--query"], ""))?;
        // It fails for there being no packages, too; then it says nothing.
        if !output.ok() && !output.stderr.trim_ascii().is_empty() {
            return output.or_fail("pacman does not tell what is installed").map(|()| BTreeMap::new());
        }
        let said = output.stdout();
        let pair =
            |line: &str| line.split_once(' ').map(|(name, version)| (name.to_owned(), version.to_owned()));
        Ok(said.lines().filter_map(pair).collect())
    }

    /// The members of groups; what is no group stays.
    fn members(&self, names: &[String], installed: bool, sys: &mut System<'_>) -> Result<Vec<String>> {
        let mut members = Vec::new();
        for name in names {
            let from = if installed { "--query" } else { "--sync" };
            let said = if is_file(name) { String::new() } else { self.ask(&[from, "--groups", name], sys)? };
            let found: Vec<&str> = said.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
            match found.as_slice() {
                [] => members.push(name.clone()),
                found => members.extend(found.iter().map(|&member| member.to_owned())),
            }
        }
        Ok(members)
    }

    fn ensure(&self, returns: &mut Returns, sys: &mut System<'_>) -> Result<()> {
        let there = self.installed(sys)?;
        let absent = self.args.state == State::Absent;
        let groups: Vec<String> =
            self.args.name.iter().filter(|name| !there.contains_key(*name)).cloned().collect();
        let mut names: Vec<String> =
            self.args.name.iter().filter(|name| there.contains_key(*name)).cloned().collect();
        names.extend(self.members(&groups, absent, sys)?);
        if absent {
            names.retain(|name| there.contains_key(name));
            if names.is_empty() {
                "package(s) already absent".clone_into(&mut returns.msg);
                return Ok(());
            }
            let mut words = vec!["--remove", "--noconfirm", "--noprogressbar"];
            if self.args.force {
                // Twice: versions that others need do not count, either.
                words.extend(["--nodeps", "--nodeps"]);
            }
            let going = self.going(&words, &names, sys)?;
            words.extend(self.args.remove_nosave.then_some("--nosave"));
            let command = self.command(&words, &self.args.more).args(names);
            Self::act(command, "failed to remove package(s)", returns, sys)?;
            returns.msg = format!("Removed {} package(s)", going.len());
            returns.packages = going;
            return Ok(());
        }
        let newer = if self.args.state == State::Latest { self.upgradable(sys)? } else { Vec::new() };
        let mut coming = names.clone();
        coming.retain(|name| !there.contains_key(name) || newer.contains(name));
        for file in names.iter().filter(|name| is_file(name)) {
            let held = self.held(file, sys)?;
            if held.is_some_and(|(name, version)| there.get(&name) == Some(&version)) {
                coming.retain(|name| name != file);
            }
        }
        if coming.is_empty() {
            "package(s) already installed".clone_into(&mut returns.msg);
        } else {
            self.install(&coming, returns, sys)?;
        }
        self.set_reason(&names, &coming, returns, sys)
    }

    /// The packages that would be removed, with their versions: others may go with them.
    fn going(&self, words: &[&str], names: &[String], sys: &mut System<'_>) -> Result<Vec<String>> {
        // It does not tell beside the option that makes it forget what was saved.
        let more = self.args.more.split_whitespace().filter(|word| !matches!(*word, "--nosave" | "-n"));
        let command =
            self.command(words, "").args(more).args(["--print-format", "%n-%v"]).args(names.iter().cloned());
        let output = sys.query(command)?;
        if !output.ok() {
            let failure = Failure::new("failed to list package(s) to remove");
            return Err(failure.with("stdout", output.stdout()).with("stderr", output.stderr()));
        }
        Ok(output.stdout().split_whitespace().map(str::to_owned).collect())
    }

    /// The package and version in a file; `None` where pacman does not tell.
    fn held(&self, file: &str, sys: &mut System<'_>) -> Result<Option<(String, String)>> {
        let said = self.ask(&["--upgrade", "--nodeps", "--nodeps", "--print-format", "%n %v", file], sys)?;
        // Before it may stand what pacman is doing.
        let pair = said.lines().last().and_then(|line| line.split_once(' '));
        Ok(pair.map(|(name, version)| (name.to_owned(), version.to_owned())))
    }

    fn install(&self, names: &[String], returns: &mut Returns, sys: &mut System<'_>) -> Result<()> {
        let (files, packages): (Vec<String>, Vec<String>) =
            names.iter().cloned().partition(|name| is_file(name));
        sys.foretell_packages();
        for (verb, names) in [("--sync", packages), ("--upgrade", files)] {
            if !names.is_empty() {
                let words = [verb, "--noconfirm", "--noprogressbar", "--needed"];
                let command = self.command(&words, &self.args.more).args(names);
                Self::act(command, "Failed to install package(s)", returns, sys)?;
            }
        }
        returns.msg = format!("Installed {} package(s)", names.len());
        returns.packages = names.to_vec();
        Ok(())
    }

    fn set_reason(
        &self,
        all: &[String],
        new: &[String],
        returns: &mut Returns,
        sys: &mut System<'_>,
    ) -> Result<()> {
        let (query, option) = match self.args.reason {
            None => return Ok(()),
            Some(Reason::Explicit) => ("--deps", "--asexplicit"),
            Some(Reason::Dependency) => ("--explicit", "--asdeps"),
        };
        let others = self.ask(&["--query", query], sys)?;
        let is_other = |name: &&String| others.lines().any(|line| line.split(' ').next() == Some(name));
        let of = if self.args.reason_for == ReasonFor::All { all } else { new };
        let wrong: Vec<String> = of.iter().filter(is_other).cloned().collect();
        if wrong.is_empty() {
            return Ok(());
        }
        let command = self.command(&["--database", option], "").args(wrong);
        Self::act(command, "Failed to set the reason", returns, sys)
    }
}

/// A package's file, or where to have it.
fn is_file(name: &str) -> bool {
    name.contains("://") || name.starts_with('/') || name.contains(".pkg.tar")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    /// The commands that were run besides looks.
    fn check(args: &Json, msg: &str, ran: &[&str]) {
        let trial = Trial::of("pacman");
        trial.host.program("/usr/bin/pacman").answer("/usr/bin/pacman", 0, "");
        trial.host.answer("/usr/bin/pacman --query", 0, "vim 9.1-1\ngit 2.4-1\n");
        trial.host.answer("/usr/bin/pacman --query --groups", 1, "");
        trial.host.answer(
            "/usr/bin/pacman --query --upgrades",
            0,
            "git 2.4-1 -> 2.5-1\nfoo 1 -> 2 [ignored]\n",
        );
        trial.host.answer("/usr/bin/pacman --sync --groups", 1, "");
        trial.host.answer(
            "/usr/bin/pacman --sync --groups base-devel",
            0,
            "base-devel gcc\nbase-devel vim\n",
        );
        let told = "/usr/bin/pacman --remove --noconfirm --noprogressbar --recursive --print-format";
        trial.host.answer(told, 0, "vim-9.1-1\nvim-runtime-9.1-1\n");
        let result = trial.foretold(args, !ran.is_empty());
        assert_eq!(result["msg"], msg);
        let looks = ["--query", "--sync --groups", "--sync --list", "--upgrade --nodeps"];
        let lines: Vec<String> = trial
            .host
            .ran()
            .into_iter()
            .filter_map(|line| Some(line.strip_prefix("/usr/bin/pacman ")?.to_owned()))
            .collect();
        let acts: Vec<&String> = lines
            .iter()
            .filter(|line| {
                !looks.iter().any(|look| line.starts_with(look)) && !line.contains("--print-format")
            })
            .collect();
        assert_eq!(acts, ran, "{args}");
    }

    #[test]
    fn packages_come_and_go() {
        check(&json!({"name": "vim"}), "package(s) already installed", &[]);
        check(
            &json!({"name": ["vim", "htop"]}),
            "Installed 1 package(s)",
            &["--sync --noconfirm --noprogressbar --needed htop"],
        );
        check(
            &json!({"name": "base-devel"}),
            "Installed 1 package(s)",
            &["--sync --noconfirm --noprogressbar --needed gcc"],
        );
        check(
            &json!({"name": ["git", "vim"], "state": "latest"}),
            "Installed 1 package(s)",
            &["--sync --noconfirm --noprogressbar --needed git"],
        );
        check(
            &json!({"name": "vim", "state": "absent", "extra_args": "--recursive"}),
            "Removed 2 package(s)",
            &["--remove --noconfirm --noprogressbar --recursive vim"],
        );
        check(&json!({"name": "htop", "state": "absent"}), "package(s) already absent", &[]);
        check(&json!({"upgrade": true}), "System upgraded", &["--sync --sysupgrade --quiet --noconfirm"]);
    }

    #[test]
    fn what_goes_is_told_with_its_version() {
        let trial = Trial::of("pacman");
        trial.host.program("/usr/bin/pacman").answer("/usr/bin/pacman", 0, "");
        trial.host.answer("/usr/bin/pacman --query", 0, "vim 9.1-1\n");
        let told = "/usr/bin/pacman --remove --noconfirm --noprogressbar --print-format";
        trial.host.answer(told, 0, "vim-9.1-1\n");
        let args = json!({"name": "vim", "state": "absent", "extra_args": "--nosave"});
        assert_eq!(trial.foretold(&args, true)["packages"], json!(["vim-9.1-1"]));
        trial.host.answer(told, 1, "");
        assert_eq!(trial.check(&args)["msg"], "failed to list package(s) to remove");
    }

    #[test]
    fn another_root_has_its_own() {
        let trial = Trial::of("pacman");
        trial.host.program("/usr/bin/pacman").answer("/usr/bin/pacman", 0, "");
        let args = json!({"name": "vim", "root": "/mnt", "cachedir": "/c", "config": "/etc/p.conf"});
        assert_eq!(trial.run(&args)["changed"], true);
        let told = "/usr/bin/pacman --config /etc/p.conf --root /mnt --cachedir /c";
        assert!(trial.host.ran().iter().all(|line| line.starts_with(told)), "{:?}", trial.host.ran());
        let args = json!({"name": "vim", "cachedir": "/c"});
        let trial = Trial::of("pacman");
        trial.host.program("/usr/bin/pacman").answer("/usr/bin/pacman", 0, "");
        assert_eq!(trial.run(&args)["changed"], true);
        assert!(trial.host.ran().iter().all(|line| !line.contains("cachedir")), "{:?}", trial.host.ran());
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = Trial::of("pacman");
        assert_eq!(
            trial.run(&json!({"name": "vim"}))["msg"],
            "Failed to find required executable \"pacman\""
        );
        let none = trial.run(&json!({}));
        assert_eq!(none["msg"], "one of the following is required: name, update_cache, upgrade");
    }

    #[test]
    fn a_file_is_installed_where_its_package_is_not() {
        let trial = Trial::of("pacman");
        trial.host.program("/usr/bin/pacman").answer("/usr/bin/pacman", 0, "");
        trial.host.answer("/usr/bin/pacman --query", 0, "toy 1.0-1\n");
        trial.host.answer("/usr/bin/pacman --sync --groups", 1, "");
        let held = |version: &str| {
            trial.host.answer(
                "/usr/bin/pacman --upgrade --nodeps",
                0,
                &format!("loading packages...\ntoy {version}\n"),
            );
        };
        held("1.0-1");
        let args = json!({"name": "/srv/toy.pkg.tar.zst"});
        assert_eq!(trial.foretold(&args, false)["msg"], "package(s) already installed");
        held("1.1-1");
        assert_eq!(trial.foretold(&args, true)["packages"], json!(["/srv/toy.pkg.tar.zst"]));
    }
}
