use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::kit::{Command, Failure, FilePath, Result, System};

/// Manages packages of Node.js with npm.
///
/// # Examples
///
/// ```yaml
/// - name: A package for everybody
///   npm: {name: coffee-script, version: "1.6.1", global: yes}
///
/// - name: What package.json asks for
///   npm: {path: /app/location}
///
/// - name: No such package
///   npm: {name: coffee-script, global: yes, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required_if" = [["state", "absent", ["name"]]]))]
pub struct Args {
    /// The package; without one all that `package.json` asks for.
    pub name: Option<String>,
    /// The directory of the application.
    pub path: Option<FilePath>,
    /// Its version.
    pub version: Option<String>,
    /// Installs it for everybody.
    #[serde(default)]
    pub global: bool,
    /// The program.
    pub executable: Option<FilePath>,
    /// Whether it is there; `latest` is the newest.
    #[serde(default)]
    pub state: State,
    /// Runs no scripts of packages.
    #[serde(default)]
    pub ignore_scripts: bool,
    /// Runs scripts of packages as root.
    #[serde(default)]
    pub unsafe_perm: bool,
    /// Installs exactly what `package-lock.json` says.
    #[serde(default)]
    pub ci: bool,
    /// Leaves out what only developers need.
    #[serde(default)]
    pub production: bool,
    /// Where packages come from.
    pub registry: Option<String>,
    /// Leaves out what is optional.
    #[serde(default)]
    pub no_optional: bool,
    /// Makes no links to programs.
    #[serde(default)]
    pub no_bin_links: bool,
    /// Goes on against npm's doubts.
    #[serde(default)]
    pub force: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    Latest,
    #[default]
    Present,
}

#[derive(Serialize)]
pub struct Returns {}

/// What npm knows of the packages.
#[derive(Default)]
struct Listed {
    installed: Vec<String>,
    missing: Vec<String>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if args.path.is_none() && !args.global {
        return Err(Failure::new("path must be specified when not using global"));
    }
    let program = match &args.executable {
        Some(path) => path.0.clone(),
        None => sys.need("npm")?,
    };
    let npm = Npm { program: Command::new(program), args: &args };
    let wanted = args.name.as_ref().map(|name| match &args.version {
        Some(version) => format!("{name}@{version}"),
        None => name.clone(),
    });
    if args.ci {
        return npm.change("ci", None, sys).map(|()| Returns {});
    }
    let listed = npm.list(wanted.as_deref(), sys)?;
    let is_there = args.name.as_ref().is_some_and(|name| listed.installed.contains(name));
    match args.state {
        State::Absent if is_there => npm.change("uninstall", args.name.as_deref(), sys)?,
        State::Absent => {}
        State::Present | State::Latest => {
            // As Ansible does it: what others lack or have old makes npm act, too.
            let is_outdated = args.state == State::Latest && npm.is_outdated(sys)?;
            if !listed.missing.is_empty() {
                npm.change("install", wanted.as_deref(), sys)?;
            }
            if is_outdated {
                npm.change("update", wanted.as_deref(), sys)?;
            }
        }
    }
    Ok(Returns {})
}

struct Npm<'a> {
    program: Command,
    args: &'a Args,
}

