mod annotations;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dnf::State;
use crate::kit::{Command, Failure, FilePath, Output, Result, System};

/// Manages packages with pkg, as on FreeBSD.
///
/// # Examples
///
/// ```yaml
/// - name: Two packages
///   pkgng: {name: [nginx, git], state: present}
///
/// - name: Everything up to date
///   pkgng: {name: "*", state: latest}
///
/// - name: Gone, with what came along and nobody needs any more
///   pkgng: {name: nginx, state: absent, autoremove: true}
///
/// - name: From a file
///   pkgng: {name: /tmp/tool-1.2.pkg}
///
/// - name: Notes on a package
///   pkgng: {name: git, annotation: ["+owner=ops", -old]}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["rootdir", "chroot", "jail"]]))]
pub struct Args {
    /// The packages, by name or origin, and files of packages. `*` with `latest` are all that are there.
    #[schemars(extend("aliases" = ["pkg"]))]
    pub name: Vec<String>,
    /// Whether they are there.
    #[serde(default)]
    pub state: State,
    /// Does not fetch the lists of packages anew.
    #[serde(default)]
    pub cached: bool,
    /// What is noted with the packages: `+key=value` adds, `:key=value` changes, `-key` removes.
    #[serde(default)]
    pub annotation: Vec<String>,
    /// The repository, by its name in pkg's configuration.
    pub pkgsite: Option<String>,
    /// The directory to work below, with the pkg and the configuration of here.
    pub rootdir: Option<FilePath>,
    /// The directory to work in as if it were the root.
    pub chroot: Option<FilePath>,
    /// The jail to work in, by name or number.
    pub jail: Option<String>,
    /// Removes packages that came with others and are no longer needed.
    #[serde(default)]
    pub autoremove: bool,
    /// Takes packages of another version of FreeBSD.
    #[serde(default)]
    pub ignore_osver: bool,
    /// Names are patterns of the shell.
    #[serde(default = "crate::command::yes")]
    pub use_globs: bool,
}

#[derive(Serialize)]
pub struct Returns {
    msg: String,
    stdout: String,
    stderr: String,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let pkg = Pkg { program: Command::new(sys.need("pkg")?), args: &args };
    let mut done = Done::default();
    if args.name.iter().any(|name| name == "*") {
        if args.state == State::Latest {
            pkg.upgrade_all(&mut done, sys)?;
        }
    } else {
        let packages = pkg.packages(sys)?;
        match args.state {
            State::Absent => pkg.remove(&packages, &mut done, sys)?,
            State::Present | State::Latest => pkg.install(&packages, &mut done, sys)?,
        }
        if !args.annotation.is_empty() && args.state != State::Absent {
            annotations::ensure(&pkg, &packages, &mut done, sys)?;
        }
    }
    if args.autoremove {
        pkg.autoremove(&mut done, sys)?;
    }
    Ok(Returns { msg: done.said.join(", "), stdout: done.stdout, stderr: done.stderr })
}

/// What was done, for the result.
#[derive(Default)]
struct Done {
    said: Vec<String>,
    stdout: String,
    stderr: String,
}

impl Done {
    fn take(&mut self, output: &Output) {
        self.stdout.push_str(&output.stdout());
        self.stderr.push_str(&output.stderr());
    }
}

struct Pkg<'a> {
    program: Command,
    args: &'a Args,
}

/// A package that was asked for: `source` is what pkg installs it by.
struct Package {
    name: String,
    source: String,
    there: bool,
}

