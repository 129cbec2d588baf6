use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dnf::State;
use crate::kit::{Command, Failure, FilePath, Output, Result, System};

/// Manages packages with apk.
///
/// # Examples
///
/// ```yaml
/// - name: Two packages, from fresh lists
///   apk: {name: [foo, bar], update_cache: yes}
///
/// - name: Gone
///   apk: {name: foo, state: absent}
///
/// - name: Everything up to date
///   apk: {upgrade: yes}
///
/// - name: From a repository that is not used else
///   apk: {name: foo, state: latest, repository: 'https://dl-cdn.alpinelinux.org/alpine/edge/main'}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "required_one_of" = [["name", "update_cache", "upgrade"]],
    "mutually_exclusive" = [["name", "upgrade"]],
))]
pub struct Args {
    /// The packages.
    #[serde(default)]
    pub name: Vec<String>,
    /// Whether they are there.
    #[serde(default)]
    pub state: State,
    /// With `upgrade`: takes another version, an older one too, where no repository has the one that is there.
    #[serde(default)]
    pub available: bool,
    /// Keeps nothing that is fetched.
    #[serde(default)]
    pub no_cache: bool,
    /// Repositories to use instead of the system's.
    #[serde(default)]
    pub repository: Vec<String>,
    /// Fetches the lists of packages first.
    #[serde(default)]
    pub update_cache: bool,
    /// Brings all packages up to date.
    #[serde(default)]
    pub upgrade: bool,
    /// The file that lists what was asked for, as opposed to what came with it.
    #[serde(default = "world")]
    pub world: FilePath,
}

fn world() -> FilePath {
    FilePath::from("/etc/apk/world")
}

#[derive(Default, Serialize)]
pub struct Returns {
    msg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    packages: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let program = sys
        .which("apk")
        .ok_or_else(|| Failure::new("apk is not here: this is no Alpine, nor one of its descendants"))?;
    let apk = Apk { program: Command::new(program), args: &args };
    if args.update_cache {
        let alone = args.name.is_empty() && !args.upgrade;
        apk.refresh(alone, sys)?;
        if alone {
            return Ok(Returns { msg: "updated repository indexes".to_owned(), ..Returns::default() });
        }
    }
    if args.upgrade {
        apk.upgrade(sys)
    } else if args.state == State::Absent {
        apk.remove(sys)
    } else {
        apk.install(sys)
    }
}

struct Apk<'a> {
    program: Command,
    args: &'a Args,
}

impl Apk<'_> {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.program.clone().flag("--no-cache", self.args.no_cache).env("LC_ALL", "C");
        for repository in &self.args.repository {
            command = command.args(["--repository", repository, "--repositories-file", "/dev/null"]);
        }
        command.args(words.iter().copied())
    }

    /// Fetches the lists of packages; alone that is a change, as in Ansible.
    fn refresh(&self, alone: bool, sys: &mut System<'_>) -> Result<()> {
        let command = self.command(&["update"]);
        let output = if alone { sys.attempt(command)? } else { sys.housekeep(command)? };
        output.map_or(Ok(()), |output| judged(&output, "could not update package db"))
    }

    fn upgrade(&self, sys: &mut System<'_>) -> Result<Returns> {
        let command = self.command(&["upgrade"]).flag("--available", self.args.available);
        let output = Self::act(command, "failed to upgrade packages", sys)?;
        let msg = if done(&output).is_empty() { "packages already upgraded" } else { "upgraded packages" };
        Ok(told(msg.to_owned(), &output))
    }

    fn install(&self, sys: &mut System<'_>) -> Result<Returns> {
        let world = sys.read_text_if_there(&self.args.world)?.unwrap_or_default();
        let mut coming = Vec::new();
        let mut upgrades = false;
        for name in &self.args.name {
            // What came with another package was not asked for yet.
            if !is_asked_for(&world, name) || !self.is_there(name, sys)? {
                coming.push(name.clone());
            } else if self.args.state == State::Latest && self.is_old(name, sys)? {
                upgrades = true;
                coming.push(name.clone());
            }
        }
        if coming.is_empty() {
            return Ok(Returns { msg: "package(s) already installed".to_owned(), ..Returns::default() });
        }
        let names = coming.join(" ");
        let command = self.command(&["add"]).flag("--upgrade", upgrades).args(coming);
        let output = Self::act(command, &format!("failed to install {names}"), sys)?;
        Ok(told(format!("installed {names} package(s)"), &output))
    }

    fn remove(&self, sys: &mut System<'_>) -> Result<Returns> {
        let mut going = Vec::new();
        for name in &self.args.name {
            if self.is_there(name, sys)? {
                going.push(name.clone());
            }
        }
        if going.is_empty() {
            return Ok(Returns { msg: "package(s) already removed".to_owned(), ..Returns::default() });
        }
        let names = going.join(" ");
        let command = self.command(&["del", "--purge"]).args(going.iter().cloned());
        let output = Self::act(command, &format!("failed to remove {names} package(s)"), sys)?;
        // One that others need stays, and apk ends well.
        for name in &going {
            if !sys.is_check() && self.is_there(name, sys)? {
                return Err(Failure::new(format!("failed to remove {name}: {}", output.stdout().trim()))
                    .with("stdout", output.stdout())
                    .with("stderr", output.stderr()));
            }
        }
        Ok(told(format!("removed {names} package(s)"), &output))
    }

    /// Runs apk; in check mode it simulates, so that only what would really change counts.
    fn act(command: Command, failed: &str, sys: &mut System<'_>) -> Result<Output> {
        // What a name adds to the list of what was asked for is a change, though nothing is installed.
        let adds = command.argv.iter().any(|word| word == "add");
        let changes = |output: &Output| output.ok() && (adds || !done(output).is_empty());
        let output = if sys.is_check() {
            let line = command.line();
            let output = sys.query(command.arg("--simulate"))?;
            if changes(&output) {
                sys.count_as_change(line);
            }
            output
        } else {
            sys.attempt_judging(command, changes)?.unwrap_or_default()
        };
        judged(&output, failed)?;
        if adds {
            sys.foretell_packages();
        }
        Ok(output)
    }

    fn is_there(&self, name: &str, sys: &mut System<'_>) -> Result<bool> {
        Ok(sys.query(self.command(&["info", "--installed", bare(name)]))?.ok())
    }

    fn is_old(&self, name: &str, sys: &mut System<'_>) -> Result<bool> {
        let said = sys.query(self.command(&["version", bare(name)]))?;
        // `foo-1.0-r0 < 1.1-r0`
        let is_old = said.stdout().lines().any(|line| line.split_whitespace().nth(1) == Some("<"));
        Ok(is_old)
    }
}