impl Npm<'_> {
    fn command(&self, verb: &str, name: Option<&str>) -> Command {
        let args = self.args;
        let mut command = self.program.clone().arg(verb);
        for (flag, wanted) in [
            ("--global", args.global),
            ("--production", args.production && matches!(verb, "install" | "update" | "ci")),
            ("--ignore-scripts", args.ignore_scripts),
            ("--unsafe-perm", args.unsafe_perm),
            ("--no-optional", args.no_optional),
            ("--no-bin-links", args.no_bin_links),
            ("--force", args.force),
        ] {
            command = command.flag(flag, wanted);
        }
        command = command.opt("--registry", args.registry.as_ref());
        if let Some(name) = name {
            command = command.arg(name);
        }
        match &args.path {
            Some(path) => command.dir(path.0.clone()),
            None => command,
        }
    }

    fn change(&self, verb: &str, name: Option<&str>, sys: &mut System<'_>) -> Result<()> {
        if let Some(path) = &self.args.path {
            sys.make_dirs(path, None)?;
        }
        // That there is nothing to do npm says in many words: the versions tell.
        sys.exec(self.command(verb, name)).map(drop)
    }

    /// What is installed, and what is not though it is asked for.
    fn list(&self, wanted: Option<&str>, sys: &mut System<'_>) -> Result<Listed> {
        let mut listed = Listed::default();
        if let Some(path) = &self.args.path
            && !sys.exists(path)?
        {
            listed.missing.extend(wanted.map(str::to_owned));
            listed.missing.extend(wanted.is_none().then(String::new));
            return Ok(listed);
        }
        let output = sys.query(self.command("list", None).args(["--json", "--long"]))?;
        let told: Json = serde_json::from_slice(&output.stdout).map_err(|_| {
            Failure::new(format!("Failed to parse NPM output: {}", output.stderr().trim()))
                .with("rc", output.code)
        })?;
        // That something is missing or of another version is told with each.
        if let Some(error) = told.get("error").filter(|error| error["code"] != "ELSPROBLEMS") {
            let why = error["summary"].as_str().map_or_else(|| error.to_string(), str::to_owned);
            return Err(Failure::new(format!("npm list failed: {why}")).with("rc", output.code));
        }
        for (name, package) in told.get("dependencies").and_then(Json::as_object).into_iter().flatten() {
            let says = |key: &str| package.get(key).is_some_and(|flag| *flag == Json::Bool(true));
            if says("missing") || says("invalid") {
                listed.missing.push(name.clone());
                continue;
            }
            listed.installed.push(name.clone());
            if let Some(version) = package.get("version").and_then(Json::as_str) {
                listed.installed.push(format!("{name}@{version}"));
            }
        }
        if let Some(wanted) = wanted
            && !listed.installed.iter().any(|name| name == wanted)
        {
            listed.missing.push(wanted.to_owned());
        }
        Ok(listed)
    }

    fn is_outdated(&self, sys: &mut System<'_>) -> Result<bool> {
        let output = sys.query(self.command("outdated", None))?;
        let said = output.stdout().into_owned();
        // It ends with 1 both where something is outdated, which it tells, and where it could not look.
        if !output.ok() && said.trim().is_empty() {
            let why = output.stderr().trim().to_owned();
            return Err(Failure::new(format!("npm outdated failed: {why}")).with("rc", output.code));
        }
        Ok(said.lines().skip(1).any(|line| !line.trim().is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    /// The commands that were run besides looks.
    fn check(args: &Json, ran: &[&str]) {
        let trial = Trial::of("npm");
        trial.host.program("/usr/bin/npm").dir("/app").answer("/usr/bin/npm", 0, "");
        let listed = r#"{"dependencies": {"a": {"version": "1.0.0"}}}"#;
        trial.host.answer("/usr/bin/npm list", 0, listed);
        let lacks = r#"{"dependencies": {"a": {"version": "1.0.0"}, "gone": {"missing": true}}}"#;
        trial.host.dir("/lacks").answer("/usr/bin/npm list --no-optional", 0, lacks);
        trial.host.answer("/usr/bin/npm outdated", 1, "Package Current Wanted\na 1.0.0 1.1.0\n");
        trial.foretold(args, !ran.is_empty());
        let looks = ["/usr/bin/npm list", "/usr/bin/npm outdated"];
        let acts: Vec<String> = trial
            .host
            .ran()
            .into_iter()
            .filter(|line| !looks.iter().any(|look| line.starts_with(look)))
            .collect();
        assert_eq!(acts, ran, "{args}");
    }

    #[test]
    fn packages_come_and_go() {
        check(&json!({"name": "a", "global": true}), &[]);
        check(&json!({"name": "a", "version": "1.0.0", "global": true}), &[]);
        check(
            &json!({"name": "a", "version": "2.0.0", "global": true}),
            &["/usr/bin/npm install --global a@2.0.0"],
        );
        check(
            &json!({"name": "b", "path": "/app", "production": true}),
            &["/usr/bin/npm install --production b"],
        );
        check(&json!({"path": "/app"}), &[]);
        let lacks = |state: &str| json!({"name": "a", "state": state, "path": "/lacks", "no_optional": true});
        check(&lacks("present"), &["/usr/bin/npm install --no-optional a"]);
        let both = ["/usr/bin/npm install --no-optional a", "/usr/bin/npm update --no-optional a"];
        check(&lacks("latest"), &both);
        check(&json!({"name": "a", "state": "latest", "global": true}), &["/usr/bin/npm update --global a"]);
        check(
            &json!({"name": "a", "state": "absent", "global": true}),
            &["/usr/bin/npm uninstall --global a"],
        );
        check(&json!({"name": "b", "state": "absent", "global": true}), &[]);
        check(&json!({"path": "/app", "ci": true}), &["/usr/bin/npm ci"]);
    }

    #[test]
    fn what_cannot_be_seen_is_an_error() {
        let trial = Trial::of("npm");
        trial.host.program("/usr/bin/npm").dir("/app");
        let list = |said: &str| trial.host.answer("/usr/bin/npm list", 1, said);
        list(r#"{"error": {"code": "EJSONPARSE", "summary": "bad package.json"}}"#);
        let args = json!({"path": "/app", "state": "latest"});
        assert_eq!(trial.run(&args)["msg"], "npm list failed: bad package.json");
        list(
            r#"{"error": {"code": "ELSPROBLEMS", "summary": "x"}, "dependencies": {"a": {"version": "1"}}}"#,
        );
        trial.host.answer("/usr/bin/npm outdated", 1, "");
        assert_eq!(trial.run(&args)["msg"], "npm outdated failed: ");
        trial.host.answer("/usr/bin/npm outdated", 0, "");
        assert_eq!(trial.run(&args)["changed"], json!(false));
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let result = Trial::of("npm").run(&json!({"name": "a"}));
        assert_eq!(result["msg"], "path must be specified when not using global");
    }
}
