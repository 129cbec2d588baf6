//! What rpm's database has, asked at most twice for any number of names.

use crate::dnf::State;
use crate::kit::{Command, Failure, Output, Result, System};

/// Which of the names are installed, one answer each. What is no package's name (a group, a pattern, a file) is to go
/// when it may be there, and is to come when it may not: dnf knows.
pub(super) fn installed(names: &[String], state: State, sys: &mut System<'_>) -> Result<Vec<bool>> {
    let asked: Vec<&str> = names.iter().map(String::as_str).filter(|name| is_name(name)).collect();
    // By its name, also with version and architecture; else by what it provides.
    let unknown = missing(&["-q"], "is not installed", asked, sys)?;
    let nowhere = missing(&["-q", "--whatprovides"], "no package provides", unknown, sys)?;
    let going = state == State::Absent;
    let mut installed = Vec::with_capacity(names.len());
    for name in names {
        installed.push(if is_name(name) {
            !nowhere.contains(&name.as_str())
        } else if going && name.contains(['*', '?', '[']) {
            !sys.ask(rpm(&["-qa"]).arg(name))?.stdout.is_empty()
        } else {
            going
        });
    }
    Ok(installed)
}

fn is_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "._+-:~^".contains(c))
}

/// Those of the names of which rpm says that there is nothing, in these words.
fn missing<'a>(
    query: &[&str],
    words: &str,
    mut names: Vec<&'a str>,
    sys: &mut System<'_>,
) -> Result<Vec<&'a str>> {
    if names.is_empty() {
        return Ok(names);
    }
    let output = sys.query(rpm(query).args(names.iter().copied()))?;
    let said = output.stdout();
    let told: Vec<&str> =
        said.lines().filter(|line| line.contains(words)).flat_map(|line| line.split(' ')).collect();
    names.retain(|name| told.contains(name));
    // A database that cannot be read has no packages either, as rpm tells it.
    let broken = output.stderr().lines().any(|line| line.starts_with("error:"));
    if broken || (!output.ok() && names.is_empty()) { Err(failed(&output)) } else { Ok(names) }
}

fn failed(output: &Output) -> Failure {
    let said = [output.stderr(), output.stdout()].concat();
    Failure::new(format!("rpm does not tell what is installed: {}", said.trim())).with("rc", output.code)
}

fn rpm(words: &[&str]) -> Command {
    Command::new("rpm").args(words.iter().copied()).env("LC_ALL", "C")
}
