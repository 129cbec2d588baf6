use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::command::yes;
use crate::kit::{Command, Failure, FilePath, Output, Result, Secret, System};

/// Brings a directory of a Subversion repository to a path.
///
/// # Examples
///
/// ```yaml
/// - name: A working copy
///   subversion: {repo: "svn+ssh://an.example.org/path/to/repo", dest: /src/checkout}
///
/// - name: The files alone
///   subversion: {repo: "svn+ssh://an.example.org/path/to/repo", dest: /src/export, export: yes}
/// ```
#[derive(Deserialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of Ansible's")]
pub struct Args {
    /// The URL.
    #[schemars(extend("aliases" = ["name", "repository"]))]
    pub repo: String,
    /// The path; needed unless nothing is fetched.
    pub dest: Option<FilePath>,
    /// The revision.
    #[serde(default = "head")]
    #[schemars(extend("aliases" = ["rev", "version"]))]
    pub revision: String,
    /// Whether changed files are reverted; else they are an error.
    #[serde(default)]
    pub force: bool,
    /// Checks out over a directory that is no working copy.
    #[serde(default)]
    pub in_place: bool,
    /// The user.
    pub username: Option<String>,
    /// The password. `svn` before 1.10 takes it as an argument only.
    pub password: Option<Secret>,
    /// The program.
    pub executable: Option<FilePath>,
    /// Whether a path where nothing is gets a working copy.
    #[serde(default = "yes")]
    pub checkout: bool,
    /// Whether a working copy gets new revisions.
    #[serde(default = "yes")]
    pub update: bool,
    /// Exports the files alone.
    #[serde(default)]
    pub export: bool,
    /// Whether a working copy of another place is switched to this one.
    #[serde(default = "yes")]
    pub switch: bool,
    /// Checks the server's certificate.
    #[serde(default)]
    pub validate_certs: bool,
}

fn head() -> String {
    "HEAD".to_owned()
}

/// Before and after are lines of `svn info`; in check mode, of a working copy, the revisions alone.
#[derive(Default, Serialize)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Json>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let Some(dest) = args.dest.as_ref().map(|dest| dest.0.clone()) else {
        if args.checkout || args.update || args.export {
            return Err(Failure::new(
                "the destination directory must be specified unless checkout=no, update=no, and export=no",
            ));
        }
        let svn = Svn::new(&args, Path::new(""), sys)?;
        return Ok(Returns { before: None, after: Some(svn.remote(sys)?.into()) });
    };
    let svn = Svn::new(&args, &dest, sys)?;
    if args.export {
        let command = svn
            .command(sys, |svn| svn.arg("export").flag("--force", args.force).args(["-r", &args.revision]))?;
        sys.exec(command.arg(&args.repo).arg(&dest)).map_err(Failure::as_said)?;
        return Ok(Returns::default());
    }
    let found = sys.exists(&dest)?;
    let is_copy = found && svn.ask(sys, |svn| svn.arg("info").arg(&dest))?.ok();
    if !args.checkout && !args.update {
        return Ok(Returns { before: None, after: Some(svn.remote(sys)?.into()) });
    }
    if !found || (!is_copy && args.in_place) {
        if !args.checkout {
            return Ok(Returns::default());
        }
        let command =
            svn.command(sys, |svn| svn.arg("checkout").flag("--force", found).args(["-r", &args.revision]))?;
        sys.exec(command.arg(&args.repo).arg(&dest)).map_err(Failure::as_said)?;
        if found && args.force {
            let revert = svn.command(sys, |svn| svn.args(["revert", "-R"]).arg(&dest))?;
            sys.housekeep(revert)?;
        }
        return svn.done(None, sys);
    }
    if !is_copy {
        let msg =
            format!("ERROR: {} folder already exists, but its not a subversion repository.", dest.display());
        return Err(Failure::new(msg));
    }
    if !args.update {
        return Ok(Returns::default());
    }
    svn.bring(sys)
}

struct Svn<'a> {
    args: &'a Args,
    program: PathBuf,
    dest: &'a Path,
}

impl<'a> Svn<'a> {
    fn new(args: &'a Args, dest: &'a Path, sys: &System<'_>) -> Result<Self> {
        let named = args.executable.as_ref().map(|path| path.0.clone());
        let program = named.map_or_else(|| sys.need("svn"), Ok)?;
        Ok(Self { args, program, dest })
    }

