use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::{Command, Failure, Output, Result, System};

/// Manages applications with Flatpak.
///
/// # Examples
///
/// ```yaml
/// - name: An application, for all users
///   flatpak: {name: org.gnome.Calendar, remote: gnome}
///
/// - name: By what a web site offers, for this user
///   flatpak: {name: com.onepassword.OnePassword, from_url: 'https://downloads.1password.com/op.flatpakref', method: user}
///
/// - name: The newest
///   flatpak: {name: [org.gimp.GIMP, org.inkscape.Inkscape], state: latest}
///
/// - name: Gone
///   flatpak: {name: org.gimp.GIMP, state: absent}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The applications, by their names or the URLs of `.flatpakref` files that are called by them.
    pub name: Vec<String>,
    /// Whether they are there.
    #[serde(default)]
    pub state: State,
    /// The URL of a `.flatpakref` file to install the one application from.
    pub from_url: Option<String>,
    /// For whom: all users, or the one that runs it.
    #[serde(default)]
    pub method: Method,
    /// The remote they come from.
    #[serde(default = "flathub")]
    pub remote: String,
    /// Leaves out what they need.
    #[serde(default)]
    pub no_dependencies: bool,
    /// The program.
    #[serde(default = "flatpak")]
    pub executable: String,
}

fn flathub() -> String {
    "flathub".to_owned()
}

pub(crate) fn flatpak() -> String {
    "flatpak".to_owned()
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Absent,
    Latest,
    #[default]
    Present,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    #[default]
    System,
    User,
}

impl Method {
    pub(crate) fn flag(self) -> &'static str {
        match self {
            Self::System => "--system",
            Self::User => "--user",
        }
    }
}

/// What the last command was, and said.
#[derive(Default, Serialize)]
pub struct Returns {
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rc: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<String>,
}

impl Returns {
    /// Runs a command that changes something, where its output does not say otherwise.
    pub(crate) fn run(
        &mut self,
        command: Command,
        changed: impl Fn(&Output) -> bool,
        sys: &mut System<'_>,
    ) -> Result<()> {
        let line = command.line();
        match sys.exec_judged(command, changed).map_err(Failure::as_said)? {
            Some(output) => self.tell(line, &output),
            None => self.command = Some(line),
        }
        Ok(())
    }

    /// The last command that was run, and what it said.
    pub(crate) fn tell(&mut self, line: String, output: &Output) {
        self.command = Some(line);
        self.rc = Some(output.code);
        self.stdout = Some(output.stdout().into_owned());
        self.stderr = Some(output.stderr().into_owned());
    }
}

pub(crate) fn program(executable: &str, sys: &System<'_>) -> Result<Command> {
    let found = sys.which(executable).map(Command::new);
    found.ok_or_else(|| Failure::new(format!("Executable '{executable}' was not found on the system.")))
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    if let Some(url) = &args.from_url {
        if args.name.len() != 1 {
            return Err(Failure::new("When 'from_url' is used, 'name' must contain exactly one entry."));
        }
        if args.name.iter().any(|name| is_url(name)) {
            return Err(Failure::new("The 'name' and 'from_url' parameters cannot both contain URLs."));
        }
        if !is_url(url) {
            return Err(Failure::new("The 'from_url' parameter must be an http:// or https:// URL."));
        }
    }
    let flatpak = Flatpak { program: program(&args.executable, sys)?, args: &args };
    let there = flatpak.list(sys)?;
    let (installed, missing): (Vec<&String>, Vec<&String>) =
        args.name.iter().partition(|name| there.iter().any(|known| known.is(name)));
    let mut returns = Returns::default();
    match args.state {
        State::Absent => flatpak.uninstall(&installed, &mut returns, sys)?,
        State::Present => flatpak.install(&missing, &mut returns, sys)?,
        State::Latest => {
            flatpak.update(&installed, &mut returns, sys)?;
            flatpak.install(&missing, &mut returns, sys)?;
        }
    }
    Ok(returns)
}

fn is_url(name: &str) -> bool {
    name.starts_with("http://") || name.starts_with("https://")
}

/// An installed application, or what applications need.
struct Installed {
    name: String,
    arch: String,
    branch: String,
}

impl Installed {
    /// Whether it is meant: by its name, as a part of its ref (`org.x.App//stable`), or by the name of a file.
    fn is(&self, given: &str) -> bool {
        if is_url(given) {
            let file = given.rsplit('/').next().unwrap_or_default();
            return file.strip_suffix(".flatpakref").unwrap_or(file) == self.name;
        }
        let given = given.strip_prefix("app/").or_else(|| given.strip_prefix("runtime/")).unwrap_or(given);
        let mut parts = given.split('/');
        let mut fits = |part: &str| parts.next().is_none_or(|given| given.is_empty() || given == part);
        fits(&self.name) && fits(&self.arch) && fits(&self.branch)
    }
}

struct Flatpak<'a> {
    program: Command,
    args: &'a Args,
}