impl Pkg<'_> {
    fn command(&self, verb: &str) -> Command {
        let place =
            |flag: &str, path: Option<&FilePath>| path.map(|path| format!("--{flag}={}", path.0.display()));
        let place = place("rootdir", self.args.rootdir.as_ref())
            .or_else(|| place("chroot", self.args.chroot.as_ref()))
            .or_else(|| self.args.jail.as_ref().map(|jail| format!("--jail={jail}")));
        let command = self.program.clone().args(place).arg(verb).env("BATCH", "yes");
        if self.args.ignore_osver { command.env("IGNORE_OSVERSION", "yes") } else { command }
    }

    fn repository(&self) -> Option<String> {
        self.args.pkgsite.as_ref().map(|site| format!("--repository={site}"))
    }

    /// A command that takes packages from repositories.
    fn fetching(&self, verb: &str) -> Command {
        let command = self.command(verb).args(self.repository()).flag("-g", self.args.use_globs);
        // The lists were fetched just before, or are not to be.
        command.arg("-U")
    }

    fn packages(&self, sys: &mut System<'_>) -> Result<Vec<Package>> {
        // One read tells of most names.
        let known = sys.query(self.command("query").arg("%n %o %n-%v"))?;
        let text = known.stdout();
        let known: BTreeSet<&str> = text.split_whitespace().collect();
        self.args.name.iter().map(|source| self.package(source, &known, sys)).collect()
    }

    fn package(&self, source: &str, known: &BTreeSet<&str>, sys: &mut System<'_>) -> Result<Package> {
        let name = if is_file(source) { self.name_in(source, sys)? } else { source.to_owned() };
        let there = known.contains(name.as_str())
            || sys.query(self.command("info").flag("-g", self.args.use_globs).args(["-e", &name]))?.ok();
        Ok(Package { name, source: source.to_owned(), there })
    }

    /// The name of the package in a file.
    fn name_in(&self, file: &str, sys: &mut System<'_>) -> Result<String> {
        if self.args.state != State::Present {
            let state = if self.args.state == State::Latest { "latest" } else { "absent" };
            return Err(Failure::new(format!(
                "{file}: a file of a package goes with state=present only, not {state}"
            )));
        }
        let said = sys.query(self.command("query").args(["-F", file, "%n"]))?;
        said.or_fail(&format!("cannot read the package {file}"))?;
        Ok(said.stdout().trim().to_owned())
    }

    fn refresh(&self, sys: &mut System<'_>) -> Result<()> {
        if self.args.cached {
            return Ok(());
        }
        let output = sys.housekeep(self.command("update").args(self.repository()))?;
        output.map_or(Ok(()), |output| output.or_fail("Could not update catalogue"))
    }

    fn install(&self, packages: &[Package], done: &mut Done, sys: &mut System<'_>) -> Result<()> {
        let (there, missing): (Vec<&Package>, Vec<&Package>) =
            packages.iter().partition(|package| package.there);
        let latest = self.args.state == State::Latest;
        if latest || !missing.is_empty() {
            self.refresh(sys)?;
        }
        let old = if latest { self.old(&there, sys)? } else { Vec::new() };
        let mut counts = Vec::new();
        for (verb, participle, packages) in
            [("upgrade", "upgraded", &old), ("install", "installed", &missing)]
        {
            if packages.is_empty() {
                continue;
            }
            let sources = packages.iter().map(|package| package.source.as_str());
            Self::act(self.fetching(verb).arg("-y").args(sources), verb, packages, done, sys)?;
            counts.push(format!("{participle} {} package{}", packages.len(), plural(packages.len())));
        }
        if !missing.is_empty() {
            sys.foretell_packages();
            self.confirm(&missing, "install", true, sys)?;
        }
        let settled = || vec!["package(s) already present".to_owned()];
        done.said.push(if counts.is_empty() { settled() } else { counts }.join("; "));
        Ok(())
    }

    /// Those of which a repository has a newer version. pkg is asked for all at once first: mostly there are none.
    fn old<'p>(&self, packages: &[&'p Package], sys: &mut System<'_>) -> Result<Vec<&'p Package>> {
        if packages.is_empty() || !self.has_newer(packages, sys)? {
            return Ok(Vec::new());
        }
        if let [_] = packages {
            return Ok(packages.to_vec());
        }
        let mut old = Vec::new();
        for package in packages {
            if self.has_newer(&[package], sys)? {
                old.push(*package);
            }
        }
        Ok(old)
    }

    fn has_newer(&self, packages: &[&Package], sys: &mut System<'_>) -> Result<bool> {
        let ask =
            self.fetching("upgrade").arg("-n").args(packages.iter().map(|package| package.name.as_str()));
        let said = sys.query(ask)?;
        // Where there is something to do, it ends badly, as it does for errors.
        let newer = said.stdout().contains("to be ");
        if !newer {
            said.or_fail(&format!("failed to upgrade {}", names(packages)))?;
        }
        Ok(newer)
    }

    fn upgrade_all(&self, done: &mut Done, sys: &mut System<'_>) -> Result<()> {
        self.refresh(sys)?;
        let said = sys.query(self.fetching("upgrade").arg("-n"))?;
        let text = said.stdout();
        if !text.contains("to be ") {
            said.or_fail("failed to upgrade packages")?;
            done.take(&said);
            done.said.push("no packages need upgrades".to_owned());
            return Ok(());
        }
        let count =
            text.lines().filter_map(|line| line.trim().strip_prefix("Number of packages to be upgraded:"));
        let count = count.filter_map(|count| count.trim().parse::<usize>().ok()).sum::<usize>();
        match sys.attempt(self.fetching("upgrade").arg("-y"))? {
            Some(output) => {
                done.take(&output);
                output.or_fail("failed to upgrade packages")?;
            }
            None => done.take(&said),
        }
        done.said.push(format!("updated {count} package{}", plural(count)));
        Ok(())
    }

    fn remove(&self, packages: &[Package], done: &mut Done, sys: &mut System<'_>) -> Result<()> {
        let there: Vec<&Package> = packages.iter().filter(|package| package.there).collect();
        if there.is_empty() {
            done.said.push("package(s) already absent".to_owned());
            return Ok(());
        }
        let command = self.command("delete").flag("-g", self.args.use_globs).arg("-y");
        let command = command.args(there.iter().map(|package| package.name.as_str()));
        Self::act(command, "remove", &there, done, sys)?;
        self.confirm(&there, "remove", false, sys)?;
        done.said.push(format!("removed {} package(s)", there.len()));
        Ok(())
    }

    fn act(
        command: Command,
        verb: &str,
        packages: &[&Package],
        done: &mut Done,
        sys: &mut System<'_>,
    ) -> Result<()> {
        let Some(output) = sys.attempt(command)? else { return Ok(()) };
        done.take(&output);
        output.or_fail(&format!("failed to {verb} {}", names(packages)))
    }

    /// An error where a package did not become what pkg was told: it may end well though nothing came of it.
    fn confirm(&self, packages: &[&Package], verb: &str, there: bool, sys: &mut System<'_>) -> Result<()> {
        if sys.is_check() {
            return Ok(());
        }
        for package in packages {
            let ask = self.command("info").flag("-g", self.args.use_globs).args(["-e", &package.name]);
            let said = sys.query(ask)?;
            if said.ok() != there {
                return Err(Failure::new(format!("failed to {verb} {}", package.name)).with_output(&said));
            }
        }
        Ok(())
    }

    fn autoremove(&self, done: &mut Done, sys: &mut System<'_>) -> Result<()> {
        let said = sys.query(self.command("autoremove").arg("-n"))?;
        let text = said.stdout();
        // `Deinstallation has been requested for the following 2 packages:`
        let count = text.lines().find_map(|line| {
            let (_, rest) = line.split_once("requested for the following ")?;
            rest.split_whitespace().next()?.parse::<usize>().ok()
        });
        let Some(count) = count else {
            said.or_fail("failed to look for packages to autoremove")?;
            done.said.push("no package(s) to autoremove".to_owned());
            return Ok(());
        };
        if let Some(output) = sys.attempt(self.command("autoremove").arg("-y"))? {
            done.take(&output);
            output.or_fail("failed to autoremove packages")?;
        }
        done.said.push(format!("autoremoved {count} package(s)"));
        Ok(())
    }
}

