//! What dnf and yum are told to do.

use std::path::Path;

use crate::dnf::{State, fifth, fourth, rpm};
use crate::kit::{Command, Failure, Output, Result, System};

/// What was installed for the sake of a package stays when that goes, as in Ansible.
const KEEP_REQUIREMENTS: &str = "--setopt=clean_requirements_on_remove=False";

pub(super) struct Program {
    /// `dnf`, `dnf5` or `yum`.
    pub(super) name: &'static str,
    /// Whether it is dnf5, by whatever name.
    pub(super) is_fifth: bool,
    /// Options of its own that say which packages there are to choose from.
    pub(super) sources: Vec<String>,
    /// Options of its own that say how they are installed.
    pub(super) manners: Vec<String>,
    /// What is installed.
    pub(super) rpm: rpm::Database,
    /// Whether packages may become older.
    pub(super) may_go_back: bool,
}

impl Program {
    /// Fetches the lists of packages. That is no change.
    pub(super) fn refresh(&self, sys: &mut System<'_>) -> Result<()> {
        match sys
            .housekeep(self.command(&["-q", "makecache"]).args(self.taken("makecache", &self.sources)))?
        {
            Some(output) if !output.ok() => {
                let said = [output.stderr(), output.stdout()].map(|text| text.trim().to_owned());
                let said = said.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
                Err(Failure::new(format!("Failed to update the lists of packages: {said}"))
                    .with("rc", output.code)
                    .with("results", [(); 0]))
            }
            _ => Ok(()),
        }
    }

    /// Brings everything up to date. Tells what was done: so do the others.
    pub(super) fn upgrade_all(&self, sys: &mut System<'_>) -> Result<Vec<String>> {
        if self.has_newer(&[], sys)? { self.change(&[self.upgrade()], &[], sys) } else { Ok(Vec::new()) }
    }

    /// Sees to it that the packages are in that state.
    pub(super) fn ensure(
        &self,
        mut names: Vec<String>,
        state: State,
        sys: &mut System<'_>,
    ) -> Result<Vec<String>> {
        if self.is_fifth {
            let options: Vec<&String> = self.taken("group", &self.sources).collect();
            let ask = self.command(&["-q", "group", "list", "--hidden"]).args(options);
            fifth::groups(ask, &mut names, sys)?;
        }
        let installed = self.rpm.installed(&names, state, sys)?;
        let (there, missing): (Vec<_>, Vec<_>) =
            names.into_iter().zip(installed).partition(|(_, installed)| *installed);
        let [there, missing] =
            [there, missing].map(|list| list.into_iter().map(|(name, _)| name).collect::<Vec<_>>());
        if state == State::Absent {
            let unknown = missing.iter().filter(|_| !self.is_fifth);
            let mut done: Vec<String> =
                unknown.map(|name| format!("No match for argument: {name}")).collect();
            done.extend(self.change_some(&["remove", KEEP_REQUIREMENTS], &there, sys)?);
            return Ok(done);
        }
        let older = if self.may_go_back { Vec::new() } else { self.rpm.newer_than(&missing, sys)? };
        // The program would go back to them.
        let missing: Vec<String> = missing.into_iter().filter(|name| !older.contains(name)).collect();
        if !missing.is_empty() {
            sys.foretell_packages();
        }
        let mut done = self.change_some(&["install"], &missing, sys)?;
        // Packages that are current stay as they are among those that are not.
        if state == State::Latest && !there.is_empty() && self.has_newer(&there, sys)? {
            done.extend(self.change(&[self.upgrade()], &there, sys)?);
        }
        Ok(done)
    }

    /// Removes what nothing needs any more.
    pub(super) fn autoremove(&self, sys: &mut System<'_>) -> Result<Vec<String>> {
        self.change(&["autoremove"], &[], sys)
    }