    /// A command with all that says how to get there. The password goes by standard input where svn can.
    fn command(&self, sys: &mut System<'_>, words: impl FnOnce(Command) -> Command) -> Result<Command> {
        let mut command = Command::new(&self.program)
            .env("LC_ALL", "C.UTF-8")
            .args(["--non-interactive", "--no-auth-cache"]);
        command = command.flag("--trust-server-cert", !self.args.validate_certs);
        command = command.opt("--username", self.args.username.as_ref());
        if let Some(password) = &self.args.password {
            let version = sys.query(Command::new(&self.program).args(["--version", "--quiet"]))?;
            let numbers: Vec<u32> =
                version.stdout().trim().split('.').filter_map(|part| part.parse().ok()).collect();
            command = if numbers >= vec![1, 10] {
                command.arg("--password-from-stdin").stdin(password.expose())
            } else {
                sys.warn("The authentication provided will be used on the svn command line and is not secure. To securely pass credentials, upgrade svn to version 1.10.0 or greater.");
                command.arg("--password").arg(password.expose())
            };
        }
        Ok(words(command))
    }

    fn ask(&self, sys: &mut System<'_>, words: impl FnOnce(Command) -> Command) -> Result<Output> {
        let command = self.command(sys, words)?;
        sys.query(command)
    }

    /// `Revision: 3` and `URL: …` of a path or URL.
    fn info(&self, of: &Path, sys: &mut System<'_>) -> Result<(String, String)> {
        let output = self.ask(sys, |svn| svn.arg("info").arg(of))?;
        let text = output.stdout().into_owned();
        let line =
            |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap_or_default().to_owned();
        if !output.ok() {
            let msg = output.stderr().trim().to_owned();
            return Err(Failure::new(msg).with("rc", output.code));
        }
        Ok((line("Revision: "), line("URL: ")))
    }

    /// The revision that is asked for, in the repository.
    fn remote(&self, sys: &mut System<'_>) -> Result<String> {
        let args = self.args;
        let output = self.ask(sys, |svn| svn.args(["info", "-r", &args.revision]).arg(&args.repo))?;
        if !output.ok() {
            return Err(Failure::new(output.stderr().trim().to_owned()).with("rc", output.code));
        }
        let text = output.stdout();
        let line = text.lines().find(|line| line.starts_with("Revision: "));
        Ok(line.unwrap_or("Unable to get remote revision").to_owned())
    }

    fn done(&self, before: Option<Json>, sys: &mut System<'_>) -> Result<Returns> {
        if sys.is_check() {
            return Ok(Returns::default());
        }
        let (revision, url) = self.info(self.dest, sys)?;
        Ok(Returns { before: Some(before.unwrap_or_default()), after: Some(vec![revision, url].into()) })
    }

    /// Files that were changed here; those that are unknown or of elsewhere do not count.
    fn is_modified(&self, sys: &mut System<'_>) -> Result<bool> {
        let output =
            self.ask(sys, |svn| svn.args(["status", "--quiet", "--ignore-externals"]).arg(self.dest))?;
        if !output.ok() {
            return Err(Failure::new(output.stderr().trim().to_owned()).with("rc", output.code));
        }
        Ok(output.stdout().lines().any(|line| !line.is_empty() && !line.starts_with(['?', 'X'])))
    }

    /// Brings a working copy to the URL and revision.
    fn bring(&self, sys: &mut System<'_>) -> Result<Returns> {
        let args = self.args;
        let (revision, url) = self.info(self.dest, sys)?;
        let modified = self.is_modified(sys)?;
        let wanted = format!("URL: {}", args.repo.trim_end_matches('/'));
        let elsewhere = args.switch && url != wanted;
        if sys.is_check() {
            let after = self.remote(sys)?;
            if elsewhere || revision != after || (modified && args.force) {
                sys.exec(Command::new(&self.program).arg("update").arg(self.dest))?;
            }
            return Ok(Returns { before: Some(revision.into()), after: Some(after.into()) });
        }
        if modified && !args.force {
            return Err(Failure::new("ERROR: modified files exist in the repository."));
        }
        if modified {
            let revert = self.command(sys, |svn| svn.args(["revert", "-R"]).arg(self.dest))?;
            sys.exec(revert).map_err(Failure::as_said)?;
        }
        let changed = |output: &Output| output.stdout().lines().any(tells_of_change);
        if elsewhere {
            let switch = self.command(sys, |svn| {
                svn.args(["switch", "--revision", &args.revision]).arg(&args.repo).arg(self.dest)
            })?;
            sys.exec_judged(switch, changed).map_err(Failure::as_said)?;
        }
        let update = self.command(sys, |svn| svn.args(["update", "-r", &args.revision]).arg(self.dest))?;
        sys.exec_judged(update, changed).map_err(Failure::as_said)?;
        self.done(Some(vec![revision, url].into()), sys)
    }
}