/// A name without its version and repository: `foo=1.0`, `foo>1`, `foo@edge`.
fn bare(name: &str) -> &str {
    name.split(['=', '<', '>', '~', '@']).next().unwrap_or(name)
}

fn is_asked_for(world: &str, name: &str) -> bool {
    world.split_whitespace().any(|known| known == name || bare(known) == name)
}

fn judged(output: &Output, failed: &str) -> Result<()> {
    if output.ok() {
        return Ok(());
    }
    let said = [output.stderr(), output.stdout()].map(|text| text.trim().to_owned());
    let said = said.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    Err(Failure::new(format!("{failed}: {said}"))
        .with("rc", output.code)
        .with("stdout", output.stdout())
        .with("stderr", output.stderr()))
}

/// The packages that apk tells of: `(1/2) Installing foo (1.0-r0)`.
fn done(output: &Output) -> Vec<String> {
    let text = output.stdout();
    let lines = text.lines().filter(|line| line.starts_with('(') && line.contains('/'));
    lines.filter_map(|line| Some(line.split_whitespace().nth(2)?.to_owned())).collect()
}

fn told(msg: String, output: &Output) -> Returns {
    Returns {
        msg,
        packages: Some(done(output)),
        stdout: Some(output.stdout().into_owned()),
        stderr: Some(output.stderr().into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("apk");
        trial.host.program("/sbin/apk").file("/etc/apk/world", "git\nvim=9.1\n");
        trial.host.answer("/sbin/apk", 0, "(1/1) Installing x (1-r0)\nOK: 9 MiB in 2 packages\n");
        trial.host.answer("/sbin/apk info --installed", 1, "");
        for name in ["git", "vim", "lib"] {
            trial.host.answer(&format!("/sbin/apk info --installed {name}"), 0, name);
        }
        trial.host.answer("/sbin/apk version", 0, "Installed: Available:\nvim-9.1-r0 = 9.1-r0\n");
        trial.host.answer("/sbin/apk version git", 0, "Installed: Available:\ngit-2.4-r0 < 2.5-r0\n");
        trial
    }

    /// The command that was run besides looks.
    fn check(args: &Json, msg: &str, expected: Option<&str>) {
        let trial = trial();
        let result = trial.foretold(args, expected.is_some());
        assert_eq!(result["msg"], msg);
        let looks = ["info", "version"];
        let ran = trial.host.ran();
        let ran = ran.iter().filter_map(|line| line.strip_prefix("/sbin/apk "));
        let ran: Vec<&str> = ran.filter(|line| !looks.iter().any(|look| line.starts_with(look))).collect();
        assert_eq!(ran.into_iter().rfind(|line| !line.contains("--simulate")), expected);
    }

    #[test]
    fn packages_come_change_and_go() {
        let there = "package(s) already installed";
        check(&json!({"name": ["git", "vim"]}), there, None);
        check(&json!({"name": ["git", "new"]}), "installed new package(s)", Some("add new"));
        // It came with another.
        check(&json!({"name": "lib"}), "installed lib package(s)", Some("add lib"));
        check(&json!({"name": "vim", "state": "latest"}), there, None);
        check(
            &json!({"name": "git", "state": "latest"}),
            "installed git package(s)",
            Some("add --upgrade git"),
        );
        check(&json!({"name": "none", "state": "absent"}), "package(s) already removed", None);
        check(&json!({"upgrade": true, "available": true}), "upgraded packages", Some("upgrade --available"));
        check(&json!({"update_cache": true}), "updated repository indexes", Some("update"));
    }

    #[test]
    fn what_stays_though_it_should_go_is_an_error() {
        let trial = trial();
        trial.host.answer("/sbin/apk del", 0, "World updated, but the following packages are not removed\n");
        let result = trial.run(&json!({"name": "git", "state": "absent"}));
        assert!(result["msg"].as_str().unwrap().starts_with("failed to remove git"), "{result:#}");
        let locked = "ERROR: Unable to lock database: temporary error (try again later)";
        trial.host.answer("/sbin/apk add", 99, locked);
        let result = trial.run(&json!({"name": "new", "repository": "http://r", "no_cache": true}));
        assert_eq!(
            trial.host.ran().last().unwrap(),
            "/sbin/apk --no-cache --repository http://r --repositories-file /dev/null add new"
        );
        assert_eq!(result["failed"], json!(null), "{result:#}");
        let result = trial.run(&json!({"name": "new"}));
        assert_eq!(result["msg"], format!("failed to install new: {locked}"));
    }
}