    fn upgrade(&self) -> &'static str {
        if self.name == "yum" { "update" } else { "upgrade" }
    }

    /// Whether a repository has something newer, of all packages where there are no names.
    fn has_newer(&self, names: &[String], sys: &mut System<'_>) -> Result<bool> {
        // With the options: a repository that is not used else may have it.
        let ask =
            self.command(&["-q", "check-update"]).args(self.taken("check-update", &self.sources)).args(names);
        let output = sys.query(ask)?;
        match output.code {
            0 => Ok(false),
            100 => Ok(true),
            code => {
                let said = [output.stderr(), output.stdout()].concat();
                let name = self.name;
                Err(Failure::new(format!("{name} does not tell what is newer: {}", said.trim()))
                    .with("rc", code)
                    .with("results", [(); 0]))
            }
        }
    }

    fn change_some(&self, verb: &[&str], names: &[String], sys: &mut System<'_>) -> Result<Vec<String>> {
        if names.is_empty() { Ok(Vec::new()) } else { self.change(verb, names, sys) }
    }

    fn change(&self, verb: &[&str], names: &[String], sys: &mut System<'_>) -> Result<Vec<String>> {
        let options = verb.first().map_or_else(Vec::new, |first| {
            self.taken(first, &self.sources).chain(self.taken(first, &self.manners)).collect::<Vec<_>>()
        });
        let with =
            |answer: &str| self.command(&[answer]).args(verb.iter().copied()).args(&options).args(names);
        let mut foretold = Vec::new();
        if sys.is_check() {
            match foretells(&with("--assumeno"), sys)? {
                Some(output) => foretold = self.results(&output, sys)?,
                None => return Ok(Vec::new()),
            }
        }
        match sys.attempt_judging(with("-y"), |output| output.ok() && has_done(output))? {
            Some(output) if !output.ok() => Err(failed(&output)),
            Some(output) => self.results(&output, sys),
            None => Ok(foretold),
        }
    }

    fn results(&self, output: &Output, sys: &mut System<'_>) -> Result<Vec<String>> {
        let is_fetched = self.manners.iter().any(|option| option == "--downloadonly");
        if !self.is_fifth {
            return fourth::results(&output.stdout(), is_fetched, &self.rpm, sys);
        }
        let results = fifth::results(&output.stdout());
        Ok(if is_fetched { fifth::fetched(&results) } else { results })
    }

    /// Those of the options that the command takes.
    pub(super) fn taken<'o>(&self, verb: &str, options: &'o [String]) -> impl Iterator<Item = &'o String> {
        options.iter().filter(move |option| !self.is_fifth || fifth::takes(verb, option))
    }

    pub(super) fn command(&self, words: &[&str]) -> Command {
        Command::new(self.name).args(words.iter().copied()).env("LC_ALL", "C")
    }
}

/// What there would be to do, if anything: the program works it out, and stops before it.
fn foretells(command: &Command, sys: &mut System<'_>) -> Result<Option<Output>> {
    let output = sys.query(command.clone())?;
    let said = said(&output);
    let stopped = ["operation aborted", "exiting on user command"].iter().any(|words| said.contains(words));
    if output.ok() || stopped {
        return Ok(has_done(&output).then_some(output));
    }
    // What it does not know may be of a repository that is foretold, too.
    let repositories = Path::new("/etc/yum.repos.d");
    let names = if sys.exists(repositories)? { sys.list(repositories)? } else { Vec::new() };
    let foretold = names.iter().any(|name| sys.foretells(&repositories.join(name)));
    if foretold { Ok(Some(output)) } else { Err(failed(&output)) }
}

fn said(output: &Output) -> String {
    format!("{}{}", output.stdout(), output.stderr()).to_lowercase()
}

/// It says so when it had nothing to do.
fn has_done(output: &Output) -> bool {
    let said = said(output);
    !["nothing to do", "no packages marked"].iter().any(|nothing| said.contains(nothing))
}

/// What could not be done, with the packages it could not be done to.
fn failed(output: &Output) -> Failure {
    const EXCLUDED: &str = "All matches were filtered out by exclude filtering for argument: ";
    let (stdout, stderr) = (output.stdout(), output.stderr());
    let unknown = |line: &str| {
        let name = line.strip_prefix("No match for argument: ");
        let excluded = line.strip_prefix(EXCLUDED);
        name.map(|name| format!("No package {name} available."))
            .or_else(|| excluded.map(|name| format!("{name} {line}")))
    };
    let failures: Vec<String> = stdout.lines().chain(stderr.lines()).filter_map(unknown).collect();
    let told = [stderr.trim(), stdout.trim()].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    let told = told.strip_prefix("Error: ").unwrap_or(told);
    let failure = if !failures.is_empty() {
        let msg = format!("Failed to install some of the specified packages: {}", failures.join(" "));
        Failure::new(msg).with("failures", failures)
    } else if told.contains("Problem") {
        Failure::new(format!("Depsolve Error occurred: {told}"))
    } else {
        Failure::new(told)
    };
    failure.with("rc", output.code).with("results", [(); 0])
}