impl Flatpak<'_> {
    fn list(&self, sys: &mut System<'_>) -> Result<Vec<Installed>> {
        let words = ["list", self.args.method.flag(), "--columns=application,arch,branch"];
        let said = sys.ask(self.program.clone().args(words)).map_err(Failure::as_said)?;
        let row = |line: &str| {
            let mut parts = line.split('\t').map(|part| part.trim().to_owned());
            let name = parts.next().filter(|name| !name.is_empty())?;
            let (arch, branch) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            Some(Installed { name, arch, branch })
        };
        Ok(said.stdout().lines().filter_map(row).collect())
    }

    fn install(&self, names: &[&String], returns: &mut Returns, sys: &mut System<'_>) -> Result<()> {
        let command = || {
            let words = ["install", self.args.method.flag(), "--noninteractive"];
            self.program.clone().args(words).flag("--no-deps", self.args.no_dependencies)
        };
        let (urls, names): (Vec<&String>, Vec<&String>) = names.iter().partition(|name| is_url(name));
        let urls: Vec<&String> = match &self.args.from_url {
            Some(url) if !names.is_empty() => vec![url],
            _ => urls,
        };
        for url in urls {
            returns.run(command().flag("--from", self.args.from_url.is_some()).arg(url), |_| true, sys)?;
        }
        if !names.is_empty() && self.args.from_url.is_none() {
            returns.run(command().arg(&self.args.remote).args(names), |_| true, sys)?;
        }
        Ok(())
    }

    fn update(&self, names: &[&String], returns: &mut Returns, sys: &mut System<'_>) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let words = ["update", self.args.method.flag(), "--noninteractive"];
        let command = self.program.clone().args(words).flag("--no-deps", self.args.no_dependencies);
        let command = command.args(names.iter().map(|name| plain(name)));
        returns.run(command, |output| !output.stdout().contains("Nothing to do"), sys)
    }

    fn uninstall(&self, names: &[&String], returns: &mut Returns, sys: &mut System<'_>) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let words = ["uninstall", "--noninteractive", self.args.method.flag()];
        returns.run(
            self.program.clone().args(words).args(names.iter().map(|name| plain(name))),
            |_| true,
            sys,
        )
    }
}

/// The name, where the URL of a file was given.
fn plain(given: &str) -> String {
    let file = if is_url(given) { given.rsplit('/').next().unwrap_or_default() } else { given };
    file.strip_suffix(".flatpakref").unwrap_or(file).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    fn trial() -> Trial {
        let trial = Trial::of("flatpak");
        trial.host.program("/usr/bin/flatpak").answer("/usr/bin/flatpak", 0, "Updating\n");
        trial.host.answer("/usr/bin/flatpak list", 0, "org.x.App\tx86_64\tstable\norg.y\tx86_64\t23.08\n");
        trial
    }

    /// The commands that were run besides the question.
    fn check(args: &Json, ran: &[&str]) {
        let trial = trial();
        trial.foretold(args, !ran.is_empty());
        let lines = trial.host.ran();
        let acts = lines.iter().filter_map(|line| line.strip_prefix("/usr/bin/flatpak "));
        assert_eq!(acts.filter(|line| !line.starts_with("list")).collect::<Vec<_>>(), ran, "{args}");
    }

    #[test]
    fn applications_come_and_go() {
        check(&json!({"name": ["org.x.App", "org.x.App//stable", "app/org.x.App/x86_64/stable"]}), &[]);
        check(&json!({"name": "https://h/org.x.App.flatpakref"}), &[]);
        check(
            &json!({"name": ["org.x.App//beta", "org.z"], "method": "user", "no_dependencies": true, "remote": "r"}),
            &["install --user --noninteractive --no-deps r org.x.App//beta org.z"],
        );
        let url = "http://h/App.flatpakref";
        check(&json!({"name": url}), &["install --system --noninteractive http://h/App.flatpakref"]);
        check(&json!({"name": "org.x.App", "from_url": url}), &[]);
        check(
            &json!({"name": "org.z", "from_url": url}),
            &["install --system --noninteractive --from http://h/App.flatpakref"],
        );
        check(
            &json!({"name": ["org.x.App", "org.z"], "state": "latest"}),
            &[
                "update --system --noninteractive org.x.App",
                "install --system --noninteractive flathub org.z",
            ],
        );
        check(
            &json!({"name": ["https://h/org.x.App.flatpakref", "org.z"], "state": "absent"}),
            &["uninstall --noninteractive --system org.x.App"],
        );
        check(&json!({"name": "org.z", "state": "absent"}), &[]);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let trial = trial();
        let nope = trial.run(&json!({"name": "x", "executable": "nope"}));
        assert_eq!(nope["msg"], "Executable 'nope' was not found on the system.");
        let wrong = trial.run(&json!({"name": "x", "from_url": "ftp://h/x"}));
        assert_eq!(wrong["msg"], "The 'from_url' parameter must be an http:// or https:// URL.");
        trial.host.answer("/usr/bin/flatpak install", 1, "error: No remote refs found");
        assert_eq!(trial.run(&json!({"name": "x"}))["msg"], "error: No remote refs found");
        trial.host.answer("/usr/bin/flatpak update", 0, "Nothing to do.\n");
        assert_eq!(trial.run(&json!({"name": "org.x.App", "state": "latest"}))["changed"], false);
    }
}
