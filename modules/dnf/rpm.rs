//! What rpm's database has, asked at most twice for any number of names.

use crate::dnf::State;
use crate::dnf::version::{self, Named, Version};
use crate::kit::{Command, Failure, Output, Result, System};

/// The database of the host, or of another root.
pub(super) struct Database {
    pub(super) root: Option<String>,
}

impl Database {
    /// Which of the names are installed, one answer each. What is no package's name (a group, a pattern, a file) is to go
    /// when it may be there, and is to come when it may not: dnf knows.
    pub(super) fn installed(
        &self,
        names: &[String],
        state: State,
        sys: &mut System<'_>,
    ) -> Result<Vec<bool>> {
        let asked: Vec<&str> = names.iter().map(String::as_str).filter(|name| is_name(name)).collect();
        // By its name, also with version and architecture; else by what it provides.
        let unknown = self.missing(&["-q"], "is not installed", asked, sys)?;
        let nowhere = self.missing(&["-q", "--whatprovides"], "no package provides", unknown, sys)?;
        let going = state == State::Absent;
        let mut installed = Vec::with_capacity(names.len());
        for name in names {
            installed.push(if is_name(name) {
                !nowhere.contains(&name.as_str())
            } else if going && name.contains(['*', '?', '[']) {
                !sys.ask(self.command(&["-qa"]).arg(name))?.stdout.is_empty()
            } else {
                going
            });
        }
        Ok(installed)
    }

    /// Those of the names that are a package and an older version than the one that is installed.
    pub(super) fn newer_than(&self, names: &[String], sys: &mut System<'_>) -> Result<Vec<String>> {
        let asked: Vec<(&String, Vec<Named<'_>>)> =
            names.iter().filter(|name| is_name(name)).map(|name| (name, version::named(name))).collect();
        let packages: Vec<&str> =
            asked.iter().flat_map(|(_, named)| named.iter().map(|one| one.name)).collect();
        if packages.is_empty() {
            return Ok(Vec::new());
        }
        let fields = "%{NAME} %{EPOCH} %{VERSION} %{RELEASE}\n";
        let output = sys.query(self.command(&["-q", "--qf", fields]).args(packages))?;
        let said = output.stdout();
        let there: Vec<Version<'_>> = said.lines().filter_map(Version::parse).collect();
        let is_older =
            |named: &Named<'_>| there.iter().any(|one| one.name == named.name && one.is_newer_than(named));
        let older = asked.iter().filter(|(_, named)| named.iter().any(is_older));
        Ok(older.map(|(name, _)| (*name).clone()).collect())
    }

    /// The installed packages of those names, in full.
    pub(super) fn packages(&self, names: &[String], sys: &mut System<'_>) -> Result<Vec<String>> {
        let full = "%{NAME}-%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}.%{ARCH}\n";
        let output = sys.query(self.command(&["-q", "--qf", full]).args(names))?;
        if output.ok() {
            Ok(output.stdout().lines().map(str::to_owned).collect())
        } else {
            Err(failed(&output))
        }
    }

    /// Those of the names of which rpm says that there is nothing, in these words.
    fn missing<'a>(
        &self,
        query: &[&str],
        words: &str,
        mut names: Vec<&'a str>,
        sys: &mut System<'_>,
    ) -> Result<Vec<&'a str>> {
        if names.is_empty() {
            return Ok(names);
        }
        let output = sys.query(self.command(query).args(names.iter().copied()))?;
        let said = output.stdout();
        let told: Vec<&str> =
            said.lines().filter(|line| line.contains(words)).flat_map(|line| line.split(' ')).collect();
        names.retain(|name| told.contains(name));
        // A database that cannot be read has no packages either, as rpm tells it.
        let broken = output.stderr().lines().any(|line| line.starts_with("error:"));
        if broken || (!output.ok() && names.is_empty()) { Err(failed(&output)) } else { Ok(names) }
    }

    fn command(&self, words: &[&str]) -> Command {
        let root = self.root.iter().map(|root| format!("--root={root}"));
        Command::new("rpm").args(root).args(words.iter().copied()).env("LC_ALL", "C")
    }
}

fn is_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "._+-:~^".contains(c))
}

fn failed(output: &Output) -> Failure {
    let said = [output.stderr(), output.stdout()].concat();
    Failure::new(format!("rpm does not tell what is installed: {}", said.trim())).with("rc", output.code)
}