fn is_file(name: &str) -> bool {
    [".pkg", ".tzst", ".txz", ".tbz", ".tgz", ".tar"].iter().any(|ending| name.ends_with(ending))
}

fn names(packages: &[&Package]) -> String {
    packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>().join(" ")
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;
    use crate::kit::{Command, Output};

    const PKG: &str = "/usr/local/sbin/pkg";

    /// A host where `git` and `old` are there; of `old` there is a newer version.
    fn trial() -> Trial {
        let trial = Trial::of("pkgng");
        trial.host.program(PKG);
        let db = Mutex::new(vec!["git".to_owned(), "old".to_owned()]);
        trial.host.script(PKG, move |command: &Command, _| {
            let words: Vec<String> = command.argv.iter().map(|w| w.to_string_lossy().into_owned()).collect();
            let mut words = words.iter().skip(1).map(String::as_str).filter(|word| !word.starts_with("--"));
            let verb = words.next().unwrap();
            let rest: Vec<&str> = words.filter(|word| !word.starts_with('-')).collect();
            let mut db = db.lock().unwrap();
            let said = |code, text: &str| Output { code, stdout: text.into(), ..Output::default() };
            match verb {
                "query" if rest.first() == Some(&"/tmp/tool-1.pkg") => return said(0, "tool\n"),
                "query" => {
                    let lines: Vec<String> = db.iter().map(|name| format!("{name} x/{name} {name}-1")).collect();
                    return said(0, &lines.join("\n"));
                }
                "info" => return said(i32::from(!db.iter().any(|name| rest.contains(&name.as_str()))), ""),
                "upgrade" if rest.contains(&"old") || rest.is_empty() => {
                    let text = "Installed packages to be UPGRADED:\n\told: 1 -> 2\n\nNumber of packages to be upgraded: 1\n";
                    return said(i32::from(command.argv.contains(&"-n".into())), text);
                }
                "upgrade" => return said(0, "Your packages are up to date.\n"),
                "autoremove" => {
                    return said(0, "Deinstallation has been requested for the following 2 packages:\n");
                }
                _ => {}
            }
            if rest.contains(&"none") {
                return Output { code: 1, stderr: "pkg: No packages available".into(), ..Output::default() };
            }
            for name in rest {
                match verb {
                    "install" => {
                        db.push(name.trim_start_matches("/tmp/").trim_end_matches("-1.pkg").to_owned());
                    }
                    "delete" => db.retain(|known| known != name),
                    _ => {}
                }
            }
            Output::default()
        });
        trial
    }

    fn check(args: &Json, msg: &str, ran: &[&str]) {
        let trial = trial();
        let result = trial.foretold(args, !ran.is_empty());
        assert_eq!(result["msg"], msg, "{args}");
        let lines = trial.host.ran();
        let acts = lines.iter().filter_map(|line| line.strip_prefix(PKG)).map(str::trim);
        let looks = ["query", "info", " -n", "update"];
        assert_eq!(
            acts.filter(|line| !looks.iter().any(|look| line.contains(look))).collect::<Vec<_>>(),
            ran
        );
    }

    #[test]
    fn packages_come_change_and_go() {
        let there = "package(s) already present";
        check(&json!({"name": ["git", "x/old"]}), there, &[]);
        check(&json!({"name": ["git", "vim"]}), "installed 1 package", &["install -g -U -y vim"]);
        check(&json!({"name": "git", "state": "latest"}), there, &[]);
        check(
            &json!({"name": ["git", "old", "vim", "nano"], "state": "latest", "pkgsite": "own"}),
            "upgraded 1 package; installed 2 packages",
            &["upgrade --repository=own -g -U -y old", "install --repository=own -g -U -y vim nano"],
        );
        check(&json!({"name": "*", "state": "latest"}), "updated 1 package", &["upgrade -g -U -y"]);
        check(&json!({"name": "*"}), "", &[]);
        check(&json!({"name": "vim", "state": "absent"}), "package(s) already absent", &[]);
        check(
            &json!({"name": ["git", "vim"], "state": "absent", "use_globs": false, "jail": "web"}),
            "removed 1 package(s)",
            &["--jail=web delete -y git"],
        );
        check(
            &json!({"name": "/tmp/tool-1.pkg"}),
            "installed 1 package",
            &["install -g -U -y /tmp/tool-1.pkg"],
        );
        check(
            &json!({"name": "git", "autoremove": true, "rootdir": "/mnt"}),
            "package(s) already present, autoremoved 2 package(s)",
            &["--rootdir=/mnt autoremove -y"],
        );
    }

    #[test]
    fn one_read_tells_what_is_there() {
        let trial = trial();
        trial.run(&json!({"name": ["git", "old"]}));
        assert_eq!(trial.host.ran(), [format!("{PKG} query %n %o %n-%v")]);
    }

    #[test]
    fn what_fails_is_an_error() {
        let fails = |args: &Json, msg: &str| assert_eq!(trial().run(args)["msg"], msg, "{args}");
        fails(&json!({"name": "none"}), "failed to install none: pkg: No packages available");
        fails(
            &json!({"name": "/tmp/tool-1.pkg", "state": "latest"}),
            "/tmp/tool-1.pkg: a file of a package goes with state=present only, not latest",
        );
        let trial = trial();
        trial.host.answer(&format!("{PKG} delete"), 0, "").answer(&format!("{PKG} update"), 1, "no route\n");
        assert_eq!(trial.run(&json!({"name": "git", "state": "absent"}))["msg"], "failed to remove git");
        let result = trial.run(&json!({"name": "vim"}));
        assert_eq!(result["msg"], "Could not update catalogue: no route");
        assert_eq!(trial.run(&json!({"name": "vim", "cached": true}))["changed"], true);
    }
}
