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
        output.map_or(Ok(()), |output| output.or_fail("could not update package db"))
    }

    fn upgrade(&self, sys: &mut System<'_>) -> Result<Returns> {
        let command = self.command(&["upgrade"]).flag("--available", self.args.available);
        let output = Self::act(command, "failed to upgrade packages", sys)?;
        let msg = if done(&output).is_empty() { "packages already upgraded" } else { "upgraded packages" };
        Ok(told(msg.to_owned(), &output))
    }

    fn install(&self, sys: &mut System<'_>) -> Result<Returns> {
        let world = sys.read_text_if_there(&self.args.world)?.unwrap_or_default();
        let there = self.there(&self.args.name, sys)?;
        // What came with another package was not asked for yet.
        let is_settled = |name: &String| is_asked_for(&world, name) && there.contains(name);
        let latest = self.args.state == State::Latest;
        let settled = self.args.name.iter().filter(|name| latest && is_settled(name)).cloned().collect();
        let old = self.old(settled, sys)?;
        let upgrades = !old.is_empty();
        let comes = |name: &&String| !is_settled(name) || old.contains(*name);
        let coming: Vec<String> = self.args.name.iter().filter(comes).cloned().collect();
        if coming.is_empty() {
            return Ok(Returns { msg: "package(s) already installed".to_owned(), ..Returns::default() });
        }
        let names = coming.join(" ");
        let command = self.command(&["add"]).flag("--upgrade", upgrades).args(coming);
        let output = Self::act(command, &format!("failed to install {names}"), sys)?;
        Ok(told(format!("installed {names} package(s)"), &output))
    }

    fn remove(&self, sys: &mut System<'_>) -> Result<Returns> {
        let going = self.there(&self.args.name, sys)?;
        if going.is_empty() {
            return Ok(Returns { msg: "package(s) already removed".to_owned(), ..Returns::default() });
        }
        let names = going.join(" ");
        let command = self.command(&["del", "--purge"]).args(going.iter().cloned());
        let output = Self::act(command, &format!("failed to remove {names} package(s)"), sys)?;
        // One that others need stays, and apk ends well.
        let stays = if sys.is_check() { Vec::new() } else { self.there(&going, sys)? };
        if !stays.is_empty() {
            let stays = stays.join(" ");
            return Err(Failure::new(format!("failed to remove {stays}: {}", output.stdout().trim()))
                .with_output(&output));
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
        output.or_fail(failed)?;
        if adds {
            sys.foretell_packages();
        }
        Ok(output)
    }

    /// Those of the names that are there, by themselves or by a package that provides them.
    fn there(&self, names: &[String], sys: &mut System<'_>) -> Result<Vec<String>> {
        let ask = |names: &[String]| {
            self.command(&["info", "--installed"]).args(names.iter().map(|name| bare(name).to_owned()))
        };
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let said = sys.query(ask(names))?;
        if said.ok() {
            return Ok(names.to_vec());
        }
        let text = said.stdout();
        let told: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let mut there = Vec::new();
        // What is provided is told by the name of what provides it: by one name which of them it is.
        let provided = told.iter().any(|line| !names.iter().any(|name| bare(name) == *line));
        for name in names {
            let alone = std::slice::from_ref(name);
            if told.contains(&bare(name)) || provided && sys.query(ask(alone))?.ok() {
                there.push(name.clone());
            }
        }
        Ok(there)
    }

    /// Those of the names of which there is a newer version.
    fn old(&self, names: Vec<String>, sys: &mut System<'_>) -> Result<Vec<String>> {
        if names.is_empty() {
            return Ok(names);
        }
        let ask = self.command(&["version"]).args(names.iter().map(|name| bare(name).to_owned()));
        let said = sys.query(ask)?;
        let text = said.stdout();
        // `foo-1.0-r0 < 1.1-r0`
        let old = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let name = words.next()?.rsplitn(3, '-').nth(2)?;
            (words.next() == Some("<")).then_some(name)
        });
        let old: Vec<&str> = old.collect();
        Ok(names.into_iter().filter(|name| old.contains(&bare(name))).collect())
    }
}

/// A name without its version and repository: `foo=1.0`, `foo>1`, `foo@edge`.
fn bare(name: &str) -> &str {
    name.split(['=', '<', '>', '~', '@']).next().unwrap_or(name)
}

fn is_asked_for(world: &str, name: &str) -> bool {
    world.split_whitespace().any(|known| known == name || bare(known) == name)
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

    use crate::kit::Output;
    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("apk");
        trial.host.program("/sbin/apk").file("/etc/apk/world", "git\nvim=9.1\n");
        trial.host.answer("/sbin/apk", 0, "(1/1) Installing x (1-r0)\nOK: 9 MiB in 2 packages\n");
        trial.host.script("/sbin/apk info --installed", |command, _| {
            let asked: Vec<_> = command.argv.iter().skip(3).map(|word| word.to_string_lossy()).collect();
            let told = |name: &str| match name {
                "git" | "vim" | "lib" => Some(format!("{name}\n")),
                "sh" => Some("busybox\n".to_owned()),
                _ => None,
            };
            let there: Vec<String> = asked.iter().filter_map(|name| told(name)).collect();
            let code = i32::from(there.len() < asked.len());
            Output { code, stdout: there.concat().into_bytes(), ..Output::default() }
        });
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
    fn one_question_tells_what_is_there_but_for_what_others_provide() {
        let gone = |names: &Json, msg: &str, asked: &[&str]| {
            let trial = trial();
            assert_eq!(trial.check(&json!({"name": names, "state": "absent"}))["msg"], msg);
            let ran = trial.host.ran();
            let asks = ran.iter().filter_map(|line| line.strip_prefix("/sbin/apk info --installed "));
            assert_eq!(asks.collect::<Vec<_>>(), asked);
        };
        gone(&json!(["git", "vim", "none"]), "removed git vim package(s)", &["git vim none"]);
        gone(&json!(["git", "vim=9.1"]), "removed git vim=9.1 package(s)", &["git vim"]);
        gone(&json!(["none", "git", "sh"]), "removed git sh package(s)", &["none git sh", "none", "sh"]);
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