/// Whether a line of `svn update` is about a file: `U    trunk/f`. That the revision is another is no change.
fn tells_of_change(line: &str) -> bool {
    let Some((marks, rest)) = line.split_at_checked(4) else { return false };
    rest.starts_with(' ')
        && marks.contains(|c| "ACDEGRU".contains(c))
        && marks.chars().all(|c| "ABCDEGMRU ".contains(c))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::tells_of_change;
    use crate::kit::Output;
    use crate::kit::trial::Trial;

    fn check(is_copy: bool, modified: bool, mut args: Json, expected: &[&str]) -> Json {
        let trial = Trial::of("subversion");
        trial.host.program("/usr/bin/svn");
        if is_copy {
            trial.host.dir("/d");
        }
        trial.host.script("/usr/bin/svn", move |command, _| {
            let is = |verb: &str| command.argv.iter().any(|word| word.to_str() == Some(verb));
            let stdout = match () {
                () if is("--version") => "1.14.2\n",
                () if is("status") && modified => "M       /d/f\n",
                () if is("update") => "Updating '/d':\nU    /d/f\nUpdated to revision 3.\n",
                () if is("info") => "Path: d\nURL: file:///r\nRevision: 3\n",
                () => "",
            };
            Output { stdout: stdout.into(), ..Output::default() }
        });
        args["repo"] = args.get("repo").cloned().unwrap_or_else(|| json!("file:///r"));
        let got = trial.run(&args);
        let looks = |line: &&String| !["info", "status", "--version"].iter().any(|look| line.contains(look));
        let ran = trial.host.ran();
        let ran: Vec<String> = ran
            .iter()
            .filter(looks)
            .map(|line| {
                line.replace("/usr/bin/svn --non-interactive --no-auth-cache --trust-server-cert ", "")
            })
            .collect();
        assert_eq!(ran, expected, "{args}: {got}");
        got
    }

    #[test]
    fn working_copies_are_made_and_brought_up_to_date() {
        check(false, false, json!({"dest": "/d"}), &["checkout -r HEAD file:///r /d"]);
        let got = check(true, false, json!({"dest": "/d", "revision": 3}), &["update -r 3 /d"]);
        assert_eq!(got["after"], json!(["Revision: 3", "URL: file:///r"]));
        check(
            true,
            false,
            json!({"dest": "/d", "repo": "file:///r/b"}),
            &["switch --revision HEAD file:///r/b /d", "update -r HEAD /d"],
        );
        check(true, true, json!({"dest": "/d", "force": true}), &["revert -R /d", "update -r HEAD /d"]);
        let got = check(true, true, json!({"dest": "/d"}), &[]);
        assert_eq!(got["msg"], "ERROR: modified files exist in the repository.");
        check(false, false, json!({"dest": "/d", "export": true}), &["export -r HEAD file:///r /d"]);
        check(false, false, json!({"dest": "/d", "checkout": false}), &[]);
    }

    #[test]
    fn passwords_go_by_standard_input() {
        let args = json!({"dest": "/d", "username": "me", "password": "secret"});
        check(false, false, args, &["--username me --password-from-stdin checkout -r HEAD file:///r /d"]);
    }

    #[test]
    fn lines_about_files() {
        for (line, expected) in [
            ("U    /d/f", true),
            (" U   /d", true),
            ("A    x", true),
            ("At revision 3.", false),
            ("Updating '/d':", false),
            ("", false),
        ] {
            assert_eq!(tells_of_change(line), expected, "{line}");
        }
    }
}
